import { deepStrictEqual } from "node:assert/strict";
import { type Either, isLeft, isRight, left, right } from "fp-ts/lib/Either.js";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeBase64 } from "../../src/matrix/base64.js";
import { type JsonObject, member, stringMember, withoutMembers } from "../../src/matrix/json.js";
import {
  type PduFacts,
  completePdu,
  contentHash,
  contentHashMatches,
  eventId,
  eventReference,
  hashAndSignPdu,
  referenceHash,
  roomIdOfCreate,
  signPdu,
  verifyPdu,
} from "../../src/matrix/pdu.js";
import { redact } from "../../src/matrix/redaction.js";
import { roomVersionIds } from "../../src/matrix/room-version.js";
import { signJson } from "../../src/matrix/signed-json.js";
import { nodeCrypto, nodeSigningKey } from "../../src/node/crypto.js";
import { anything, jsonObject } from "./arbitrary-json.js";
import { vectors } from "./vectors.js";
import { version } from "./versions.js";

const good = <A>(result: Either<unknown, A>): A => {
  if (isLeft(result)) throw new Error(`Not expected: ${JSON.stringify(result.left)}`);
  return result.right;
};

const bytesOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "base64"));

const key = nodeSigningKey("ed25519:1", bytesOf("YJDBA9Xnr2sVqXD9Vj7XVUnmFZcZrlw8Md7kMW+3XA1"));
const byDomain = { entity: "domain", keyId: "ed25519:1", publicKey: key.publicKey };

const contentHashOf = (pdu: JsonObject, id: string): string =>
  encodeBase64(good(contentHash(nodeCrypto, pdu, version(id))));
const referenceHashOf = (pdu: JsonObject, id: string): string =>
  encodeBase64(good(referenceHash(nodeCrypto, pdu, version(id))));
const idOf = (pdu: JsonObject, id: string): string => good(eventId(nodeCrypto, pdu, version(id)));
const signatureOf = (pdu: JsonObject): string | undefined =>
  stringMember(member(member(pdu, "signatures"), "domain"), "ed25519:1");
const withHash = (pdu: JsonObject, id: string): JsonObject => ({
  ...pdu,
  hashes: { sha256: contentHashOf(pdu, id) },
});

const minimal: JsonObject = {
  room_id: "!x:domain",
  sender: "@a:domain",
  origin: "domain",
  origin_server_ts: 1000000,
  signatures: {},
  hashes: {},
  type: "X",
  content: {},
  prev_events: [],
  auth_events: [],
  depth: 3,
  unsigned: { age_ts: 1000000 },
};

const message: JsonObject = {
  content: { body: "Here is the message content" },
  event_id: "$0:domain",
  origin: "domain",
  origin_server_ts: 1000000,
  type: "m.room.message",
  room_id: "!r:domain",
  sender: "@u:domain",
  signatures: {},
  unsigned: { age_ts: 1000000 },
};

const invite = {
  type: "m.room.member",
  room_id: "!x:domain",
  sender: "@a:domain",
  state_key: "@alice:example.org",
  content: {
    membership: "invite",
    third_party_invite: {
      display_name: "alice",
      signed: {
        mxid: "@alice:example.org",
        token: "abc123",
        signatures: {
          "magic.forest": {
            "ed25519:3":
              "bcYkW6mDNbs7yv/GNpvyxql/P1EWGcNiIy9tJllJQkc8cTsboPenZpQ9FOF1STsNTwsslwo4B1NjYcmSx9IGDw",
          },
        },
      },
    },
  },
} as const;

const factsOf = (id: string, more: Partial<PduFacts> = {}): PduFacts => ({
  version: version(id),
  authEvents: [],
  prevEvents: [],
  depth: 3,
  originServerTs: 1000000,
  serverName: "domain",
  key,
  ...more,
});

