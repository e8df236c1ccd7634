import { gunzipSync } from "node:zlib";
import { isLeft } from "fp-ts/lib/Either.js";
import { parseStrict } from "matrix-third-party-invites/judge";
import { isJsonObject } from "matrix-third-party-invites/matrix";
import type { JsonObject } from "matrix-third-party-invites/ports";
import { type Case, type CaseReader, has } from "./case.js";
import { corpus } from "./corpus.js";
import { lists } from "./crafted.js";
import { roomCases } from "./room.js";
import { trafficCases } from "./traffic.js";

/** Cases of one kind: a whole file. */
export interface DataFile {
  readonly kind: string;
  readonly cases: readonly Case[];
}

/** Numbers as they are written, as a server of room versions 1 to 5 must read them; but half a surrogate pair is data too. */
const parse = (text: string): unknown => {
  const strict = parseStrict(text, "any");
  return isLeft(strict) ? JSON.parse(text) : strict.right;
};

/** The one JSON value that a text is, or those on its lines. */
const documents = (text: string): readonly unknown[] => {
  try {
    return [parse(text)];
  } catch {
    return text
      .split("\n")
      .filter((line) => line.trim() !== "")
      .map(parse);
  }
};

const readAll = (rows: readonly JsonObject[], read: CaseReader): readonly Case[] | undefined => {
  const cases = rows.map(read);
  return cases.every((one) => one !== undefined) ? cases : undefined;
};

const corpusFile = (rows: readonly JsonObject[]): DataFile | undefined => {
  for (const [kind, reader] of Object.entries(corpus)) {
    const cases = readAll(rows, reader);
    if (cases !== undefined) return { kind, cases };
  }
  return undefined;
};

const craftedFile = (document: JsonObject): DataFile | undefined => {
  if (!has(document, "format")) return undefined;
  // A list that nobody reads would be cases that nobody asks.
  const unread = Object.keys(document).find((name) => Array.isArray(document[name]) && !has(lists, name));
  if (unread !== undefined) throw new Error(`its list ${unread} is not known`);
  const kinds = new Set<string>();
  const cases = Object.entries(lists).flatMap(([list, readers]) => {
    const rows = document[list];
    return (Array.isArray(rows) ? (rows as readonly JsonObject[]) : []).map((row) => {
      for (const [kind, read] of Object.entries(readers)) {
        const found = read(row);
        if (found === undefined) continue;
        kinds.add(kind);
        return found;
      }
      throw new Error(`a case of ${list} has an unknown shape`);
    });
  });
  return { kind: [...kinds].join("+"), cases };
};

const capturedFile = (document: JsonObject): DataFile | undefined => {
  const room = roomCases(document);
  if (room !== undefined) return { kind: "room", cases: room };
  const traffic = trafficCases(document);
  return traffic === undefined ? undefined : { kind: "traffic", cases: traffic };
};

/**
 * Reads a file of cases, compressed or not, and tells by its content what it holds. Throws where it holds nothing that
 * is understood, or no case.
 */
export const readDataFile = (bytes: Uint8Array): DataFile => {
  const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
  const found = documents(Buffer.from(isGzip ? gunzipSync(bytes) : bytes).toString("utf8"));
  const rows = (found.length === 1 && Array.isArray(found[0]) ? (found[0] as unknown[]) : found).filter(
    isJsonObject,
  );
  const [first] = rows;
  if (first === undefined || rows.length < found.length) throw new Error("it holds no objects");
  const file =
    rows.length > 1 ? corpusFile(rows) : (capturedFile(first) ?? craftedFile(first) ?? corpusFile(rows));
  if (file === undefined) throw new Error("its cases have no known shape");
  if (file.cases.length === 0) throw new Error("it has no case");
  return file;
};
