import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type JsonObject, member } from "../../src/matrix/json.js";
import { redact } from "../../src/matrix/redaction.js";
import { roomVersionIds } from "../../src/matrix/room-version.js";
import { jsonObject, plainCanonical } from "./arbitrary-json.js";
import { vectors } from "./vectors.js";
import { version } from "./versions.js";

const object = (names: readonly string[]): JsonObject =>
  Object.fromEntries(names.map((name) => [name, `${name}'s`]));

/** The members that redaction leaves of the content of an event that has all of these. */
const keptOf = (id: string, type: string, names: readonly string[]): readonly string[] =>
  Object.keys(member(redact({ type, content: object(names) }, version(id)), "content") ?? {}).sort();

const anyOne = (first: number, last: number): readonly string[] => roomVersionIds.slice(first - 1, last);

const always =
  "event_id type room_id sender state_key content hashes signatures depth prev_events auth_events origin_server_ts".split(
    " ",
  );
const before11 = "prev_state origin membership".split(" ");
const never = "unsigned redacts age_ts destinations outlier __proto__ constructor".split(" ");

describe("top-level members", () => {
  it.each(anyOne(1, 10))("those that version %s keeps", (id) => {
    const kept = redact(object([...always, ...before11, ...never]), version(id));
    expect(Object.keys(kept).sort()).toEqual([...always, ...before11].sort());
  });

  it.each(anyOne(11, 12))("those that version %s keeps", (id) => {
    const kept = redact(object([...always, ...before11, ...never]), version(id));
    expect(Object.keys(kept).sort()).toEqual([...always].sort());
  });

  it.each(roomVersionIds)("are as they were, but the content, in version %s", (id) => {
    const event = { ...object(always), type: "X", content: {} };
    expect(redact(event, version(id))).toEqual(event);
  });
});

const levels = "ban events events_default kick redact state_default users users_default";

describe.each([
  ["m.room.member", "membership", anyOne(1, 8)],
  ["m.room.member", "membership join_authorised_via_users_server", anyOne(9, 12)],
  ["m.room.create", "creator", anyOne(1, 10)],
  ["m.room.join_rules", "join_rule", anyOne(1, 7)],
  ["m.room.join_rules", "join_rule allow", anyOne(8, 12)],
  ["m.room.power_levels", levels, anyOne(1, 10)],
  ["m.room.power_levels", `${levels} invite`, anyOne(11, 12)],
  ["m.room.aliases", "aliases", anyOne(1, 5)],
  ["m.room.aliases", "", anyOne(6, 12)],
  ["m.room.history_visibility", "history_visibility", anyOne(1, 12)],
  ["m.room.redaction", "", anyOne(1, 10)],
  ["m.room.redaction", "redacts", anyOne(11, 12)],
  ["m.room.third_party_invite", "", anyOne(1, 12)],
  ["m.room.message", "", anyOne(1, 12)],
  ["__proto__", "", anyOne(1, 12)],
  ["constructor", "", anyOne(1, 12)],
])("of %s stays: %s", (type, names, ids) => {
  const kept = names === "" ? [] : names.split(" ");
  // Every name that the table has, and those of an invite.
  const present = [
    ...`${levels} invite membership join_authorised_via_users_server creator join_rule allow aliases`.split(
      " ",
    ),
    ...`history_visibility redacts body display_name key_validity_url public_key public_keys`.split(" "),
    ...`third_party_invite __proto__ constructor`.split(" "),
  ];

  it.each(ids)("in version %s", (id) => {
    expect(keptOf(id, type, present)).toEqual([...kept].sort());
    expect(keptOf(id, type, ["body"])).toEqual([]);
  });
});

it.each(anyOne(11, 12))("of m.room.create stays all in version %s", (id) => {
  const content = { room_version: id, additional_creators: ["@a:b"], "m.federate": false, anything: {} };
  expect(redact({ type: "m.room.create", content }, version(id))).toEqual({ type: "m.room.create", content });
});

