import type { Either } from "fp-ts/lib/Either.js";
import { describe, expect, test } from "vitest";
import { checkExchange, exchange, exchangeBody } from "../../src/invite/exchange.js";
import type { RedeemOutcome } from "../../src/invite/redeem.js";
import { nodeCrypto } from "../../src/node/crypto.js";
import type { Refusal } from "../../src/refusal.js";
import {
  type RoomOptions,
  alice,
  bob,
  carol,
  codeOf,
  dave,
  decideOn,
  leftOf,
  longTermKey,
  numbers,
  rightOf,
  room,
  sign,
  signed,
  token,
  validityUrl,
  versions,
  written,
} from "./room.js";

const { roomId } = room();
const request = { roomId, origin: "two.example" };
const body = {
  type: "m.room.member",
  room_id: roomId,
  sender: alice,
  state_key: bob,
  content: { membership: "invite", third_party_invite: { display_name: "alice", signed } },
};
const check = (change: object = {}): ReturnType<typeof checkExchange> =>
  checkExchange({ ...body, ...change }, request);

describe("the body", () => {
  test("honest", () => {
    expect(rightOf(check())).toEqual({ roomId, sender: alice, signed: { mxid: bob, token, json: signed } });
  });

  test("display_name may be missing, or anything", () => {
    for (const display_name of [undefined, null, 7])
      expect(
        codeOf(check({ content: { membership: "invite", third_party_invite: { display_name, signed } } })),
      ).toBe(undefined);
  });

  test.each([undefined, null, 7, "x", []])("%j is no body", (value) => {
    expect(leftOf(checkExchange(value, request))).toMatchObject({ code: "BodyNotObject", status: 400 });
  });

  const proven = (value: unknown, membership: unknown = "invite"): object => ({
    content: { membership, third_party_invite: { signed: value } },
  });

  test.each<[object, string]>([
    [{ type: "m.room.third_party_invite" }, "FieldMalformed"],
    [{ type: undefined }, "FieldMalformed"],
    [{ room_id: "!other:one.example" }, "FieldMalformed"],
    [{ room_id: undefined }, "FieldMalformed"],
    [{ sender: "alice" }, "FieldMalformed"],
    [{ sender: undefined }, "FieldMalformed"],
    [{ content: undefined }, "FieldMalformed"],
    [proven(signed, "join"), "FieldMalformed"],
    [proven(signed, null), "FieldMalformed"],
    [{ content: { membership: "invite" } }, "NoSigned"],
    [{ content: { membership: "invite", third_party_invite: null } }, "NoSigned"],
    [proven(null), "NoSigned"],
    [proven({}), "NoMxidOrToken"],
    [proven({ ...signed, signatures: null }), "NotProven"],
    [{ state_key: carol }, "MxidMismatch"],
    [{ state_key: undefined }, "MxidMismatch"],
  ])("%j → %s", (change, code) => {
    expect(codeOf(check(change))).toBe(code);
  });

  test.each<[object, string]>([
    [{ type: undefined }, "type"],
    [{ room_id: undefined }, "room_id"],
    [{ sender: undefined }, "sender"],
    [proven(signed, null), "content.membership"],
  ])("%j is refused by the name of the field", (change, field) => {
    expect(leftOf(check(change)).message.split(" ").at(-1)).toBe(field);
  });

  test("the specification's own example is refused", () => {
    const example = {
      ...body,
      state_key: "@someone:example.org",
      content: {
        membership: "invite",
        third_party_invite: { display_name: "alice", signed: { ...signed, mxid: "@alice:localhost" } },
      },
    };
    expect(leftOf(checkExchange(example, { roomId, origin: "example.org" }))).toMatchObject({
      code: "MxidMismatch",
      status: 403,
    });
  });

  test("only the user's own server may ask", () => {
    expect(leftOf(checkExchange(body, { roomId, origin: "three.example" }))).toMatchObject({
      code: "OriginMismatch",
      status: 403,
    });
  });
});

