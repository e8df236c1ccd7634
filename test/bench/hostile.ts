import { type Verdict, authorize } from "matrix-third-party-invites/judge";
import type { CryptoEngine, JsonObject } from "matrix-third-party-invites/ports";
import { nodeCrypto } from "matrix-third-party-invites/node";
import { portableCrypto } from "matrix-third-party-invites/portable";
import { type Figure, worstOf } from "./figure.js";
import { type Comparison, atEffort, batchOf, measure, summarise } from "./harness.js";
import { type HostilePair, hostilePairs, stateOfPair } from "./hostile-inputs.js";
import { parse } from "./inputs.js";
import { heapAfter } from "./heap.js";

const engines: readonly (readonly [string, CryptoEngine, number])[] = [
  ["node", nodeCrypto, 50],
  ["portable", portableCrypto, 1000],
];

const isRefused = (verdict: Verdict, { tooMuch }: HostilePair): boolean =>
  verdict._tag === (tooMuch ? "TooMuchWork" : "Reject");

const parsed = (pair: HostilePair) => ({ pair, event: parse(pair.invite), state: stateOfPair(pair) });

/** Judging a pair over parsing its two texts, which nobody is spared. */
const judging = (crypto: CryptoEngine, pairs: readonly HostilePair[], rounds: number): Comparison => ({
  size: 1,
  warmUp: Math.ceil(rounds / 4),
  rounds,
  prepare: (round) => {
    const now = pairs.slice(round % pairs.length).slice(0, 1);
    return {
      measured: batchOf(
        now.map(parsed),
        ({ event, state }) => authorize(event, state, crypto),
        (verdict, { pair }) => isRefused(verdict, pair),
      ),
      against: batchOf(
        now,
        ({ invite, token }): readonly JsonObject[] => [parse(invite), parse(token)],
        ([first]) => first !== undefined,
      ),
    };
  },
});

/** The worst over all shapes of pairs, and what stays on the heap after many of them. */
export const hostileFigures: readonly Figure[] = engines.flatMap(([engine, crypto, target]): Figure[] => [
  {
    name: `hostilePairMs.${engine}`,
    unit: "ms",
    target,
    find: (effort) => {
      const found = Object.entries(hostilePairs()).map(([name, pairs]) => {
        const isQuick = pairs.every(({ tooMuch }) => tooMuch) || engine === "node";
        const rounds = measure(atEffort(judging(crypto, pairs, isQuick ? 40 : 6), effort));
        return { name, ...summarise(rounds.map(({ measured }) => measured / 1e6)) };
      });
      return Promise.resolve(worstOf(found));
    },
  },
  {
    name: `hostileHeapKb.${engine}`,
    unit: "KB",
    target: null,
    find: async (effort) => {
      const all = Object.values(hostilePairs()).flat();
      const refused = all.filter(({ tooMuch }) => tooMuch);
      const tried = all.filter(({ tooMuch }) => !tooMuch);
      const judge = (pairs: readonly HostilePair[]) => (n: number) => {
        for (const pair of pairs.slice(n % pairs.length).slice(0, 1)) {
          const { event, state } = parsed(pair);
          if (!isRefused(authorize(event, state, crypto), pair)) throw new Error("It was not refused.");
        }
      };
      const times = effort === "smoke" ? 1 : engine === "node" ? 16 : 2;
      const repeats = effort === "smoke" ? 1 : 5;
      return worstOf([
        {
          name: `${5 * times} more refused by count`,
          ...(await heapAfter(judge(refused), 5 * times, repeats)),
        },
        { name: `${times} more tried`, ...(await heapAfter(judge(tried), times, repeats)) },
      ]);
    },
  },
]);
