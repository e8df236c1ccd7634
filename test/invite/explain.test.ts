import { describe, expect, test } from "vitest";
import { type Explanation, type RuleOutcome, type RuleStep, explain } from "../../src/invite/explain.js";
import type { ShownProof } from "../../src/invite/explain-proof.js";
import { encodeBase64 } from "../../src/matrix/base64.js";
import type { EventLike } from "../../src/matrix/event.js";
import type { JsonObject } from "../../src/matrix/json.js";
import { redact } from "../../src/matrix/redaction.js";
import { withSignature } from "../../src/matrix/signed-json.js";
import { nodeCrypto } from "../../src/node/crypto.js";
import {
  type Numbers,
  type Room,
  type RoomOptions,
  alice,
  bob,
  carol,
  counting,
  dave,
  ephemeralKey,
  idServer,
  inviteContent,
  longTermKey,
  numbers,
  room,
  sign,
  signed,
  strangeKey,
  token,
  versions,
  written,
} from "./room.js";

interface Case {
  readonly name: RuleStep["name"];
  readonly room?: RoomOptions;
  readonly event: (room: Room) => EventLike;
  readonly number: (rules: Numbers) => string | undefined;
  /** What it is decided by. */
  readonly values: (room: Room) => RuleStep["values"];
  readonly from?: number;
}

const proof = (change: JsonObject): unknown => ({ display_name: "x", signed: { ...signed, ...change } });
const absent = { _tag: "Absent" };

/** Each rule that can refuse, where it is the one that does. */
const refusals: readonly Case[] = [
  {
    name: "room",
    event: (r) => ({ ...r.redeemed(), room_id: "!other:one.example" }),
    number: (n) => n.room,
    values: (r) => ({ room_id: "!other:one.example", "ID of the room": r.roomId }),
  },
  {
    name: "create",
    room: { noCreate: true },
    event: (r) => r.thirdPartyInvite(alice),
    number: (n) => n.create,
    values: () => ({ "m.room.create found": false }),
  },
  {
    name: "federate",
    room: { create: { "m.federate": false } },
    event: (r) => r.thirdPartyInvite(dave),
    number: (n) => n.federate,
    values: () => ({
      "m.federate": false,
      "server of the create event's sender": "one.example",
      "server of the sender": "two.example",
    }),
  },
  {
    name: "memberShape",
    event: (r) => ({ ...r.redeemed(), state_key: ["x"] }),
    number: (n) => n.member,
    values: () => ({ state_key: { _tag: "List" }, membership: "invite" }),
  },
  {
    name: "joinAuthoriser",
    from: 8,
    event: (r) => r.invited(alice, bob, { join_authorised_via_users_server: carol }),
    number: (n) => n.authorised,
    values: () => ({
      join_authorised_via_users_server: carol,
      "signature of that server verified": false,
    }),
  },
  {
    name: "provenTarget",
    room: { members: { [bob]: "ban" } },
    event: (r) => r.redeemed(),
    number: (n) => `${n.proven}.1`,
    values: () => ({ state_key: bob, "membership of the invited user": "ban" }),
  },
  {
    name: "provenSigned",
    event: (r) => r.redeemed(null),
    number: (n) => `${n.proven}.2`,
    values: () => ({ third_party_invite: null, signed: { _tag: "Absent" } }),
  },
  {
    name: "provenMembers",
    event: (r) => r.redeemed({ signed: { mxid: bob } }),
    number: (n) => `${n.proven}.3`,
    values: () => ({ signed: { _tag: "Object" }, mxid: bob, token: { _tag: "Absent" } }),
  },
  {
    name: "provenMxid",
    event: (r) => r.redeemed(undefined, alice, carol),
    number: (n) => `${n.proven}.4`,
    values: () => ({ mxid: bob, state_key: carol }),
  },
  {
    name: "provenToken",
    event: (r) => r.redeemed(proof({ token: "other" })),
    number: (n) => `${n.proven}.5`,
    values: () => ({ token: "other", "m.room.third_party_invite found": false }),
  },
  {
    name: "provenSender",
    event: (r) => r.redeemed(undefined, carol),
    number: (n) => `${n.proven}.6`,
    values: () => ({ sender: carol, "sender of the third-party invite": alice }),
  },
  {
    name: "provenNone",
    event: (r) => r.redeemed({ signed: sign({ mxid: bob, token }, strangeKey) }),
    number: (n) => `${n.proven}.8`,
    values: () => ({}),
  },
  {
    name: "plainSender",
    room: { members: { [alice]: "leave" } },
    event: (r) => r.invited(alice),
    number: (n) => `${n.plain}.2`,
    values: () => ({ sender: alice, "membership of the sender": "leave" }),
  },
  {
    name: "plainTarget",
    event: (r) => r.invited(alice, dave),
    number: (n) => `${n.plain}.3`,
    values: () => ({ state_key: dave, "membership of the invited user": "join" }),
  },
  {
    name: "plainNone",
    event: (r) => r.invited(carol),
    number: (n) => `${n.plain}.5`,
    values: () => ({}),
  },
  {
    name: "thirdPartyInviteSender",
    event: (r) => r.thirdPartyInvite(bob),
    number: (n) => n.sender,
    values: () => ({ sender: bob, "membership of the sender": "leave" }),
  },
  {
    name: "thirdPartyInvitePower",
    event: (r) => r.thirdPartyInvite(carol),
    number: (n) => n.thirdPartyInvite,
    values: () => ({ sender: carol, "power level of the sender": 0, "level for inviting": 50 }),
  },
];

