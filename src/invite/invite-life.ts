import { isLeft } from "fp-ts/lib/Either.js";
import { encodeBase64 } from "../matrix/base64.js";
import { canonicalJson } from "../matrix/canonical-json.js";
import type { CryptoEngine } from "../matrix/crypto-engine.js";
import type { Branded, RoomId, ServerName, UserId } from "../matrix/ids.js";
import { encodeUtf8 } from "../matrix/utf8.js";
import type { Threepid } from "../threepid/threepid.js";
import type { InviteDetails } from "./event-templates.js";
import type { StoredInvite, Token } from "./stored-invite.js";

/** What an invite is stored under: an HMAC, since a plain hash of an address falls to a dictionary. */
export type InviteKey = Branded<string, "InviteKey">;

/** What an address counts and is found under, whoever was asked to invite it: an HMAC of its own. */
export type AddressHash = Branded<string, "AddressHash">;

/**
 * The life of one invite by third-party identifier.
 *
 * | state | asked for | answered | nothing was sent | appended | redeemed | revoked | expired |
 * | --- | --- | --- | --- | --- | --- | --- | --- |
 * | Intended | Asked | | | | | Revoked | Expired |
 * | Asked | Asked | TokenStored | what it was before | | Redeemed | Revoked | Expired |
 * | TokenStored | Asked | | | Pending | Redeemed | Revoked | Expired |
 * | Pending | Asked | | | | Redeemed | Revoked | Expired |
 * | Redeemed | Asked | | | | | | |
 * | Revoked | Asked | | | | | | |
 * | Expired | Asked | | | | | | |
 */
export type InviteLife = Asked | SettledLife;

/** The identity server has been asked, and no answer is stored: whether a mail went out is unknown. */
export interface Asked {
  readonly _tag: "Asked";
  /** Milliseconds since 1970. */
  readonly at: number;
  /** When it was asked before, if that answer was lost as well. */
  readonly lostAt?: number;
  /** How often an ordinary request has asked again, since the answer was lost. */
  readonly repeats?: number;
  readonly before: SettledLife;
}

/** What the identity server made of an invite. */
export interface TokenState {
  readonly storedInvite: StoredInvite;
  /** When it was asked, in milliseconds since 1970. */
  readonly askedAt: number;
  /** Earlier tokens of the invite that may stand in the room, or come to; never the one that counts. */
  readonly earlierTokens: readonly Token[];
}

/** What is left of an invite that has ended: the tokens that may still stand in the room, the last one first. */
export interface EndedState {
  readonly tokens: readonly Token[];
}

/** A state in which nothing is unknown. */
export type SettledLife =
  /** Stored before anybody was asked. */
  | { readonly _tag: "Intended" }
  /** The answer is stored; the room may not have the event yet. */
  | ({ readonly _tag: "TokenStored" } & TokenState)
  /** The room has the event. */
  | ({ readonly _tag: "Pending" } & TokenState)
  | ({ readonly _tag: "Redeemed"; readonly by: UserId } & EndedState)
  | ({ readonly _tag: "Revoked" } & EndedState)
  | ({ readonly _tag: "Expired" } & EndedState);

/** What can happen to an invite. */
export type Transition =
  /** `isRepeat`: by an ordinary request, since the answer was lost long ago. */
  | { readonly _tag: "Ask"; readonly at: number; readonly isRepeat?: boolean }
  | { readonly _tag: "Answer"; readonly storedInvite: StoredInvite }
  | { readonly _tag: "NothingSent" }
  /** `superseded`: the earlier tokens that the room has, and now empty. */
  | { readonly _tag: "Append"; readonly superseded: readonly Token[] }
  | { readonly _tag: "Redeem"; readonly by: UserId }
  | { readonly _tag: "Revoke" }
  | { readonly _tag: "Expire" };

const ask = (life: InviteLife, at: number, isRepeat: boolean): Asked =>
  life._tag === "Asked"
    ? {
        _tag: "Asked",
        at,
        lostAt: life.at,
        ...(isRepeat ? { repeats: (life.repeats ?? 0) + 1 } : {}),
        before: life.before,
      }
    : { _tag: "Asked", at, before: life };

/** How long after an answer was lost an ordinary request may ask again: no client can say `resend`. */
const repeatAfterMs = [3_600_000, 7_200_000, 14_400_000] as const;

/** What an invite that was asked for and not answered allows an ordinary request. */
export type LostAnswer =
  | { readonly _tag: "InProgress" }
  | { readonly _tag: "AskAgain" }
  | { readonly _tag: "Unknown"; readonly retryAfterMs?: number };

/**
 * Whether an answer may still come, and if not, whether it may be asked for again: after 1 h, 2 h and 4 h, and then only by
 * `resend`. A time that lies further ahead than an answer takes was written by a clock that was wrong: it is long ago.
 */
export const lostAnswer = ({ at, repeats = 0 }: Asked, now: number, askedForMs: number): LostAnswer => {
  const age = at > now + askedForMs ? Infinity : now - at;
  if (age < askedForMs) return { _tag: "InProgress" };
  const wait = repeatAfterMs[repeats];
  if (wait === undefined) return { _tag: "Unknown" };
  return age >= wait ? { _tag: "AskAgain" } : { _tag: "Unknown", retryAfterMs: wait - age };
};

/** Whether nothing more becomes of an invite by itself. */
export const hasEnded = (life: InviteLife): boolean =>
  life._tag === "Redeemed" || life._tag === "Revoked" || life._tag === "Expired";

/** Whether a proof may come for one of its tokens. */
const isOpen = (life: InviteLife): boolean => life._tag === "TokenStored" || life._tag === "Pending";

