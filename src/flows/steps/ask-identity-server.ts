import { isLeft } from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { MailContent } from "../../invite/admit-inviter.js";
import type { InviteDetails } from "../../invite/event-templates.js";
import { pinnedKeysOf } from "../../invite/identity-server-name.js";
import { type InviteRecord, type Transition, redeemerOf, tokensOf } from "../../invite/invite-life.js";
import { tokenTaken } from "../../invite/invite-threepid.js";
import type { ThreepidInvite } from "../../invite/parse-invite-request.js";
import { isBeforeMail } from "../../invite/store-invite-error.js";
import { type StoredInvite, parseStoredInvite } from "../../invite/stored-invite.js";
import type { RoomId, UserId } from "../../matrix/ids.js";
import type { IdentityServerError, Marked } from "../../ports.js";
import { refusal } from "../../refusal.js";
import { callPort } from "./call-port.js";
import { type Context, uncancelled } from "./context.js";
import { boundUser, failed } from "./look-up-user.js";
import type { Step } from "./step.js";
import { findByToken, transition } from "./transition.js";

export type StoreInviteNeeds = "crypto" | "rooms" | "identityServer" | "invites" | "clock";

/** An invite for which the identity server is to keep a token and send a mail. */
export interface ToStore {
  readonly roomId: RoomId;
  readonly sender: UserId;
  readonly invite: ThreepidInvite;
  readonly details: InviteDetails;
  /** Whether to ask for a new mail although one is, or may be, out. */
  readonly resend: boolean;
  readonly mail: MailContent;
  /** Charges for a new token, unless the request was charged before. */
  readonly chargeLate: Step<void>;
}

/** How far an invite has come. */
export type StoreOutcome =
  /** A token is stored; the room may not have its event yet. */
  | {
      readonly _tag: "TokenStored";
      readonly stored: Marked<InviteRecord>;
      readonly storedInvite: StoredInvite;
      /** Whether the invite had this token before it was asked for. */
      readonly isRepeated: boolean;
    }
  /** The room has the event already. */
  | { readonly _tag: "Pending"; readonly storedInvite: StoredInvite }
  /** Somebody bound the address while we asked. */
  | { readonly _tag: "Bound"; readonly userId: UserId };

/**
 * Whoever loses the race for an invite is told to come again, which a client does by itself; but not where somebody has
 * ended the invite meanwhile: they want no second one.
 */
export const unlessEnded = (
  context: Context<"invites">,
  stored: Marked<InviteRecord>,
  step: Transition,
): Step<Marked<InviteRecord>> =>
  pipe(
    transition(context, stored, step),
    TE.orElse((problem) =>
      problem.code === "InviteInProgress"
        ? pipe(
            callPort(uncancelled(context), "invites", "find", stored.value.key).answer,
            TE.flatMap((now) => {
              const state = now?.value.life._tag;
              return TE.left(state === "Revoked" || state === "Expired" ? refusal("InviteRevoked") : problem);
            }),
          )
        : TE.left(problem),
    ),
  );

/**
 * Whether an invite of ours has the token that this one cannot share it with: another one, since an identity server can
 * answer with a token that it has read in the room, and what is done to its own invite would then be done to that one; or
 * one that was redeemed, since its user could use the same proof again.
 */
const takenBy = (
  context: Context<"invites">,
  { roomId, key }: InviteRecord,
  { token }: StoredInvite,
): Step<InviteRecord | undefined> =>
  pipe(
    findByToken(context, roomId, token),
    TE.map((found) => {
      const records = found.map(({ value }) => value);
      return records.find((record) => record.key !== key || redeemerOf(record.life) !== undefined);
    }),
    // The mail is out: what cannot be looked up now must not lose the answer.
    TE.orElse((): Step<InviteRecord | undefined> => TE.right(undefined)),
  );

/** Checks the answer to store-invite, and stores it. */
const storeAnswer = (
  context: Context<StoreInviteNeeds>,
  { idServer, threepid }: ThreepidInvite,
  asked: Marked<InviteRecord>,
  answer: unknown,
): Step<StoreOutcome> => {
  const pinned = pinnedKeysOf(context.ports.config.pinnedKeys, idServer);
  const storedInvite = parseStoredInvite(answer, threepid, pinned);
  if (isLeft(storedInvite)) return TE.left(storedInvite.left);
  return pipe(
    takenBy(context, asked.value, storedInvite.right),
    TE.flatMap((other): Step<void> =>
      other === undefined ? TE.right(undefined) : TE.left(tokenTaken(other.sender, asked.value.sender)),
    ),
    TE.flatMap(() => unlessEnded(context, asked, { _tag: "Answer", storedInvite: storedInvite.right })),
    TE.map((stored) => ({
      _tag: "TokenStored",
      stored,
      storedInvite: storedInvite.right,
      isRepeated: tokensOf(asked.value.life).includes(storedInvite.right.token),
    })),
  );
};

/**
 * Asks the identity server for an invite that is stored as *Asked*, and stores the whole checked answer right after. From
 * the moment the request goes out nothing is cancelled. Only where the server surely did nothing may it be asked again
 * without `resend`; silence leaves the invite *Asked*, and so does an answer that cannot be used or may come after the mail.
 */
export const askIdentityServer = (
  given: Context<StoreInviteNeeds>,
  { roomId, sender, invite, mail }: ToStore,
  asked: Marked<InviteRecord>,
): Step<StoreOutcome> => {
  const context = uncancelled(given);
  const { idServer, idAccessToken: accessToken, threepid } = invite;
  const nothingSent = transition(context, asked, { _tag: "NothingSent" });
  const notSent = (error: IdentityServerError): Step<never> | undefined => {
    const problem = failed(error);
    return problem === undefined
      ? undefined
      : pipe(
          nothingSent,
          TE.flatMap(() => problem),
        );
  };
  const body = { medium: "email", address: threepid.address, room_id: roomId, sender, ...mail } as const;
  return callPort(context, "identityServer", "storeInvite", { idServer, accessToken, invite: body }).read(
    (answer): Step<StoreOutcome> | undefined => {
      switch (answer._tag) {
        case "Stored":
          return storeAnswer(context, invite, asked, answer.answer);
        case "AlreadyBound":
          return pipe(
            nothingSent,
            TE.flatMap(() => boundUser(given, invite, answer.userId)),
            TE.map((userId) => ({ _tag: "Bound", userId })),
          );
        case "Unreachable":
          return answer.sent ? failed(answer) : notSent(answer);
        case "Malformed":
          return failed(answer);
        case "Unauthorized":
        case "TermsNotSigned":
        case "RateLimited":
          return notSent(answer);
        case "Rejected":
          return isBeforeMail(answer) ? notSent(answer) : failed(answer);
      }
    },
  );
};
