import { createHash } from "node:crypto";
import { roomVersion } from "matrix-third-party-invites/judge";
import { canonicalJson, eventId } from "matrix-third-party-invites/matrix";
import { nodeCrypto } from "matrix-third-party-invites/node";
import { type Figure, compared } from "./figure.js";
import { type Comparison, batchOf, ratio, turn } from "./harness.js";
import { largePowerLevels, memberEvents, parse } from "./inputs.js";

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

/** Writing an event as it is hashed and signed. */
export const writingFigures: readonly Figure[] = [
  compared(
    { name: "canonicalOverStringify.1k", unit: "ratio", target: 2.7 },
    () => canonicalOverStringify(memberEvents(16), 16, 2000),
    ratio,
  ),
  compared(
    { name: "canonicalOverStringify.60k", unit: "ratio", target: 6 },
    () => canonicalOverStringify(largePowerLevels(4), 1, 800),
    ratio,
  ),
  compared(
    { name: "eventIdOverSha256", unit: "ratio", target: 3.5 },
    () => eventIdOverSha256(memberEvents(16)),
    ratio,
  ),
];
