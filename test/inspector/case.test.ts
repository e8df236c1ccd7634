import { portableCrypto } from "matrix-third-party-invites/portable";
import { describe, expect, test } from "vitest";
import { type Case, judge } from "../../docs/inspector/case.js";
import { examplesOf } from "../../docs/inspector/examples.js";
import { keyDocuments, keysIn } from "../../docs/inspector/receipt.js";
import { capturedRooms } from "../../docs/inspector/rooms.js";
import { positionOf, readJson, writeJson } from "../../docs/inspector/text.js";

const examples = examplesOf(capturedRooms());
const [first] = examples;
const captured = first?.make() ?? { version: "", state: "", event: "", maxPairs: 64, signers: [], keys: "" };

const verdict = (one: Case): string => {
  const judgement = judge(one, portableCrypto);
  if (judgement._tag === "Unreadable") return judgement.problems.map(({ field }) => field).join();
  const { verdict: said, roomVersion } = judgement.explanation;
  return `${roomVersion} ${said._tag === "Reject" ? `${said.refusal.rule ?? ""} ${said.refusal.code}` : said._tag}`;
};

test("each example shows what its name says", () => {
  expect(Object.fromEntries(examples.map(({ name, make }) => [name, verdict(make())]))).toEqual({
    "Redeemed from another server, version 12": "12 Allow",
    "Redeemed from another server, version 10": "10 Allow",
    "Redeemed from another server, version 6": "6 Allow",
    "Redeemed from another server, version 1": "1 Allow",
    "The invited user has been banned": "12 5.4.1.1 TargetBanned",
    "Another user claims the invite": "12 5.4.1.4 MxidMismatch",
    "Somebody else sends it on": "12 5.4.1.6 TokenSenderMismatch",
    "The invite has been revoked": "12 5.4.1.8 NotProven",
    "A word was added after signing": "12 5.4.1.8 NotProven",
    "There is no proof, only power": "12 Allow",
    "The user has joined already": "12 5.4.3 TargetJoined",
  });
});

describe("a case", () => {
  test.each([
    ["the version may be chosen against the create event", { version: "10" }, "10 Allow"],
    ["a state that is no JSON", { state: "[" }, "state"],
    ["a state that is no list", { state: "7" }, "state"],
    ["an event that is no JSON", { event: "{" }, "event"],
    ["both", { state: "", event: "" }, "state,event"],
    ["no create event to take the version from", { state: "[]" }, "version"],
    ["no create event, the version chosen", { state: "[]", version: "6" }, "6 2.4 NoCreateEvent"],
    ["an event that is no object", { event: "7" }, "12 NotOurs"],
    ["a budget of none", { maxPairs: 0 }, "12 TooMuchWork"],
  ])("%s", (_name, change, wanted) => {
    expect(verdict({ ...captured, ...change })).toBe(wanted);
  });

  test("the state may be wrapped, as servers export it", () => {
    const list = JSON.parse(captured.state) as readonly unknown[];
    const pdus = list.map((pdu) => ({ pdu, eventId: "$x" }));
    for (const state of [{ events: list }, { state: list }, { pdus: list }, pdus, { events: pdus }])
      expect(verdict({ ...captured, state: JSON.stringify(state) })).toBe("12 Allow");
  });

  test("a create event without a version is of version 1, one of an unknown version asks for a choice", () => {
    const of = (content: string): string =>
      verdict({ ...captured, state: `[{"type":"m.room.create","state_key":"","content":${content}}]` });
    expect(of("{}")).toMatch(/^1 /);
    expect(of('{"room_version":"99"}')).toBe("version");
    expect(of('{"room_version":7}')).toBe("version");
  });
});

