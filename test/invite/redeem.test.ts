import type { Either } from "fp-ts/lib/Either.js";
import { describe, expect, test } from "vitest";
import { authorize } from "../../src/invite/authorize.js";
import type { DecisionContext } from "../../src/invite/decision.js";
import { type RedeemCommand, type RedeemOutcome, redeem } from "../../src/invite/redeem.js";
import { parseSigned } from "../../src/invite/signed.js";
import type { JsonObject } from "../../src/matrix/json.js";
import { nodeCrypto } from "../../src/node/crypto.js";
import { portableCrypto } from "../../src/portable/crypto.js";
import type { Refusal } from "../../src/refusal.js";
import {
  type Room,
  type RoomOptions,
  alice,
  bob,
  carol,
  codeOf,
  counting,
  dave,
  decideOn,
  ephemeralKey,
  ephemeralUrl,
  inviteContent,
  leftOf,
  longTermKey,
  numbers,
  rightOf,
  room,
  sign,
  signed,
  strangeKey,
  token,
  versions,
  written,
} from "./room.js";

type Records = NonNullable<RedeemCommand["records"]>;

const redeemIn = (
  made: Room,
  value: JsonObject = signed,
  records: Records = [],
  context: Partial<DecisionContext> = {},
): Either<Refusal, RedeemOutcome> =>
  decideOn(redeem, made.state, { signed: rightOf(parseSigned(value)), records }, context);

const contentOf = (made: Room, value?: JsonObject, records?: Records): unknown => {
  const outcome = rightOf(redeemIn(made, value, records));
  return outcome._tag === "Redeem" ? outcome.events[0].content : outcome;
};

describe.each(versions())("room version %s", (version) => {
  const proven = numbers[version]?.proven ?? "";

  test("the member event, which the rules allow", () => {
    const made = room(version);
    const outcome = rightOf(redeemIn(made));
    expect(outcome).toMatchObject({
      _tag: "Redeem",
      events: [
        {
          type: "m.room.member",
          room_id: made.roomId,
          sender: alice,
          state_key: bob,
          content: { membership: "invite", third_party_invite: { display_name: "b...@t...", signed } },
        },
      ],
    });
    if (outcome._tag !== "Redeem") return;
    for (const engine of [nodeCrypto, portableCrypto])
      expect(authorize(outcome.events[0], made.state, engine)).toEqual({ _tag: "Allow" });
  });

  test.each<[string, RoomOptions, string, string | undefined]>([
    ["banned", { members: { [bob]: "ban" } }, "TargetBanned", `${proven}.1`],
    ["no such token", { invite: null }, "TokenUnknown", `${proven}.5`],
    ["emptied", { invite: {} }, "InviteRevoked", `${proven}.8`],
    ["only a name left", { invite: { display_name: "x" } }, "InviteRevoked", `${proven}.8`],
    ["another key", { invite: { public_key: written(strangeKey) } }, "NotProven", `${proven}.8`],
    [
      "the inviter's server is shut out",
      { create: { "m.federate": false }, inviteSender: dave },
      "NotFederated",
      numbers[version]?.federate,
    ],
    [
      "the invitee's server is shut out",
      { create: { "m.federate": false } },
      "TargetNotFederated",
      undefined,
    ],
    ["no create event", { noCreate: true }, "NoCreateEvent", numbers[version]?.create],
  ])("%s", (_name, options, code, rule) => {
    const refusal = leftOf(redeemIn(room(version, options)));
    expect(refusal).toMatchObject({ code, errcode: "M_FORBIDDEN", status: 403 });
    expect(refusal.rule).toBe(rule);
  });
});

describe("the inviter's membership is not asked for", () => {
  test.each(["leave", "ban"])("inviter %s", (membership) => {
    const made = room("10", { members: { [carol]: membership }, inviteSender: carol });
    const outcome = rightOf(redeemIn(made));
    expect(outcome).toMatchObject({ _tag: "Redeem", events: [{ sender: carol }] });
    if (outcome._tag === "Redeem")
      expect(authorize(outcome.events[0], made.state, portableCrypto)._tag).toBe("Allow");
  });
});

describe("where the user stands", () => {
  test("joined: never thrown out, whatever the proof", () => {
    const made = room("10", { members: { [bob]: "join" } });
    expect(rightOf(redeemIn(made))).toEqual({ _tag: "AlreadyJoined", events: [] });
    expect(rightOf(redeemIn(room("10", { members: { [bob]: "join" }, invite: null })))).toEqual({
      _tag: "AlreadyJoined",
      events: [],
    });
  });

  test("invited by this very token: nothing to do", () => {
    const { redeemed } = room();
    expect(rightOf(redeemIn(room("10", { more: [redeemed()] })))).toEqual({
      _tag: "AlreadyInvited",
      sender: alice,
      events: [],
    });
  });

  test("invited plainly, or by another token: redeemed all the same", () => {
    const { invited, redeemed } = room();
    const other = redeemed({ signed: sign({ mxid: bob, token: "other" }) });
    for (const event of [invited(alice), other])
      expect(rightOf(redeemIn(room("10", { more: [event] })))._tag).toBe("Redeem");
  });

  test.each(["leave", "knock"])("%s: invited", (membership) => {
    expect(rightOf(redeemIn(room("10", { members: { [bob]: membership } })))._tag).toBe("Redeem");
  });

  test("left after this very token: invited again", () => {
    const { event } = room();
    const left = event("m.room.member", bob, bob, { membership: "leave", third_party_invite: { signed } });
    expect(rightOf(redeemIn(room("10", { more: [left] })))._tag).toBe("Redeem");
  });
});

