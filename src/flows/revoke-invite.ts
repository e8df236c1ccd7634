import { type Either, right } from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Requester } from "../invite/admit.js";
import type { Addressee } from "../invite/form.js";
import { type InviteRecord, advance, inviteKey, redeemerOf, tokensOf } from "../invite/life.js";
import { type RevokeOutcome, revoke, revokeOwn } from "../invite/revoke.js";
import type { RoomId, UserId } from "../matrix/ids.js";
import { type RoomState, membershipOf } from "../matrix/room-state.js";
import type { Ports, Stored } from "../ports.js";
import { type Refusal, refusal } from "../refusal.js";
import { type RequesterCommand, outsideIsNotJoined, readCommand } from "./command.js";
import type { Committed } from "./commit.js";
import { configured } from "./config.js";
import { emptyTokens } from "./empty-tokens.js";
import { again, move, noteEnd } from "./life.js";
import { redeemers } from "./room-invites.js";
import { type FlowOptions, type FlowResult, type Step, ask, bestEffort, run, tell } from "./run.js";

/** Which invite to revoke: any, by its token in the room, or one that the requester made, by whom it was for. */
export type RevokeInvite = {
  readonly roomId: string;
  readonly requester: RequesterCommand;
} & (
  | {
      /** The `state_key` of the room's `m.room.third_party_invite`. */
      readonly token: string;
    }
  | {
      /** What `parseAddressee` read. */
      readonly addressee: Addressee;
    }
);

export type RevokeInvitePorts = Pick<Ports, "config" | "crypto" | "rooms" | "events" | "invites" | "observe">;

/** What became of it. An invite that was redeemed stays: to withdraw it is to kick its user. */
export type Revocation = RevokeOutcome | { readonly _tag: "AlreadyRedeemed"; readonly by: UserId };

const isByToken = (command: RevokeInvite): command is Extract<RevokeInvite, { readonly token: string }> =>
  "token" in command && typeof command.token === "string";

/** Neither may be there in a language without types. */
const addresseeOf = (command: RevokeInvite): Addressee | undefined =>
  "addressee" in command ? command.addressee : undefined;

const revokeToken =
  (ports: RevokeInvitePorts) =>
  (
    roomId: RoomId,
    requester: Requester,
    token: string,
    signal: AbortSignal | undefined,
  ): Step<Committed<Revocation>> =>
    pipe(
      emptyTokens(ports)(roomId, requester, [token], signal, (state) => revoke(state, requester, token)),
      // It is revoked, and is not undone if the note is lost.
      TE.tap(() => bestEffort(ports.observe, noteEnd(ports)(roomId, token, { _tag: "Revoke" }))),
    );

/** Of an invite that was redeemed, the tokens stay until its user has joined or left: the rules may judge it anew by them. */
const revokeRedeemed = (
  state: RoomState,
  requester: Requester,
  { life }: InviteRecord,
): Either<Refusal, Revocation> => {
  const by = redeemerOf(life);
  return by !== undefined && membershipOf(state, by) === "invite"
    ? right({ _tag: "AlreadyRedeemed", by })
    : revokeOwn(state, requester, tokensOf(life));
};

/** Notes that an invite was revoked, if it is not over; whether there was anything to note. */
const noteRevoked =
  (ports: RevokeInvitePorts) =>
  (stored: Stored<InviteRecord>): Step<boolean> =>
    advance(stored.value.life, { _tag: "Revoke" }) === undefined
      ? TE.right(false)
      : pipe(
          move(ports)(stored, { _tag: "Revoke" }),
          TE.map(() => true),
        );

/**
 * Empties all tokens of an invite, and ends it: an answer of the identity server that is still to come finds it ended,
 * and its token is not appended.
 */
const revokeAddressee =
  (ports: RevokeInvitePorts) =>
  (
    roomId: RoomId,
    requester: Requester,
    { idServer, threepid }: Addressee,
    signal: AbortSignal | undefined,
  ): Step<Committed<Revocation>> => {
    const sender = requester.userId;
    const key = inviteKey(ports.crypto, ports.config.addressKey, { roomId, sender, idServer, threepid });
    // Kept over the rounds: what was emptied in one of them is what this call has done.
    let done: Committed<Revocation> | undefined;
    return again(
      pipe(
        ask("invites.find", () => ports.invites.find(key, { signal }), signal),
        TE.flatMap((stored) =>
          stored === undefined ? TE.left(refusal("InviteNotFound")) : TE.right(stored),
        ),
        TE.bindTo("stored"),
        TE.bind("outcome", ({ stored: { value } }) =>
          emptyTokens(ports)(
            roomId,
            requester,
            tokensOf(value.life),
            signal,
            (state) => revokeRedeemed(state, requester, value),
            redeemers([value]),
          ),
        ),
        TE.tapIO(({ outcome }) => () => {
          if (outcome._tag === "Revoke") done = outcome;
        }),
        TE.flatMap(({ stored, outcome }) =>
          pipe(
            noteRevoked(ports)(stored),
            TE.map((noted) => {
              if (outcome._tag === "AlreadyRedeemed") return outcome;
              return done ?? (noted ? { _tag: "Revoke", events: [] } : outcome);
            }),
          ),
        ),
      ),
    );
  };

const revoked =
  (ports: RevokeInvitePorts) =>
  (
    command: RevokeInvite,
    roomId: RoomId,
    requester: Requester,
    signal: AbortSignal | undefined,
  ): Step<Committed<Revocation>> => {
    if (isByToken(command)) return revokeToken(ports)(roomId, requester, command.token, signal);
    const addressee = addresseeOf(command);
    return addressee === undefined
      ? TE.left(refusal("FieldMissing", { detail: "token or addressee" }))
      : pipe(
          configured(ports),
          TE.flatMap(() => revokeAddressee(ports)(roomId, requester, addressee, signal)),
        );
  };

/**
 * Revokes a pending third-party invite: its event is emptied, and a proof that comes later finds no key.
 * By token: anybody's, by whoever may invite. By address: the requester's own, wherever it is in its life; refused
 * with `InviteNotFound` where they have made none. Never rejects.
 *
 * @example
 * await revokeInvite(ports)({ roomId, requester: { userId }, token });
 * await revokeInvite(ports)({ roomId, requester: { userId }, addressee }); // of parseAddressee
 */
export const revokeInvite =
  (ports: RevokeInvitePorts) =>
  (command: RevokeInvite, { signal }: FlowOptions = {}): FlowResult<Committed<Revocation>> =>
    run(
      pipe(
        TE.fromEither(readCommand(command)),
        TE.flatMap(({ roomId, requester }) =>
          pipe(
            revoked(ports)(command, roomId, requester, signal),
            TE.tapIO((outcome) => () => {
              if (outcome._tag === "Revoke")
                tell(ports.observe, { _tag: "InviteRevoked", roomId, sender: requester.userId });
            }),
          ),
        ),
        TE.mapLeft(outsideIsNotJoined),
      ),
      ports.observe,
      { flow: "revokeInvite" },
    );