describe("official vectors", () => {
  it.each(["1", "2", "3", "4", "5", "6", "7", "8", "9", "10"])("the small example in version %s", (id) => {
    const signed = good(signPdu(withHash(minimal, id), version(id), "domain", key));
    expect(signed).toEqual({
      ...minimal,
      hashes: { sha256: "5jM4wQpv6lnBo7CLIghJuHdW+s2CMBJPUOGOC89ncos" },
      signatures: {
        domain: {
          "ed25519:1":
            "KxwGjPSDEtvnFgU00fwFz+l6d2pJM6XBIaMEn81SXPTRl16AqLAYqfIReFGZlHi5KLjAWbOoMszkwsQma+lYAg",
        },
      },
    });
    expect(verifyPdu(nodeCrypto, signed, version(id), byDomain)).toEqual(right(undefined));
    expect(contentHashMatches(nodeCrypto, signed, version(id))).toBe(true);
  });

  it.each(["1", "2"])("the example with content in version %s", (id) => {
    const signed = good(signPdu(withHash(message, id), version(id), "domain", key));
    expect(signed).toEqual({
      ...message,
      hashes: { sha256: "onLKD1bGljeBWQhWZ1kaP9SorVmRQNdN5aM2JYU2n/g" },
      signatures: {
        domain: {
          "ed25519:1":
            "Wm+VzmOUOz08Ds+0NTWb1d4CZrVsJSikkeRxh6aCcUwu6pNC78FunoD7KNWzqFn241eYHYMGCA5McEiVPdhzBA",
        },
      },
    });
    expect(verifyPdu(nodeCrypto, signed, version(id), byDomain)).toEqual(right(undefined));
  });

  // The example with content carries its `event_id`, and both its signatures cover it. From version 3 on that field is no part of an
  // event, so from then on the vector holds for the redaction and the signing, not for a whole PDU.
  it.each(["3", "6", "10"])(
    "the redaction of the example with content in version %s, signed as JSON",
    (id) => {
      const signed = good(signJson(redact(withHash(message, "1"), version(id)), "domain", key));
      expect(signatureOf(signed)).toBe(
        "Wm+VzmOUOz08Ds+0NTWb1d4CZrVsJSikkeRxh6aCcUwu6pNC78FunoD7KNWzqFn241eYHYMGCA5McEiVPdhzBA",
      );
    },
  );

  it.each(["11", "12"])("the small example in version %s", (id) => {
    expect(signatureOf(good(signPdu(withHash(minimal, id), version(id), "domain", key)))).toBe(
      "Jxp+1glFcZM+nnHpY0EkedRR7u0VmKsJYGnQqIvqus3UvL5X/p1y6wSkLhGoTBel6MZ9lrMIzUqrjqFquWJKBw",
    );
  });

  it.each(["11", "12"])("redacting the example with content in version %s, signed as JSON", (id) => {
    expect(signatureOf(good(signJson(redact(withHash(message, "1"), version(id)), "domain", key)))).toBe(
      "4WQB/6LN2OtkUN/+18xUNB/U4RTX1N3EeKBdlCxux08YO8izKDrSRqML1XB8V97IK7AujkNO1xMl7TaBLA4kDw",
    );
  });

  it.each([
    [
      "10",
      "!x:domain",
      "QdbgLFOAGOZz/j8YO9BA9QXeGSCXiPPq4OW1wCarouQ",
      "$_Q2UAwLIOIMCW7jwq_84ZGCUJMa01AplIYjMwCVh6pE",
      "sCE0ySo/wPcr3vIY2NzfXC7fH51q9PvQWBLn4Y8IKrn0PMlOz0uHXH2qej/ltMQZimA5Ysng1hf5Ih4xzjv0Dw",
    ],
    [
      "11",
      "!x:domain",
      "QdbgLFOAGOZz/j8YO9BA9QXeGSCXiPPq4OW1wCarouQ",
      "$z8q1tb_asqYAM8l7sx9NsQM4QmEgErjBSSRFPRTPQxw",
      "4eU7PAqMEHAeN5zsqZ2y/bD79RGC7pdKSkv6quAc9x1Plp+obQIgV1QTaE0Tm2VhzTLgMB47hnF7rOuOBS4nCg",
    ],
    [
      "12",
      "!Nhcu5BS-UMnFX7hBVfVSoXiD7OgH6iRT-xyIuqDnpYQ",
      "ZlOIY/r17fmjFuo19OOoePZX3G9LrnNHZ8apj21QsJU",
      "$-xWi_CC8WsDxxYCxYdMc-XH0MoRxyAckuQLR0eSVmGI",
      "QvY91uC41lTc3NPCYfaD87Z5jRF9p4RzIdoOoWk1L5V6R70xoph8bQXcvcwmAcfUY8zwixi/pM28lhviEYhZCw",
    ],
  ])("a redeemed invite in version %s", (id, roomId, sha256, eventIdOf, signature) => {
    const made = good(completePdu(nodeCrypto, { ...invite, room_id: roomId }, factsOf(id)));
    expect(made.eventId).toBe(eventIdOf);
    expect(made.pdu).toEqual({
      ...invite,
      room_id: roomId,
      auth_events: [],
      prev_events: [],
      depth: 3,
      origin_server_ts: 1000000,
      hashes: { sha256 },
      signatures: { domain: { "ed25519:1": signature } },
    });
  });
});

