import { type Either, isLeft, left } from "fp-ts/lib/Either.js";
import { describe, expect, it } from "vitest";
import {
  type BadPdu,
  type CheckedPdu,
  type KnownKeys,
  type ServerKey,
  checkPdu,
  keysNeeded,
  mayHaveSigned,
} from "../../src/matrix/check-pdu.js";
import { type JsonObject, member, stringMember } from "../../src/matrix/json.js";
import { hashAndSignPdu, signPdu } from "../../src/matrix/pdu.js";
import { redact } from "../../src/matrix/redaction.js";
import { roomVersionIds } from "../../src/matrix/room-version.js";
import { nodeCrypto, nodeSigningKey } from "../../src/node/crypto.js";
import { parseStrict } from "../../src/matrix/strict-json.js";
import { version } from "./versions.js";

const key = (name: string, fill: number): ReturnType<typeof nodeSigningKey> =>
  nodeSigningKey(`ed25519:${name}`, new Uint8Array(32).fill(fill));
const [one, old, target] = [key("one", 1), key("old", 2), key("target", 3)];
const now = 1_700_000_000_000;

const known =
  (keys: Readonly<Record<string, ServerKey>>): KnownKeys["keyOf"] =>
  (server, keyId) =>
    keys[`${server} ${keyId}`];

const everyKey = {
  "sender.example ed25519:one": { publicKey: one.publicKey, validUntilTs: now },
  "target.example ed25519:target": { publicKey: target.publicKey, validUntilTs: now },
};

const message: JsonObject = {
  type: "m.room.message",
  event_id: "$1:sender.example",
  room_id: "!r:sender.example",
  sender: "@alice:sender.example",
  origin_server_ts: now,
  depth: 1,
  auth_events: [],
  prev_events: [],
  content: { body: "x" },
};

const invite: JsonObject = {
  ...message,
  type: "m.room.member",
  state_key: "@bob:target.example",
  event_id: "$1:target.example",
  content: { membership: "invite", third_party_invite: { signed: { mxid: "@bob:target.example" } } },
};

const rightOf = <A>(either: Either<unknown, A>): A => {
  if (isLeft(either)) throw new Error(JSON.stringify(either.left));
  return either.right;
};

const missing = (server: string): Either<BadPdu, never> => left({ _tag: "NotSignedBy", server });