describe("all of signed is carried through", () => {
  test("sender of sign-ed25519, and anything else that was signed", () => {
    const value = sign({ mxid: bob, token, sender: carol, more: { b: 1, a: [null] } }, ephemeralKey);
    expect(contentOf(room(), value)).toEqual({
      membership: "invite",
      third_party_invite: { display_name: "b...@t...", signed: value },
    });
  });
});

describe("what the room's own event says", () => {
  test.each([{ display_name: 7 }, { display_name: undefined }])(
    "no name there, %j: an empty one",
    (change) => {
      const content = { ...inviteContent, ...change };
      expect(contentOf(room("10", { invite: content }))).toEqual({
        membership: "invite",
        third_party_invite: { display_name: "", signed },
      });
    },
  );

  test("the sender is the event's, not signed.sender", () => {
    const value = sign({ mxid: bob, token, sender: carol });
    expect(rightOf(redeemIn(room(), value))).toMatchObject({ events: [{ sender: alice }] });
  });
});

describe("what was said when the invite was asked for", () => {
  const details = { isDirect: true, reason: "hi" };
  const plain = { membership: "invite", third_party_invite: { display_name: "b...@t...", signed } };

  test("goes in beside the proof", () => {
    expect(contentOf(room(), signed, [{ sender: alice, details }])).toEqual({
      ...plain,
      is_direct: true,
      reason: "hi",
    });
  });

  test("only what the sender of the room's event said, whoever else has stored an invite with this token", () => {
    const others = [carol, bob].map((sender) => ({ sender, details: { reason: "not this" } }));
    expect(contentOf(room(), signed, others)).toEqual(plain);
    expect(contentOf(room(), signed, [...others, { sender: alice, details }])).toMatchObject({
      reason: "hi",
    });
  });
});

describe("the keys to ask after", () => {
  test("are those that signed", () => {
    const outcome = rightOf(redeemIn(room(), sign({ mxid: bob, token }, ephemeralKey)));
    expect(outcome).toMatchObject({
      keys: [{ publicKey: written(ephemeralKey, "urlsafe"), validity: { _tag: "Ask", url: ephemeralUrl } }],
    });
  });
});

test("more pairs than the budget: the maker refuses, and tries none", () => {
  const engine = counting(portableCrypto);
  const refusal = leftOf(redeemIn(room(), signed, [], { crypto: engine, maxPairs: 1 }));
  expect(refusal).toMatchObject({ code: "TooManyPairs", status: 403 });
  expect(refusal.message).toMatch(/There are 2\.$/);
  expect(engine.calls()).toBe(0);
});

test("an invite whose sender is no text is none", () => {
  const { event } = room();
  const odd = { ...event("m.room.third_party_invite", alice, token, inviteContent), sender: 7 };
  expect(codeOf(redeemIn(room("10", { invite: null, more: [odd] })))).toBe("TokenUnknown");
});

describe("what goes into the event is only what the proof covers", () => {
  const withMore = (value: JsonObject, more: unknown): JsonObject => ({
    ...value,
    signatures: { ...(value["signatures"] as JsonObject), ...(more as JsonObject) },
  });
  const signedOf = (value: JsonObject, version = "10"): unknown => {
    const outcome = rightOf(redeemIn(room(version), value));
    return outcome._tag === "Redeem" ? outcome.events[0].content["third_party_invite"] : outcome;
  };

  const byNobody = Object.values(sign({ mxid: bob, token }, strangeKey)["signatures"] as JsonObject)[0];

  test.each([
    ["a number that canonical JSON lacks", withMore(signed, { x: 0.5 })],
    ["a malformed block", withMore(signed, { "a.example": null })],
    ["a signature of nobody the room knows", withMore(signed, { "b.example": byNobody })],
    ["an unsigned member", { ...signed, unsigned: { x: "x".repeat(60_000) } }],
  ])("%s does not", (_name, value) => {
    expect(signedOf(value)).toMatchObject({ signed: { signatures: signed["signatures"] } });
    expect(JSON.stringify(signedOf(value))).toBe(JSON.stringify(signedOf(signed)));
  });

  test("every member that is signed does", () => {
    const more = sign({ mxid: bob, token, sender: alice, ["__proto__"]: "own", z: [1] }, ephemeralKey);
    expect(signedOf(more)).toMatchObject({ signed: more });
  });

  test("what is signed may fill the 60,000 bytes that an event's builder leaves, and no more", () => {
    const filled = (bytes: number): JsonObject => sign({ mxid: bob, token, x: "x".repeat(bytes) });
    const rest = 60_000 - Buffer.byteLength(JSON.stringify(contentOf(room(), filled(0))));
    expect(codeOf(redeemIn(room(), filled(rest)))).toBeUndefined();
    expect(leftOf(redeemIn(room(), filled(rest + 1)))).toMatchObject({
      code: "EventTooLarge",
      errcode: "M_TOO_LARGE",
      status: 413,
    });
  });

  test("a signed number that canonical JSON lacks is none too large before version 6", () => {
    const odd = sign({ mxid: bob, token, x: 0.5 }, longTermKey, "any");
    expect(signedOf(odd, "5")).toMatchObject({ signed: odd });
  });

  test("what is signed and too large for an event is refused", () => {
    const large = sign({ mxid: bob, token, x: "x".repeat(70_000) }, ephemeralKey);
    const engine = counting(portableCrypto);
    const proof = { mxid: bob, token, json: large };
    const refusal = leftOf(decideOn(redeem, room("10").state, { signed: proof }, { crypto: engine }));
    expect(refusal).toMatchObject({ code: "SignedTooLarge", status: 403 });
    expect(engine.calls()).toBe(0);
  });
});
