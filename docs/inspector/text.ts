import { type NotStrictJson, parseStrict } from "matrix-third-party-invites/judge";
import { type WrittenNumber, isJsonObject } from "matrix-third-party-invites/matrix";

/** What is wrong with a text, and where: an offset in UTF-16 units. */
export interface TextProblem {
  readonly message: string;
  readonly at?: number;
}

type JsonText =
  | { readonly _tag: "Json"; readonly value: unknown }
  | { readonly _tag: "Problem"; readonly problem: TextProblem };

const sentences: Readonly<Record<NotStrictJson["reason"], string>> = {
  "not JSON": "this is not JSON from here on.",
  "invalid UTF-8": "these bytes are not UTF-8.",
  number: "no event may hold this number.",
  "duplicate key": "this name occurs twice in one object.",
  "lone surrogate": "half a surrogate pair, which no event may hold.",
  "too deep": "this is nested too deep.",
};

interface Position {
  readonly line: number;
  readonly column: number;
}

/** Where an offset stands, both counted from 1. */
export const positionOf = (text: string, at: number): Position => {
  const before = text.slice(0, at);
  return { line: before.split("\n").length, column: at - before.lastIndexOf("\n") };
};

/** JSON as events must be read: numbers as they are written, no name twice. */
export const readJson = (text: string, maxLength: number): JsonText => {
  if (text.length > maxLength)
    return { _tag: "Problem", problem: { message: `This is longer than ${maxLength} characters.` } };
  if (text.trim() === "")
    return { _tag: "Problem", problem: { message: "There is nothing here yet.", at: 0 } };
  const parsed = parseStrict(text, "any");
  if (parsed._tag === "Right") return { _tag: "Json", value: parsed.right };
  const { reason, at } = parsed.left;
  const { line, column } = positionOf(text, at);
  return {
    _tag: "Problem",
    problem: { message: `Line ${line}, column ${column}: ${sentences[reason]}`, at },
  };
};

/** Parsed JSON has no other objects. */
const isWrittenNumber = (value: unknown): value is WrittenNumber =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !isJsonObject(value);

const block = (open: string, items: readonly string[], indent: string, close: string): string =>
  items.length === 0
    ? open + close
    : `${open}\n${items.map((item) => `${indent}  ${item}`).join(",\n")}\n${indent}${close}`;

/** JSON to be read by people, its numbers as they were written, which `JSON.stringify` does not keep. */
export const writeJson = (value: unknown, indent = ""): string => {
  const inner = `${indent}  `;
  if (isWrittenNumber(value)) return value.toString();
  if (Array.isArray(value))
    return block(
      "[",
      value.map((item: unknown) => writeJson(item, inner)),
      indent,
      "]",
    );
  if (!isJsonObject(value)) return JSON.stringify(value);
  const members = Object.entries(value).map(
    ([key, item]) => `${JSON.stringify(key)}: ${writeJson(item, inner)}`,
  );
  return block("{", members, indent, "}");
};