describe.each(roomVersionIds)("in version %s", (id) => {
  const signed = (event: JsonObject, by = one, server = "sender.example"): JsonObject =>
    rightOf(hashAndSignPdu(nodeCrypto, event, version(id), { serverName: server, key: by })).pdu;
  const also = (event: JsonObject, by: typeof one, server = "sender.example"): JsonObject =>
    rightOf(signPdu(event, version(id), server, by));
  const check = (
    pdu: JsonObject,
    keys: Readonly<Record<string, ServerKey>> = everyKey,
  ): Either<BadPdu, CheckedPdu> => checkPdu(nodeCrypto, pdu, version(id), { keyOf: known(keys), now });

  it("an event that its sender's server signed is itself", () => {
    const pdu = signed(message);
    expect(rightOf(check(pdu))).toMatchObject({
      pdu,
      hashMatches: true,
      signers: new Set(["sender.example"]),
    });
  });

  it("where the content hash does not match, the redacted copy is used", () => {
    const changed = { ...signed(message), content: { body: "y" } };
    const checked = rightOf(check(changed));
    expect(checked).toMatchObject({ hashMatches: false, signers: new Set(["sender.example"]) });
    expect(checked.pdu).toEqual(redact(changed, version(id)));
    expect(checked.eventId).toBe(rightOf(check(signed(message))).eventId);
  });

  it("refused without the sender's server's signature, with a bad one, or by an unknown key", () => {
    expect(check(signed(message, target, "target.example"))).toEqual(missing("sender.example"));
    expect(check(signed(message, old))).toEqual(missing("sender.example"));
    expect(check(signed(message), {})).toEqual(missing("sender.example"));
    expect(check({ ...signed(message), depth: 2 })).toEqual(missing("sender.example"));
    for (const signatures of [{}, { "sender.example": {} }, { "sender.example": { "ed25519:one": "!" } }])
      expect(check({ ...signed(message), signatures })).toEqual(missing("sender.example"));
  });

  it.each<[string, JsonObject]>([
    ["signatures", { signatures: undefined }],
    ["signatures", { signatures: { "sender.example": { "ed25519:one": 1 } } }],
    ["event", { content: { body: "x".repeat(70_000) } }],
    ["event", { content: { body: "x".repeat(1_048_576) } }],
    ["state_key", { state_key: "x".repeat(300) }],
    ["prev_events", { prev_events: references(25) }],
    ["auth_events", { auth_events: references(11) }],
    ["depth", { depth: "5" }],
    ["depth", { depth: -1 }],
    ["origin_server_ts", { origin_server_ts: "1" }],
  ])("an event without the format of its version is dropped, though it is signed: %s", (field, change) => {
    const event = { ...message, ...change };
    const pdu = "signatures" in change ? { ...signed(message), ...change } : signed(event);
    expect(check(pdu)).toEqual(left({ _tag: "BadFormat", field }));
  });

  /** As versions 1 and 2 write them, or the others. */
  function references(count: number): readonly unknown[] {
    return Array.from({ length: count }, (_, at) =>
      Number(id) < 3 ? [`$${at}:x.example`, { sha256: "x" }] : `$${at}`,
    );
  }

  it("a signature of another algorithm is passed over beside a good one, whatever is known of its key", () => {
    const pdu = signed(message);
    const block = member(member(pdu, "signatures"), "sender.example") as JsonObject;
    const both = { ...pdu, signatures: { "sender.example": { ...block, "slh-dsa:1": "AAAA" } } };
    const alone = { ...pdu, signatures: { "sender.example": { "slh-dsa:1": "AAAA" } } };
    for (const keys of [
      everyKey,
      { ...everyKey, "sender.example slh-dsa:1": { publicKey: new Uint8Array(64) } },
    ]) {
      expect(rightOf(check(both, keys)).signers).toEqual(new Set(["sender.example"]));
      expect(check(alone, keys)).toEqual(missing("sender.example"));
    }
  });

  it("what unknown or expired keys signed is passed over, every other signature must verify", () => {
    const pdu = also(signed(message), old);
    const withOld = (more: Partial<ServerKey>): Readonly<Record<string, ServerKey>> => ({
      ...everyKey,
      "sender.example ed25519:old": { publicKey: old.publicKey, ...more },
    });
    const wrong = { publicKey: target.publicKey };
    expect(check(pdu)._tag).toBe("Right");
    expect(check(pdu, withOld({}))._tag).toBe("Right");
    expect(check(pdu, withOld(wrong))).toEqual(missing("sender.example"));
    expect(check(pdu, withOld({ ...wrong, expiredTs: now - 1 }))._tag).toBe("Right");
    expect(check(signed(message, old), withOld({ expiredTs: now - 1 }))).toEqual(missing("sender.example"));
    expect(check(signed(message, old), withOld({ expiredTs: now }))._tag).toBe("Right");
  });

  it("from version 5 on the key must have been valid at the event's time", () => {
    const keys = { "sender.example ed25519:one": { publicKey: one.publicKey, validUntilTs: now - 1 } };
    expect(check(signed(message), keys)._tag).toBe(Number(id) < 5 ? "Right" : "Left");
  });

  it("a proven invite needs no signature of its sender's server", () => {
    const pdu = signed(invite, target, "target.example");
    expect(rightOf(check(pdu)).signers).toEqual(new Set(["target.example"]));
  });

  it("unless its proof is gone once the content hash fails", () => {
    const pdu = { ...signed(invite, target, "target.example"), hashes: { sha256: "AAAA" } };
    const resigned = also({ ...pdu, signatures: {} }, target, "target.example");
    expect(check(resigned)).toMatchObject(Number(id) < 11 ? missing("sender.example") : { _tag: "Right" });
  });

  it("from version 8 on the authoriser's server too", () => {
    const content = { membership: "join", join_authorised_via_users_server: "@carol:target.example" };
    const join = { ...message, type: "m.room.member", state_key: message["sender"], content };
    expect(check(signed(join))).toMatchObject(Number(id) < 8 ? { _tag: "Right" } : missing("target.example"));
    expect(rightOf(check(also(signed(join), target, "target.example"))).signers).toEqual(
      new Set(["sender.example", "target.example"]),
    );
  });
});

