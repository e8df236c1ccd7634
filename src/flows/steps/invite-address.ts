import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { MailContent } from "../../invite/admit-inviter.js";
import { checkContent } from "../../invite/decision.js";
import { detailsContent } from "../../invite/event-templates.js";
import { mayBeNamed } from "../../invite/identity-server-name.js";
import { mayBePending } from "../../invite/invite-life.js";
import { type InviteThreepidOutcome, inviteThreepid } from "../../invite/invite-threepid.js";
import type { InviteUserOutcome } from "../../invite/invite-user.js";
import type { ThreepidInvite } from "../../invite/parse-invite-request.js";
import { revokeOwn } from "../../invite/revoke.js";
import type { UserId } from "../../matrix/ids.js";
import { refusal } from "../../refusal.js";
import type { StoreInviteNeeds, StoreOutcome } from "./ask-identity-server.js";
import { callPort } from "./call-port.js";
import { chargeInvite } from "./charge-invite.js";
import { type Context, uncancelled } from "./context.js";
import { type Committed, commit } from "./decide.js";
import { findUser } from "./find-user.js";
import {
  type InviteUserNeeds,
  type Inviting,
  admitted,
  askPolicy,
  inviteKnownUser,
} from "./invite-known-user.js";
import { lookUpUser } from "./look-up-user.js";
import { bestEffort, notify } from "./notify.js";
import type { Step } from "./step.js";
import { storeInvite } from "./store-invite.js";
import { transition } from "./transition.js";

export type InviteAddressNeeds = InviteUserNeeds | StoreInviteNeeds | "limits";

/** An invite by third-party identifier, on its way. */
export interface InvitingAddress extends Inviting {
  readonly invite: ThreepidInvite;
  readonly resend: boolean;
}

type TokenStored = Extract<StoreOutcome, { readonly _tag: "TokenStored" }>;

/** What an invite came to, whoever is behind the identifier. */
export type InviteOutcome = InviteUserOutcome | InviteThreepidOutcome;

/**
 * Notes that the room has the event, and which earlier ones it has, empty now. Where a resend, or the end of the invite,
 * has overtaken us meanwhile, our token may not be pending, and is emptied.
 */
const noteAppended = (
  context: Context<InviteAddressNeeds>,
  { roomId, requester }: Inviting,
  { stored, storedInvite }: TokenStored,
  outcome: InviteThreepidOutcome,
): Step<unknown> => {
  const superseded = outcome._tag === "ThirdPartyInvite" ? outcome.superseded : [];
  return pipe(
    transition(context, stored, { _tag: "Append", superseded }),
    TE.map(() => undefined),
    TE.orElse((problem) =>
      problem.code === "InviteInProgress"
        ? pipe(
            callPort(context, "invites", "find", stored.value.key).answer,
            TE.flatMap((now): Step<unknown> =>
              now === undefined || mayBePending(now.value.life, storedInvite.token)
                ? TE.right(undefined)
                : commit(context, {
                    roomId,
                    decision: revokeOwn,
                    command: { requester, tokens: [storedInvite.token] },
                  }),
            ),
          )
        : TE.left(problem),
    ),
  );
};

/** Appends the event of a stored token and notes that the room has it. */
const appendToken = (
  given: Context<InviteAddressNeeds>,
  inviting: Inviting,
  token: TokenStored,
): Step<Committed<InviteThreepidOutcome>> => {
  // Not cancelled any more: the mail is out, and the room should have what it speaks of.
  const context = uncancelled(given);
  const { roomId, requester } = inviting;
  const { life } = token.stored.value;
  return pipe(
    commit(context, {
      roomId,
      decision: inviteThreepid,
      command: {
        requester,
        storedInvite: token.storedInvite,
        isRepeated: token.isRepeated,
        supersedes: life._tag === "TokenStored" ? life.earlierTokens : [],
      },
    }),
    // The room has the event now, noted or not: without the note the next request finds it there.
    TE.tap((outcome) => bestEffort(context, noteAppended(context, inviting, token, outcome))),
    TE.tapIO((outcome) => () => {
      if (outcome._tag === "ThirdPartyInvite")
        notify(context, { _tag: "InvitePending", roomId, sender: requester.userId });
    }),
  );
};

