import { describe, expect, test } from "vitest";
import { type Verdict, authorize } from "../../src/invite/authorize.js";
import type { EventLike } from "../../src/matrix/event.js";
import type { JsonObject } from "../../src/matrix/json.js";
import { redact } from "../../src/matrix/redaction.js";
import { type RoomState, roomState } from "../../src/matrix/room-state.js";
import { nodeCrypto } from "../../src/node/crypto.js";
import { portableCrypto } from "../../src/portable/crypto.js";
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
  inviteContent,
  numbers,
  room,
  sign,
  signed,
  strangeKey,
  token,
  versions,
  written,
} from "./room.js";
import { withSignature } from "../../src/matrix/signed-json.js";
import { decodeBase64 } from "../../src/matrix/base64.js";

interface Case {
  readonly name: string;
  readonly room?: RoomOptions;
  readonly event: (room: Room) => EventLike;
  /** `true`: allowed; else the code and the number of the rule. */
  readonly verdict: true | ((rules: Numbers) => readonly [code: string, rule: string]);
  readonly from?: number;
  readonly to?: number;
}

const proof = (change: JsonObject = {}): unknown => ({ display_name: "x", signed: { ...signed, ...change } });
const without = (...names: readonly string[]): JsonObject =>
  Object.fromEntries(Object.entries(signed).filter(([name]) => !names.includes(name)));

