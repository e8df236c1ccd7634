import { describe, expect, test } from "vitest";
import { selectAuthEvents } from "../../src/invite/select-auth-events.js";
import type { JsonObject } from "../../src/matrix/json.js";
import { alice, bob, carol, inviteContent, room, signed, token, versionOf, versions } from "./room.js";

type Place = readonly [type: string, stateKey: string];

const places = (version: string, event: object): readonly Place[] =>
  selectAuthEvents(event, versionOf(version)).map(({ type, stateKey }): Place => [type, stateKey]);

const create: Place = ["m.room.create", ""];
const levels: Place = ["m.room.power_levels", ""];
const joinRules: Place = ["m.room.join_rules", ""];
const invite: Place = ["m.room.third_party_invite", token];
const of = (user: string): Place => ["m.room.member", user];

describe.each(versions())("room version %s", (version) => {
  const { event, redeemed, invited, thirdPartyInvite } = room(version);
  const member = (membership: unknown, more: JsonObject = {}, sender: string = bob): object =>
    event("m.room.member", sender, bob, { membership, ...more });
  const first = version === "12" ? [] : [create];
  const sorted = (list: readonly Place[]): readonly string[] =>
    list.map((place) => JSON.stringify(place)).sort();
  const expectPlaces = (made: object, ...expected: readonly Place[]): void => {
    expect(sorted(places(version, made))).toEqual(sorted([...first, ...expected]));
  };

  test("a create event names nothing", () => {
    expect(places(version, event("m.room.create", alice, "", {}))).toEqual([]);
  });

  test("the create event before version 12, never from then on", () => {
    expect(sorted(places(version, thirdPartyInvite(alice))).includes(JSON.stringify(create))).toBe(
      version !== "12",
    );
  });

  test("a third-party invite names the power levels and its sender", () => {
    expectPlaces(thirdPartyInvite(alice), levels, of(alice));
  });

  test("a plain invite names the target and the join rules too", () => {
    expectPlaces(invited(alice), levels, of(alice), of(bob), joinRules);
  });

  test("a proven invite names the third-party invite too", () => {
    expectPlaces(redeemed(), levels, of(alice), of(bob), joinRules, invite);
  });

  test.each(["join", "knock"])("a %s names the join rules, but no token", (membership) => {
    expectPlaces(member(membership, { third_party_invite: { signed } }), levels, of(bob), joinRules);
  });

  test.each(["leave", "ban", "x", undefined, null, 7])("%j does not name the join rules", (membership) => {
    expectPlaces(member(membership, { third_party_invite: { signed } }, alice), levels, of(alice), of(bob));
  });

  test("a join names whoever authorised it, from version 8 on", () => {
    const authorised = Number(version) >= 8 ? [of(carol)] : [];
    const more = { join_authorised_via_users_server: carol };
    expectPlaces(member("join", more), levels, of(bob), joinRules, ...authorised);
    expectPlaces(invited(alice, bob, more), levels, of(alice), of(bob), joinRules);
  });

  test("ten at most", () => {
    expect(places(version, redeemed()).length).toBeLessThanOrEqual(10);
  });

  test.each([
    null,
    {},
    { signed: null },
    { signed: {} },
    { signed: { token: 7 } },
    { signed: { token: [token] } },
  ])("without a token that is a text there is none to name: %j", (value) => {
    expectPlaces(redeemed(value), levels, of(alice), of(bob), joinRules);
  });

  test("of oneself no place comes twice", () => {
    expectPlaces(redeemed(undefined, bob), levels, of(bob), joinRules, invite);
    expectPlaces(member("join", { join_authorised_via_users_server: bob }), levels, of(bob), joinRules);
  });

  test("other events name the power levels and their sender", () => {
    expectPlaces(event("m.room.name", alice, "", { membership: "invite" }), levels, of(alice));
    expectPlaces({ ...thirdPartyInvite(alice), content: inviteContent, state_key: bob }, levels, of(alice));
  });

  test("a sender or target that is no text names nobody", () => {
    expectPlaces({ ...redeemed(), sender: null, state_key: 7 }, levels, joinRules, invite);
  });
});

test.each([null, undefined, 7, "x", []])("an event that is none (%j) names nothing", (value) => {
  expect(selectAuthEvents(value as never, versionOf("10"))).toEqual([]);
});
