import fc from "fast-check";
import { isLeft } from "fp-ts/lib/Either.js";
import { describe, expect, test } from "vitest";
import { authorize } from "../../src/invite/authorize.js";
import { checkExchange } from "../../src/invite/exchange.js";
import { explain } from "../../src/invite/explain.js";
import { firstJoin } from "../../src/invite/first-join.js";
import { checkInboundInvite } from "../../src/invite/inbound-invite.js";
import { checkOnBind } from "../../src/invite/onbind.js";
import { isProven, proveInvite } from "../../src/invite/proof.js";
import { redeem } from "../../src/invite/redeem.js";
import { isTooLarge } from "../../src/invite/signed-size.js";
import { maxEventBytes } from "../../src/matrix/event-format.js";
import { parseSigned } from "../../src/invite/signed.js";
import { canonicalJson } from "../../src/matrix/canonical-json.js";
import { parseRoomId } from "../../src/matrix/ids.js";
import type { JsonObject } from "../../src/matrix/json.js";
import { WrittenNumber } from "../../src/matrix/written-number.js";
import { portableCrypto } from "../../src/portable/crypto.js";
import {
  alice,
  bob,
  codeOf,
  counting,
  decideOn,
  inviteContent,
  room,
  rightOf,
  sign,
  signed,
  token,
} from "./room.js";

const bytesOf = (value: JsonObject): number =>
  Buffer.byteLength(rightOf(canonicalJson(value, "any")), "utf8");

/** The object with one member more, so that it has this many bytes. */
const filledTo = (bytes: number, value: JsonObject): JsonObject => {
  const filled = (length: number): JsonObject => ({ ...value, filling: "x".repeat(length) });
  return filled(bytes - bytesOf(filled(0)));
};

describe("what an event may have is counted as canonical JSON writes it", () => {
  test.each<readonly [string, JsonObject]>([
    ["texts with escapes", { text: 'a"\\\n\u0001é€😀'.repeat(500) }],
    ["names", Object.fromEntries(Array.from({ length: 900 }, (_, at) => [`"${at}é`, at]))],
    ["numbers", { list: [0, -1, 2 ** 53 - 1, 0.5, 1e21, -0] }],
    ["numbers as they were written", { list: [new WrittenNumber("1.000"), new WrittenNumber("1e99")] }],
    [
      "lists and objects, empty and not",
      { a: [], b: {}, c: [[], {}, [null, true, false]], d: { e: { f: [1] } } },
    ],
    [
      "signatures and unsigned",
      { signatures: { x: { y: "z".repeat(9_000) } }, unsigned: { z: "z".repeat(9_000) } },
    ],
  ])("%s", (_, value) => {
    expect(isTooLarge(filledTo(maxEventBytes, value))).toBe(false);
    expect(isTooLarge(filledTo(maxEventBytes + 1, value))).toBe(true);
  });

  test("any JSON", () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.jsonValue()),
        fc.integer({ min: -2, max: 2 }),
        (value, more) => {
          fc.pre(!isLeft(canonicalJson(value, "any")));
          expect(isTooLarge(filledTo(maxEventBytes + more, value))).toBe(more > 0);
        },
      ),
      { numRuns: 100 },
    );
  });

  test("what is endless or deep is counted no further than an event, and what throws is no JSON", () => {
    const endless: Record<string, unknown> = {};
    endless["again"] = [endless, endless];
    expect(isTooLarge(endless)).toBe(true);
    const deep = Array.from({ length: 200_000 }).reduce<JsonObject>((inner) => ({ a: inner }), {});
    expect(isTooLarge(deep)).toBe(true);
    expect(isTooLarge({ list: new Array(2 ** 32 - 1) })).toBe(true);
    const throwing = {
      get a(): never {
        throw new Error();
      },
    };
    expect(isTooLarge(throwing)).toBe(false);
  });
});

