/** Order of signatures, keys and members of objects never changes what is decided. */
import assert from "node:assert/strict";
import fc from "fast-check";
import type { Either } from "fp-ts/lib/Either.js";
import type { EventLike, RedeemOutcome, Refusal } from "matrix-third-party-invites";
import { applyDecision, parseSigned, redeem } from "matrix-third-party-invites/decisions";
import { authorize } from "matrix-third-party-invites/judge";
import { isJsonObject, member } from "matrix-third-party-invites/matrix";
import { nodeCrypto } from "matrix-third-party-invites/node";
import { plainCanonical } from "../matrix/arbitrary-json.js";
import { type Case, cases, stateOf } from "./cases.js";
import type { FuzzProperty } from "./property.js";

type Random = () => number;

/** Small and good enough for shuffling; an order of its own for every seed. */
const randomOf = (seed: number): Random => {
  let state = seed | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
};

const shuffled = <A>(items: readonly A[], random: Random): readonly A[] =>
  items
    .map((item) => ({ item, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);

/** The same JSON, the members of every object in another order, and the keys of an invite as well. */
const reordered = (value: unknown, random: Random): unknown => {
  if (Array.isArray(value)) return value.map((item: unknown) => reordered(item, random));
  if (!isJsonObject(value)) return value;
  const entries = Object.entries(value).map(([key, item]): [string, unknown] => {
    const inner = reordered(item, random);
    return [key, key === "public_keys" && Array.isArray(inner) ? shuffled(inner, random) : inner];
  });
  return Object.fromEntries(shuffled(entries, random));
};

const reorderedEvent = (event: EventLike, random: Random): EventLike => {
  const other = reordered(event, random);
  return isJsonObject(other) ? other : event;
};

const reorderedCase = ({ version, roomId, state, event }: Case, seed: number): Case => {
  const random = randomOf(seed);
  return {
    version,
    roomId,
    state: state.map((one) => reorderedEvent(one, random)),
    event: reorderedEvent(event, random),
  };
};

/** An outcome up to the order of its keys. */
const unordered = (outcome: RedeemOutcome): unknown =>
  outcome._tag === "Redeem"
    ? { events: outcome.events.map(plainCanonical), keys: outcome.keys.map(plainCanonical).sort() }
    : outcome;

const redemption = (one: Case): unknown => {
  const parsed = parseSigned(member(member(member(one.event, "content"), "third_party_invite"), "signed"));
  if (parsed._tag === "Left") return parsed;
  const outcome: Either<Refusal, RedeemOutcome> = applyDecision(
    redeem,
    stateOf(one),
    { signed: parsed.right },
    { crypto: nodeCrypto, serverName: "one.example" },
  );
  return outcome._tag === "Left" ? outcome : unordered(outcome.right);
};

const twice = fc.tuple(cases, fc.integer()).map(([one, seed]) => [one, reorderedCase(one, seed)] as const);

export const orderProperties: readonly FuzzProperty[] = [
  {
    name: "order never changes the verdict of authorize",
    cost: 1,
    share: 12,
    property: fc.property(twice, ([one, other]) => {
      assert.deepEqual(
        authorize(other.event, stateOf(other), nodeCrypto),
        authorize(one.event, stateOf(one), nodeCrypto),
      );
    }),
  },
  {
    name: "order never changes the outcome of redeem",
    cost: 1.5,
    share: 12,
    property: fc.property(twice, ([one, other]) => {
      assert.deepEqual(redemption(other), redemption(one));
    }),
  },
];
