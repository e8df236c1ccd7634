import { type RoomState, type Verdict, authorize } from "matrix-third-party-invites/judge";
import type { CryptoEngine, JsonObject } from "matrix-third-party-invites/ports";
import { nodeCrypto } from "matrix-third-party-invites/node";
import { portableCrypto } from "matrix-third-party-invites/portable";
import { type BareVerify, bareNode, barePortable } from "./engines.js";
import { type Figure, compared } from "./figure.js";
import { type Comparison, batchOf, difference, ratio, turn } from "./harness.js";
import { parse, samples, stateOf } from "./inputs.js";

/*
 * What is rotated, and why. A server judges an event once, as it arrives, so nothing may be gained by having seen the
 * same object before. Every operation of a round therefore has an object of its own, parsed anew from text before the
 * timed section; the texts differ in room, users, token, hashes and signatures, and are of one shape. Where both
 * batches read the objects, each parses for itself, so that neither finds what the other has done to them. The states
 * that invites are judged against are new with each round too, one for each event.
 *
 * A round holds few objects, so that they are still in the processor's caches when their turn comes, as an event is
 * that has just been parsed. What else stays warm is warm in production too: the code, and the key objects of the four
 * identity servers.
 */

/** An event that is to be judged, and what against. */
interface Case {
  readonly event: JsonObject;
  readonly state: RoomState;
}

const isAllow = (verdict: Verdict): boolean => verdict._tag === "Allow";
const isNotOurs = (verdict: Verdict): boolean => verdict._tag === "NotOurs";
const isTrue = (value: boolean): boolean => value;

const judgeWith =
  (crypto: CryptoEngine) =>
  ({ event, state }: Case): Verdict =>
    authorize(event, state, crypto);

const judge = judgeWith(nodeCrypto);

/** The batches are short: on a busy machine a longer one hardly ever runs through undisturbed. */
const authorizeOverVerify = (
  crypto: CryptoEngine,
  bare: BareVerify,
  size: number,
  rounds: number,
): Comparison => {
  const from = samples(8).map((each) => ({ each, run: bare(each) }));
  const judgeWithIt = judgeWith(crypto);
  return {
    size,
    warmUp: Math.ceil(rounds / 4),
    rounds,
    prepare: (round) => {
      const now = turn(from, size, round);
      const cases = now.map(({ each }) => ({ event: parse(each.proven), state: stateOf(each) }));
      return {
        measured: batchOf(cases, judgeWithIt, isAllow),
        against: batchOf(now, ({ run }) => run(), isTrue),
      };
    },
  };
};

/** Judging `cases` over a call of nothing, which does not touch them. */
const judgement = (
  size: number,
  casesOf: (round: number) => readonly Case[],
  isRight: (verdict: Verdict) => boolean,
  nothing: Verdict,
): Comparison => ({
  size,
  warmUp: 500,
  rounds: 2000,
  prepare: (round) => {
    const cases = casesOf(round);
    return { measured: batchOf(cases, judge, isRight), against: batchOf(cases, () => nothing, isRight) };
  },
});

/** Judging one event. */
export const judgingFigures: readonly Figure[] = [
  compared(
    { name: "authorizeOverVerify.node", unit: "ratio", target: 1.1 },
    () => authorizeOverVerify(nodeCrypto, bareNode, 4, 3000),
    ratio,
  ),
  compared(
    { name: "authorizeOverVerify.portable", unit: "ratio", target: 1.1 },
    () => authorizeOverVerify(portableCrypto, barePortable, 1, 600),
    ratio,
  ),
  compared(
    { name: "notOursNs", unit: "ns", target: 50 },
    () => {
      // No rule is reached that asks the state.
      const from = samples(64).map((each, i) => ({
        text: i % 4 < 2 ? each.message : each.join,
        state: stateOf(each),
      }));
      const cases = () => from.map(({ text, state }) => ({ event: parse(text), state }));
      return judgement(from.length, cases, isNotOurs, { _tag: "NotOurs" });
    },
    difference,
  ),
  compared(
    { name: "plainInviteUs", unit: "µs", target: 1 },
    () => {
      const from = samples(64);
      const cases = (round: number) =>
        turn(from, 8, round).map((each) => ({ event: parse(each.plainInvite), state: stateOf(each) }));
      return judgement(8, cases, isAllow, { _tag: "Allow" });
    },
    (round) => difference(round) / 1000,
  ),
];