const outcomes = ({ steps }: Explanation): readonly (readonly [RuleStep["name"], RuleOutcome])[] =>
  steps.map(({ name, outcome }) => [name, outcome]);

const stepOf = ({ steps }: Explanation, name: RuleStep["name"]): RuleStep | undefined =>
  steps.find((one) => one.name === name);

const explained = (made: Room, event: EventLike, maxPairs = 64): Explanation =>
  explain(event, made.state, nodeCrypto, { maxPairs });

describe.each(["1", "5", "6", "8", "10", "11", "12"])("room version %s", (version) => {
  const rules = numbers[version];
  const here = refusals.filter(({ from = 1 }) => Number(version) >= from);

  test.each(here.map((row) => [row.name, row] as const))("%s refuses", (name, row) => {
    const made = room(version, row.room);
    const explanation = explained(made, row.event(made));
    expect(explanation.roomVersion).toBe(version);
    const [refusing, ...others] = explanation.steps.filter(({ outcome }) => outcome === "refused");
    expect(others).toEqual([]);
    expect(refusing).toMatchObject({ name, rule: rules && row.number(rules), values: row.values(made) });
    expect(explanation.verdict).toMatchObject({ _tag: "Reject", refusal: { rule: refusing?.rule } });
    // What comes before has nothing against it, what comes after was not reached.
    const at = explanation.steps.findIndex((one) => one.name === name);
    for (const { outcome } of explanation.steps.slice(0, at))
      expect(["passed", "did not allow"]).toContain(outcome);
    for (const { outcome, values } of explanation.steps.slice(at + 1))
      expect([outcome, values]).toEqual(["not reached", {}]);
  });
});

test("each rule is in one of the cases, or is one that allows", () => {
  const allowing = ["provenMatch", "plainPower"];
  const made = room();
  const all = [made.redeemed(), made.invited(alice), made.thirdPartyInvite(alice)].flatMap((event) =>
    explained(made, event).steps.map(({ name }) => name),
  );
  expect(new Set([...refusals.map(({ name }) => name), ...allowing, "ours"])).toEqual(new Set(all));
});

/** The rules of each kind of event, in their order; those from version 8 on are in place. */
const everyEvent = ["room", "create", "federate"] as const;
const everyMember = [...everyEvent, "memberShape", "joinAuthoriser"] as const;
const order = {
  redeemed: [
    ...everyMember,
    "provenTarget",
    "provenSigned",
    "provenMembers",
    "provenMxid",
    "provenToken",
    "provenSender",
    "provenMatch",
    "provenNone",
  ],
  invited: [...everyMember, "plainSender", "plainTarget", "plainPower", "plainNone"],
  thirdPartyInvite: [...everyEvent, "thirdPartyInviteSender", "thirdPartyInvitePower"],
} as const;