describe("hashes and IDs", () => {
  it.each(roomVersionIds)("what stands outside the content hash, in version %s", (id) => {
    const hash = contentHashOf(minimal, id);
    const bare = withoutMembers(minimal, ["unsigned", "signatures", "hashes"]);
    for (const more of [{}, { unsigned: 1 }, { signatures: { a: 1 } }, { hashes: null }])
      expect(contentHashOf({ ...bare, ...more }, id)).toBe(hash);
    for (const more of [{ content: { a: 1 } }, { depth: 4 }, { age_ts: 1 }, { redacts: "$x" }])
      expect(contentHashOf({ ...bare, ...more }, id)).not.toBe(hash);
  });

  it.each(roomVersionIds)("what stands outside the reference hash, in version %s", (id) => {
    const hash = referenceHashOf(minimal, id);
    for (const more of [{ unsigned: 1 }, { signatures: { a: 1 } }, { content: { body: "x" } }, { age_ts: 1 }])
      expect(referenceHashOf({ ...minimal, ...more }, id)).toBe(hash);
    for (const more of [{ hashes: { sha256: "x" } }, { depth: 4 }, { sender: "@b:domain" }])
      expect(referenceHashOf({ ...minimal, ...more }, id)).not.toBe(hash);
  });

  it.each(roomVersionIds)("an attached event_id, in version %s", (id) => {
    const attached = { ...minimal, event_id: "$other" };
    const counts = Number(id) < 3;
    expect(contentHashOf(attached, id) !== contentHashOf(minimal, id)).toBe(counts);
    expect(referenceHashOf(attached, id) !== referenceHashOf(minimal, id)).toBe(counts);
    const signed = good(signPdu(withHash(minimal, id), version(id), "domain", key));
    expect(isRight(verifyPdu(nodeCrypto, { ...signed, event_id: "$other" }, version(id), byDomain))).toBe(
      !counts,
    );
    expect(contentHashMatches(nodeCrypto, { ...signed, event_id: "$other" }, version(id))).toBe(!counts);
  });

  it.each(roomVersionIds)("in version %s", (id) => {
    const hash = good(referenceHash(nodeCrypto, minimal, version(id)));
    const result = eventId(nodeCrypto, { ...minimal, event_id: "$0:domain" }, version(id));
    if (Number(id) < 3) expect(result).toEqual(right("$0:domain"));
    else expect(result).toEqual(right(`$${encodeBase64(hash, id === "3" ? "standard" : "urlsafe")}`));
  });

  it.each<[string, JsonObject]>([
    ["none", minimal],
    ["a number", { ...minimal, event_id: 1 }],
    ["an inherited one", Object.create({ event_id: "$0:domain" }) as JsonObject],
  ])("an event of version 1 with an ID that is %s has none", (_name, pdu) => {
    expect(eventId(nodeCrypto, pdu, version("1"))).toEqual(left({ _tag: "NoEventId" }));
  });

  it("the room ID is the create event's ID, in version 12 only", () => {
    const create = {
      type: "m.room.create",
      state_key: "",
      sender: "@a:domain",
      content: { room_version: "12" },
    };
    expect(roomIdOfCreate(nodeCrypto, create, version("12"))).toEqual(
      right(idOf(create, "12").replace("$", "!")),
    );
    expect(roomIdOfCreate(nodeCrypto, { ...create, room_id: "!x:domain" }, version("11"))).toEqual(
      right("!x:domain"),
    );
    expect(roomIdOfCreate(nodeCrypto, create, version("11"))).toEqual(left({ _tag: "NoEventId" }));
  });

  it.each(roomVersionIds)("hashes are compared as bytes, in version %s", (id) => {
    const sha256 = contentHashOf(minimal, id);
    const matches = (hashes: unknown): boolean =>
      contentHashMatches(nodeCrypto, { ...minimal, hashes }, version(id));
    expect(matches({ sha256 })).toBe(true);
    expect(matches({ sha256: `${sha256}=` })).toBe(true);
    expect(matches({ sha256, md5: "x" })).toBe(true);
    const other = `${sha256.startsWith("A") ? "B" : "A"}${sha256.slice(1)}`;
    for (const wrong of [other, "", sha256.slice(4), `${sha256} `, 1, null, [sha256]])
      expect(matches({ sha256: wrong })).toBe(false);
    for (const hashes of [undefined, null, sha256, [], {}, { SHA256: sha256 }])
      expect(matches(hashes)).toBe(false);
  });

  it.each(roomVersionIds)("numbers outside canonical JSON, in version %s", (id) => {
    const strict = Number(id) >= 6;
    const refusal = left({ _tag: "NotCanonicalJson", reason: "number" });
    const odd = { ...minimal, depth: 2 ** 60, content: { x: 0.5 } };
    for (const hash of [contentHash, referenceHash]) {
      const result = hash(nodeCrypto, odd, version(id));
      if (strict) expect(result).toEqual(refusal);
      else expect(isRight(result)).toBe(true);
    }
    expect(isRight(signPdu(odd, version(id), "domain", key))).toBe(!strict);
    expect(contentHashMatches(nodeCrypto, { ...odd, hashes: { sha256: "" } }, version(id))).toBe(false);
    // What goes with the redaction does no harm to the reference.
    expect(isRight(referenceHash(nodeCrypto, { ...minimal, content: { x: 0.5 } }, version(id)))).toBe(true);
  });
});

