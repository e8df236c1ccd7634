import { left, right } from "fp-ts/lib/Either.js";
import { describe, expect, test } from "vitest";
import { type Decision, type DecisionContext, applyDecision } from "../../src/invite/decision.js";
import type { EventLike, EventTemplate, StateEntry } from "../../src/matrix/event.js";
import type { JsonObject } from "../../src/matrix/json.js";
import type { RoomState } from "../../src/matrix/room-state.js";
import { portableCrypto } from "../../src/portable/crypto.js";
import { refusal } from "../../src/refusal.js";
import { alice, bob, carol, leftOf, rightOf, room, token } from "./room.js";

const context: DecisionContext = { crypto: portableCrypto, serverName: "one.example", maxPairs: 7 };
const made = room();

/** Appends events with these contents. */
const appending: Decision<readonly JsonObject[], { _tag: "Done"; events: readonly EventTemplate[] }> = {
  reads: () => [],
  decide: ({ roomId }, contents) =>
    right({
      _tag: "Done",
      events: contents.map((content) => ({
        type: "m.room.member",
        room_id: roomId,
        sender: alice,
        state_key: bob,
        content,
      })),
    }),
};

describe("what a decision sees of the state", () => {
  type Asked = readonly (readonly [type: string, stateKey: string])[];

  /** Answers with what it finds where it asks, having declared some of it. */
  const reading = (
    asked: Asked,
  ): Decision<readonly StateEntry[], { _tag: "Found"; events: []; found: (EventLike | undefined)[] }> => ({
    reads: (declared) => declared,
    decide: (state) =>
      right({ _tag: "Found", events: [], found: asked.map(([type, key]) => state.get(type, key)) }),
  });
  const found = (asked: Asked, declared: Asked, state: RoomState = made.state) => {
    const entries = declared.map(([type, stateKey]) => ({ type, stateKey }));
    return rightOf(applyDecision(reading(asked), state, entries, context)).found;
  };
  const member = (user: string) => ["m.room.member", user] as const;
  const invite = ["m.room.third_party_invite", token] as const;

  test("the entries that it declares, as they are", () => {
    const places = [member(alice), member(carol), invite];
    const events = places.map(([type, key]) => made.state.get(type, key));
    expect(events).not.toContain(undefined);
    expect(found(places, places)).toEqual(events);
    expect(found([member(bob)], [member(bob)])).toEqual([undefined]);
  });

  test("no others: neither of an undeclared type, nor of an undeclared key", () => {
    expect(found([member(alice), member(carol), invite], [member(carol)])).toEqual([
      undefined,
      made.state.get(...member(carol)),
      undefined,
    ]);
    expect(found([member(alice), ["m.room.create", ""]], [])).toEqual([undefined, undefined]);
    // A key counts with its own type only.
    expect(found([["m.room.member", token]], [member(alice), invite])).toEqual([undefined]);
  });

  test("the host's state is not asked for others", () => {
    const asked: string[] = [];
    const get: RoomState["get"] = (type, stateKey) => {
      asked.push(`${type} ${stateKey}`);
      return undefined;
    };
    found([member(alice), member(carol)], [member(carol)], { ...made.state, get });
    expect(asked).toEqual([`m.room.member ${carol}`]);
  });

  test("the room's ID and version as well, also where the host's state is an instance of a class", () => {
    class HostState implements RoomState {
      readonly #made = made;
      get roomId(): string {
        return this.#made.roomId;
      }
      get version(): RoomState["version"] {
        return this.#made.version;
      }
      get(type: string, stateKey: string): EventLike | undefined {
        return this.#made.state.get(type, stateKey);
      }
    }
    const seen: Decision<undefined, { _tag: "Seen"; events: []; of: readonly unknown[] }> = {
      reads: () => [{ type: "m.room.create", stateKey: "" }],
      decide: ({ roomId, version, get }) =>
        right({ _tag: "Seen", events: [], of: [roomId, version, get("m.room.create", "")] }),
    };
    expect(rightOf(applyDecision(seen, new HostState(), undefined, context)).of).toEqual([
      made.roomId,
      made.version,
      made.state.get("m.room.create", ""),
    ]);
  });
});

describe("the size of an event", () => {
  /** A content that has this many bytes as canonical JSON. */
  const ofBytes = (bytes: number): JsonObject => ({ x: "x".repeat(bytes - '{"x":""}'.length) });
  const tooLarge = { code: "EventTooLarge", errcode: "M_TOO_LARGE", status: 413 };

  test("60,000 bytes of content pass, one more does not", () => {
    expect(rightOf(applyDecision(appending, made.state, [ofBytes(60_000)], context))).toMatchObject({
      events: [{ content: ofBytes(60_000) }],
    });
    expect(leftOf(applyDecision(appending, made.state, [ofBytes(60_001)], context))).toMatchObject(tooLarge);
  });

  test("bytes are counted, not characters", () => {
    const wide = { x: "é".repeat(30_000) };
    expect(leftOf(applyDecision(appending, made.state, [wide], context))).toMatchObject(tooLarge);
    expect(leftOf(applyDecision(appending, made.state, [{ x: '"'.repeat(30_000) }], context))).toMatchObject(
      tooLarge,
    );
  });

  test("of several events each is counted by itself, wherever it stands", () => {
    const small = ofBytes(40_000);
    expect(rightOf(applyDecision(appending, made.state, [small, small], context)).events).toHaveLength(2);
    for (const contents of [
      [small, ofBytes(60_001)],
      [ofBytes(60_001), small],
    ])
      expect(leftOf(applyDecision(appending, made.state, contents, context))).toMatchObject(tooLarge);
  });

  test.each([
    ["5", 0.5, undefined],
    ["6", 0.5, "FieldMalformed"],
  ])("a number that version %s may lack, %j", (version, number, code) => {
    const decided = applyDecision(appending, room(version).state, [{ number }], context);
    expect(decided._tag === "Left" ? decided.left.code : undefined).toBe(code);
  });
});

test.each(["x\ud800", "\udc00", "x".repeat(70_000) + "\ud800"])(
  "half a surrogate pair is malformed, and not too large (%#)",
  (reason) => {
    expect(leftOf(applyDecision(appending, made.state, [{ x: [reason] }], context))).toMatchObject({
      code: "FieldMalformed",
      errcode: "M_INVALID_PARAM",
      status: 400,
    });
  },
);

describe("everything else passes through", () => {
  test("an outcome without events, with all that it has", () => {
    const outcome = { _tag: "AlreadyDone", events: [], more: { by: alice } } as const;
    const decision: Decision<null, typeof outcome> = { reads: () => [], decide: () => right(outcome) };
    expect(rightOf(applyDecision(decision, made.state, null, context))).toBe(outcome);
  });

  test("a refusal", () => {
    const refused = refusal("TokenUnknown", { rule: "1.2" });
    const decision: Decision<null, never> = { reads: () => [], decide: () => left(refused) };
    expect(leftOf(applyDecision(decision, made.state, null, context))).toBe(refused);
  });

  test("the command and the context come in as they are", () => {
    const seen: unknown[] = [];
    const decision: Decision<{ readonly name: string }, { _tag: "Seen"; events: [] }> = {
      reads: (command) => {
        seen.push(command);
        return [];
      },
      decide: (_state, ...rest) => {
        seen.push(...rest);
        return right({ _tag: "Seen", events: [] });
      },
    };
    const command = { name: "x" };
    expect(rightOf(applyDecision(decision, made.state, command, context))._tag).toBe("Seen");
    expect(seen).toHaveLength(3);
    for (const [at, value] of [command, command, context].entries()) expect(seen[at]).toBe(value);
  });
});
