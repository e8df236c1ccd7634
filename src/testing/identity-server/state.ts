import type { SigningKey } from "../../matrix/crypto-engine.js";
import type { RoomId, ServerName, UserId } from "../../matrix/ids.js";
import { lookupHash, lookupInClear } from "../../threepid/lookup-hash.js";
import type { Threepid } from "../../threepid/threepid.js";
import { portableCrypto, portableSigningKey } from "../../portable/crypto.js";
import { type Random, lettersAndDigits, randomText } from "./random-text.js";

/** A validation session: who holds its token can read the mail of that address. */
export interface Session {
  readonly sid: string;
  readonly clientSecret: string;
  readonly threepid: Threepid;
  readonly token: string;
  /** The highest `send_attempt` that was answered with a mail. */
  readonly sendAttempt: number;
  readonly modifiedAt: number;
  readonly validatedAt: number | undefined;
}

/** Who an address belongs to, with what a hashed lookup would ask for under the pepper of today. */
export interface Association {
  readonly threepid: Threepid;
  readonly mxid: UserId;
  readonly lookupHash: string;
}

/** An invite that waits for its address to be bound; `announced` once it went out in an onbind. */
export interface StoredInvite {
  readonly token: string;
  readonly threepid: Threepid;
  readonly roomId: RoomId;
  readonly sender: UserId;
  readonly announced: boolean;
}

/** All that an identity server knows, as one immutable value. Maps are in the order of insertion. */
export interface IdentityState {
  readonly serverName: ServerName;
  /** Where clients reach this server, without a slash at the end. */
  readonly baseUrl: string;
  readonly key: SigningKey;
  readonly pepper: string;
  /** By access token. */
  readonly accounts: ReadonlyMap<string, UserId>;
  /** The URLs of terms that each user has accepted. */
  readonly accepted: ReadonlyMap<UserId, ReadonlySet<string>>;
  /** By `sid`. */
  readonly sessions: ReadonlyMap<string, Session>;
  /** By address and medium, as {@link lookupInClear} writes them. */
  readonly associations: ReadonlyMap<string, Association>;
  /** By token. */
  readonly invites: ReadonlyMap<string, StoredInvite>;
  /** Public keys exactly as they were issued. */
  readonly ephemeralKeys: ReadonlySet<string>;
  readonly requireTerms: boolean;
  readonly rateLimit: boolean;
}

/** The one long-term key's name: rotation changes the key and keeps the name, as Sydent does. */
export const keyId = "ed25519:0";

export const newSigningKey = (seed: Uint8Array): SigningKey => portableSigningKey(keyId, seed);

export const newPepper = (random: Random): string => randomText(random, 16, lettersAndDigits);

export const emptyState = (serverName: ServerName, baseUrl: string, random: Random): IdentityState => ({
  serverName,
  baseUrl,
  key: newSigningKey(random(32)),
  pepper: newPepper(random),
  accounts: new Map(),
  accepted: new Map(),
  sessions: new Map(),
  associations: new Map(),
  invites: new Map(),
  ephemeralKeys: new Set(),
  requireTerms: false,
  rateLimit: false,
});

/** The map with one entry set: a copy, the map stays as it was. */
export const withEntry = <Key, Value>(
  map: ReadonlyMap<Key, Value>,
  key: Key,
  value: Value,
): ReadonlyMap<Key, Value> => new Map(map).set(key, value);

export const withoutEntry = <Key, Value>(map: ReadonlyMap<Key, Value>, key: Key): ReadonlyMap<Key, Value> => {
  const rest = new Map(map);
  rest.delete(key);
  return rest;
};

export const associationOf = (state: IdentityState, threepid: Threepid): Association | undefined =>
  state.associations.get(lookupInClear(threepid));

/** Binds an address to a user; what it was bound to before is forgotten. */
export const withAssociation = (state: IdentityState, threepid: Threepid, mxid: UserId): IdentityState => ({
  ...state,
  associations: withEntry(state.associations, lookupInClear(threepid), {
    threepid,
    mxid,
    lookupHash: lookupHash(portableCrypto, threepid, state.pepper),
  }),
});

/** Another pepper: every association is hashed anew, hashes made under the old one match nothing. */
export const withPepper = (state: IdentityState, pepper: string): IdentityState => {
  let rotated: IdentityState = { ...state, pepper, associations: new Map() };
  for (const { threepid, mxid } of state.associations.values())
    rotated = withAssociation(rotated, threepid, mxid);
  return rotated;
};
