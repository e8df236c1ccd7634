import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { KnownKeys } from "../../src/matrix/check-pdu.js";
import { mergeCoSigned } from "../../src/matrix/co-signed.js";
import { type JsonObject, member } from "../../src/matrix/json.js";
import { hashAndSignPdu, signPdu } from "../../src/matrix/pdu.js";
import { roomVersionIds } from "../../src/matrix/room-version.js";
import { parseServerKeys } from "../../src/matrix/server-keys.js";
import { nodeCrypto, nodeSigningKey } from "../../src/node/crypto.js";
import { anything } from "./arbitrary-json.js";
import { version } from "./versions.js";

const key = (name: string, fill: number) => nodeSigningKey(`ed25519:${name}`, new Uint8Array(32).fill(fill));
const [ours, theirs, strange] = [key("ours", 1), key("theirs", 2), key("strange", 3)];
const now = 1_700_000_000_000;
const server = "far.example";
const keyOf: KnownKeys["keyOf"] = (name, keyId) =>
  name === server && keyId === theirs.keyId ? { publicKey: theirs.publicKey } : undefined;

const must = <A>(either: { readonly _tag: string; readonly right?: A }): A => {
  if (either._tag !== "Right") throw new Error(JSON.stringify(either));
  return either.right as A;
};
const leftOf = (tag: string) => ({ _tag: "Left", left: { _tag: tag } });

describe.each(roomVersionIds)("in version %s", (id) => {
  const sent = {
    ...must(
      hashAndSignPdu(
        nodeCrypto,
        {
          type: "m.room.member",
          event_id: "$1:near.example",
          room_id: "!r:near.example",
          sender: "@alice:near.example",
          state_key: "@bob:far.example",
          origin_server_ts: now,
          depth: 1,
          auth_events: [],
          prev_events: [],
          content: { membership: "invite", reason: "x" },
        },
        version(id),
        { serverName: "near.example", key: ours },
      ),
    ).pdu,
    unsigned: { invite_room_state: [] },
  };
  const coSigned = must(signPdu(sent, version(id), server, theirs));
  const merge = (answer: unknown) =>
    mergeCoSigned(nodeCrypto, sent, answer, { version: version(id), server, keys: { keyOf, now } });

  it("the signature of the invitee's server is added, and nothing else of the answer", () => {
    const signatures = coSigned["signatures"] as Record<string, JsonObject>;
    const answered = {
      ...coSigned,
      unsigned: { age: 5 },
      signatures: {
        ...signatures,
        "near.example": { "ed25519:ours": "AAAA" },
        "third.example": { "ed25519:1": "AAAA" },
        [server]: { ...signatures[server], "ed25519:unknown": "AAAA", "slh-dsa:1": "AAAA" },
      },
    };
    expect(must(merge({ event: answered }))).toEqual(coSigned);
    expect(must(merge([200, { event: answered }]))).toEqual(coSigned);
  });

  it("it is enough that the answer has their signature", () => {
    const { [server]: block } = coSigned["signatures"] as Record<string, JsonObject>;
    expect(must(merge({ event: { ...coSigned, signatures: { [server]: block } } }))).toEqual(coSigned);
  });

  it.each([undefined, null, 5, "x", [], {}, { event: null }, { event: [] }, [200], [200, {}]])(
    "%j has no event",
    (answer) => {
      expect(merge(answer)).toEqual(leftOf("NoEvent"));
    },
  );

  it.each<[string, JsonObject]>([
    ["content", { content: { membership: "invite" } }],
    ["content that redaction leaves alike", { content: { membership: "invite", reason: "y" } }],
    ["depth", { depth: 2 }],
    ["an added member", { more: true }],
    ["hashes", { hashes: { sha256: "AAAA" } }],
    ["what is no canonical JSON", { content: { membership: "invite", reason: "\ud800" } }],
  ])("another event: %s", (_, change) => {
    const signed = must(
      signPdu({ ...sent, ...change }, version(id), server, theirs) as { _tag: string; right?: JsonObject },
    );
    expect(merge({ event: signed })).toEqual(leftOf("OtherEvent"));
  });

  it.each<[string, JsonObject]>([
    ["none", {}],
    ["of another server", { "third.example": { "ed25519:theirs": "AAAA" } }],
    ["that does not verify", { [server]: { "ed25519:theirs": "AAAA" } }],
    ["of another algorithm", { [server]: { "slh-dsa:1": "AAAA" } }],
    ["that is no text", { [server]: { "ed25519:theirs": 5 } }],
    ["no object", { [server]: null }],
  ])("not signed: %s", (_, signatures) => {
    const refused = { _tag: "Left", left: { _tag: "NotSignedBy", server } };
    expect(merge({ event: { ...sent, signatures } })).toEqual(refused);
  });

  it("not signed: by a key that is not theirs", () => {
    const event = must(signPdu(sent, version(id), server, strange));
    expect(merge({ event })).toEqual({ _tag: "Left", left: { _tag: "NotSignedBy", server } });
  });
});

it("an ID that was attached locally is no difference where an event has none", () => {
  const event = { type: "m.room.member", sender: "@a:near.example" };
  const merged = mergeCoSigned(
    nodeCrypto,
    event,
    { event: { ...event, event_id: "$x" } },
    {
      version: version("11"),
      server,
      keys: { keyOf, now },
    },
  );
  expect(merged).toEqual({ _tag: "Left", left: { _tag: "NotSignedBy", server } });
});

it("never throws", () => {
  fc.assert(
    fc.property(anything, anything, fc.constantFrom(...roomVersionIds), (answer, value, id) => {
      const by = { version: version(id), server, keys: { keyOf, now } };
      mergeCoSigned(nodeCrypto, { x: value }, answer, by);
      mergeCoSigned(nodeCrypto, { x: value }, { event: { x: value, signatures: answer } }, by);
    }),
    { numRuns: 200 },
  );
});

interface Exchange {
  readonly request: { readonly path: string; readonly body: JsonObject };
  readonly response: { readonly body: JsonObject };
}

const capturedAt = 1_795_420_000_000;

describe("answers of real servers", () => {
  it.each(["1", "6", "10", "12"])("version %s", (id) => {
    const file = new URL(`../fixtures/transcripts/synapse-hs1-v${id}.json`, import.meta.url);
    const { serverExchanges, otherServer } = JSON.parse(readFileSync(file, "utf8")) as {
      readonly serverExchanges: readonly Exchange[];
      readonly otherServer: { readonly name: string; readonly serverKeys: JsonObject };
    };
    const { name } = otherServer;
    const known = must(
      parseServerKeys(nodeCrypto, otherServer.serverKeys, { serverName: name, now: capturedAt }),
    );
    const invites = serverExchanges.filter(({ request }) => request.path.includes("/v2/invite/"));
    expect(invites.length).toBeGreaterThan(0);
    for (const { request, response } of invites) {
      const sent = member(request.body, "event") as JsonObject;
      const merged = mergeCoSigned(nodeCrypto, sent, response.body, {
        version: version(id),
        server: name,
        keys: {
          keyOf: (of, keyId) => (of === name ? known.keys.get(keyId) : undefined),
          now: capturedAt,
        },
      });
      expect(must(merged)["signatures"]).toEqual(member(response.body["event"], "signatures"));
    }
  });
});