const cases: readonly Case[] = [
  // The room and its create event.
  {
    name: "an event of another room",
    event: (r) => ({ ...r.redeemed(), room_id: "!other:one.example" }),
    verdict: (n) => ["WrongRoom", n.room],
  },
  {
    name: "an event without room_id",
    event: (r) => ({ ...r.thirdPartyInvite(alice), room_id: undefined }),
    verdict: (n) => ["WrongRoom", n.room],
  },
  {
    name: "no create event",
    room: { noCreate: true },
    event: (r) => r.thirdPartyInvite(alice),
    verdict: (n) => ["NoCreateEvent", n.create],
  },
  // Whether the room federates.
  {
    name: "m.federate false, sender of another server",
    room: { create: { "m.federate": false }, levels: { invite: 0 } },
    event: (r) => r.thirdPartyInvite(dave),
    verdict: (n) => ["NotFederated", n.federate],
  },
  {
    name: "of a member event too",
    room: { create: { "m.federate": false }, levels: { invite: 0 } },
    event: (r) => r.invited(dave),
    verdict: (n) => ["NotFederated", n.federate],
  },
  {
    name: "before the rules for members",
    room: { create: { "m.federate": false }, inviteSender: dave },
    event: (r) => ({ ...r.redeemed(null, dave), state_key: 7 }),
    verdict: (n) => ["NotFederated", n.federate],
  },
  {
    name: "a subdomain is another server",
    room: { create: { "m.federate": false }, members: { "@x:a.one.example": "join" }, levels: { invite: 0 } },
    event: (r) => r.thirdPartyInvite("@x:a.one.example"),
    verdict: (n) => ["NotFederated", n.federate],
  },
  {
    name: "domains are compared with case",
    room: { create: { "m.federate": false }, members: { "@x:ONE.example": "join" }, levels: { invite: 0 } },
    event: (r) => r.thirdPartyInvite("@x:ONE.example"),
    verdict: (n) => ["NotFederated", n.federate],
  },
  {
    name: "the creator's server may",
    room: { create: { "m.federate": false } },
    event: (r) => r.thirdPartyInvite(alice),
    verdict: true,
  },
  {
    name: "the target's server has no say",
    room: { create: { "m.federate": false } },
    event: (r) => r.redeemed(),
    verdict: true,
  },
  ...[true, null, 0, "false"].map((federate): Case => ({
    name: `m.federate ${String(federate)} is not false`,
    room: { create: { "m.federate": federate }, levels: { invite: 0 } },
    event: (r) => r.thirdPartyInvite(dave),
    verdict: true,
  })),
  // The shape of a member event.
  {
    name: "no state_key",
    event: (r) => ({ ...r.redeemed(), state_key: undefined }),
    verdict: (n) => ["MemberMalformed", n.member],
  },
  {
    name: "no membership",
    event: (r) => r.event("m.room.member", alice, bob, { third_party_invite: { signed } }),
    verdict: (n) => ["MemberMalformed", n.member],
  },
  {
    name: "membership not a text",
    event: (r) => r.event("m.room.member", alice, bob, { membership: ["invite"] }),
    verdict: (n) => ["MemberMalformed", n.member],
  },
  {
    name: "no content",
    event: (r) => ({ ...r.redeemed(), content: undefined }),
    verdict: (n) => ["MemberMalformed", n.member],
  },
  {
    name: "join_authorised_via_users_server unsigned, whatever the membership",
    from: 8,
    event: (r) => r.invited(alice, bob, { join_authorised_via_users_server: carol }),
    verdict: (n) => ["JoinAuthoriserUnsigned", n.authorised ?? ""],
  },
  {
    name: "not a text",
    from: 8,
    event: (r) => r.invited(alice, bob, { join_authorised_via_users_server: null }),
    verdict: (n) => ["JoinAuthoriserUnsigned", n.authorised ?? ""],
  },
  {
    name: "before the proof is looked at",
    from: 8,
    event: (r) =>
      r.invited(alice, bob, { join_authorised_via_users_server: carol, third_party_invite: { signed } }),
    verdict: (n) => ["JoinAuthoriserUnsigned", n.authorised ?? ""],
  },
  {
    name: "means nothing before version 8",
    to: 7,
    event: (r) => r.invited(alice, bob, { join_authorised_via_users_server: carol }),
    verdict: true,
  },
  // Invites with a proof.
  {
    name: "target banned",
    room: { members: { [bob]: "ban" } },
    event: (r) => r.redeemed(),
    verdict: (n) => ["TargetBanned", `${n.proven}.1`],
  },
  {
    name: "before the shape is looked at",
    room: { members: { [bob]: "ban" } },
    event: (r) => r.redeemed(null),
    verdict: (n) => ["TargetBanned", `${n.proven}.1`],
  },
  ...[null, "x", 7, true, [], [{ signed }], {}, { display_name: "x" }].map((invite): Case => ({
    name: `third_party_invite ${JSON.stringify(invite).slice(0, 30)} is never a plain invite`,
    event: (r) => r.redeemed(invite),
    verdict: (n) => ["NoSigned", `${n.proven}.2`],
  })),
  ...[null, "x", 7, [], {}, without("mxid"), without("token")].map((value): Case => ({
    name: `signed ${JSON.stringify(value).slice(0, 30)}`,
    event: (r) => r.redeemed({ signed: value }),
    verdict: (n) => ["NoMxidOrToken", `${n.proven}.3`],
  })),
  ...[carol, "@BOB:two.example", "", null, 7, [bob], { [bob]: bob }].map((mxid): Case => ({
    name: `mxid ${JSON.stringify(mxid)} is not the state_key`,
    event: (r) => r.redeemed(proof({ mxid })),
    verdict: (n) => ["MxidMismatch", `${n.proven}.4`],
  })),
  {
    name: "the example of the specification fails here",
    event: (r) => r.redeemed(proof({ mxid: "@alice:localhost" }), alice, "@someone:example.org"),
    verdict: (n) => ["MxidMismatch", `${n.proven}.4`],
  },
  ...["unknown", "", token.toLowerCase(), null, 7, [token], "__proto__", "constructor"].map((name): Case => ({
    name: `token ${JSON.stringify(name)} is no invite's`,
    event: (r) => r.redeemed(proof({ token: name })),
    verdict: (n) => ["TokenUnknown", `${n.proven}.5`],
  })),
  {
    name: "no invite in the state",
    room: { invite: null },
    event: (r) => r.redeemed(),
    verdict: (n) => ["TokenUnknown", `${n.proven}.5`],
  },
  {
    name: "the sender is not the invite's",
    event: (r) => r.redeemed(undefined, carol),
    verdict: (n) => ["TokenSenderMismatch", `${n.proven}.6`],
  },
  {
    name: "overwritten by somebody else",
    room: { inviteSender: carol },
    event: (r) => r.redeemed(),
    verdict: (n) => ["TokenSenderMismatch", `${n.proven}.6`],
  },
  { name: "by the long-term key", event: (r) => r.redeemed(), verdict: true },
  {
    name: "by the ephemeral key, with a sender that is signed too",
    event: (r) => r.redeemed({ signed: sign({ mxid: bob, token, sender: alice }, ephemeralKey) }),
    verdict: true,
  },
  {
    name: "by the single public_key",
    room: { invite: { public_key: inviteContent["public_key"] } },
    event: (r) => r.redeemed(),
    verdict: true,
  },
  {
    name: "by one of public_keys alone, whatever public_key is",
    room: { invite: { public_key: 7, public_keys: [null, { public_key: inviteContent["public_key"] }] } },
    event: (r) => r.redeemed(),
    verdict: true,
  },
  {
    name: "a bad signature before the good one",
    event: (r) => {
      const bad = decodeBase64("A".repeat(85) + "Q") ?? new Uint8Array(64);
      const more = withSignature(withSignature(signed, "a.example", "ed25519:a", bad), "0", "ed25519:0", bad);
      return r.redeemed({ signed: more });
    },
    verdict: true,
  },
  {
    name: "unsigned members are outside the signature",
    event: (r) => r.redeemed(proof({ unsigned: { age: 1.5 } })),
    verdict: true,
  },
  {
    name: "by a key of nobody",
    event: (r) => r.redeemed({ signed: sign({ mxid: bob, token }, strangeKey) }),
    verdict: (n) => ["NotProven", `${n.proven}.8`],
  },
  {
    name: "a member added after signing",
    event: (r) => r.redeemed(proof({ sender: alice })),
    verdict: (n) => ["NotProven", `${n.proven}.8`],
  },
  ...[null, [], "x", {}, { [alice]: null }, { "id.example": { "ed25519:0": 7, "rsa:0": "AAAA" } }].map(
    (signatures): Case => ({
      name: `signatures ${JSON.stringify(signatures)}`,
      event: (r) => r.redeemed(proof({ signatures })),
      verdict: (n) => ["NotProven", `${n.proven}.8`],
    }),
  ),
  {
    name: "a float in signed, which strict versions cannot sign",
    from: 6,
    event: (r) => r.redeemed({ signed: sign({ mxid: bob, token, x: 1.5 }, undefined, "any") }),
    verdict: (n) => ["NotProven", `${n.proven}.8`],
  },
  {
    name: "a float in signed, which the first versions put up with",
    to: 5,
    event: (r) => r.redeemed({ signed: sign({ mxid: bob, token, x: 1.5 }, undefined, "any") }),
    verdict: true,
  },
  ...[
    {},
    { display_name: "x" },
    { public_key: null, public_keys: {} },
    { public_keys: [[], "x", { public_key: "" }] },
  ].map((invite): Case => ({
    name: `revoked, content ${JSON.stringify(invite)}`,
    room: { invite },
    event: (r) => r.redeemed(),
    verdict: (n) => ["NotProven", `${n.proven}.8`],
  })),
  // Consequences.
  ...["leave", "ban", "invite", "knock"].map((membership): Case => ({
    name: `the inviter's membership ${membership} and lack of power do not matter`,
    room: { members: { [carol]: membership }, inviteSender: carol },
    event: (r) => r.redeemed(undefined, carol),
    verdict: true,
  })),
  ...["join", "invite", "knock", "leave"].map((membership): Case => ({
    name: `the target's membership ${membership} does not matter`,
    room: { members: { [bob]: membership } },
    event: (r) => r.redeemed(),
    verdict: true,
  })),
  {
    name: "levels that cannot be read do not matter",
    room: { levels: { users: 7, invite: {} } },
    event: (r) => r.redeemed(),
    verdict: true,
  },
  {
    name: "server names and key IDs have no say",
    event: (r) => {
      const signature = Object.values(Object.values(signed["signatures"] as JsonObject)[0] as JsonObject)[0];
      return r.redeemed(proof({ signatures: { "": { "ed25519:__proto__": signature } } }));
    },
    verdict: true,
  },
  {
    name: "validity URL, display_name and signed.sender have no say",
    room: {
      invite: { public_key: inviteContent["public_key"], key_validity_url: "http://x", display_name: 7 },
    },
    event: (r) => r.redeemed({ display_name: {}, signed: sign({ mxid: bob, token, sender: carol }) }),
    verdict: true,
  },
  {
    name: "signed is not bound to a room",
    event: (r) => r.redeemed({ signed: sign({ mxid: bob, token, room_id: "!other:one.example" }) }),
    verdict: true,
  },
  // Plain invites.
  ...["leave", "ban", "invite", "knock"].map((membership): Case => ({
    name: `sender ${membership}`,
    room: { members: { [alice]: membership } },
    event: (r) => r.invited(alice),
    verdict: (n) => ["SenderNotJoined", `${n.plain}.2`],
  })),
  {
    name: "a stranger",
    event: (r) => r.invited("@nobody:one.example"),
    verdict: (n) => ["SenderNotJoined", `${n.plain}.2`],
  },
  {
    name: "sender missing",
    event: (r) => ({ ...r.invited(alice), sender: undefined }),
    verdict: (n) => ["SenderNotJoined", `${n.plain}.2`],
  },
  {
    name: "before the target is looked at",
    room: { members: { [alice]: "leave", [bob]: "ban" } },
    event: (r) => r.invited(alice),
    verdict: (n) => ["SenderNotJoined", `${n.plain}.2`],
  },
  {
    name: "target joined",
    room: { members: { [bob]: "join" } },
    event: (r) => r.invited(alice),
    verdict: (n) => ["TargetJoined", `${n.plain}.3`],
  },
  {
    name: "target banned",
    room: { members: { [bob]: "ban" } },
    event: (r) => r.invited(alice),
    verdict: (n) => ["TargetBanned", `${n.plain}.3`],
  },
  {
    name: "of oneself",
    event: (r) => r.invited(alice, alice),
    verdict: (n) => ["TargetJoined", `${n.plain}.3`],
  },
  ...["leave", "invite", "knock"].map((membership): Case => ({
    name: `with the power, target ${membership}`,
    room: { members: { [bob]: membership } },
    event: (r) => r.invited(alice),
    verdict: true,
  })),
  {
    name: "the token's invite in the state has no say",
    event: (r) => r.invited(alice),
    verdict: true,
  },
  {
    name: "without the power",
    event: (r) => r.invited(carol),
    verdict: (n) => ["PowerTooLow", `${n.plain}.5`],
  },
  // Third-party invites.
  ...["leave", "ban", "invite", "knock"].map((membership): Case => ({
    name: `sender ${membership}`,
    room: { members: { [alice]: membership } },
    event: (r) => r.thirdPartyInvite(alice),
    verdict: (n) => ["SenderNotJoined", n.sender],
  })),
  { name: "with the power", event: (r) => r.thirdPartyInvite(alice), verdict: true },
  {
    name: "without",
    event: (r) => r.thirdPartyInvite(carol),
    verdict: (n) => ["PowerTooLow", n.thirdPartyInvite],
  },
  {
    name: "exactly the level",
    room: { levels: { users: { [carol]: 50 } } },
    event: (r) => r.thirdPartyInvite(carol),
    verdict: true,
  },
  {
    name: "one below the level",
    room: { levels: { users: { [carol]: 49 } } },
    event: (r) => r.thirdPartyInvite(carol),
    verdict: (n) => ["PowerTooLow", n.thirdPartyInvite],
  },
  {
    name: "users_default",
    room: { levels: { users_default: 50 } },
    event: (r) => r.thirdPartyInvite(carol),
    verdict: true,
  },
  {
    name: "without power levels everybody may",
    room: { levels: null },
    event: (r) => r.thirdPartyInvite(carol),
    verdict: true,
  },
  ...[{}, { display_name: 7 }, { public_keys: "x" }].map((content): Case => ({
    name: `no schema for the content, such as ${JSON.stringify(content)}`,
    event: (r) => r.thirdPartyInvite(alice, content),
    verdict: true,
  })),
  {
    name: "anybody with the power may overwrite another's invite",
    room: { levels: { users: { [dave]: 50 } } },
    event: (r) => r.thirdPartyInvite(dave, {}, token),
    verdict: true,
  },
  {
    name: "no rule protects a state_key that begins with @",
    event: (r) => r.thirdPartyInvite(alice, inviteContent, bob),
    verdict: true,
  },
  {
    name: "without state_key it passes as a message does",
    event: (r) => r.event("m.room.third_party_invite", alice, undefined, inviteContent),
    verdict: true,
  },
  {
    name: "the level for the event type has no effect upwards",
    room: { levels: { events: { "m.room.third_party_invite": 1000 }, state_default: 1000 } },
    event: (r) => r.thirdPartyInvite(alice),
    verdict: true,
  },
  {
    name: "nor downwards",
    room: { levels: { events: { "m.room.third_party_invite": 0 }, state_default: 0 } },
    event: (r) => r.thirdPartyInvite(carol),
    verdict: (n) => ["PowerTooLow", n.thirdPartyInvite],
  },
];

