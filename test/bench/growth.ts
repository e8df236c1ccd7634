import { authorize } from "matrix-third-party-invites/judge";
import { canonicalJson, encodeBase64 } from "matrix-third-party-invites/matrix";
import { nodeCrypto, nodeSigningKey } from "matrix-third-party-invites/node";
import { perEntry } from "./entries.js";
import type { Figure, Found, Point } from "./figure.js";
import {
  type Comparison,
  type Effort,
  atEffort,
  batchOf,
  measure,
  measureAsync,
  ratio,
  summarise,
} from "./harness.js";
import { type Sample, memberEvents, parse, powerLevels, samples, stateOf } from "./inputs.js";
import { inviteBySize } from "./room-size.js";

/**
 * How the time for one of something grows with how many there are: at each size over the smallest, which is 1 by
 * definition. The value is that of the largest; a smoke goes no further than the first.
 */
const growth = async (
  effort: Effort,
  smallest: number,
  sizes: readonly number[],
  at: (size: number) => Promise<Omit<Point, "size">>,
): Promise<Found> => {
  const points: Point[] = [{ size: smallest, value: 1, low: 1, high: 1 }];
  for (const size of effort === "smoke" ? sizes.slice(0, 1) : sizes)
    points.push({ size, ...(await at(size)) });
  const last = points.at(-1);
  if (last === undefined) throw new Error("There is no size.");
  const { value, low, high } = last;
  return { value, low, high, points };
};

const ratioOf = (comparison: Comparison, effort: Effort): Promise<Omit<Point, "size">> =>
  Promise.resolve(summarise(measure(atEffort(comparison, effort)).map(ratio)));

/** An invite of one signature that matches none of the room's keys. */
const withStrangeKeys = (sample: Sample, keys: number) => {
  const token = sample.state.map(parse).find(({ type }) => type === "m.room.third_party_invite");
  const strange = Array.from({ length: keys }, (_, n) => ({
    public_key: encodeBase64(nodeSigningKey("ed25519:0", new Uint8Array(32).fill(n + 100)).publicKey),
  }));
  const state = [...sample.state, JSON.stringify({ ...token, content: { public_keys: strange } })];
  return { ...sample, state };
};

const pairsOver1 = (pairs: number): Comparison => {
  const [sample] = samples(1);
  if (sample === undefined) throw new Error("There is no sample.");
  const [many, one] = [withStrangeKeys(sample, pairs), withStrangeKeys(sample, 1)];
  const judge = (from: Sample, times: number) => () => {
    const cases = Array.from({ length: times }, () => ({ event: parse(from.proven), state: stateOf(from) }));
    return batchOf(
      cases,
      ({ event, state }) => authorize(event, state, nodeCrypto),
      (verdict) => verdict._tag === "Reject",
    );
  };
  return {
    size: 1,
    warmUp: 20,
    rounds: 60,
    prepare: () => {
      const all = judge(one, pairs)();
      // As many pairs on both sides; one operation is all of them.
      return { measured: judge(many, 1)(), against: () => all() / pairs };
    },
  };
};

/** Writing an event of so many KB over writing as many bytes in events of one. */
const bytesOver1 = (kilobytes: number): Comparison => {
  const [large = ""] = powerLevels(1, kilobytes * 25);
  const [small = ""] = memberEvents(1);
  const times = Math.round(large.length / small.length);
  const write = (text: string, count: number) =>
    batchOf(
      Array.from({ length: count }, () => parse(text)),
      (value) => canonicalJson(value),
      (written) => written._tag === "Right" && written.right.length === text.length,
    );
  return {
    size: 1,
    warmUp: 100,
    rounds: 300,
    prepare: () => {
      const all = write(small, times);
      return { measured: write(large, 1), against: () => all() / times };
    },
  };
};

const none = { unit: "ratio", target: null } as const;

export const growthFigures: readonly Figure[] = [
  {
    name: "growth.pairs",
    ...none,
    find: (effort) => growth(effort, 1, [4, 16, 64], (size) => ratioOf(pairsOver1(size), effort)),
  },
  {
    name: "growth.entries",
    ...none,
    find: (effort) =>
      growth(effort, 10, [100, 1000, 10_000], async (size) => {
        const rounds = await measureAsync(atEffort(perEntry(size, Math.max(12, 20_000 / size)), effort));
        return summarise(rounds.map(ratio));
      }),
  },
  {
    name: "growth.roomSize",
    ...none,
    find: (effort) =>
      growth(effort, 10, [1000, 10_000, 100_000], async (size) =>
        summarise((await measureAsync(atEffort(await inviteBySize(size, 200, 4)(), effort))).map(ratio)),
      ),
  },
  {
    name: "growth.eventSize",
    ...none,
    find: (effort) => growth(effort, 1, [4, 16, 60], (size) => ratioOf(bytesOver1(size), effort)),
  },
];
