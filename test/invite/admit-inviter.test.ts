import { describe, expect, test } from "vitest";
import { admitInviter } from "../../src/invite/admit-inviter.js";
import type { EventLike } from "../../src/matrix/event.js";
import type { JsonObject } from "../../src/matrix/json.js";
import { type RoomOptions, alice, carol, codeOf, decideOn, rightOf, room, versions } from "./room.js";

const { event } = room();
const about = (type: string, content: JsonObject): EventLike => event(type, alice, "", content);
const mailIn = (options: RoomOptions): unknown =>
  rightOf(decideOn(admitInviter, room("10", options).state, { userId: alice })).mail;

describe.each(versions())("room version %s", (version) => {
  test("who may invite is admitted, and no event is appended", () => {
    expect(rightOf(decideOn(admitInviter, room(version).state, { userId: alice }))).toEqual({
      _tag: "Admitted",
      events: [],
      mail: {},
    });
  });

  test("others are refused", () => {
    const { state } = room(version);
    expect(codeOf(decideOn(admitInviter, state, { userId: carol }))).toBe("PowerTooLow");
    expect(codeOf(decideOn(admitInviter, state, { userId: alice, isGuest: true }))).toBe("GuestForbidden");
  });
});

describe("what the mail shows", () => {
  test("all that the room's state has of it", () => {
    const more = [
      about("m.room.canonical_alias", { alias: "#town:one.example" }),
      about("m.room.avatar", { url: "mxc://one.example/town" }),
      about("m.room.join_rules", { join_rule: "knock" }),
      about("m.room.name", { name: "The town" }),
      event("m.room.member", alice, alice, {
        membership: "join",
        displayname: "Alice",
        avatar_url: "mxc://one.example/alice",
      }),
    ];
    expect(mailIn({ create: { type: "m.space" }, more })).toEqual({
      room_alias: "#town:one.example",
      room_avatar_url: "mxc://one.example/town",
      room_join_rules: "knock",
      room_name: "The town",
      room_type: "m.space",
      sender_display_name: "Alice",
      sender_avatar_url: "mxc://one.example/alice",
    });
  });

  test.each<[string, string, JsonObject]>([
    ["an alias that is none", "m.room.canonical_alias", { alias: "town:one.example" }],
    ["an avatar elsewhere", "m.room.avatar", { url: "https://one.example/town.png" }],
    ["an empty name", "m.room.name", { name: "" }],
    ["a name that is no text", "m.room.name", { name: 7 }],
    ["no join rule", "m.room.join_rules", {}],
  ])("not %s", (_name, type, content) => {
    expect(mailIn({ more: [about(type, content)] })).toEqual({});
  });

  test("not the sender's avatar elsewhere, nor a name that is no text", () => {
    const odd = { membership: "join", displayname: ["Alice"], avatar_url: "https://one.example/a.png" };
    expect(mailIn({ more: [event("m.room.member", alice, alice, odd)] })).toEqual({});
  });

  test("not what stands under another state key", () => {
    expect(mailIn({ more: [event("m.room.name", alice, "x", { name: "The town" })] })).toEqual({});
  });
});