const engines = { nodeCrypto, portableCrypto };

describe.each(versions())("room version %s", (version) => {
  const number = Number(version);
  const rules = numbers[version];
  const here = cases.filter(({ from = 1, to = 12 }) => number >= from && number <= to);
  test.each(here.map((row) => [row.name, row] as const))("%s", (_name, row) => {
    const made = room(version, row.room);
    const event = row.event(made);
    for (const engine of Object.values(engines)) {
      const verdict = authorize(event, made.state, engine);
      if (row.verdict === true) expect(verdict).toEqual({ _tag: "Allow" });
      else if (rules !== undefined) {
        const [code, rule] = row.verdict(rules);
        expect(verdict).toMatchObject({
          _tag: "Reject",
          refusal: { code, rule, errcode: "M_FORBIDDEN", status: 403 },
        });
      }
    }
  });
});

const judge = (made: Room, event: EventLike): Verdict => authorize(event, made.state, portableCrypto);

describe("the signature of the join authoriser", () => {
  test.each(versions(8))(
    "a verified signature of the authoriser's server is enough in version %s",
    (version) => {
      const made = room(version);
      const event = made.invited(alice, bob, { join_authorised_via_users_server: dave });
      const of = (...servers: readonly string[]): string =>
        authorize(event, made.state, portableCrypto, { verifiedSigners: new Set(servers) })._tag;
      expect(of("two.example")).toBe("Allow");
      expect(of("one.example")).toBe("Reject");
      expect(of()).toBe("Reject");
    },
  );
});

