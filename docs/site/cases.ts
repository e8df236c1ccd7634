import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import type { Case } from "../../test/conformance/case.js";
import { readDataFile } from "../../test/conformance/data-file.js";
import { engines } from "../../test/conformance/engines.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
const longest = 70;

const cell = (text: string): string =>
  text.replaceAll(/[&<>|*_`[\]\\]/g, (sign) => `&#${sign.charCodeAt(0)};`).replaceAll(/\s+/g, " ");

const code = (text: string): string =>
  text === "" ? "" : `<code>${cell(text.length > longest ? `${text.slice(0, longest)}…` : text)}</code>`;

type Row = Readonly<Record<string, unknown>>;

/** Every object with a name or an ID that a data file has on a line or in a list. */
const rowsOf = (text: string): readonly Row[] => {
  try {
    const document = JSON.parse(text) as Readonly<Record<string, unknown>>;
    return Object.values(document).flatMap((list) => (Array.isArray(list) ? (list as readonly Row[]) : []));
  } catch {
    return text
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Row);
  }
};

/** What a case is about, in the words of the data. */
const aboutOf = (row: Row): string => {
  const version = row["roomVersion"];
  const words = ["class", "kind", "reason", "specReason", "note"].map((name) => row[name]);
  return [typeof version === "string" ? `version ${version}` : undefined, ...words]
    .filter((word): word is string => typeof word === "string" && word !== "")
    .join("; ");
};

const expectedOf = ({ ask, isDecided }: Case): string => {
  const [engine] = engines;
  if (!isDecided || engine === undefined) return "open";
  return ask(engine)
    .map(({ question, expected }) => `${cell(question)} ${code(JSON.stringify(expected))}`)
    .join("; ");
};

/** A table in Markdown of the cases of a data file. */
export const caseTable = (path: string): string => {
  const data = readFileSync(join(root, path));
  const about = new Map(
    rowsOf(gunzipSync(data).toString("utf8")).map((row) => [row["name"] ?? row["id"], aboutOf(row)]),
  );
  const { cases } = readDataFile(data);
  return [
    `## ${path.split("/").at(-1) ?? path}\n`,
    "| case | expected | about |",
    "| --- | --- | --- |",
    ...cases.map((one) => `| ${code(one.name)} | ${expectedOf(one)} | ${cell(about.get(one.name) ?? "")} |`),
    "",
  ].join("\n");
};