it("an event without canonical JSON, or without an ID where it must bring one, is dropped", () => {
  const keyOf = known({});
  const check = (pdu: JsonObject, id: string): unknown =>
    checkPdu(nodeCrypto, pdu, version(id), { keyOf, now });
  expect(check({ ...message, depth: 0.5 }, "6")).toEqual(
    left({ _tag: "NotCanonicalJson", reason: "number" }),
  );
  expect(check({ ...message, event_id: undefined }, "1")).toEqual(
    left({ _tag: "BadFormat", field: "event_id" }),
  );
});

describe("keysNeeded", () => {
  it("names the keys of the servers that must have signed, and of no others", () => {
    const signatures = {
      "sender.example": { "ed25519:one": "x", "slh-dsa:1": "x", "ed25519:two": 7 },
      "stranger.example": { "ed25519:one": "x" },
    };
    const named = (pdu: JsonObject): unknown => keysNeeded(nodeCrypto, pdu, version("10"));
    expect(named({ ...message, signatures })).toEqual([
      { server: "sender.example", keyId: "ed25519:one" },
      { server: "sender.example", keyId: "ed25519:two" },
    ]);
    for (const odd of [undefined, null, [], { "sender.example": "x" }])
      expect(named({ ...message, signatures: odd })).toEqual([]);
  });
});

describe("mayHaveSigned", () => {
  const week = 604_800_000;

  it.each([
    ["4", { validUntilTs: 1 }, 2, 0, true],
    ["5", { validUntilTs: 1 }, 1, 0, true],
    ["5", { validUntilTs: 1 }, 2, 0, false],
    ["12", { validUntilTs: Infinity }, week, 0, true],
    ["12", { validUntilTs: Infinity }, week + 1, 0, false],
    ["12", {}, week + 1, 0, true],
    ["1", { expiredTs: 1 }, 2, 0, false],
    ["12", { expiredTs: 1 }, 1, 0, true],
  ])("version %s, a key of %j, an event of %d at %d: %s", (id, serverKey, originServerTs, at, expected) => {
    expect(mayHaveSigned(serverKey, version(id), { originServerTs, now: at })).toBe(expected);
  });
});

describe("numbers that are no integers, or not written so", () => {
  const written = rightOf(parseStrict("[1.0, 1e3]", "any"));
  const places = {
    content: { ...message, content: { body: "x", written } },
    unsigned: { ...message, unsigned: { written } },
    "a fraction": { ...message, unsigned: { age: 1.5 } },
  };

  it.each(Object.entries(places))("from version 6 on an event with one is refused: %s", (_, event) => {
    const signed = { ...message, ...event };
    const checked = checkPdu(nodeCrypto, signed, version("6"), { keyOf: known(everyKey), now });
    expect(checked).toEqual(left({ _tag: "NotCanonicalJson", reason: "number" }));
  });

  it.each(Object.entries(places))("before, it has to be put up with: %s", (_, event) => {
    const unsigned = { ...event, hashes: { sha256: "AAAA" }, signatures: {} };
    const checked = checkPdu(nodeCrypto, unsigned, version("5"), { keyOf: known(everyKey), now });
    expect(checked).toEqual(missing("sender.example"));
  });
});

it("reads an event as often whether it has one signature or two hundred", () => {
  const { pdu } = rightOf(
    hashAndSignPdu(nodeCrypto, message, version("10"), { serverName: "sender.example", key: one }),
  );
  const text = stringMember(member(member(pdu, "signatures"), "sender.example"), "ed25519:one");
  const readsWith = (count: number): number => {
    let reads = 0;
    const watched = {
      ...pdu,
      signatures: {
        "sender.example": Object.fromEntries(
          Array.from({ length: count }, (_, at) => [`ed25519:${at}`, text]),
        ),
      },
      get depth() {
        reads += 1;
        return pdu["depth"];
      },
    };
    const keyOf = (): ServerKey => ({ publicKey: one.publicKey });
    expect(checkPdu(nodeCrypto, watched, version("10"), { keyOf, now })._tag).toBe("Right");
    return reads;
  };
  expect(readsWith(200)).toBe(readsWith(1));
});
