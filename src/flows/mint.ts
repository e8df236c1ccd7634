import { isLeft } from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { InviteDetails } from "../invite/decide.js";
import type { ThreepidInvite } from "../invite/form.js";
import { type Happening, type InviteRecord, inviteKey, redeemerOf } from "../invite/life.js";
import { type MintedInvite, parseMintedInvite } from "../invite/minted.js";
import { isRevoked } from "../invite/proof.js";
import { contentOf, entry } from "../matrix/event.js";
import type { RoomId, UserId } from "../matrix/ids.js";
import { membershipOf, stateEvent } from "../matrix/room-state.js";
import type { IdentityServerError, Ports, Stored, StoreInviteRequest } from "../ports.js";
import { refusal } from "../refusal.js";
import { look } from "./commit.js";
import { boundUser, identityServerFailure } from "./identity-server.js";
import { move } from "./life.js";
import { type Step, answered, ask } from "./run.js";

type MintPorts = Pick<Ports, "config" | "crypto" | "rooms" | "identityServer" | "invites" | "clock">;

/** One invite on its way to a token. */
export interface MintRequest {
  readonly roomId: RoomId;
  readonly sender: UserId;
  readonly invite: ThreepidInvite;
  readonly details: InviteDetails;
  /** Whether to ask for a new mail although one is, or may be, out. */
  readonly resend: boolean;
  readonly body: StoreInviteRequest;
}

/** Where it got to. */
export type Minting =
  /** A token is stored; the room may not have its event yet. */
  | { readonly _tag: "Minted"; readonly stored: Stored<InviteRecord>; readonly minted: MintedInvite }
  /** The room has the event already. */
  | { readonly _tag: "Pending"; readonly minted: MintedInvite }
  /** Somebody bound the address while we asked. */
  | { readonly _tag: "Bound"; readonly userId: UserId };

/** How long an identity server may be silent before its answer counts as lost. */
const defaultAskedForMs = 60_000;

/**
 * Who loses the race for an invite is told to come again, which a client does by itself; but not where somebody has
 * ended the invite meanwhile: they want no second one.
 */
const unlessEnded =
  (ports: Pick<MintPorts, "invites">) =>
  (stored: Stored<InviteRecord>, happening: Happening): Step<Stored<InviteRecord>> =>
    pipe(
      move(ports)(stored, happening),
      TE.orElse((problem) =>
        problem.code === "InviteInProgress"
          ? pipe(
              ask("invites.find", () => ports.invites.find(stored.value.key, {})),
              TE.flatMap((now) => {
                const state = now?.value.life._tag;
                return TE.left(
                  state === "Revoked" || state === "Expired" ? refusal("InviteRevoked") : problem,
                );
              }),
            )
          : TE.left(problem),
      ),
    );

/**
 * Whether another invite of ours has the token: an identity server can answer with one that it has read in the room, and
 * what is done to its own invite would then be done to that one.
 */
const isTaken =
  (ports: Pick<MintPorts, "invites">) =>
  ({ roomId, key }: InviteRecord, { token }: MintedInvite): Step<boolean> =>
    pipe(
      ask("invites.findByToken", async () => {
        const found = await ports.invites.findByToken(roomId, token, {});
        return found.some(({ value }) => value.key !== key);
      }),
      // The mail is out: what cannot be looked up now must not lose the answer.
      TE.orElse(() => TE.right(false)),
    );

/**
 * Asks the identity server to mint, with the intent stored before and the whole checked answer right after. From
 * the moment the request goes out nothing is cancelled. Only where the server surely did nothing may it be asked
 * again without `resend`; silence leaves the invite *asked*, and so does an answer that cannot be used: its mail is
 * out.
 */
const askToMint =
  (ports: MintPorts) =>
  (request: MintRequest, stored: Stored<InviteRecord>): Step<Minting> => {
    const { idServer, idAccessToken, threepid } = request.invite;
    const nothingSent = (asked: Stored<InviteRecord>): Step<Stored<InviteRecord>> =>
      move(ports)(asked, { _tag: "NothingSent" });
    const notMade = (asked: Stored<InviteRecord>, error: IdentityServerError): Step<never> =>
      pipe(
        nothingSent(asked),
        TE.flatMap(() => TE.left(identityServerFailure(error, "identityServer.storeInvite"))),
      );
    return pipe(
      unlessEnded(ports)(stored, { _tag: "Ask", at: ports.clock.now() }),
      TE.flatMap((asked) =>
        pipe(
          ask("identityServer.storeInvite", () =>
            ports.identityServer.storeInvite(
              { idServer, accessToken: idAccessToken, invite: request.body },
              {},
            ),
          ),
          answered("identityServer.storeInvite", (answer): Step<Minting> => {
            switch (answer._tag) {
              case "Stored": {
                const pinned = ports.config.pinnedKeys?.get(idServer);
                const minted = parseMintedInvite(answer.answer, threepid, pinned);
                return isLeft(minted)
                  ? TE.left(minted.left)
                  : pipe(
                      isTaken(ports)(asked.value, minted.right),
                      TE.filterOrElseW(
                        (taken) => !taken,
                        () => refusal("TokenTaken"),
                      ),
                      TE.flatMap(() => unlessEnded(ports)(asked, { _tag: "Answer", minted: minted.right })),
                      TE.map((next) => ({ _tag: "Minted", stored: next, minted: minted.right })),
                    );
              }
              case "AlreadyBound":
                return pipe(
                  nothingSent(asked),
                  TE.flatMap(() => boundUser(answer.userId)),
                  TE.map((userId) => ({ _tag: "Bound", userId })),
                );
              case "Unreachable":
                return answer.sent
                  ? TE.left(identityServerFailure(answer, "identityServer.storeInvite"))
                  : notMade(asked, answer);
              case "Malformed":
                return TE.left(identityServerFailure(answer, "identityServer.storeInvite"));
              case "Unauthorized":
              case "TermsNotSigned":
              case "RateLimited":
              case "Rejected":
                return notMade(asked, answer);
            }
          }),
        ),
      ),
    );
  };