describe("third_party_invite of a member event", () => {
  const signed = { mxid: "@a:b", token: "t", signatures: {}, unsigned: 1, more: [1] };
  const event = (invite: unknown, type = "m.room.member"): JsonObject => ({
    type,
    content: { membership: "invite", third_party_invite: invite },
  });

  it.each(anyOne(1, 10))("goes in version %s", (id) => {
    const redacted = redact(event({ display_name: "a", signed }), version(id));
    expect(redacted).toEqual({ type: "m.room.member", content: { membership: "invite" } });
  });

  it.each(anyOne(11, 12))("keeps signed alone, and that whole, in version %s", (id) => {
    expect(redact(event({ display_name: "a", signed, more: 1 }), version(id))).toEqual(event({ signed }));
    for (const odd of ["text", 0, null, [signed]])
      expect(redact(event({ display_name: "a", signed: odd }), version(id))).toEqual(event({ signed: odd }));
  });

  it.each(anyOne(11, 12))("is nothing in another event of version %s", (id) => {
    expect(redact(event({ signed }, "m.room.message"), version(id))).toEqual({
      type: "m.room.message",
      content: {},
    });
  });

  // The specification leaves this open; Synapse answers the same.
  it.each(anyOne(11, 12))("without signed is {}, and no object is dropped, in version %s", (id) => {
    expect(redact(event({ display_name: "a" }), version(id))).toEqual(event({}));
    for (const odd of ["text", 0, null, true, [], [{ signed }]])
      expect(redact(event(odd), version(id))).toEqual({
        type: "m.room.member",
        content: { membership: "invite" },
      });
  });
});

it.each([[undefined], [null], ["text"], [[1]], [1]])("content %j counts as empty", (content) => {
  for (const id of roomVersionIds)
    expect(redact({ type: "m.room.create", content }, version(id))["content"]).toEqual({});
});

it.each([[undefined], [null], [1], [["m.room.member"]]])("type %j is none that keeps anything", (type) => {
  for (const id of roomVersionIds)
    expect(redact({ type, content: { membership: "join" } }, version(id))["content"]).toEqual({});
});

const types = [
  "m.room.member",
  "m.room.create",
  "m.room.power_levels",
  "m.room.aliases",
  "m.room.redaction",
  "__proto__",
];
const contents = jsonObject.chain((some) =>
  fc
    .record(
      {
        membership: jsonObject,
        creator: jsonObject,
        ban: jsonObject,
        aliases: jsonObject,
        redacts: jsonObject,
        third_party_invite: jsonObject,
      },
      { requiredKeys: [] },
    )
    .map((known) => ({ ...some, ...known })),
);
const events = fc
  .tuple(jsonObject, fc.constantFrom(...types), fc.oneof(contents, jsonObject), fc.boolean())
  .map(([some, type, content, prev]) => ({
    ...some,
    type,
    content,
    ...(prev ? { prev_state: [], origin: "a" } : {}),
  }));

describe.each(roomVersionIds)("in version %s", (id) => {
  it("redacting once more changes nothing", () => {
    fc.assert(
      fc.property(events, (event) => {
        const once = redact(event, version(id));
        expect(plainCanonical(redact(once, version(id)))).toBe(plainCanonical(once));
      }),
    );
  });

  it("the event given is not changed", () => {
    fc.assert(
      fc.property(events, (event) => {
        const before = JSON.stringify(event);
        redact(event, version(id));
        expect(JSON.stringify(event)).toBe(before);
      }),
    );
  });
});

describe("crafted cases", () => {
  it.each(vectors("redaction").filter(({ clarity }) => clarity !== "unclear"))(
    "$name",
    ({ roomVersion, event, expected }) => {
      expect(plainCanonical(redact(event, version(roomVersion)))).toBe(plainCanonical(expected));
    },
  );

  it.each(vectors("redaction").filter(({ clarity }) => clarity === "unclear"))(
    "$name: not decided, but answered",
    ({ roomVersion, event }) => {
      expect(redact(event, version(roomVersion))["type"]).toBe("m.room.member");
    },
  );
});

describe("random cases", () => {
  const decided = vectors("event").filter(({ specUndefined }) => specUndefined === undefined);

  it.each(decided)("$id, $class", ({ roomVersion, event, redacted }) => {
    expect(plainCanonical(redact(event, version(roomVersion)))).toBe(plainCanonical(redacted));
  });

  const open = vectors("event").filter(({ specUndefined }) => specUndefined);

  it.each(open)("$id, $class: not decided; ours is Synapse's answer", ({ roomVersion, event, redacted }) => {
    expect(plainCanonical(redact(event, version(roomVersion)))).toBe(plainCanonical(redacted));
  });
});
