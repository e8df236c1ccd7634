import { isLeft } from "fp-ts/lib/Either.js";
import { encodeBase64 } from "../matrix/base64.js";
import { canonicalJson } from "../matrix/canonical-json.js";
import type { CryptoEngine } from "../matrix/crypto-engine.js";
import type { Branded, RoomId, ServerName, UserId } from "../matrix/ids.js";
import { encodeUtf8 } from "../matrix/utf8.js";
import type { Threepid } from "../threepid/threepid.js";
import type { InviteDetails } from "./decide.js";
import type { MintedInvite } from "./minted.js";

/** What an invite is stored under: an HMAC, since a plain hash of an address falls to a dictionary. */
export type InviteKey = Branded<string, "InviteKey">;

/**
 * The life of one invite by third-party identifier. `standing` is the invite that is pending in the room while a
 * resend replaces it.
 *
 * | state | Asked for | answer | nothing was sent | appended | redeemed | revoked |
 * | --- | --- | --- | --- | --- | --- | --- |
 * | Intended | Asked | | | | | |
 * | Asked | Asked | Minted | Intended, or Pending what stood | | | |
 * | Minted | Asked | | | Pending | Redeemed | Revoked |
 * | Pending | Asked | | | | Redeemed | Revoked |
 * | Redeemed | Asked | | | | | |
 * | Revoked | Asked | | | | | |
 */
export type InviteLife =
  /** Stored before anybody was asked. */
  | { readonly _tag: "Intended" }
  /** The identity server has been asked, and no answer is stored: whether a mail went out is unknown. */
  | { readonly _tag: "Asked"; readonly at: number; readonly standing?: MintedInvite }
  /** The answer is stored; the room does not have the event yet. */
  | { readonly _tag: "Minted"; readonly minted: MintedInvite; readonly standing?: MintedInvite }
  | { readonly _tag: "Pending"; readonly minted: MintedInvite }
  | { readonly _tag: "Redeemed"; readonly minted: MintedInvite; readonly by: UserId }
  | { readonly _tag: "Revoked"; readonly minted: MintedInvite };

/** What can happen to an invite. */
export type Happening =
  | { readonly _tag: "Ask"; readonly at: number; readonly standing?: MintedInvite }
  | { readonly _tag: "Answer"; readonly minted: MintedInvite }
  | { readonly _tag: "NothingSent" }
  | { readonly _tag: "Append" }
  | { readonly _tag: "Redeem"; readonly by: UserId }
  | { readonly _tag: "Revoke" };

const withStanding = (standing: MintedInvite | undefined): { readonly standing?: MintedInvite } =>
  standing === undefined ? {} : { standing };

/** The next state, or `undefined` where the happening does not fit the state. */
export const advance = (life: InviteLife, happening: Happening): InviteLife | undefined => {
  switch (happening._tag) {
    case "Ask":
      return { _tag: "Asked", at: happening.at, ...withStanding(happening.standing) };
    case "Answer":
      return life._tag === "Asked"
        ? { _tag: "Minted", minted: happening.minted, ...withStanding(life.standing) }
        : undefined;
    case "NothingSent":
      if (life._tag !== "Asked") return undefined;
      return life.standing === undefined ? { _tag: "Intended" } : { _tag: "Pending", minted: life.standing };
    case "Append":
      return life._tag === "Minted" ? { _tag: "Pending", minted: life.minted } : undefined;
    case "Redeem":
      return life._tag === "Minted" || life._tag === "Pending"
        ? { _tag: "Redeemed", minted: life.minted, by: happening.by }
        : undefined;
    case "Revoke":
      return life._tag === "Minted" || life._tag === "Pending"
        ? { _tag: "Revoked", minted: life.minted }
        : undefined;
  }
};

/** One invite as it is stored. It holds no address. */
export interface InviteRecord {
  readonly key: InviteKey;
  readonly roomId: RoomId;
  readonly sender: UserId;
  readonly idServer: ServerName;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  readonly details: InviteDetails;
  readonly life: InviteLife;
}

/** The tokens under which an invite stands in its room, last stood there, or is about to stand; its newest first. */
export const tokensOf = (life: InviteLife): readonly string[] => {
  switch (life._tag) {
    case "Intended":
      return [];
    case "Asked":
      return life.standing === undefined ? [] : [life.standing.token];
    case "Minted":
      return life.standing === undefined ? [life.minted.token] : [life.minted.token, life.standing.token];
    case "Pending":
    case "Redeemed":
    case "Revoked":
      return [life.minted.token];
  }
};

/** Whether the room has, or is about to have, this invite under exactly this token. */
export const isPendingUnder = (life: InviteLife, token: string): boolean =>
  (life._tag === "Minted" || life._tag === "Pending") && life.minted.token === token;

/**
 * The key of an invite: one pending for each room, sender, identity server, medium and address. Another identity
 * server's bind would never find it, and another inviter's act is their own.
 */
export const inviteKey = (
  crypto: CryptoEngine,
  addressKey: Uint8Array,
  of: {
    readonly roomId: RoomId;
    readonly sender: UserId;
    readonly idServer: ServerName;
    readonly threepid: Threepid;
  },
): InviteKey => {
  const { medium, address } = of.threepid;
  const name = canonicalJson([of.roomId, of.sender, of.idServer, medium, address]);
  // Parsed identifiers always have a canonical form; without one there is nothing to store under.
  const bytes = encodeUtf8(isLeft(name) ? "" : name.right);
  return encodeBase64(crypto.hmacSha256(addressKey, bytes), "urlsafe") as InviteKey;
};