describe("signatures", () => {
  const signed = (id: string): JsonObject =>
    good(completePdu(nodeCrypto, invite, factsOf(id, { eventId: "$1:domain" }))).pdu;

  it.each(roomVersionIds)("full and redacted copies verify alike, in version %s", (id) => {
    const pdu = signed(id);
    const changed = { ...pdu, content: { ...invite.content, displayname: "changed" }, unsigned: { age: 1 } };
    for (const copy of [pdu, redact(pdu, version(id)), changed])
      expect(verifyPdu(nodeCrypto, copy, version(id), byDomain)).toEqual(right(undefined));
    expect(contentHashMatches(nodeCrypto, pdu, version(id))).toBe(true);
    expect(contentHashMatches(nodeCrypto, changed, version(id))).toBe(false);
    for (const more of [
      { depth: 9 },
      { state_key: "@b:c" },
      { hashes: {} },
      { content: { membership: "join" } },
    ])
      expect(verifyPdu(nodeCrypto, { ...pdu, ...more }, version(id), byDomain)).toEqual(
        left({ _tag: "BadSignature" }),
      );
  });

  it.each(roomVersionIds)("an invited server adds its own, in version %s", (id) => {
    const pdu = signed(id);
    const second = nodeSigningKey("ed25519:two", new Uint8Array(32).fill(7));
    const both = good(signPdu(pdu, version(id), "example.org", second));
    expect(withoutMembers(both, ["signatures"])).toEqual(withoutMembers(pdu, ["signatures"]));
    expect(signatureOf(both)).toBe(signatureOf(pdu));
    expect(verifyPdu(nodeCrypto, both, version(id), byDomain)).toEqual(right(undefined));
    const by = { entity: "example.org", keyId: "ed25519:two", publicKey: second.publicKey };
    expect(verifyPdu(nodeCrypto, both, version(id), by)).toEqual(right(undefined));
    expect(verifyPdu(nodeCrypto, pdu, version(id), by)).toEqual(left({ _tag: "NoSignature" }));
    expect(idOf(both, id)).toBe(idOf(pdu, id));
  });

  it.each(roomVersionIds)(
    "a changed signed spoils the signature where redaction keeps it: version %s",
    (id) => {
      const other = { ...invite.content.third_party_invite.signed, token: "changed" };
      const changed = {
        ...signed(id),
        content: { membership: "invite", third_party_invite: { signed: other } },
      };
      expect(isRight(verifyPdu(nodeCrypto, changed, version(id), byDomain))).toBe(Number(id) < 11);
    },
  );
});