describe("power", () => {
  test("version 12's creators have infinite power, additional ones too, and must be joined", () => {
    const levels = { invite: Number.MAX_SAFE_INTEGER };
    const made = room("12", { create: { additional_creators: [dave, 7] }, levels });
    expect(judge(made, made.thirdPartyInvite(alice))._tag).toBe("Allow");
    expect(judge(made, made.thirdPartyInvite(dave))._tag).toBe("Allow");
    expect(judge(made, made.thirdPartyInvite(carol))._tag).toBe("Reject");
    const left = room("12", { levels, members: { [alice]: "leave" } });
    expect(judge(left, left.thirdPartyInvite(alice))).toMatchObject({
      refusal: { code: "SenderNotJoined", rule: "6" },
    });
  });

  test("version 12's creators cannot be lowered", () => {
    const made = room("12", { levels: { users: { [alice]: -1 } } });
    expect(judge(made, made.thirdPartyInvite(alice))._tag).toBe("Allow");
  });

  test.each(versions(1, 11))("additional_creators has no meaning in version %s", (version) => {
    const made = room(version, { create: { additional_creators: [dave] } });
    expect(judge(made, made.thirdPartyInvite(dave))._tag).toBe("Reject");
  });

  test.each(versions())(
    "without power levels, and a level that only the creator could have, version %s",
    (version) => {
      const made = room(version, { levels: null });
      expect(judge(made, made.thirdPartyInvite(dave))._tag).toBe("Allow");
    },
  );

  test.each([
    ["a text", " +50 ", 9],
    ["leading zeroes", "00050", 9],
    ["a float is truncated", 50.9, 5],
  ])("%s is a level up to version %#", (_name, level, last) => {
    for (const version of versions()) {
      const made = room(version, { levels: { users: { [carol]: level } } });
      expect([version, judge(made, made.thirdPartyInvite(carol))._tag]).toEqual([
        version,
        Number(version) <= last ? "Allow" : "Reject",
      ]);
    }
  });

  test.each(["", "x", "5e1", "0x50", "50.0", null, [], {}, true])(
    "%j is no level in any version",
    (level) => {
      for (const version of versions()) {
        const made = room(version, { levels: { users: { [carol]: level } } });
        expect(judge(made, made.thirdPartyInvite(carol))._tag).toBe("Reject");
      }
    },
  );
});