describe("a signed that no event can hold is refused, and nothing is verified", () => {
  const large = filledTo(maxEventBytes + 1, signed);
  const manyPlaces: JsonObject = {
    ...signed,
    signatures: Object.fromEntries(
      Object.values(signed["signatures"] as JsonObject).map((block) => [
        "x",
        Object.fromEntries(
          Array.from({ length: 30_000 }, (_, at) => [`ed25519:${at}`, Object.values(block as JsonObject)[0]]),
        ),
      ]),
    ),
  };
  const proofs = [
    ["too large by a byte", large],
    ["signed as it is", sign({ mxid: bob, token, more: "x".repeat(70_000) })],
    ["one signature under 30,000 key IDs", manyPlaces],
  ] as const;
  const roomId = rightOf(parseRoomId(room().state.roomId));

  const entries: readonly (readonly [
    string,
    (value: JsonObject, engine: ReturnType<typeof counting>) => unknown,
  ])[] = [
    ["parseSigned", (value) => codeOf(parseSigned(value))],
    [
      "checkOnBind",
      (value) =>
        rightOf(
          checkOnBind(
            { mxid: bob, invites: [{ mxid: bob, room_id: roomId, sender: alice, signed: value }] },
            { serverName: "two.example", maxEntries: 1 },
          ),
        ).refused[0]?.refusal.code,
    ],
    [
      "checkExchange",
      (value) =>
        codeOf(
          checkExchange(
            {
              type: "m.room.member",
              room_id: roomId,
              sender: alice,
              state_key: bob,
              content: { membership: "invite", third_party_invite: { signed: value } },
            },
            { roomId, origin: "two.example" },
          ),
        ),
    ],
    [
      "checkInboundInvite",
      (value, engine) =>
        codeOf(
          checkInboundInvite(
            { event: room().redeemed({ signed: value }), room_version: "10" },
            { roomId, origin: "one.example", serverName: "two.example" },
            engine,
          ),
        ),
    ],
    [
      "redeem, of what was stored",
      (value, engine) =>
        codeOf(
          decideOn(redeem, room().state, { signed: { mxid: bob, token, json: value } }, { crypto: engine }),
        ),
    ],
    [
      "proveInvite",
      (value, engine) => proveInvite({ crypto: engine, version: room().version }, value, inviteContent)._tag,
    ],
    [
      "isProven",
      (value, engine) => {
        const proven = isProven(
          { crypto: engine, version: room().version, maxPairs: Infinity },
          value,
          inviteContent,
        );
        return typeof proven === "object" && proven._tag;
      },
    ],
    [
      "authorize",
      (value, engine) => {
        const made = room();
        const verdict = authorize(made.redeemed({ signed: value }), made.state, engine);
        return verdict._tag === "Reject" && verdict.refusal.rule === "4.4.1.8" && verdict.refusal.code;
      },
    ],
    [
      "explain",
      (value, engine) => {
        const made = room();
        const { verdict, steps } = explain(made.redeemed({ signed: value }), made.state, engine);
        const proof = steps.find(({ name }) => name === "provenMatch")?.proof;
        expect(proof?.keys.every(({ finding }) => finding === "not tried")).toBe(true);
        expect(steps.at(-1)).toMatchObject({ name: "provenNone", outcome: "refused" });
        return verdict._tag === "Reject" && verdict.refusal.code;
      },
    ],
  ];

  test.each(
    entries.flatMap(([name, ask]) => proofs.map(([what, value]) => [name, what, ask, value] as const)),
  )("%s, %s", { timeout: 10_000 }, (_, __, ask, value) => {
    const engine = counting(portableCrypto);
    expect(ask(value, engine)).toBe("SignedTooLarge");
    expect(engine.calls()).toBe(0);
  });

  test("firstJoin", () => {
    const made = room();
    const member = made.redeemed({ signed: large });
    const engine = counting(portableCrypto);
    const state = room("10", { more: [member] }).state;
    expect(codeOf(decideOn(firstJoin, state, { userId: bob, token }, { crypto: engine }))).toBe(
      "SignedTooLarge",
    );
    expect(engine.calls()).toBe(0);
  });
});