/** The next state, or `undefined` where the transition does not fit the state. */
export const advance = (life: InviteLife, transition: Transition): InviteLife | undefined => {
  switch (transition._tag) {
    case "Ask":
      return ask(life, transition.at, transition.isRepeat === true);
    case "Answer":
      return life._tag === "Asked"
        ? {
            _tag: "TokenStored",
            storedInvite: transition.storedInvite,
            askedAt: life.at,
            earlierTokens: allTokens(life.before).filter((token) => token !== transition.storedInvite.token),
          }
        : undefined;
    case "NothingSent":
      if (life._tag !== "Asked") return undefined;
      return life.lostAt === undefined
        ? life.before
        : { _tag: "Asked", at: life.lostAt, before: life.before };
    case "Append":
      return life._tag === "TokenStored"
        ? {
            ...life,
            _tag: "Pending",
            earlierTokens: life.earlierTokens.filter((token) => !transition.superseded.includes(token)),
          }
        : undefined;
    case "Redeem":
      return isOpen(settledLife(life))
        ? { _tag: "Redeemed", by: transition.by, tokens: allTokens(life) }
        : undefined;
    case "Revoke":
      return hasEnded(life) ? undefined : { _tag: "Revoked", tokens: allTokens(life) };
    case "Expire":
      return hasEnded(life) ? undefined : { _tag: "Expired", tokens: allTokens(life) };
  }
};

/** One invite as it is stored. */
export interface InviteRecord {
  readonly key: InviteKey;
  readonly addressHash: AddressHash;
  readonly roomId: RoomId;
  readonly sender: UserId;
  readonly idServer: ServerName;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  readonly details: InviteDetails;
  /** Who was invited, in clear: only where the host wants it stored (`config.storeAddresses`). */
  readonly threepid?: Threepid;
  readonly life: InviteLife;
}

/** Where an invite stands, whatever is being asked for: while an answer is awaited, where it stood before. */
export const settledLife = (life: InviteLife): SettledLife => (life._tag === "Asked" ? life.before : life);

/** Who has redeemed an invite, also while another is asked for. */
export const redeemerOf = (life: InviteLife): UserId | undefined => {
  const settled = settledLife(life);
  return settled._tag === "Redeemed" ? settled.by : undefined;
};

const allTokens = (life: InviteLife): readonly Token[] => {
  switch (life._tag) {
    case "Intended":
      return [];
    case "Asked":
      return allTokens(life.before);
    case "TokenStored":
    case "Pending":
      return [life.storedInvite.token, ...life.earlierTokens];
    case "Redeemed":
    case "Revoked":
    case "Expired":
      return life.tokens;
  }
};

/** The tokens of an invite: those that stand in the room, or may come to. It is found by any; the newest first. */
export const tokensOf: (life: InviteLife) => readonly string[] = allTokens;

/** When an invite was last asked for, in milliseconds since 1970; of one that has ended, when it was asked for first. */
export const sinceOf = ({ life, createdAt }: InviteRecord): number => {
  switch (life._tag) {
    case "Asked":
      return life.at;
    case "TokenStored":
    case "Pending":
      return life.askedAt;
    case "Intended":
    case "Redeemed":
    case "Revoked":
    case "Expired":
      return createdAt;
  }
};

/**
 * Whether an end that came by one of its tokens is the end of the invite: a redemption is, by whichever token, also
 * while another is asked for; a revocation is by the newest, and not where the next is on its way.
 */
export const endsBy = (life: InviteLife, token: string, end: "Redeem" | "Revoke"): boolean => {
  const settled = settledLife(life);
  const tokens = tokensOf(settled);
  if (!isOpen(settled)) return false;
  return end === "Redeem" ? tokens.includes(token) : life === settled && tokens[0] === token;
};

/** Whether this token may be appended, or has been and may stay: if not, another one, or whoever ended the invite, overtook it. */
export const mayBePending = (life: InviteLife, token: string): boolean => {
  const settled = settledLife(life);
  return settled._tag !== "Revoked" && settled._tag !== "Expired" && tokensOf(settled)[0] === token;
};

const hmacOf = (crypto: CryptoEngine, addressKey: Uint8Array, parts: readonly string[]): string => {
  const name = canonicalJson(parts);
  // Parsed identifiers always have a canonical form; without one there is nothing to store under.
  const bytes = encodeUtf8(isLeft(name) ? "" : name.right);
  return encodeBase64(crypto.hmacSha256(addressKey, bytes), "urlsafe");
};

/** The hash of an address alone. */
export const addressHash = (
  crypto: CryptoEngine,
  addressKey: Uint8Array,
  { medium, address }: Threepid,
): AddressHash => hmacOf(crypto, addressKey, ["address", medium, address]) as AddressHash;

/** What stands in place of the hash of an address that was erased. */
export const erasedAddress = "" as AddressHash;

/**
 * A record that is no invite: it notes which key the invites of this storage are stored under. Its room and its sender are
 * names that nobody has.
 */
export const addressKeyMark = (
  crypto: CryptoEngine,
  addressKey: Uint8Array,
  serverName: ServerName,
): InviteRecord => ({
  key: hmacOf(crypto, addressKey, ["address key"]) as InviteKey,
  addressHash: erasedAddress,
  roomId: `!address-key:${serverName}` as RoomId,
  sender: `@address-key:${serverName}` as UserId,
  idServer: serverName,
  createdAt: 0,
  details: {},
  life: { _tag: "Revoked", tokens: [] },
});

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
  return hmacOf(crypto, addressKey, [of.roomId, of.sender, of.idServer, medium, address]) as InviteKey;
};