describe("NotOurs", () => {
  const made = room();
  test.each([
    ["a join", made.event("m.room.member", bob, bob, { membership: "join" })],
    [
      "a leave with a leftover third_party_invite",
      made.event("m.room.member", bob, bob, { membership: "leave", third_party_invite: { signed } }),
    ],
    ["a knock", made.event("m.room.member", bob, bob, { membership: "knock" })],
    ["a ban", made.event("m.room.member", alice, bob, { membership: "ban" })],
    ["an unknown membership", made.event("m.room.member", alice, bob, { membership: "Invite" })],
    ["a message", made.event("m.room.message", alice, undefined, { membership: "invite" })],
    ["a type that is no text", { ...made.redeemed(), type: ["m.room.member"] }],
    ["no type", {}],
    ["null", null as never],
    ["a text", "m.room.member" as never],
  ])("%s", (_name, event) => {
    expect(judge(made, event)).toEqual({ _tag: "NotOurs" });
  });
});

describe("a sender or token that is no text", () => {
  const closed: RoomOptions = { create: { "m.federate": false } };

  test("is of no server", () => {
    const made = room("10", closed);
    const create = { ...made.state.get("m.room.create", ""), sender: 7 };
    expect(judge(made, { ...made.thirdPartyInvite(alice), sender: 7 })).toMatchObject({
      refusal: { code: "NotFederated" },
    });
    expect(judge(room("10", { ...closed, more: [create] }), made.thirdPartyInvite(alice))).toMatchObject({
      refusal: { code: "NotFederated" },
    });
  });

  test("is not what stands under the empty ID", () => {
    const made = room("10", { members: { "": "join" }, levels: { invite: 0 }, inviteSender: "" });
    for (const event of [made.thirdPartyInvite(alice), made.invited(alice), made.redeemed()])
      for (const sender of [7, null, undefined, ""])
        expect(judge(made, { ...event, sender })._tag).toBe("Reject");
  });

  test("a place where the host's view has null is empty", () => {
    const made = room();
    const { get } = made.state;
    for (const place of ["m.room.create", "m.room.third_party_invite"]) {
      const odd = {
        ...made.state,
        get: (type: string, key: string) => (type === place ? null : get(type, key)),
      };
      const state = odd as unknown as RoomState;
      expect(authorize(made.redeemed(), state, portableCrypto)).toMatchObject({
        refusal: { code: place === "m.room.create" ? "NoCreateEvent" : "TokenUnknown" },
      });
    }
  });

  test("the host's view of the state is never asked for it", () => {
    const made = room();
    const asked: unknown[] = [];
    const get: RoomState["get"] = (type, stateKey) => {
      asked.push(type, stateKey);
      return made.state.get(type, stateKey);
    };
    const state = { ...made.state, get };
    for (const event of [
      { ...made.thirdPartyInvite(alice), sender: 7 },
      { ...made.invited(alice), sender: null },
      made.redeemed({ signed: { ...signed, token: 7 } }),
      made.redeemed({ signed: { ...signed, token: null } }),
    ])
      expect(authorize(event, state, portableCrypto)._tag).toBe("Reject");
    expect(asked.filter((one) => typeof one !== "string")).toEqual([]);
  });
});

