import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Requester } from "../invite/admit.js";
import { type InviteDetails, type InviteOutcome, decide } from "../invite/decide.js";
import type { ThreepidInvite } from "../invite/form.js";
import { mayStand } from "../invite/life.js";
import type { RoomId } from "../matrix/ids.js";
import type { RoomState } from "../matrix/room-state.js";
import type { Ports } from "../ports.js";
import { refusal } from "../refusal.js";
import { type RequesterCommand, outsideIsNotJoined, readCommand } from "./command.js";
import { configured } from "./config.js";
import { type Committed, commit } from "./commit.js";
import { displayEntries, lookUp, storeInviteRequest } from "./identity-server.js";
import { admitted, inviteKnown, powerEntries } from "./invite-user.js";
import { type Minting, mint } from "./mint.js";
import { emptyTokens } from "./empty-tokens.js";
import { move } from "./life.js";
import { tokenEntries } from "./room-invites.js";
import { type FlowOptions, type FlowResult, type Step, ask, bestEffort, run, tell } from "./run.js";
import { findUser } from "./users.js";

/** What `inviteByThreePid` is asked to do. */
export interface InviteByThreePid {
  readonly roomId: string;
  readonly requester: RequesterCommand;
  /** What `parseInviteRequest` or `parseThreepidInvite` read. */
  readonly invite: ThreepidInvite;
  /** Kept beside the invite, and put into the member event when it is made (D-11). */
  readonly details?: InviteDetails;
  /** Whether to have a new mail sent although one is, or may be, out. The token before is emptied. */
  readonly resend?: boolean;
}

export type InviteByThreePidPorts = Pick<
  Ports,
  | "config"
  | "crypto"
  | "rooms"
  | "events"
  | "identityServer"
  | "invites"
  | "users"
  | "clock"
  | "policy"
  | "observe"
>;

interface Context {
  readonly roomId: RoomId;
  readonly requester: Requester;
  readonly command: InviteByThreePid;
  readonly details: InviteDetails;
  readonly signal: AbortSignal | undefined;
}

/**
 * Notes that the room has the event, and which earlier ones it has, empty now. Where a resend, or the end of the
 * invite, has overtaken us meanwhile, our token may not stand, and is emptied.
 */
const noteAppended =
  (ports: InviteByThreePidPorts) =>
  (
    { roomId, requester }: Context,
    { stored, minted }: Extract<Minting, { _tag: "Minted" }>,
    outcome: InviteOutcome,
  ): Step<unknown> =>
    pipe(
      move(ports)(stored, {
        _tag: "Append",
        superseded: outcome._tag === "ThirdPartyInvite" ? outcome.superseded : [],
      }),
      TE.map(() => undefined),
      TE.orElse((problem) =>
        problem.code === "InviteInProgress"
          ? pipe(
              ask("invites.find", () => ports.invites.find(stored.value.key, {})),
              TE.map((now) => now !== undefined && !mayStand(now.value.life, minted.token)),
              TE.flatMap((overtaken) =>
                overtaken
                  ? emptyTokens(ports)(roomId, requester, [minted.token], undefined)
                  : TE.right(undefined),
              ),
            )
          : TE.left(problem),
      ),
    );

/** Appends the event of a minted invite and notes that the room has it. */
const appendMinted =
  (ports: InviteByThreePidPorts) =>
  (context: Context, minting: Extract<Minting, { _tag: "Minted" }>): Step<Committed<InviteOutcome>> => {
    const { roomId, requester } = context;
    const { stored, minted } = minting;
    const { life } = stored.value;
    const supersedes = life._tag === "Minted" ? life.standing : [];
    return pipe(
      // Not cancelled any more: the mail is out, and the room should have what it speaks of.
      commit(ports)(
        {
          roomId,
          reads: [...powerEntries(requester.userId), ...tokenEntries([minted.token, ...supersedes])],
          decide: (state) => decide(state, requester, { _tag: "Unbound", minted, supersedes }),
          events: (outcome) => (outcome._tag === "ThirdPartyInvite" ? outcome.events : []),
        },
        undefined,
      ),
      // The room has the event now, noted or not: without the note the next request finds it there.
      TE.tap((outcome) => bestEffort(ports.observe, noteAppended(ports)(context, minting, outcome))),
      TE.tapIO((outcome) => () => {
        if (outcome._tag === "ThirdPartyInvite")
          tell(ports.observe, { _tag: "InvitePending", roomId, sender: requester.userId });
      }),
    );
  };

const inviteUnknown =
  (ports: InviteByThreePidPorts) =>
  (context: Context, state: RoomState): Step<Committed<InviteOutcome>> => {
    const { roomId, requester, command, details, signal } = context;
    const { threepid } = command.invite;
    // Identity servers keep invites for e-mail addresses only; asking would make no mail and no sense (D-4).
    if (threepid.medium !== "email") return TE.left(refusal("MediumNotStorable"));
    return pipe(
      findUser(ports, requester.userId, signal),
      TE.flatMap((sender) =>
        mint(ports)(
          {
            roomId,
            sender: requester.userId,
            invite: command.invite,
            details,
            resend: command.resend ?? false,
            body: storeInviteRequest(state, requester.userId, threepid.address, sender?.profile ?? {}),
          },
          signal,
        ),
      ),
      TE.flatMap((minting): Step<Committed<InviteOutcome>> => {
        switch (minting._tag) {
          case "Minted":
            return appendMinted(ports)(context, minting);
          case "Pending":
            return TE.right({ _tag: "AlreadyPending", token: minting.minted.token });
          case "Bound":
            return inviteKnown(ports)(roomId, requester, minting.userId, details, signal);
        }
      }),
    );
  };

/**
 * Invites somebody by e-mail address or phone number: the whole of the third-party form of
 * `POST /rooms/{roomId}/invite`. May they invite? Then the host's policy, then the lookup. A known
 * address leads to the ordinary invite; an unknown one to a minted token and its `m.room.third_party_invite`. A mail
 * goes out once for an invite however often it is asked for, unless `resend` is given.
 *
 * Never rejects. Answer every `right` with 200 and `{}`; a `left` says what to answer.
 *
 * @example
 * const result = await inviteByThreePid(ports)({ roomId, requester: { userId }, invite });
 * if (isLeft(result)) respond(result.left.status, { errcode: result.left.errcode, error: result.left.message });
 */
export const inviteByThreePid =
  (ports: InviteByThreePidPorts) =>
  (command: InviteByThreePid, { signal }: FlowOptions = {}): FlowResult<Committed<InviteOutcome>> => {
    const { invite } = command;
    return run(
      pipe(
        configured(ports),
        TE.flatMapEither(() => readCommand(command)),
        TE.map((read): Context => ({ ...read, command, details: command.details ?? {}, signal })),
        TE.flatMap((context) =>
          pipe(
            admitted(ports)(
              context.roomId,
              context.requester,
              { _tag: "ByThreepid", idServer: invite.idServer, threepid: invite.threepid },
              displayEntries,
              signal,
            ),
            TE.bindTo("view"),
            TE.bind("userId", () => lookUp(ports)(invite, signal)),
            TE.flatMap(({ view, userId }) =>
              userId === undefined
                ? inviteUnknown(ports)(context, view.state)
                : inviteKnown(ports)(context.roomId, context.requester, userId, context.details, signal),
            ),
          ),
        ),
        TE.mapLeft(outsideIsNotJoined),
      ),
      ports.observe,
      { flow: "inviteByThreePid" },
    );
  };