/** The name that the mail shows of its sender: in the room, or else of their profile. */
const withSenderName = (
  context: Context<"users">,
  { requester: { userId } }: Inviting,
  mail: MailContent,
): Step<MailContent> =>
  mail.sender_display_name === undefined
    ? pipe(
        findUser(context, { userId }),
        TE.map((user) => ({
          ...(user?.profile?.avatarUrl === undefined ? {} : { sender_avatar_url: user.profile.avatarUrl }),
          ...mail,
          sender_display_name: user?.profile?.displayname ?? userId,
        })),
      )
    : TE.right(mail);

/** Invites the user who is bound to the address, in the ordinary way. */
const inviteBoundUser = (
  context: Context<InviteUserNeeds>,
  inviting: InvitingAddress,
  { userId, mail }: { readonly userId: UserId; readonly mail: MailContent },
): Step<Committed<InviteOutcome>> => {
  const { idServer, threepid } = inviting.invite;
  return inviteKnownUser(context, inviting, {
    target: { _tag: "ByBoundThreepid", idServer, threepid, userId },
    mail,
  });
};

const inviteUnknown = (
  context: Context<InviteAddressNeeds>,
  inviting: InvitingAddress,
  { mail, chargeLate }: { readonly mail: MailContent; readonly chargeLate: Step<void> },
): Step<Committed<InviteOutcome>> => {
  const { roomId, requester, invite, details, resend } = inviting;
  const { threepid } = invite;
  // Identity servers keep invites for e-mail addresses only (D-4).
  if (threepid.medium !== "email") return TE.left(refusal("MediumNotStorable"));
  return pipe(
    withSenderName(context, inviting, mail),
    TE.flatMap((named) =>
      storeInvite(context, {
        roomId,
        sender: requester.userId,
        invite,
        details,
        resend,
        mail: named,
        chargeLate,
      }),
    ),
    TE.flatMap((outcome): Step<Committed<InviteOutcome>> => {
      switch (outcome._tag) {
        case "TokenStored":
          return appendToken(context, inviting, outcome);
        case "Pending":
          return TE.right({ _tag: "AlreadyPending", token: outcome.storedInvite.token, events: [] });
        case "Bound":
          return inviteBoundUser(context, inviting, { userId: outcome.userId, mail });
      }
    }),
  );
};

/** Runs a step when those before it are over. */
export type InTurn = <A>(step: Step<A>) => Step<A>;

/** Half of what an event may have. */
const maxDetailsBytes = 30_000;

/**
 * Invites somebody by e-mail address or phone number. May they invite? Then the host's policy and the limits, then the
 * lookup. A known address leads to the ordinary invite; an unknown one to a token of the identity server and its
 * `m.room.third_party_invite`. What comes before the lookup is run by `inTurn`.
 */
export const inviteAddress = (
  context: Context<InviteAddressNeeds>,
  inviting: InvitingAddress,
  inTurn: InTurn = (step) => step,
): Step<Committed<InviteOutcome>> => {
  const { roomId, requester, invite, details } = inviting;
  const { idServer, threepid } = invite;
  if (!mayBeNamed(context.ports.config.identityServers ?? {}, idServer))
    return TE.left(refusal("IdentityServerNotAllowed"));
  const charged = pipe(
    // They go into an event much later, beside a proof: what has no place there is refused before a mail is out.
    TE.fromEither(checkContent(detailsContent(details), { maxBytes: maxDetailsBytes })),
    TE.flatMap(() => admitted(context, inviting)),
    TE.tap(({ mail }) =>
      askPolicy(context, {
        inviter: requester.userId,
        roomId,
        target: { _tag: "ByThreepid", idServer, threepid },
        mail,
      }),
    ),
    TE.bindTo("admitted"),
    TE.bind("charge", () => chargeInvite(context, inviting)),
  );
  return pipe(
    inTurn(charged),
    TE.bind("userId", ({ charge }) => lookUpUser(context, invite, charge.giveBack)),
    TE.flatMap(({ admitted: { mail }, charge: { chargeLate }, userId }) =>
      userId === undefined
        ? inviteUnknown(context, inviting, { mail, chargeLate })
        : inviteBoundUser(context, inviting, { userId, mail }),
    ),
  );
};
