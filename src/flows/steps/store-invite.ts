import { isLeft } from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { MailContent } from "../../invite/admit-inviter.js";
import type { InviteDetails } from "../../invite/event-templates.js";
import {
  type InviteRecord,
  type Transition,
  addressHash,
  inviteKey,
  lostAnswer,
  redeemerOf,
} from "../../invite/invite-life.js";
import type { ThreepidInvite } from "../../invite/parse-invite-request.js";
import { pinnedKeysOf } from "../../invite/identity-server-name.js";
import { isRevoked } from "../../invite/proof.js";
import { isBeforeMail } from "../../invite/store-invite-error.js";
import { type StoredInvite, parseStoredInvite } from "../../invite/stored-invite.js";
import { contentOf, entry } from "../../matrix/event.js";
import type { RoomId, UserId } from "../../matrix/ids.js";
import { membershipOf, stateEvent } from "../../matrix/room-state.js";
import type { IdentityServerError, Marked } from "../../ports.js";
import { refusal } from "../../refusal.js";
import { askedForMs } from "./asked-for.js";
import { callPort, unlessStopped } from "./call-port.js";
import { type Context, uncancelled } from "./context.js";
import { readState } from "./decide.js";
import { failed, namedUser } from "./look-up-user.js";
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
    }
  /** The room has the event already. */
  | { readonly _tag: "Pending"; readonly storedInvite: StoredInvite }
  /** Somebody bound the address while we asked. */
  | { readonly _tag: "Bound"; readonly userId: UserId };

/**
 * Whoever loses the race for an invite is told to come again, which a client does by itself; but not where somebody has
 * ended the invite meanwhile: they want no second one.
 */
const unlessEnded = (
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
 * Whether another invite of ours has the token: an identity server can answer with one that it has read in the room, and
 * what is done to its own invite would then be done to that one.
 */
const isTaken = (
  context: Context<"invites">,
  { roomId, key }: InviteRecord,
  { token }: StoredInvite,
): Step<boolean> =>
  pipe(
    findByToken(context, roomId, token),
    TE.map((found) => found.some(({ value }) => value.key !== key)),
    // The mail is out: what cannot be looked up now must not lose the answer.
    TE.orElse(() => TE.right(false)),
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
    isTaken(context, asked.value, storedInvite.right),
    TE.filterOrElseW(
      (taken) => !taken,
      () => refusal("TokenTaken"),
    ),
    TE.flatMap(() => unlessEnded(context, asked, { _tag: "Answer", storedInvite: storedInvite.right })),
    TE.map((stored) => ({ _tag: "TokenStored", stored, storedInvite: storedInvite.right })),
  );
};

/**
 * Asks the identity server for an invite that is stored as *Asked*, and stores the whole checked answer right after. From
 * the moment the request goes out nothing is cancelled. Only where the server surely did nothing may it be asked again
 * without `resend`; silence leaves the invite *Asked*, and so does an answer that cannot be used or may come after the mail.
 */