it("hashAndSignPdu gives a complete event its hash, its signature and its ID", () => {
  const made = good(hashAndSignPdu(nodeCrypto, minimal, version("4"), { serverName: "domain", key }));
  expect(made.pdu).toEqual(good(signPdu(withHash(minimal, "4"), version("4"), "domain", key)));
  expect(made.eventId).toBe(idOf(made.pdu, "4"));
  expect(hashAndSignPdu(nodeCrypto, minimal, version("2"), { serverName: "domain", key })).toEqual(
    left({ _tag: "NoEventId" }),
  );
});

describe("completePdu", () => {
  const referenced = (id: string) =>
    good(eventReference(nodeCrypto, { ...minimal, event_id: "$0:domain" }, version(id)));

  it.each(roomVersionIds)("how other events are named, in version %s", (id) => {
    const one = referenced(id);
    const facts = factsOf(id, { authEvents: [one], prevEvents: [one], eventId: "$1:domain" });
    const { pdu } = good(completePdu(nodeCrypto, invite, facts));
    const expected =
      Number(id) < 3 ? ["$0:domain", { sha256: encodeBase64(one.referenceHash) }] : one.eventId;
    expect(pdu["auth_events"]).toEqual([expected]);
    expect(pdu["prev_events"]).toEqual([expected]);
  });

  it.each(roomVersionIds)("who carries an event_id, in version %s", (id) => {
    const { eventId: made, pdu } = good(
      completePdu(nodeCrypto, invite, factsOf(id, { eventId: "$1:domain" })),
    );
    expect(Object.hasOwn(pdu, "event_id")).toBe(Number(id) < 3);
    expect(made).toBe(Number(id) < 3 ? "$1:domain" : idOf(pdu, id));
    const without = completePdu(nodeCrypto, invite, factsOf(id));
    if (Number(id) < 3) expect(without).toEqual(left({ _tag: "NoEventId" }));
    else expect(isRight(without)).toBe(true);
  });

  it.each(roomVersionIds)("the depth ends at the limit, in version %s", (id) => {
    const depthOf = (depth: number): unknown =>
      good(completePdu(nodeCrypto, invite, factsOf(id, { depth, eventId: "$1:domain" }))).pdu["depth"];
    expect(depthOf(17)).toBe(17);
    expect(depthOf(Number.MAX_SAFE_INTEGER + 1)).toBe(Number.MAX_SAFE_INTEGER);
  });

  it("a create event of version 12 stays without room_id", () => {
    const create = {
      type: "m.room.create",
      sender: "@a:domain",
      state_key: "",
      content: { room_version: "12" },
    };
    const made = good(completePdu(nodeCrypto, create, factsOf("12")));
    expect(made.pdu).not.toHaveProperty("room_id");
    expect(roomIdOfCreate(nodeCrypto, made.pdu, version("12"))).toEqual(
      right(made.eventId.replace("$", "!")),
    );
  });

  it("an event that has no canonical JSON is refused", () => {
    for (const content of [{ x: 0.5 }, { x: "\ud800" }, { x: undefined }])
      expect(completePdu(nodeCrypto, { ...invite, content }, factsOf("10"))).toMatchObject({
        left: { _tag: "NotCanonicalJson" },
      });
  });

  it("what it makes is whole and signed, in every version", () => {
    fc.assert(
      fc.property(fc.constantFrom(...roomVersionIds), jsonObject, (id, content) => {
        const facts = factsOf(id, { eventId: "$1:domain", prevEvents: [referenced(id)] });
        const { eventId: made, pdu } = good(completePdu(nodeCrypto, { ...invite, content }, facts));
        expect(contentHashMatches(nodeCrypto, pdu, version(id))).toBe(true);
        expect(verifyPdu(nodeCrypto, pdu, version(id), byDomain)).toEqual(right(undefined));
        expect(idOf(redact(pdu, version(id)), id)).toBe(made);
      }),
    );
  });
});