describe.each(versions())("the rules of room version %s", (version) => {
  const made = room(version);
  test.each([
    ["redeemed", made.redeemed()],
    ["invited", made.invited(alice)],
    ["thirdPartyInvite", made.thirdPartyInvite(alice)],
  ] as const)("stand in the order of the specification, and link to it: %s", (kind, event) => {
    const [first, ...steps] = explained(made, event).steps;
    const has = (name: string): boolean => name !== "joinAuthoriser" || Number(version) >= 8;
    expect(first).not.toHaveProperty("link");
    expect(steps.map(({ name }) => name)).toEqual(order[kind].filter(has));
    const link = `https://spec.matrix.org/v1.19/rooms/v${version}/#authorisation-rules`;
    expect(new Set(steps.map((step) => step.link))).toEqual(new Set([link]));
  });
});

test("a version that the specification does not have links to the rules of all versions", () => {
  const made = room("10");
  const state = { ...made.state, version: { ...made.version, id: "org.example.new" } };
  expect(explain(made.thirdPartyInvite(alice), state, nodeCrypto).steps.at(-1)?.link).toBe(
    "https://spec.matrix.org/v1.19/server-server-api/#authorisation-rules",
  );
});

describe("what allows", () => {
  test.each(versions())("a proof, in version %s", (version) => {
    const made = room(version);
    const explanation = explained(made, made.redeemed());
    expect(explanation.verdict).toEqual({ _tag: "Allow" });
    expect(outcomes(explanation)).toEqual([
      ["ours", "passed"],
      ["room", "passed"],
      ["create", "passed"],
      ["federate", "passed"],
      ["memberShape", "passed"],
      ...(Number(version) >= 8 ? [["joinAuthoriser", "passed"]] : []),
      ["provenTarget", "passed"],
      ["provenSigned", "passed"],
      ["provenMembers", "passed"],
      ["provenMxid", "passed"],
      ["provenToken", "passed"],
      ["provenSender", "passed"],
      ["provenMatch", "allowed"],
      ["provenNone", "not reached"],
    ]);
    expect(stepOf(explanation, "provenMatch")?.rule).toBe(`${numbers[version]?.proven ?? ""}.7`);
  });

  test("the power to invite, of a plain invite", () => {
    const made = room();
    expect(outcomes(explained(made, made.invited(alice))).slice(6)).toEqual([
      ["plainSender", "passed"],
      ["plainTarget", "passed"],
      ["plainPower", "allowed"],
      ["plainNone", "not reached"],
    ]);
    const without = explained(made, made.invited(carol));
    expect(outcomes(without).slice(-2)).toEqual([
      ["plainPower", "did not allow"],
      ["plainNone", "refused"],
    ]);
    expect(stepOf(without, "plainPower")?.values).toEqual({
      sender: carol,
      "power level of the sender": 0,
      "level for inviting": 50,
    });
  });

  test("a creator's power in version 12, which no JSON number is", () => {
    const made = room("12");
    const step = stepOf(explained(made, made.thirdPartyInvite(alice)), "thirdPartyInvitePower");
    expect(step).toMatchObject({ outcome: "allowed", values: { "power level of the sender": "infinite" } });
  });

  test("a level that is none is called so", () => {
    const made = room("10", { levels: { invite: "50" } });
    const step = stepOf(explained(made, made.thirdPartyInvite(alice)), "thirdPartyInvitePower");
    expect(step?.values).toMatchObject({ "level for inviting": "no level in this room version" });
  });

  test("a verified signature of the join authoriser's server", () => {
    const made = room();
    const event = made.invited(alice, bob, { join_authorised_via_users_server: dave });
    const verifiedSigners = new Set(["two.example"]);
    const { steps } = explain(event, made.state, nodeCrypto, { verifiedSigners });
    expect(steps.find(({ name }) => name === "joinAuthoriser")).toMatchObject({
      outcome: "passed",
      values: { "signature of that server verified": true },
    });
  });
});

