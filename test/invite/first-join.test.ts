import { type Either, right } from "fp-ts/lib/Either.js";
import { describe, expect, test } from "vitest";
import type { DecisionContext } from "../../src/invite/decision.js";
import { type FirstJoinOutcome, firstJoin, firstJoinToken } from "../../src/invite/first-join.js";
import type { RoomState } from "../../src/matrix/room-state.js";
import { portableCrypto } from "../../src/portable/crypto.js";
import type { Refusal } from "../../src/refusal.js";
import {
  type RoomOptions,
  alice,
  bob,
  counting,
  decideOn,
  ephemeralKey,
  ephemeralUrl,
  inviteContent,
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

const nothing = { _tag: "NothingToCheck", events: [] };

/** Both decisions, one after the other, as a flow makes them. */
const firstJoinOf = (
  state: RoomState,
  context: Partial<DecisionContext> = {},
): Either<Refusal, FirstJoinOutcome> => {
  const found = rightOf(decideOn(firstJoinToken, state, { userId: bob }, context));
  return found._tag === "CheckToken"
    ? decideOn(firstJoin, state, { userId: bob, token: found.token }, context)
    : right(found);
};

describe.each(versions())("firstJoin in room version %s", (version) => {
  const { redeemed, invited, event } = room(version);
  const ask = (options: RoomOptions): unknown => rightOf(firstJoinOf(room(version, options).state));

  test("invited by a proof: the keys that signed are asked after", () => {
    expect(ask({ more: [redeemed({ signed: sign({ mxid: bob, token }, ephemeralKey) })] })).toEqual({
      _tag: "CheckKeys",
      keys: [{ publicKey: written(ephemeralKey, "urlsafe"), validity: { _tag: "Ask", url: ephemeralUrl } }],
      events: [],
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
  expect(rightOf(firstJoinOf({ ...state, get }))).toEqual(nothing);
  expect(asked.filter((one) => typeof one !== "string")).toEqual([]);
});

test("more pairs than the budget: refused, and none is tried", () => {
  const engine = counting(portableCrypto);
  const { state } = room("10", { more: [room().redeemed()] });
  const refusal = leftOf(firstJoinOf(state, { crypto: engine, maxPairs: 1 }));
  expect(refusal).toMatchObject({ code: "TooManyPairs", status: 403 });
  expect(refusal.message).toMatch(/There are 2\.$/);
  expect(engine.calls()).toBe(0);
});

describe("by which token a user is invited", () => {
  const tokenOf = (more: RoomOptions["more"] = []) =>
    rightOf(decideOn(firstJoinToken, room("10", { more }).state, { userId: bob }));

  test("that of the proof in their member event, whether the room has the token's event or not", () => {
    expect(tokenOf([room().redeemed()])).toEqual({ _tag: "CheckToken", token, events: [] });
    const other = room().redeemed({ signed: sign({ mxid: bob, token: "other" }) });
    expect(tokenOf([other])).toEqual({ _tag: "CheckToken", token: "other", events: [] });
  });

  test("none who is not invited, or invited plainly", () => {
    expect(tokenOf()).toEqual(nothing);
    expect(tokenOf([room().invited(alice)])).toEqual(nothing);
  });

  test("a user who is invited by another token since, or no longer: nothing to check", () => {
    const other = room().thirdPartyInvite(alice, inviteContent, "other");
    const { state } = room("10", { more: [room().redeemed(), other] });
    expect(rightOf(decideOn(firstJoin, state, { userId: bob, token }))._tag).toBe("CheckKeys");
    expect(rightOf(decideOn(firstJoin, state, { userId: bob, token: "other" }))).toEqual(nothing);
    expect(rightOf(decideOn(firstJoin, room().state, { userId: bob, token }))).toEqual(nothing);
  });
});
