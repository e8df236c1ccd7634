import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import {
  type InviteRecord,
  addressHash,
  inviteKey,
  lostAnswer,
  redeemerOf,
} from "../../invite/invite-life.js";
import { isRevoked } from "../../invite/proof.js";
import type { StoredInvite } from "../../invite/stored-invite.js";
import { contentOf, entry } from "../../matrix/event.js";
import type { UserId } from "../../matrix/ids.js";
import { membershipOf, stateEvent } from "../../matrix/room-state.js";
import type { Marked } from "../../ports.js";
import { refusal } from "../../refusal.js";
import {
  type StoreInviteNeeds,
  type StoreOutcome,
  type ToStore,
  askIdentityServer,
  unlessEnded,
} from "./ask-identity-server.js";
import { askedForMs } from "./asked-for.js";
import { callPort, unlessStopped } from "./call-port.js";
import { type Context, uncancelled } from "./context.js";
import { readState } from "./decide.js";
import type { Step } from "./step.js";

/** How the room has a token: not at all, as its sender's invite, pending or emptied, or as somebody else's. */
type InRoom = "absent" | "pending" | "emptied" | "foreign";

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
      if (event.sender !== record.sender) return "foreign";
      return isRevoked(contentOf(event)) ? "emptied" : "pending";
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
          // Emptied before the token was given again, or since it was appended: its mail is out, and is made good.
          inRoom === "foreign"
            ? askAgain
            : TE.right({
                _tag: "TokenStored",
                stored,
                storedInvite: life.storedInvite,
                isRepeated: inRoom === "emptied",
              }),
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