describe("what is not ours", () => {
  const made = room();
  test.each([
    [
      "a join",
      made.event("m.room.member", bob, bob, { membership: "join" }),
      { type: "m.room.member", membership: "join" },
    ],
    [
      "a message",
      made.event("m.room.message", bob, undefined, {}),
      { type: "m.room.message", membership: absent },
    ],
    ["an event without a type", {}, { type: absent, membership: absent }],
  ])("%s", (_name, event, values) => {
    const explanation = explained(made, event);
    expect(explanation.verdict).toEqual({ _tag: "NotOurs" });
    expect(explanation.steps).toMatchObject([{ name: "ours", outcome: "not ours", values }]);
  });

  test.each([
    [null, null],
    [[], { _tag: "List" }],
    ["x", "x"],
  ])("%j, which is no event", (event, value) => {
    const { steps } = explained(made, event as EventLike);
    expect(steps).toMatchObject([{ outcome: "not ours", values: { event: value } }]);
  });

  test("a redacted proof is a plain invite up to version 10, and keeps its proof from 11 on", () => {
    for (const version of versions()) {
      const of = room(version);
      const { steps, verdict } = explained(of, redact({ ...of.redeemed() }, of.version));
      const keeps = Number(version) >= 11;
      expect(verdict._tag).toBe("Allow");
      expect(steps.some(({ name }) => name === "provenMatch")).toBe(keeps);
      expect(steps.some(({ name }) => name === "plainPower")).toBe(!keeps);
    }
  });
});

/** The proof in the explanation of an invite that is redeemed. */
const proofIn = (
  value: JsonObject,
  invite: JsonObject = inviteContent,
  maxPairs = 64,
  version = "10",
): ShownProof => {
  const made = room(version, { invite });
  const found = stepOf(explained(made, made.redeemed({ signed: value }), maxPairs), "provenMatch")?.proof;
  if (found === undefined) throw new Error("No proof was sought.");
  return found;
};

const textOf = (value: JsonObject): string =>
  Object.values((value["signatures"] as Record<string, Record<string, string>>)[idServer] ?? {}).join();