describe("TooMuchWork", () => {
  const keys = (count: number): readonly JsonObject[] =>
    Array.from({ length: count }, (_, i) => ({ public_key: written({ publicKey: ephemeralOf(i) }) }));
  const ephemeralOf = (i: number): Uint8Array => {
    const key = Uint8Array.from(ephemeralKey.publicKey);
    key[0] = i;
    key[1] = i >> 8;
    return key;
  };
  const signatures = (count: number): JsonObject => {
    const good = (signed["signatures"] as Record<string, JsonObject>)["id.example:8448"];
    const text = good?.["ed25519:0"];
    const bytes = decodeBase64(typeof text === "string" ? text : "") ?? new Uint8Array();
    return Array.from({ length: count }, (_, i) => i).reduce<JsonObject>((all, i) => {
      const other = Uint8Array.from(bytes);
      other[1] = i;
      return withSignature(all, "id.example", `ed25519:${i}`, other);
    }, signed);
  };

  test("the distinct pairs are counted before any is tried, and a larger budget may be given", () => {
    const made = room("10", { invite: { public_key: inviteContent["public_key"], public_keys: keys(20) } });
    const event = made.redeemed({ signed: signatures(4) });
    const engine = counting(portableCrypto);
    const verdict = authorize(event, made.state, engine);
    expect(verdict._tag).toBe("TooMuchWork");
    const pairs = verdict._tag === "TooMuchWork" ? verdict.pairs : 0;
    expect(pairs).toBeGreaterThan(64);
    expect(engine.calls()).toBe(0);
    expect(authorize(event, made.state, engine, { maxPairs: pairs - 1 })._tag).toBe("TooMuchWork");
    expect(engine.calls()).toBe(0);
    expect(authorize(event, made.state, engine, { maxPairs: pairs })).toEqual({ _tag: "Allow" });
    expect(engine.calls()).toBeLessThanOrEqual(pairs);
  });

  test("the same key and signature a thousand times is one pair", () => {
    const same = Array.from({ length: 1000 }, () => ({ public_key: written(strangeKey) }));
    const made = room("10", { invite: { public_keys: same } });
    const engine = counting(portableCrypto);
    expect(authorize(made.redeemed(), made.state, engine)).toMatchObject({ refusal: { code: "NotProven" } });
    expect(engine.calls()).toBe(1);
  });

  test("is no verdict on events that fail before the signatures", () => {
    const made = room("10", { invite: { public_keys: keys(200) } });
    expect(judge(made, made.redeemed({ signed: signatures(4) }, carol))).toMatchObject({
      refusal: { code: "TokenSenderMismatch" },
    });
  });
});

