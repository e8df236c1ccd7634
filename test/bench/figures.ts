import { createHash, createPublicKey, verify } from "node:crypto";
import {
  type CryptoEngine,
  type JsonObject,
  type RoomState,
  type Verdict,
  authorize,
  canonicalJson,
  eventId,
  roomVersion,
} from "matrix-third-party-invites";
import { nodeCrypto } from "matrix-third-party-invites/node";
import { portableCrypto } from "matrix-third-party-invites/portable";
import nacl from "tweetnacl";
import { type Comparison, type Round, batchOf, difference, ratio, turn } from "./harness.js";
import { type Sample, largePowerLevels, memberEvents, parse, samples, stateOf } from "./inputs.js";

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

export interface Figure {
  readonly name: string;
  readonly unit: "ratio" | "ns" | "µs";
  /** At most this; `null` where none is set. */
  readonly target: number | null;
  /** Makes the texts, which takes a while. */
  readonly comparison: () => Comparison;
  readonly of: (round: Round) => number;
}

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

/** What a bare verification needs that is made before: for OpenSSL a key object. */
type BareVerify = (from: Sample) => () => boolean;

const bareNode: BareVerify = ({ proof: { publicKey, message, signature } }) => {
  const jwk = { kty: "OKP", crv: "Ed25519", x: Buffer.from(publicKey).toString("base64url") };
  const key = createPublicKey({ key: jwk, format: "jwk" });
  return () => verify(null, message, key, signature);
};

const barePortable: BareVerify =
  ({ proof: { publicKey, message, signature } }) =>
  () =>
    nacl.sign.detached.verify(message, signature, publicKey);

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

const canonicalOverStringify = (texts: readonly string[], size: number, rounds: number): Comparison => ({
  size,
  warmUp: Math.ceil(rounds / 4),
  rounds,
  prepare: (round) => {
    const inputs = () =>
      turn(texts, size, round).map((text) => ({ value: parse(text), length: text.length }));
    return {
      measured: batchOf(
        inputs(),
        ({ value }) => canonicalJson(value),
        (written, { length }) => written._tag === "Right" && written.right.length === length,
      ),
      against: batchOf(
        inputs(),
        ({ value }) => JSON.stringify(value),
        (written, { length }) => written.length === length,
      ),
    };
  },
});

const eventIdOverSha256 = (texts: readonly string[]): Comparison => {
  const version = roomVersion("10");
  if (version === undefined) throw new Error("There is no room version 10.");
  return {
    size: texts.length,
    warmUp: 500,
    rounds: 2000,
    prepare: () => ({
      measured: batchOf(
        texts.map(parse),
        (pdu) => eventId(nodeCrypto, pdu, version),
        (id) => id._tag === "Right" && id.right.length === 44,
      ),
      against: batchOf(
        texts.map(parse),
        (pdu) => createHash("sha256").update(JSON.stringify(pdu)).digest(),
        (hash) => hash.length === 32,
      ),
    }),
  };
};

export const figures: readonly Figure[] = [
  {
    name: "authorizeOverVerify.node",
    unit: "ratio",
    target: 1.1,
    comparison: () => authorizeOverVerify(nodeCrypto, bareNode, 4, 3000),
    of: ratio,
  },
  {
    name: "authorizeOverVerify.portable",
    unit: "ratio",
    target: 1.1,
    comparison: () => authorizeOverVerify(portableCrypto, barePortable, 1, 600),
    of: ratio,
  },
  {
    name: "notOursNs",
    unit: "ns",
    target: 50,
    comparison: () => {
      // No rule is reached that asks the state.
      const from = samples(64).map((each, i) => ({
        text: i % 4 < 2 ? each.message : each.join,
        state: stateOf(each),
      }));
      const cases = () => from.map(({ text, state }) => ({ event: parse(text), state }));
      return judgement(from.length, cases, isNotOurs, { _tag: "NotOurs" });
    },
    of: difference,
  },
  {
    name: "plainInviteUs",
    unit: "µs",
    target: 1,
    comparison: () => {
      const from = samples(64);
      const cases = (round: number) =>
        turn(from, 8, round).map((each) => ({ event: parse(each.plainInvite), state: stateOf(each) }));
      return judgement(8, cases, isAllow, { _tag: "Allow" });
    },
    of: (round) => difference(round) / 1000,
  },
  {
    name: "canonicalOverStringify.1k",
    unit: "ratio",
    target: null,
    comparison: () => canonicalOverStringify(memberEvents(16), 16, 2000),
    of: ratio,
  },
  {
    name: "canonicalOverStringify.60k",
    unit: "ratio",
    target: null,
    comparison: () => canonicalOverStringify(largePowerLevels(4), 1, 800),
    of: ratio,
  },
  {
    name: "eventIdOverSha256",
    unit: "ratio",
    target: null,
    comparison: () => eventIdOverSha256(memberEvents(16)),
    of: ratio,
  },
];
