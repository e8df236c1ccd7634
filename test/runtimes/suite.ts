import { isDeepStrictEqual } from "node:util";
import { canonicalJson, encodeBase64 } from "matrix-third-party-invites/matrix";
import type { JsonObject } from "matrix-third-party-invites/ports";
import { portableCrypto } from "matrix-third-party-invites/portable";
import { bytes, orNull, verifies } from "../conformance/ask.js";
import type { Answer, Engine } from "../conformance/case.js";
import { readDataFile } from "../conformance/data-file.js";
import { lifeAnswers } from "./life.js";
import type { EngineReport, SuiteReport } from "./report.js";

/** The text of every file of cases, by its name. */
export type Fixtures = Readonly<Record<string, string>>;

interface Question {
  readonly name: string;
  readonly isDecided: boolean;
  readonly ask: (engine: Engine) => readonly Answer[] | Promise<readonly Answer[]>;
}

interface OddKey {
  readonly id: string;
  readonly publicKey: string;
  readonly message: JsonObject;
  readonly signature: string;
  readonly crypto: { readonly libsodium: boolean };
}

/** Odd keys and signatures, each through the check that comes before every engine. */
const oddKeys = (text: string): readonly Question[] =>
  text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as OddKey)
    .map(({ id, publicKey, message, signature, crypto: { libsodium } }) => ({
      name: id,
      isDecided: true,
      ask: ({ crypto }) => {
        const covered = new TextEncoder().encode(orNull(canonicalJson(message)) ?? "");
        const said = verifies(crypto, bytes(publicKey), covered, bytes(signature));
        return [{ question: "verifySignature", expected: libsodium, said }];
      },
    }));

const questions = (fixtures: Fixtures): readonly Question[] => [
  ...Object.entries(fixtures).flatMap(([file, text]) => {
    const cases = file.startsWith("odd/")
      ? oddKeys(text)
      : readDataFile(new TextEncoder().encode(text)).cases;
    return cases.map((one, at) => ({ ...one, name: `${file} ${at} ${one.name}` }));
  }),
  { name: "the life of an invite over HTTP", isDecided: true, ask: lifeAnswers },
];

/** Short, and by the one engine that runs everywhere. */
const digest = (answers: readonly Answer[]): string => {
  const said = answers.map((one) => [one.question, one.said]);
  return encodeBase64(portableCrypto.sha256(new TextEncoder().encode(JSON.stringify(said)))).slice(0, 12);
};

const answersOf = async ({ ask }: Question, engine: Engine): Promise<readonly Answer[]> => {
  try {
    return await ask(engine);
  } catch (thrown) {
    return [{ question: "does it answer", expected: "an answer", said: `threw ${String(thrown)}` }];
  }
};

const judge = async (engine: Engine, asked: readonly Question[]): Promise<EngineReport> => {
  const began = performance.now();
  const answers: Record<string, string> = {};
  const wrong: string[] = [];
  let undecided = 0;
  for (const question of asked) {
    const said = await answersOf(question, engine);
    answers[question.name] = digest(said);
    const off = said.find((one) => !isDeepStrictEqual(one.said, one.expected));
    if (question.isDecided || off?.question === "does it answer") {
      if (off !== undefined) wrong.push(`${question.name}: ${off.question}: ${JSON.stringify(off.said)}`);
    } else undecided += 1;
  }
  const disagree = wrong.length;
  return {
    engine: engine.name,
    agree: asked.length - disagree - undecided,
    disagree,
    undecided,
    milliseconds: Math.round(performance.now() - began),
    wrong: wrong.slice(0, 20),
    answers,
  };
};

/** Asks each engine every case of every file, and plays one invite from its first request to the join. */
export const runSuite = async (engines: readonly Engine[], fixtures: Fixtures): Promise<SuiteReport> => {
  const asked = questions(fixtures);
  const reports: EngineReport[] = [];
  for (const engine of engines) reports.push(await judge(engine, asked));
  return reports;
};
