import { isLeft } from "fp-ts/lib/Either.js";
import { encodeBase64 } from "../matrix/base64.js";
import { canonicalJson } from "../matrix/canonical-json.js";
import type { CryptoEngine } from "../matrix/crypto-engine.js";
import type { Branded, RoomId, ServerName, UserId } from "../matrix/ids.js";
import { encodeUtf8 } from "../matrix/utf8.js";
import type { Threepid } from "../threepid/threepid.js";
import type { InviteDetails } from "./decide.js";
import type { MintedInvite, Token } from "./minted.js";

/** What an invite is stored under: an HMAC, since a plain hash of an address falls to a dictionary. */
export type InviteKey = Branded<string, "InviteKey">;

/**
 * The life of one invite by third-party identifier.
 *
 * | state | asked for | answered | nothing was sent | appended | redeemed | revoked |
 * | --- | --- | --- | --- | --- | --- | --- |
 * | Intended | Asked | | | | | |
 * | Asked | Asked | Minted | what it was before | | | |
 * | Minted | Asked | | | Pending | Redeemed | Revoked |
 * | Pending | Asked | | | | Redeemed | Revoked |
 * | Redeemed | Asked | | | | | |
 * | Revoked | Asked | | | | | |
 */
export type InviteLife = Asked | SettledLife;

/** The identity server has been asked, and no answer is stored: whether a mail went out is unknown. */
export interface Asked {
  readonly _tag: "Asked";
  /** Milliseconds since 1970. */
  readonly at: number;
  /** When it was asked before, if that answer was lost as well. */
  readonly lostAt?: number;
  readonly before: SettledLife;
}

/** A state in which nothing is unknown. */
export type SettledLife =
  /** Stored before anybody was asked. */
  | { readonly _tag: "Intended" }
  /**
   * The answer is stored; the room may not have the event yet. `standing` are earlier tokens of the invite that may
   * stand in the room, to be emptied when this one is appended.
   */
  | { readonly _tag: "Minted"; readonly minted: MintedInvite; readonly standing: readonly Token[] }
  | { readonly _tag: "Pending"; readonly minted: MintedInvite }
  | { readonly _tag: "Redeemed"; readonly minted: MintedInvite; readonly by: UserId }
  | { readonly _tag: "Revoked"; readonly minted: MintedInvite };

/** What can happen to an invite. */
export type Happening =
  | { readonly _tag: "Ask"; readonly at: number }
  | { readonly _tag: "Answer"; readonly minted: MintedInvite }
  | { readonly _tag: "NothingSent" }
  | { readonly _tag: "Append" }
  | { readonly _tag: "Redeem"; readonly by: UserId }
  | { readonly _tag: "Revoke" };

const ask = (life: InviteLife, at: number): Asked =>
  life._tag === "Asked"
    ? { _tag: "Asked", at, lostAt: life.at, before: life.before }
    : { _tag: "Asked", at, before: life };

/** The next state, or `undefined` where the happening does not fit the state. */
export const advance = (life: InviteLife, happening: Happening): InviteLife | undefined => {
  switch (happening._tag) {
    case "Ask":
      return ask(life, happening.at);
    case "Answer":
      return life._tag === "Asked"
        ? { _tag: "Minted", minted: happening.minted, standing: standingTokens(life.before) }
        : undefined;
    case "NothingSent":
      if (life._tag !== "Asked") return undefined;
      return life.lostAt === undefined
        ? life.before
        : { _tag: "Asked", at: life.lostAt, before: life.before };
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

/** The tokens of an invite that may stand in the room. */
const standingTokens = (life: SettledLife): readonly Token[] => {
  switch (life._tag) {
    case "Minted":
      return [life.minted.token, ...life.standing];
    case "Pending":
      return [life.minted.token];
    case "Intended":
    case "Redeemed":
    case "Revoked":
      return [];
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

/** The tokens by which an invite may be found: those that may stand in the room, or its last; the newest first. */
export const tokensOf = (life: InviteLife): readonly string[] => {
  const settled = life._tag === "Asked" ? life.before : life;
  return settled._tag === "Redeemed" || settled._tag === "Revoked"
    ? [settled.minted.token]
    : standingTokens(settled);
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
