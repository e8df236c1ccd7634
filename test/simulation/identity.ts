import { isLeft } from "fp-ts/lib/Either.js";
import { encodeBase64, parseServerName, parseUserId, signJson } from "matrix-third-party-invites/matrix";
import type { JsonObject, RoomId, Threepid, UserId } from "matrix-third-party-invites/ports";
import { associate } from "../../src/testing/identity-server/bind.js";
import { handle } from "../../src/testing/identity-server/core.js";
import type { Onbind } from "../../src/testing/identity-server/effects.js";
import { type IdentityState, associationOf, withPepper } from "../../src/testing/identity-server/state.js";
import { redactAddress } from "../../src/testing/identity-server/store-invite.js";
import type { Chance } from "./chance.js";
import { poolSize, pooledKey } from "./keys.js";

/** The result of a value that is well-formed by construction. */
export const sure = <A>(
  result: { readonly _tag: "Right"; readonly right: A } | { readonly _tag: "Left" },
): A => {
  if (result._tag === "Left") throw new Error("The simulator made something malformed.");
  return result.right;
};

export const accessTokenOf = (user: string): string =>
  `tokmark-${encodeBase64(Buffer.from(user), "urlsafe")}`;

export interface Reply {
  readonly status: number;
  readonly body: JsonObject;
}

/**
 * The identity server: the embedded one's core, with effects as data. It makes a new key for each invite in a way
 * that takes longer than the whole life of one, so store-invite is written again here with keys out of a pool.
 */
export class Identity {
  readonly name: string;
  state: IdentityState;
  private readonly chance: Chance;
  private keysUsed: number;
  /** When each long-term key that is no longer in use was replaced. */
  private readonly withdrawn = new Map<string, number>();
  private readonly ephemeral = new Map<string, number>();
  /** Whether it gives one token for an address until that is bound, as mxisd and ma1sd do, and what it has answered then. */
  private readonly repeatsTokens: boolean;
  private readonly answers = new Map<string, Reply>();

  constructor(name: string, users: readonly string[], chance: Chance) {
    this.name = name;
    this.chance = chance;
    this.keysUsed = chance.below(poolSize);
    this.repeatsTokens = chance.happens(0.25);
    this.state = {
      serverName: sure(parseServerName(name)),
      baseUrl: `https://${name}`,
      key: pooledKey(this.nextKey()),
      pepper: "pepper0",
      accounts: new Map(users.map((user) => [accessTokenOf(user), sure(parseUserId(user))])),
      accepted: new Map(),
      sessions: new Map(),
      associations: new Map(),
      invites: new Map(),
      ephemeralKeys: new Set(),
      requireTerms: false,
      rateLimit: false,
    };
  }

  /** Serves a request, if it is not for store-invite. */
  serve(method: string, path: string, token: string | undefined, body: unknown, now: number): Reply {
    const [bare = "", query] = path.split("?", 2);
    const answer = handle(
      this.state,
      {
        method,
        path: bare,
        query: Object.fromEntries(new URLSearchParams(query)),
        token,
        body,
        now,
      },
      (bytes) => new Uint8Array(bytes),
    );
    if (answer._tag !== "Answer") throw new Error("Nobody registers here.");
    this.state = answer.state;
    return answer;
  }

  /** store-invite for an address in canonical form: keeps the invite, and a mail goes out. */
  storeInvite(user: string, threepid: Threepid, roomId: RoomId): Reply {
    const owner = associationOf(this.state, threepid);
    if (owner !== undefined)
      return { status: 400, body: { errcode: "M_THREEPID_IN_USE", error: "Bound", mxid: owner.mxid } };
    const before = this.repeatsTokens ? this.answers.get(threepid.address) : undefined;
    if (before !== undefined) return before;
    const number = this.nextKey();
    const token = `tok${this.state.invites.size}x${this.chance.below(2 ** 31).toString(36)}`;
    const key = this.longTermKey();
    const ephemeral = encodeBase64(pooledKey(number).publicKey, "urlsafe");
    this.ephemeral.set(token, number);
    const stored = { token, threepid, roomId, sender: sure(parseUserId(user)), announced: false };
    this.state = {
      ...this.state,
      invites: new Map(this.state.invites).set(token, stored),
      ephemeralKeys: new Set(this.state.ephemeralKeys).add(ephemeral),
    };
    const url = `${this.state.baseUrl}/_matrix/identity/v2/pubkey`;
    const answer = {
      status: 200,
      body: {
        token,
        public_key: key,
        public_keys: [
          { public_key: key, key_validity_url: `${url}/isvalid` },
          { public_key: ephemeral, key_validity_url: `${url}/ephemeral/isvalid` },
        ],
        display_name: redactAddress(threepid.address),
      },
    };
    this.answers.set(threepid.address, answer);
    return answer;
  }

  /** Binds an address: what is to be told the user's homeserver. */
  bind(threepid: Threepid, user: UserId, now: number): readonly Onbind[] {
    const made = associate(this.state, threepid, user, now);
    if (isLeft(made)) throw new Error("An association could not be signed.");
    this.state = made.right.state;
    return made.right.effects.flatMap((effect) => (effect._tag === "DeliverOnbind" ? [effect.onbind] : []));
  }

  /** What the reader of an invite's mail gets signed with the key that is in it. */
  signWithMailedKey(token: string, user: string): JsonObject | undefined {
    const [number, invite] = [this.ephemeral.get(token), this.state.invites.get(token)];
    if (number === undefined || invite === undefined) return undefined;
    const signed = signJson({ mxid: user, sender: invite.sender, token }, this.name, pooledKey(number));
    return isLeft(signed) ? undefined : signed.right;
  }

  rotateKey(now: number): void {
    this.withdrawn.set(this.longTermKey(), now);
    this.state = { ...this.state, key: pooledKey(this.nextKey()) };
  }

  rotatePepper(): void {
    this.state = withPepper(this.state, `pepper${this.chance.below(2 ** 31)}`);
  }

  /** The long-term key of today, as the server writes it. */
  longTermKey(): string {
    return encodeBase64(this.state.key.publicKey);
  }

  /** Whether the server vouches for a key now, as it is written. */
  vouchesFor(publicKey: string): boolean {
    return publicKey === this.longTermKey() || this.state.ephemeralKeys.has(publicKey);
  }

  /** Whether the server has vouched for a key at any time since then. */
  vouchedSince(publicKey: string, since: number): boolean {
    return (this.withdrawn.get(publicKey) ?? Infinity) >= since;
  }

  private nextKey(): number {
    this.keysUsed += 1;
    return this.keysUsed;
  }
}
