import { describe, expect, test } from "vitest";
import { firstJoin } from "../../src/invite/first-join.js";
import type { RoomState } from "../../src/matrix/room-state.js";
import { portableCrypto } from "../../src/portable/crypto.js";
import {
  type RoomOptions,
  alice,
  bob,
  counting,
  ephemeralKey,
  ephemeralUrl,
  leftOf,
  rightOf,
  room,
  sign,
  signed,
  strangeKey,
  token,
  versions,
  written,
} from "./room.js";

const nothing = { _tag: "NothingToCheck" };

describe.each(versions())("firstJoin in room version %s", (version) => {
  const { redeemed, invited, event } = room(version);
  const ask = (options: RoomOptions): unknown =>
    rightOf(firstJoin(room(version, options).state, bob, portableCrypto));

  test("invited by a proof: the keys that signed are asked after", () => {
    expect(ask({ more: [redeemed({ signed: sign({ mxid: bob, token }, ephemeralKey) })] })).toEqual({
      _tag: "CheckKeys",
      keys: [{ publicKey: written(ephemeralKey, "urlsafe"), validity: { _tag: "Ask", url: ephemeralUrl } }],
    });
  });

  test.each<[string, RoomOptions]>([
    ["not invited", {}],
    ["invited plainly", { more: [invited(alice)] }],
    [
      "joined already",
      { more: [event("m.room.member", bob, bob, { membership: "join", third_party_invite: { signed } })] },
    ],
    [
      "left",
      { more: [event("m.room.member", bob, bob, { membership: "leave", third_party_invite: { signed } })] },
    ],
    ["the third-party invite is gone", { invite: null, more: [redeemed()] }],
    ["it has been emptied since", { invite: {}, more: [redeemed()] }],
    ["its keys have changed", { invite: { public_key: written(strangeKey) }, more: [redeemed()] }],
    ["third_party_invite null", { more: [redeemed(null)] }],
    ["signed no object", { more: [redeemed({ signed: [] })] }],
    ["token no text", { more: [redeemed({ signed: { ...signed, token: 7 } })] }],
  ])("%s: nothing to check", (_name, options) => {
    expect(ask(options)).toEqual(nothing);
  });
});

test("the host's view of the state is asked for no token that is no text", () => {
  const { state } = room("10", { more: [room().redeemed({ signed: { ...signed, token: 7 } })] });
  const asked: unknown[] = [];
  const get: RoomState["get"] = (type, stateKey) => {
    asked.push(stateKey);
    return state.get(type, stateKey);
  };
  expect(rightOf(firstJoin({ ...state, get }, bob, portableCrypto))).toEqual(nothing);
  expect(asked.filter((one) => typeof one !== "string")).toEqual([]);
});

test("more pairs than the budget: refused, and none is tried", () => {
  const engine = counting(portableCrypto);
  const { state } = room("10", { more: [room().redeemed()] });
  const refusal = leftOf(firstJoin(state, bob, engine, 1));
  expect(refusal).toMatchObject({ code: "TooManyPairs", status: 403 });
  expect(refusal.message).toMatch(/There are 2\.$/);
  expect(engine.calls()).toBe(0);
});