const askIdentityServer = (
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
            TE.flatMap(() => namedUser(answer.userId)),
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

/** How the room has a token: not at all, as its sender's pending invite, or emptied, redacted, somebody else's. */
type InRoom = "absent" | "pending" | "gone";

const tokenInRoom = (
  context: Context<"rooms">,
  record: InviteRecord,
  { token }: StoredInvite,
): Step<InRoom> =>
  pipe(
    readState(context, record.roomId, [entry("m.room.third_party_invite", token)]),
    TE.map(({ state }): InRoom => {
      const event = stateEvent(state, "m.room.third_party_invite", token);
      if (event === undefined) return "absent";
      return event.sender === record.sender && !isRevoked(contentOf(event)) ? "pending" : "gone";
    }),
  );

/**
 * Who has redeemed the invite and is invited still: asking for another would empty the token by which servers may judge
 * that invite until its user has joined.
 */
const stillInvited = (
  context: Context<"rooms">,
  { roomId, life }: InviteRecord,
): Step<UserId | undefined> => {
  const by = redeemerOf(life);
  return by === undefined
    ? TE.right(undefined)
    : pipe(
        readState(context, roomId, [entry("m.room.member", by)]),
        TE.map(({ state }) => (membershipOf(state, by) === "invite" ? by : undefined)),
      );
};

/** Goes on with an invite that was stored by an earlier request. */
const goOn = (
  context: Context<StoreInviteNeeds>,
  stored: Marked<InviteRecord>,
  askAgain: Step<StoreOutcome>,
): Step<StoreOutcome> => {
  const { clock, config } = context.ports;
  const { value } = stored;
  const { life } = value;
  switch (life._tag) {
    case "Intended":
    case "Redeemed":
    case "Revoked":
    case "Expired":
      return askAgain;
    case "Asked": {
      const lost = lostAnswer(life, clock.now(), askedForMs(config));
      switch (lost._tag) {
        case "InProgress":
          return TE.left(refusal("InviteInProgress", { retryAfterMs: 5_000 }));
        case "AskAgain":
          return askAgain;
        case "Unknown":
          return TE.left(refusal("InviteUnknown", { retryAfterMs: lost.retryAfterMs }));
      }
    }
    case "TokenStored":
      return pipe(
        tokenInRoom(context, value, life.storedInvite),
        TE.flatMap((inRoom): Step<StoreOutcome> =>
          // Appended before a crash and emptied since: there is nothing to append any more.
          inRoom === "gone"
            ? askAgain
            : TE.right({ _tag: "TokenStored", stored, storedInvite: life.storedInvite }),
        ),
      );
    case "Pending":
      return pipe(
        tokenInRoom(context, value, life.storedInvite),
        TE.flatMap((inRoom): Step<StoreOutcome> =>
          inRoom === "pending" ? TE.right({ _tag: "Pending", storedInvite: life.storedInvite }) : askAgain,
        ),
      );
  }
};

/**
 * Brings an invite to its token: stores that the identity server is about to be asked, and asks it unless a token is
 * there already (`docs/explanation.md`, "The life of an invite").
 */
export const storeInvite = (context: Context<StoreInviteNeeds>, request: ToStore): Step<StoreOutcome> => {
  const { config, crypto, clock } = context.ports;
  const { roomId, sender, invite, details, resend } = request;
  const { idServer, threepid } = invite;
  const now = clock.now();
  const asked: InviteRecord = {
    key: inviteKey(crypto, config.addressKey, { roomId, sender, idServer, threepid }),
    addressHash: addressHash(crypto, config.addressKey, threepid),
    roomId,
    sender,
    idServer,
    createdAt: now,
    details,
    ...(config.storeAddresses === true ? { threepid } : {}),
    life: { _tag: "Asked", at: now, before: { _tag: "Intended" } },
  };
  return pipe(
    unlessStopped(context),
    // Not cancelled any more: a record that says *Asked* is to be followed by the request.
    TE.flatMap(() =>
      // Without an answer to who has put it, either nobody would ask the identity server, or everybody.
      callPort(uncancelled(context), "invites", "putIfAbsent", asked).read((put) =>
        typeof put.isNew === "boolean" ? TE.right(put) : undefined,
      ),
    ),
    TE.flatMap((stored): Step<StoreOutcome> => {
      if (stored.isNew) return askIdentityServer(context, request, stored);
      // What is asked for now is what counts, not what was said the first time.
      const again = {
        mark: stored.mark,
        value: { ...asked, createdAt: stored.value.createdAt, life: stored.value.life },
      };
      const askAgain = pipe(
        request.chargeLate,
        TE.flatMap(() => unlessEnded(context, again, { _tag: "Ask", at: clock.now(), isRepeat: !resend })),
        TE.flatMap((record) => askIdentityServer(context, request, record)),
      );
      return pipe(
        stillInvited(context, stored.value),
        TE.flatMap((invited): Step<StoreOutcome> => {
          if (invited !== undefined) return TE.right({ _tag: "Bound", userId: invited });
          return resend ? askAgain : goOn(context, stored, askAgain);
        }),
      );
    }),
  );
};