describe.each(versions())("room version %s: what is decided", (version) => {
  const decideIn = (
    options: RoomOptions = {},
    change: object = {},
    serverName = "one.example",
  ): Either<Refusal, RedeemOutcome> => {
    const made = room(version, options);
    const at = { roomId: made.roomId, origin: "two.example" };
    const checked = rightOf(checkExchange({ ...body, room_id: made.roomId, ...change }, at));
    return decideOn(exchange, made.state, checked, { serverName, crypto: nodeCrypto });
  };
  const proven = numbers[version]?.proven ?? "";

  test("the event is rebuilt, the name is the room's", () => {
    expect(rightOf(decideIn())).toMatchObject({
      _tag: "Redeem",
      events: [
        {
          type: "m.room.member",
          sender: alice,
          state_key: bob,
          content: { membership: "invite", third_party_invite: { display_name: "b...@t...", signed } },
        },
      ],
    });
  });

  test("nothing of the request goes through but signed", () => {
    const odd = {
      ...body.content,
      reason: "x",
      is_direct: true,
      displayname: "Bob",
      third_party_invite: { display_name: "evil", signed, more: 1 },
    };
    const outcome = rightOf(decideIn({}, { content: odd, depth: 9, auth_events: ["$x"] }));
    expect(outcome._tag === "Redeem" ? Object.keys(outcome.events[0]).sort() : []).toEqual([
      "content",
      "room_id",
      "sender",
      "state_key",
      "type",
    ]);
    expect(outcome._tag === "Redeem" ? outcome.events[0].content : undefined).toEqual({
      membership: "invite",
      third_party_invite: { display_name: "b...@t...", signed },
    });
  });

  test("the key that signed is named with the room's URL for it", () => {
    expect(rightOf(decideIn())).toMatchObject({
      keys: [
        { publicKey: written(longTermKey), validity: { _tag: "Ask", url: validityUrl } },
        { publicKey: written(longTermKey), validity: { _tag: "Ask", url: validityUrl } },
      ],
    });
  });

  test("nothing to append for who is in, or invited by this very token", () => {
    expect(rightOf(decideIn({ members: { [bob]: "join" } }))).toEqual({ _tag: "AlreadyJoined", events: [] });
    expect(rightOf(decideIn({ more: [room(version).redeemed()] }))).toEqual({
      _tag: "AlreadyInvited",
      sender: alice,
      events: [],
    });
  });

  test.each<[string, RoomOptions, object, string, string | undefined]>([
    ["unknown token", { invite: null }, {}, "TokenUnknown", `${proven}.5`],
    ["revoked", { invite: {} }, {}, "InviteRevoked", `${proven}.8`],
    ["banned", { members: { [bob]: "ban" } }, {}, "TargetBanned", `${proven}.1`],
    ["the invite is of another server's user", { inviteSender: dave }, {}, "SenderNotLocal", undefined],
    [
      "the invite is another's than was said",
      { inviteSender: carol },
      {},
      "TokenSenderMismatch",
      `${proven}.6`,
    ],
    [
      "not proven",
      {},
      { content: { membership: "invite", third_party_invite: { signed: { ...signed, signatures: {} } } } },
      "NotProven",
      `${proven}.8`,
    ],
  ])("%s: 403", (_name, options, change, code, rule) => {
    const refusal = leftOf(decideIn(options, change));
    expect(refusal).toMatchObject({ code, errcode: "M_FORBIDDEN", status: 403 });
    expect(refusal.rule).toBe(rule);
  });

  test("an invite whose sender is no text is nobody's of this server", () => {
    const made = room(version);
    const odd = { ...made.event("m.room.third_party_invite", alice, token, {}), sender: 7 };
    expect(codeOf(decideIn({ more: [odd] }))).toBe("SenderNotLocal");
  });

  test("the inviter may have left", () => {
    expect(rightOf(decideIn({ members: { [alice]: "leave" } }))._tag).toBe("Redeem");
  });
});

test("what we ask another server passes its own check, with sender in signed or not", () => {
  for (const value of [signed, sign({ mxid: bob, token, sender: alice })]) {
    const asked = rightOf(
      check({ content: { membership: "invite", third_party_invite: { signed: value } } }),
    );
    expect(rightOf(checkExchange(exchangeBody(asked), request))).toEqual(asked);
    expect(exchangeBody(asked)["content"]).toEqual({
      membership: "invite",
      third_party_invite: { signed: value },
    });
  }
});