describe("what is wrong with a text", () => {
  test.each([
    ['{\n  "a": 1\n  "b": 2\n}', "Line 3, column 3: this is not JSON from here on."],
    ['{"a":1,\n"a":2}', "Line 2, column 1: this name occurs twice in one object."],
    ["", "There is nothing here yet."],
    ['["\\ud800"]', "Line 1, column 2: half a surrogate pair, which no event may hold."],
  ])("%j", (text, message) => {
    expect(readJson(text, 1000)).toMatchObject({ _tag: "Problem", problem: { message } });
  });

  test("it is too long", () => {
    expect(readJson(" ".repeat(1001), 1000)).toMatchObject({ _tag: "Problem" });
  });

  test("what is written is read again as it was", () => {
    const text = '{"a":[],"b":{},"c":[1.0,null,{"__proto__":1e400,"x":"\\""}],"2":true}';
    const read = readJson(text, 1000);
    const value = read._tag === "Json" ? read.value : undefined;
    expect(writeJson(value).replace(/\s/g, "")).toBe('{"2":true,' + text.slice(1).replace(',"2":true', ""));
    expect(readJson(writeJson(value), 1000)).toEqual(read);
  });

  test("positions are counted from 1", () => {
    expect(positionOf("", 0)).toEqual({ line: 1, column: 1 });
    expect(positionOf("a\nbc", 3)).toEqual({ line: 2, column: 2 });
    expect(positionOf("a\nbc", 2)).toEqual({ line: 2, column: 1 });
  });
});

describe("the checks before the rules", () => {
  const said = (change: Partial<Case>): Readonly<Record<string, string>> => {
    const judgement = judge({ ...captured, ...change }, portableCrypto);
    const findings = judgement._tag === "Judged" ? judgement.receipt : [];
    return Object.fromEntries(findings.map(({ name, outcome }) => [name, outcome]));
  };
  const [one, other] = ["Signature of localhost:28481", "Signature of localhost:28482"] as const;
  const good = { Format: "good", "Event ID": "good", "Content hash": "good", [one]: "good", [other]: "good" };
  const changed = (change: object): string =>
    JSON.stringify({ ...(JSON.parse(captured.event) as object), ...change });

  test.each([
    ["a captured event", {}, good],
    ["no keys are given", { keys: "" }, { ...good, [one]: "unknown", [other]: "unknown" }],
    [
      "keys of other servers",
      { keys: '[{"server_name":"x","verify_keys":{}}]' },
      { ...good, [one]: "unknown", [other]: "unknown" },
    ],
    [
      "a changed field that redaction keeps",
      { event: changed({ depth: 1 }) },
      { ...good, "Content hash": "bad", [one]: "bad", [other]: "bad" },
    ],
    [
      "a changed field that redaction removes",
      { event: changed({ more: 1 }) },
      { ...good, "Content hash": "bad" },
    ],
    [
      "a field is missing",
      { event: changed({ depth: undefined }) },
      { ...good, Format: "bad", "Content hash": "bad", [one]: "bad", [other]: "bad" },
    ],
    [
      "no signature of a server on a proven invite, which needs none",
      { event: changed({ signatures: {} }) },
      { Format: "good", "Content hash": "good", [one]: undefined },
    ],
    [
      "no signature on a plain invite",
      { event: changed({ signatures: {}, content: { membership: "invite" } }) },
      { Format: "good", "Content hash": "bad", [one]: "bad" },
    ],
    [
      "an event as clients get it",
      { event: changed({ hashes: undefined, signatures: undefined }) },
      { Format: "bad", "Content hash": "unknown", [one]: undefined },
    ],
    ["an event that is no object", { event: "7" }, {}],
  ])("%s", (_name, change, wanted) => {
    const findings = said(change);
    expect(Object.fromEntries(Object.keys(wanted).map((name) => [name, findings[name]]))).toEqual(wanted);
  });

  test("however many keys a stranger gives, 32 are used", () => {
    const document = {
      server_name: "x",
      verify_keys: Object.fromEntries(
        Array.from({ length: 100 }, (_, at) => [`ed25519:${at}`, { key: "aaaa" }]),
      ),
    };
    const keys = keysIn(keyDocuments({ server_keys: [document] }), 0);
    expect(keys.keyOf("x", "ed25519:31")).toBeDefined();
    expect(keys.keyOf("x", "ed25519:32")).toBeUndefined();
  });

  test.each([7, null, [], {}, { server_name: "x" }, { server_keys: 7 }])(
    "%j has no key documents",
    (value) => {
      expect(keyDocuments(value)).toEqual([]);
    },
  );
});
