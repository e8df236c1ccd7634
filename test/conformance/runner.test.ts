import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync, gzipSync } from "node:zlib";
import type { JsonObject } from "matrix-third-party-invites/ports";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Tally, tally } from "./case.js";
import { readDataFile } from "./data-file.js";
import { engines } from "./engines.js";

const fixture = async (name: string): Promise<string> => {
  const bytes = await readFile(new URL(`../fixtures/${name}`, import.meta.url));
  return (name.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString();
};

const ask = (text: string): Tally & { readonly kind: string } => {
  const { kind, cases } = readDataFile(Buffer.from(text));
  return { kind, ...tally(cases, () => engines) };
};

/** The first line of random cases of which this holds, changed. */
const line = async (
  kind: string,
  wanted: (row: JsonObject) => boolean,
  change: JsonObject = {},
): Promise<string> => {
  const rows = (await fixture(`corpus/${kind}.jsonl.gz`)).trim().split("\n");
  const found = rows.map((row) => JSON.parse(row) as JsonObject).find(wanted);
  return JSON.stringify({ ...found, ...change });
};

describe("random cases", () => {
  test.each([
    ["auth", (row: JsonObject) => row["specAllowed"] === true, { specAllowed: false }],
    ["auth", (row: JsonObject) => row["class"] === "weak", { crypto: { libsodium: true } }],
    ["authEvents", (row: JsonObject) => row["class"] === "tpi", { specTypes: [] }],
    ["json", (row: JsonObject) => row["class"] === "tree", { specCanonical: null }],
    ["event", (row: JsonObject) => row["class"] === "tpi", { redacted: {} }],
    ["event", (row: JsonObject) => row["class"] === "tpi", { contentHash: "AAAA" }],
    ["event", (row: JsonObject) => row["class"] === "tpi", { referenceHash: "AAAA" }],
    ["event", (row: JsonObject) => row["class"] === "tpi", { eventId: "$x" }],
    ["event", (row: JsonObject) => row["roomId"] !== undefined, { roomId: "!x" }],
    ["signed", (row: JsonObject) => row["class"] === "plain", { verifies: false }],
    ["signed", (row: JsonObject) => row["class"] === "plain", { signedValue: {} }],
    ["signed", (row: JsonObject) => row["class"] === "o.malleable", { crypto: { libsodium: true } }],
    ["lookup", (row: JsonObject) => row["kind"] === "hash", { sha256: "x" }],
    ["lookup", (row: JsonObject) => row["kind"] === "email", { canonical: "x" }],
  ])("%s: a wrong expectation is one disagreement, the right one none", async (kind, wanted, change) => {
    expect(ask(await line(kind, wanted))).toMatchObject({
      kind,
      cases: 1,
      agree: 1,
      disagree: 0,
      skipped: 0,
    });
    expect(ask(await line(kind, wanted, change))).toMatchObject({
      kind,
      cases: 1,
      agree: 0,
      disagree: 1,
      skipped: 0,
    });
  });

  test.each([
    ["auth", (row: JsonObject) => row["specAllowed"] === null && row["class"] !== "weak"],
    ["authEvents", (row: JsonObject) => row["specTypes"] === null],
    ["json", (row: JsonObject) => row["specUndefined"] === true],
    ["event", (row: JsonObject) => row["specUndefined"] === true],
    ["signed", (row: JsonObject) => row["class"] === "o.urlsafe"],
    ["lookup", (row: JsonObject) => row["specUndefined"] === true],
  ])("%s: what is undecided is skipped", async (kind, wanted) => {
    expect(ask(await line(kind, wanted))).toMatchObject({ cases: 1, agree: 0, disagree: 0, skipped: 1 });
  });

  test("an event of another kind is the host's, whatever its verdict", async () => {
    const one = JSON.parse(await line("auth", (row) => row["specAllowed"] === true)) as {
      readonly event: JsonObject;
    };
    const message = { ...one, event: { ...one.event, type: "m.room.message" } };
    expect(ask(JSON.stringify(message))).toMatchObject({ agree: 1, disagree: 0 });
  });
});

describe("crafted cases", () => {
  /** A file with one list cut down to one case, changed. */
  const crafted = async (
    file: string,
    list: string,
    at: number,
    change: JsonObject = {},
  ): Promise<string> => {
    const document = JSON.parse(await fixture(`peers/${file}.json.gz`)) as Record<string, JsonObject[]>;
    return JSON.stringify({ format: 1, [list]: [{ ...document[list]?.[at], ...change }] });
  };

  test.each([
    ["auth-third-party-invite", "vectors", { expected: "reject" }, "auth"],
    ["auth-third-party-invite", "authEventSelection", { expected: [] }, "authEventSelection"],
    ["canonical-json", "vectors", { expected: "[]" }, "canonicalJson"],
    ["canonical-json", "vectors", { mode: "is-canonical", expected: false }, "canonicalJson"],
    ["event-hash", "vectors", { contentHash: "AAAA" }, "eventHash"],
    ["event-hash", "vectors", { contentHashOk: false }, "eventHash"],
    ["event-hash", "vectors", { eventId: "$x" }, "eventHash"],
    ["redaction", "vectors", { expected: {} }, "redaction"],
    ["signed-json", "sign", { expected: {} }, "sign"],
    ["signed-json", "verify", { expected: "valid" }, "verify"],
    ["signed-json", "base64", { bytesHex: "00" }, "base64"],
    ["signed-json", "base64", { keyDecoder: false }, "base64"],
    ["signed-json", "ed25519", { expected: "valid" }, "ed25519"],
    ["signed-json", "eventSign", { expectedSignature: "AAAA" }, "eventSign"],
    ["signed-json", "requiredSigners", { expected: ["x"] }, "requiredSigners"],
  ])("%s %s: a wrong expectation is one disagreement", async (file, list, change, kind) => {
    expect(ask(await crafted(file, list, 0))).toMatchObject({ kind, cases: 1, agree: 1, disagree: 0 });
    expect(ask(await crafted(file, list, 0, change))).toMatchObject({ kind, agree: 0, disagree: 1 });
    const unclear = await crafted(file, list, 0, { ...change, clarity: "unclear" });
    expect(ask(unclear)).toMatchObject({ disagree: 0, skipped: 1 });
  });

  test("lists that are empty in these files are read too", async () => {
    const { vectors } = JSON.parse(await fixture("peers/event-hash.json.gz")) as {
      readonly vectors: readonly (JsonObject & { readonly signatures?: readonly JsonObject[] })[];
    };
    const signed = vectors.find(({ signatures }) => signatures !== undefined);
    const [by] = signed?.signatures ?? [];
    const event = { name: "e", roomVersion: signed?.["roomVersion"], event: signed?.["event"] };
    const validity = { name: "k", roomVersion: "5", keyValidUntilTs: 5, originServerTs: 5 };
    const document = (wrong: boolean): string =>
      JSON.stringify({
        format: 1,
        eventVerify: [
          { ...event, ...by, expected: wrong ? "invalid" : "valid" },
          { ...event, signatures: [{ ...by, expected: wrong ? "invalid" : "valid" }] },
          { ...event, contentHashOk: !wrong },
        ],
        keyValidity: [
          { ...validity, expected: !wrong },
          { ...validity, originServerTs: 6, expected: wrong },
          { ...validity, roomVersion: "4", originServerTs: 6, expected: wrong ? "invalid" : "valid" },
        ],
      });
    expect(ask(document(false))).toMatchObject({ kind: "eventVerify+keyValidity", cases: 6, agree: 6 });
    expect(ask(document(true))).toMatchObject({ agree: 0, disagree: 6 });
  });
});

describe("a captured room", () => {
  interface Room {
    readonly events: { eventId: string; pdu: Record<string, unknown>; rejected?: unknown }[];
  }
  /** Turning every bit of every proof takes its time, so only of the cases that are asked for. */
  const disagreeing = async (
    change: (room: Room) => void,
    asked: (name: string) => boolean = (name) => !name.endsWith("proof"),
  ): Promise<readonly string[]> => {
    const room = JSON.parse(await fixture("transcripts/synapse-hs1-v10.json")) as Room;
    change(room);
    const { cases } = readDataFile(Buffer.from(JSON.stringify(room)));
    const { disagreements } = tally(
      cases.filter(({ name }) => asked(name)),
      () => engines,
    );
    return disagreements.map((one) => `${one.case} ${one.question}`);
  };
  const proven = ({ events }: Room): Room["events"][number] | undefined =>
    events.find(({ pdu }) => JSON.stringify(pdu["content"]).includes("signed"));

  const last = ({ events }: Room): Room["events"][number] =>
    events.findLast(({ pdu }) => pdu["type"] === "m.room.third_party_invite") ?? { eventId: "", pdu: {} };

  test.each<[string, (stored: Room["events"][number]) => void]>([
    ["eventId", (stored) => (stored.eventId = "$other")],
    ["eventId", ({ pdu }) => (pdu["hashes"] = { sha256: "AAAA" })],
    ["contentHashMatches", ({ pdu }) => (pdu["not_hashed"] = 1)],
    ["is a signature by a known key", ({ pdu }) => (pdu["signatures"] = {})],
    ["eventId", ({ pdu }) => (pdu["auth_events"] = [])],
    ["authorize", (stored) => (stored.rejected = "by somebody")],
  ])("one event changed, one disagreement: %s", async (question, change) => {
    let id = "";
    const found = await disagreeing((room) => {
      change(last(room));
      id = last(room).eventId;
    });
    expect(found).toEqual([`${id} ${question}`]);
  });

  test("a state in which the sender had no power", async () => {
    const found = await disagreeing((room) => {
      const levels = room.events.find(({ pdu }) => pdu["type"] === "m.room.power_levels");
      if (levels) levels.pdu["content"] = { invite: 200 };
    });
    expect(found.filter((one) => one.endsWith("authorize")).length).toBeGreaterThan(3);
  });

  test("an invite whose proof does not hold is found twice: it is not allowed, and there is no proof", async () => {
    let id = "";
    const found = await disagreeing(
      (room) => {
        const invite = proven(room);
        id = invite?.eventId ?? "";
        const content = invite?.pdu["content"] as { third_party_invite: { signed: Record<string, unknown> } };
        content.third_party_invite.signed["more"] = 1;
      },
      (name) => name.startsWith(id),
    );
    expect(found).toContain(`${id} proof proveInvite`);
    expect(found.some((one) => one.startsWith(id) && !one.includes("proof"))).toBe(true);
  });
});

describe("captured traffic", () => {
  test("a body that was changed after it was signed, a store-invite answer without keys, another path are found", async () => {
    interface Traffic {
      readonly exchanges: {
        name: string;
        request: { path: string };
        response: { body: Record<string, unknown> };
      }[];
    }
    const found = async (file: string, name: string, change: (one: Traffic["exchanges"][number]) => void) => {
      const traffic = JSON.parse(await fixture(`transcripts/${file}.json`)) as Traffic;
      expect(ask(JSON.stringify(traffic))).toMatchObject({ kind: "traffic", disagree: 0 });
      traffic.exchanges.filter((one) => one.name === name).forEach(change);
      return ask(JSON.stringify(traffic)).disagreements.map(({ question }) => question);
    };
    expect(
      await found("sydent-sign-ed25519", "sign-ed25519", ({ response }) => {
        response.body["mxid"] = "@else:where.example";
      }),
    ).toEqual(["verifyJson localhost:28443"]);
    expect(
      await found("sydent-store-invite", "store-invite", ({ response }) => {
        delete response.body["public_keys"];
      }),
    ).toEqual(["parseStoredInvite"]);
    expect(
      await found("sydent-pubkey", "isvalid-own-key/v2", ({ request }) => {
        request.path = request.path.replace("%2B", "+");
      }),
    ).toEqual(["validityRequestUrl"]);
  });
});

describe("the command", () => {
  let folder = "";
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "conformance-"));
  });
  afterAll(async () => {
    await rm(folder, { recursive: true });
  });

  const file = async (name: string, content: string | Uint8Array): Promise<string> => {
    await writeFile(join(folder, name), content);
    return join(folder, name);
  };

  const runs = (
    ...args: readonly string[]
  ): Promise<{ readonly code: number | string; readonly lines: readonly string[]; readonly err: string }> =>
    new Promise((resolve) => {
      const main = fileURLToPath(new URL("main.ts", import.meta.url));
      const tsx = fileURLToPath(import.meta.resolve("tsx/cli"));
      execFile(process.execPath, [tsx, main, ...args], (error, stdout, stderr) => {
        const lines = stdout.split("\n").filter((one) => one !== "");
        resolve({ code: error?.code ?? 0, lines, err: stderr });
      });
    });

  const run = async (...files: readonly string[]) => {
    const { code, lines, err } = await runs(...files);
    return { code, out: lines.map((one) => JSON.parse(one) as JsonObject), err };
  };

  test("prints a line for each file and one for each disagreement, and tells a file by its content", async () => {
    const [good, bad] = [
      await line("json", (row) => row["class"] === "tree"),
      await line("lookup", (row) => row["kind"] === "hash", { id: "the-odd-one", sha256: "x" }),
    ];
    const zipped = await file("zipped.txt", gzipSync(good));
    const plain = await file("plain", bad);
    expect(await run(zipped)).toEqual({
      code: 0,
      out: [{ file: zipped, kind: "json", cases: 1, agree: 1, disagree: 0, skipped: 0 }],
      err: "",
    });
    const { code, out } = await run(zipped, plain, await file("garbage.json", "{}"));
    expect(code).toBe(1);
    expect(out.slice(1)).toEqual([
      { file: plain, kind: "lookup", cases: 1, agree: 0, disagree: 1, skipped: 0 },
      expect.objectContaining({ case: "the-odd-one", expected: "x", said: expect.any(String) as string }),
    ]);
  });

  test("prints a table for people if asked, with a line for each disagreement", async () => {
    const good = await file("good", await line("json", (row) => row["class"] === "tree"));
    const bad = await line("lookup", (row) => row["kind"] === "hash", { id: "the-odd-one", sha256: "x" });
    const { code, lines } = await runs("--table", good, await file("bad", bad));
    expect(code).toBe(1);
    expect(lines.map((one) => one.replaceAll(folder, "").replaceAll(/ +/g, " "))).toEqual([
      "file cases agree disagree left open",
      "/good 1 1 0 0",
      "/bad 1 0 1 0",
      "together 2 1 1 0",
      expect.stringMatching(/^\/bad: the-odd-one: lookupHash \(node\): expected "x", got ".+"$/),
    ]);
  });

  // In one run: each is a process of its own.
  const odd = [
    ["nothing", ""],
    ["no JSON", "not json"],
    ["no object", "[1]"],
    ["no case", '{"format":1,"vectors":[]}'],
    ["a row of another shape among the cases", '{"id":"a","kind":"hash"}\n{"other":1}'],
    ["a list that is not known", '{"format":1,"sign":[],"other":[{"name":"x"}]}'],
    ["a list of another shape", '{"format":1,"vectors":[{"name":"x"}]}'],
    [
      "an unknown room version",
      '{"id":"a","class":"x","roomVersion":"99","state":[],"event":{},"specAllowed":null}',
    ],
    ["a broken archive", Uint8Array.of(0x1f, 0x8b, 0, 0)],
  ] as const;

  test.each(odd)("a file that holds %s is not understood", (_, content) => {
    expect(() => readDataFile(Buffer.from(content))).toThrow(Error);
  });

  test("exit 2 where no file is understood, and a line for each", async () => {
    const files = await Promise.all(odd.map(([, content], at) => file(`odd-${at}`, content)));
    const { code, out, err } = await run(...files);
    expect([code, out]).toEqual([2, []]);
    expect(err.match(/^.*(?=: not understood: )/gm)).toEqual(files);
  });

  test("exit 2 without a file, and where there is none", async () => {
    expect((await run()).code).toBe(2);
    expect((await run(join(folder, "absent"))).code).toBe(2);
  });
});
