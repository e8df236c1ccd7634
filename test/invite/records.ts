import fc from "fast-check";
import {
  type AddressHash,
  type InviteLife,
  type InviteRecord,
  inviteKey,
} from "../../src/invite/invite-life.js";
import { parseToken } from "../../src/invite/stored-invite.js";
import type { EventLike } from "../../src/matrix/event.js";
import { parseServerName } from "../../src/matrix/ids.js";
import type { RoomState } from "../../src/matrix/room-state.js";
import { portableCrypto } from "../../src/portable/crypto.js";
import {
  alice,
  bob,
  email,
  inviteContent,
  longTermKey,
  rightOf,
  room,
  validityUrl,
  written,
} from "./room.js";

const tokenOf = (text: string) => rightOf(parseToken(text));
export const [t1, t2, t3] = [tokenOf("t1"), tokenOf("t2"), tokenOf("t3")];

/** What an identity server made of an invite at 50, over earlier tokens. */
const made = (token: typeof t1, ...earlierTokens: (typeof t1)[]) => ({
  storedInvite: {
    token,
    publicKeys: [{ publicKey: written(longTermKey), keyValidityUrl: validityUrl }],
    displayName: "b...",
  } as const,
  askedAt: 50,
  earlierTokens,
});

/** An invite whose token is t1, or whose earlier one is, in each state of its life. */
export const lives = {
  Intended: { _tag: "Intended" },
  Asked: { _tag: "Asked", at: 50, before: { _tag: "Intended" } },
  TokenStored: { _tag: "TokenStored", ...made(t1) },
  Pending: { _tag: "Pending", ...made(t1) },
  "TokenStored over t1": { _tag: "TokenStored", ...made(t2, t1) },
  "Pending over t1": { _tag: "Pending", ...made(t2, t1) },
  Redeemed: { _tag: "Redeemed", by: bob, tokens: [t1] },
  Revoked: { _tag: "Revoked", tokens: [t1] },
  Expired: { _tag: "Expired", tokens: [t1] },
  "Asked, it was Pending": { _tag: "Asked", at: 50, before: { _tag: "Pending", ...made(t1) } },
  "Asked, it was Pending over t1": { _tag: "Asked", at: 50, before: { _tag: "Pending", ...made(t2, t1) } },
  "Asked, it was Redeemed": { _tag: "Asked", at: 50, before: { _tag: "Redeemed", by: bob, tokens: [t1] } },
  "Asked, it was Revoked": { _tag: "Asked", at: 50, before: { _tag: "Revoked", tokens: [t1] } },
  "Asked, it was Expired": { _tag: "Asked", at: 50, before: { _tag: "Expired", tokens: [t1] } },
} as const satisfies Record<string, InviteLife>;
export type LifeName = keyof typeof lives;
export const lifeNames = Object.keys(lives) as readonly LifeName[];

/** Alice's invite of Bob, stored at 7. */
export const recordOf = (life: InviteLife, more: Partial<InviteRecord> = {}): InviteRecord => {
  const of = { roomId: room().roomId, sender: alice, idServer: rightOf(parseServerName("id.example")) };
  return {
    ...of,
    key: inviteKey(portableCrypto, new Uint8Array(32), { ...of, threepid: email("bob@two.example") }),
    addressHash: "hash" as AddressHash,
    createdAt: 7,
    details: {},
    life,
    ...more,
  };
};

/** Any text, also with U+0000 and halves of surrogate pairs. */
export const anyText = fc.oneof(
  fc.string({ unit: "binary" }),
  fc
    .array(fc.constantFrom("\u0000", "\ud83d", "\ude00", '"', "\\", "'", "a", "\u{1f98a}"))
    .map((all) => all.join("")),
);

const made10 = room("10");
/** A third-party invite in the room. */
export const event = (token: string, sender: string = alice, content = inviteContent): EventLike =>
  made10.thirdPartyInvite(sender, content, token);

/** The room with these events, and Bob in it as this. */
export const stateOf = (events: readonly EventLike[], membership = "leave"): RoomState =>
  room("10", { more: events, members: { [bob]: membership } }).state;