/** How the room has a token: not at all, as its sender's living invite, or emptied, redacted, somebody else's. */
type Standing = "absent" | "alive" | "gone";

const standingOf =
  (ports: Pick<Ports, "rooms">) =>
  (record: InviteRecord, minted: MintedInvite, signal: AbortSignal | undefined): Step<Standing> =>
    pipe(
      look(ports)(record.roomId, [entry("m.room.third_party_invite", minted.token)], signal),
      TE.map(({ state }): Standing => {
        const event = stateEvent(state, "m.room.third_party_invite", minted.token);
        if (event === undefined) return "absent";
        return event.sender === record.sender && !isRevoked(contentOf(event)) ? "alive" : "gone";
      }),
    );

/**
 * Who has redeemed the invite and is invited still: asking for another would empty the token by which servers may judge
 * that invite until its user has joined.
 */
const stillInvited =
  (ports: Pick<MintPorts, "rooms">) =>
  ({ roomId, life }: InviteRecord, signal: AbortSignal | undefined): Step<UserId | undefined> => {
    const by = redeemerOf(life);
    return by === undefined
      ? TE.right(undefined)
      : pipe(
          look(ports)(roomId, [entry("m.room.member", by)], signal),
          TE.map(({ state }) => (membershipOf(state, by) === "invite" ? by : undefined)),
        );
  };

/**
 * Brings an invite to its token: puts the intent down, and asks the identity server unless a token is there
 * already (`docs/explanation.md`, "The life of an invite").
 */
export const mint =
  (ports: MintPorts) =>
  (request: MintRequest, signal: AbortSignal | undefined): Step<Minting> => {
    const { roomId, sender, invite, details, resend } = request;
    const { idServer, threepid } = invite;
    const intended: InviteRecord = {
      key: inviteKey(ports.crypto, ports.config.addressKey, { roomId, sender, idServer, threepid }),
      roomId,
      sender,
      idServer,
      createdAt: ports.clock.now(),
      details,
      ...(ports.config.storeAddresses === true ? { threepid } : {}),
      life: { _tag: "Intended" },
    };
    return pipe(
      ask("invites.putIfAbsent", () => ports.invites.putIfAbsent(intended, { signal }), signal),
      TE.bindTo("stored"),
      TE.bind("invited", ({ stored }) => stillInvited(ports)(stored.value, signal)),
      TE.flatMap(({ stored, invited }): Step<Minting> => {
        if (invited !== undefined) return TE.right({ _tag: "Bound", userId: invited });
        const { life } = stored.value;
        // What is asked for now is what counts, not what was said the first time.
        const again = (): Step<Minting> =>
          askToMint(ports)(request, {
            mark: stored.mark,
            value: { ...intended, createdAt: stored.value.createdAt, life },
          });
        if (resend) return again();
        switch (life._tag) {
          case "Intended":
          case "Redeemed":
          case "Revoked":
          case "Expired":
            return again();
          case "Asked":
            return ports.clock.now() - life.at < (ports.config.askedForMs ?? defaultAskedForMs)
              ? TE.left(refusal("InviteInProgress", { retryAfterMs: 5_000 }))
              : TE.left(refusal("InviteUnknown"));
          case "Minted": {
            const { minted } = life;
            return pipe(
              standingOf(ports)(stored.value, minted, signal),
              TE.flatMap((standing): Step<Minting> =>
                // Appended before a crash and emptied since: there is nothing to append any more.
                standing === "gone" ? again() : TE.right({ _tag: "Minted", stored, minted }),
              ),
            );
          }
          case "Pending": {
            const { minted } = life;
            return pipe(
              standingOf(ports)(stored.value, minted, signal),
              TE.flatMap((standing): Step<Minting> =>
                standing === "alive" ? TE.right({ _tag: "Pending", minted }) : again(),
              ),
            );
          }
        }
      }),
    );
  };