describe("the proof", () => {
  test("what was signed is shown byte by byte, with every key and signature and what they matched", () => {
    const found = proofIn({ ...signed, unsigned: { age: 1 } });
    const text = `{"mxid":"${bob}","token":"${token}"}`;
    expect(found).toEqual({
      signed: { _tag: "Canonical", text, bytes: text.length },
      keys: [
        { place: "public_key", publicKey: written(longTermKey), finding: "matches" },
        { place: 0, publicKey: written(longTermKey), finding: "matches" },
        { place: 1, publicKey: written(ephemeralKey, "urlsafe"), finding: "matches nothing" },
      ],
      moreKeys: 0,
      signatures: [{ server: idServer, keyId: "ed25519:0", signature: textOf(signed), finding: "matches" }],
      moreSignatures: 0,
      pairs: 2,
      maxPairs: 64,
      matching: [{ publicKey: written(longTermKey), server: idServer, keyId: "ed25519:0" }],
    });
  });

  test("its bytes are counted, not its characters", () => {
    const value = sign({ mxid: bob, token, x: "é😀" });
    expect(proofIn(value).signed).toMatchObject({
      text: expect.stringContaining("é😀") as unknown,
      bytes: 61,
    });
  });

  test("every pair that matches is named, though one is enough", () => {
    const twice = withSignature(signed, "b.example", "ed25519:b", new Uint8Array(64).fill(1));
    const both = {
      ...twice,
      signatures: {
        ...(twice["signatures"] as JsonObject),
        "c.example": { "ed25519:c": textOf(sign({ mxid: bob, token }, ephemeralKey)) },
      },
    };
    const { matching, signatures, pairs } = proofIn(both);
    expect(matching).toEqual([
      { publicKey: written(longTermKey), server: idServer, keyId: "ed25519:0" },
      { publicKey: written(ephemeralKey, "urlsafe"), server: "c.example", keyId: "ed25519:c" },
    ]);
    expect(signatures.map(({ finding }) => finding)).toEqual(["matches", "matches nothing", "matches"]);
    expect(pairs).toBe(6);
  });

  test("of every key that cannot be tried it is said why", () => {
    const public_keys = [
      null,
      {},
      { public_key: 7 },
      { public_key: "!" },
      { public_key: "AAAA" },
      { public_key: encodeBase64(new Uint8Array(32)) },
      { public_key: encodeBase64(new Uint8Array(32).fill(0xff)) },
      { public_key: written(longTermKey) },
    ];
    expect(proofIn(signed, { public_keys }).keys.map(({ finding }) => finding)).toEqual([
      "no public_key",
      "no public_key",
      "not a text",
      "not base64",
      "not 32 bytes",
      "not canonical, or weak",
      "not canonical, or weak",
      "matches",
    ]);
  });

  test("of every signature that cannot be tried it is said why", () => {
    const signatures = {
      a: { "rsa:1": textOf(signed), "ed25519:1": null, "ed25519:2": "!", "ed25519:3": "AAAA" },
      b: "not a block",
      c: { "ed25519:1": encodeBase64(new Uint8Array(64).fill(0xff)), "ed25519:2": textOf(signed) },
    };
    expect(proofIn({ ...signed, signatures }).signatures.map(({ finding }) => finding)).toEqual([
      "not ed25519",
      "not a text",
      "not base64",
      "not 64 bytes",
      "not canonical, or weak",
      "matches",
    ]);
  });

  test("what nobody can have signed is not canonical, and nothing is tried", () => {
    const found = proofIn(sign({ mxid: bob, token, x: 1.5 }, undefined, "any"));
    expect(found.signed).toEqual({ _tag: "NotCanonical", reason: "number" });
    expect(found.keys.map(({ finding }) => finding)).toEqual(["not tried", "not tried", "not tried"]);
    expect([found.pairs, found.matching]).toEqual([0, []]);
    const old = proofIn(sign({ mxid: bob, token, x: 1.5 }, undefined, "any"), inviteContent, 64, "5");
    expect(old.matching).toHaveLength(1);
  });

  test("over the budget nothing is tried, and the step is undecided", () => {
    const made = room();
    const engine = counting(nodeCrypto);
    const explanation = explain(made.redeemed(), made.state, engine, { maxPairs: 1 });
    expect(explanation.verdict).toEqual({ _tag: "TooMuchWork", pairs: 2 });
    expect(engine.calls()).toBe(0);
    expect(stepOf(explanation, "provenMatch")).toMatchObject({
      outcome: "undecided",
      proof: {
        pairs: 2,
        maxPairs: 1,
        matching: [],
        keys: Array(3).fill({ finding: "not tried" }) as unknown,
      },
    });
    expect(stepOf(explanation, "provenNone")?.outcome).toBe("not reached");
  });

  test("each pair is tried once, and only for the explanation", () => {
    const made = room();
    const engine = counting(nodeCrypto);
    explain(made.redeemed(), made.state, engine);
    expect(engine.calls()).toBe(2);
  });
});

describe("hostile events", () => {
  test("long texts and long lists are cut", () => {
    const long = "x".repeat(10_000);
    const public_keys = Array.from({ length: 500 }, () => ({ public_key: long }));
    const signatures = { [long]: Object.fromEntries(public_keys.map((_, i) => [`${long}${i}`, long])) };
    const made = room("10", { invite: { public_keys } });
    const event = made.redeemed({ signed: { ...signed, signatures } }, alice, bob);
    const explanation = explained(made, event);
    expect(stepOf(explanation, "provenMatch")?.proof).toMatchObject({
      moreKeys: 400,
      moreSignatures: 400,
    });
    expect(JSON.stringify(explanation).length).toBeLessThan(200_000);
  });

  test("a signed text longer than an event is cut, its bytes counted", () => {
    const found = proofIn(sign({ mxid: bob, token, x: "x".repeat(100_000) }));
    expect(found.signed).toMatchObject({ bytes: 100_055 });
    expect(JSON.stringify(found).length).toBeLessThan(70_000);
  });

  test("an explanation survives JSON as it is", () => {
    const made = room("12");
    for (const event of [made.redeemed(), made.thirdPartyInvite(alice), made.invited(carol), {}]) {
      const explanation = explained(made, event, Infinity);
      expect(JSON.parse(JSON.stringify(explanation))).toEqual(explanation);
    }
  });
});