describe("crafted cases", () => {
  it.each(vectors("event-sign"))("$name", (one) => {
    const signer = nodeSigningKey(one.keyId, bytesOf(one.seed));
    expect(encodeBase64(signer.publicKey)).toBe(one.publicKey);
    const hashed = withHash(one.event, one.roomVersion);
    expect(hashed["hashes"]).toEqual({ sha256: one.expectedContentHash });
    const signed = good(signPdu(hashed, version(one.roomVersion), one.entity, signer));
    expect(member(member(signed["signatures"], one.entity), one.keyId)).toBe(one.expectedSignature);
  });

  it.each(vectors("event-hash"))("$name", (one) => {
    const rules = version(one.roomVersion);
    expect(contentHashOf(one.event, one.roomVersion)).toBe(one.contentHash);
    expect(contentHashMatches(nodeCrypto, one.event, rules)).toBe(one.contentHashOk);
    expect(referenceHashOf(one.event, one.roomVersion)).toBe(one.referenceHash);
    if (one.eventId !== null) expect(idOf(one.event, one.roomVersion)).toBe(one.eventId);
    if (one.originalEventId !== undefined)
      expect(idOf(one.event, one.roomVersion) === one.originalEventId).toBe(one.sameIdAsOriginal);
    for (const { entity, keyId, publicKey, expected } of one.signatures ?? []) {
      const by = { entity, keyId, publicKey: bytesOf(publicKey) };
      expect(isRight(verifyPdu(nodeCrypto, one.event, rules, by))).toBe(expected === "valid");
    }
  });
});

describe("random cases", () => {
  it.each(vectors("event").filter((one) => one.specUndefined !== true))("$id $class", (one) => {
    expect(contentHashOf(one.event, one.roomVersion)).toBe(one.specContentHash ?? one.contentHash);
    expect(referenceHashOf(one.event, one.roomVersion)).toBe(one.referenceHash);
    expect(idOf(one.event, one.roomVersion)).toBe(one.eventId);
    if (one.roomId !== undefined)
      expect(roomIdOfCreate(nodeCrypto, one.event, version(one.roomVersion))).toEqual(right(one.roomId));
  });

  // Floats in the spelling of another language, integers that a double cannot hold, D-34.
  it.each(vectors("event").filter((one) => one.specUndefined === true))(
    "undecided, an answer is given: $id",
    (one) => {
      expect(contentHashOf(one.event, one.roomVersion)).toHaveLength(43);
      expect(idOf(one.event, one.roomVersion)).not.toBe("");
    },
  );
});

describe("whatever comes", () => {
  it("nothing throws", () => {
    const pdu = fc.dictionary(
      fc.constantFrom(
        "type",
        "content",
        "hashes",
        "signatures",
        "event_id",
        "room_id",
        "depth",
        "unsigned",
        "__proto__",
      ),
      anything,
    );
    fc.assert(
      fc.property(fc.constantFrom(...roomVersionIds), pdu, (id, one) => {
        const rules = version(id);
        expect(typeof contentHashMatches(nodeCrypto, one, rules)).toBe("boolean");
        const results: readonly Either<unknown, unknown>[] = [
          contentHash(nodeCrypto, one, rules),
          referenceHash(nodeCrypto, one, rules),
          eventId(nodeCrypto, one, rules),
          roomIdOfCreate(nodeCrypto, one, rules),
          eventReference(nodeCrypto, one, rules),
          signPdu(one, rules, "domain", key),
          verifyPdu(nodeCrypto, one, rules, byDomain),
        ];
        for (const result of results) expect(["Left", "Right"]).toContain(result._tag);
      }),
      { numRuns: 300 },
    );
  });

  it("an own __proto__ is hashed and signed like any member", () => {
    const odd = JSON.parse(
      '{"type":"m.room.create","content":{"__proto__":{"a":1}},"__proto__":1}',
    ) as JsonObject;
    const plain = JSON.parse('{"type":"m.room.create","content":{}}') as JsonObject;
    expect(contentHashOf(odd, "11")).not.toBe(contentHashOf(plain, "11"));
    expect(referenceHashOf(odd, "11")).not.toBe(referenceHashOf(plain, "11"));
    const signed = good(signPdu(odd, version("11"), "domain", key));
    deepStrictEqual(Object.keys(signed).sort(), ["__proto__", "content", "signatures", "type"]);
    expect(verifyPdu(nodeCrypto, signed, version("11"), byDomain)).toEqual(right(undefined));
  });
});