describe("redaction", () => {
  const redacted = (made: Room, event: EventLike): JsonObject => redact({ ...event }, made.version);

  test.each(versions(1, 10))("version %s: a redacted proven invite is a plain one", (version) => {
    const made = room(version, { inviteSender: carol });
    const event = redacted(made, made.redeemed(undefined, carol));
    expect(event["content"]).toEqual({ membership: "invite" });
    expect(judge(made, event)).toMatchObject({
      refusal: { code: "PowerTooLow", rule: `${numbers[version]?.plain ?? ""}.5` },
    });
  });

  test.each(versions(11))("version %s: signed survives, and so does the proof", (version) => {
    const made = room(version, { inviteSender: carol });
    const event = redacted(made, made.redeemed(undefined, carol));
    expect(event["content"]).toEqual({ membership: "invite", third_party_invite: { signed } });
    expect(judge(made, event)).toEqual({ _tag: "Allow" });
  });

  test.each(versions())("version %s: against a redacted third-party invite the proof fails", (version) => {
    const made = room(version);
    const invite = redacted(made, made.thirdPartyInvite(alice, inviteContent, token));
    expect(invite["content"]).toEqual({});
    const state = [made.state.get("m.room.create", ""), invite].filter((event) => event !== undefined);
    const verdict = authorize(made.redeemed(), roomState(made.roomId, made.version, state), portableCrypto);
    expect(verdict).toMatchObject({ refusal: { code: "NotProven" } });
  });
});

test("a __proto__ member of signed is covered by the signature", () => {
  const odd = JSON.parse(`{"mxid":"${bob}","token":"${token}","__proto__":{"a":1}}`) as JsonObject;
  const good = sign(odd);
  const made = room();
  expect(judge(made, made.redeemed({ signed: good }))).toEqual({ _tag: "Allow" });
  const changed = JSON.parse(JSON.stringify(good).replace('"a":1', '"a":2')) as JsonObject;
  expect(judge(made, made.redeemed({ signed: changed }))._tag).toBe("Reject");
  expect(Object.keys(good)).toContain("__proto__");
});
