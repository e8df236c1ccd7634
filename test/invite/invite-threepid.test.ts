import { describe, expect, test } from "vitest";
import { authorize } from "../../src/invite/authorize.js";
import { emptied } from "../../src/invite/event-templates.js";
import {
  type InviteThreepidCommand,
  type InviteThreepidOutcome,
  inviteThreepid,
  thirdPartyInviteContent,
} from "../../src/invite/invite-threepid.js";
import { type StoredInvite, parseStoredInvite, parseToken } from "../../src/invite/stored-invite.js";
import { portableCrypto } from "../../src/portable/crypto.js";
import {
  type RoomOptions,
  alice,
  carol,
  dave,
  decideOn,
  email,
  ephemeralKey,
  ephemeralUrl,
  inviteContent,
  leftOf,
  longTermKey,
  rightOf,
  room,
  token,
  validityUrl,
  versions,
  written,
} from "./room.js";

const storedInvite: StoredInvite = rightOf(
  parseStoredInvite(
    {
      token,
      display_name: "b...@t...",
      public_key: "not looked at",
      public_keys: [
        { public_key: written(longTermKey), key_validity_url: validityUrl },
        { public_key: written(ephemeralKey, "urlsafe"), key_validity_url: ephemeralUrl },
      ],
    },
    email("bob@two.example"),
  ),
);

const invite: InviteThreepidCommand = { requester: { userId: alice }, storedInvite };

describe.each(versions())("room version %s", (version) => {
  test("an m.room.third_party_invite that the rules allow", () => {
    const made = room(version, { invite: null });
    const outcome = rightOf(decideOn(inviteThreepid, made.state, invite));
    expect(outcome).toEqual({
      _tag: "ThirdPartyInvite",
      token,
      events: [
        {
          type: "m.room.third_party_invite",
          room_id: made.roomId,
          sender: alice,
          state_key: token,
          content: inviteContent,
        },
      ],
      superseded: [],
    });
    for (const event of outcome.events)
      expect(authorize(event, made.state, portableCrypto)).toEqual({ _tag: "Allow" });
  });

  test("not without the power", () => {
    const { state } = room(version, { invite: null });
    expect(
      leftOf(decideOn(inviteThreepid, state, { ...invite, requester: { userId: carol } })),
    ).toMatchObject({
      code: "PowerTooLow",
      status: 403,
    });
  });
});

describe("the content", () => {
  const content = thirdPartyInviteContent(storedInvite);

  test("display_name as the identity server gave it", () => {
    expect(content["display_name"]).toBe("b...@t...");
  });

  test("the first key with its URL again at the top level", () => {
    expect(content["public_key"]).toBe(written(longTermKey));
    expect(content["key_validity_url"]).toBe(validityUrl);
  });

  test("all keys, exactly as written, each with its URL", () => {
    expect(content["public_keys"]).toEqual([
      { public_key: written(longTermKey), key_validity_url: validityUrl },
      { public_key: written(ephemeralKey, "urlsafe"), key_validity_url: ephemeralUrl },
    ]);
  });

  test("those four members and no others", () => {
    expect(Object.keys(content).sort()).toEqual([
      "display_name",
      "key_validity_url",
      "public_key",
      "public_keys",
    ]);
  });
});

describe("the token is in the room already", () => {
  const inviteIn = (options: RoomOptions) => decideOn(inviteThreepid, room("10", options).state, invite);

  test("the very event, ours → pending already, whatever the order of its members", () => {
    const reversed = Object.fromEntries(Object.entries(inviteContent).reverse());
    expect(rightOf(inviteIn({ invite: reversed }))).toEqual({ _tag: "AlreadyPending", token, events: [] });
  });

  test("emptied by us → written anew where the invite had the token before, else overtaken", () => {
    const { state } = room("10", { invite: {} });
    expect(rightOf(decideOn(inviteThreepid, state, { ...invite, isRepeated: true }))).toMatchObject({
      _tag: "ThirdPartyInvite",
      events: [{ state_key: token, content: inviteContent }],
    });
    expect(leftOf(decideOn(inviteThreepid, state, invite)).code).toBe("TokenTaken");
  });

  test("ours with other content → refused", () => {
    expect(leftOf(inviteIn({ invite: { ...inviteContent, display_name: "x" } }))).toMatchObject({
      code: "TokenTaken",
      errcode: "M_SERVER_NOT_TRUSTED",
      status: 403,
    });
  });

  test.each([
    ["pending", inviteContent],
    ["emptied", {}],
  ])("another inviter's, %s → invited already", (_name, content) => {
    const { state } = room("10", { inviteSender: carol, invite: content });
    for (const isRepeated of [false, true])
      expect(leftOf(decideOn(inviteThreepid, state, { ...invite, isRepeated }))).toMatchObject({
        code: "InvitedAlready",
        errcode: "M_UNKNOWN",
        status: 409,
      });
  });
});

describe("a resend: the earlier token is emptied", () => {
  const old = rightOf(parseToken("old"));
  const earlier = (sender: string, content: Record<string, unknown>): RoomOptions => {
    const { event } = room();
    return { invite: null, more: [event("m.room.third_party_invite", sender, "old", content)] };
  };
  const resend = (options: RoomOptions, supersedes = [old]): InviteThreepidOutcome =>
    rightOf(decideOn(inviteThreepid, room("10", options).state, { ...invite, supersedes }));
  const events = (options: RoomOptions): unknown => {
    const outcome = resend(options);
    return outcome._tag === "ThirdPartyInvite"
      ? outcome.events.map((event) => [event.state_key, event.content])
      : outcome;
  };

  test("ours and not empty", () => {
    expect(events(earlier(alice, { public_key: "x" }))).toEqual([
      [token, inviteContent],
      ["old", {}],
    ]);
  });

  test.each([
    ["somebody else's", earlier(dave, { public_key: "x" })],
    ["empty already", earlier(alice, {})],
    ["not there", { invite: null }],
  ])("%s → left alone", (_name, options) => {
    expect(events(options)).toEqual([[token, inviteContent]]);
  });

  test("those that the room has are named as superseded; the new one is never its own predecessor", () => {
    const names = [storedInvite.token, old, rightOf(parseToken("absent"))];
    for (const options of [earlier(alice, { public_key: "x" }), earlier(dave, { public_key: "x" })])
      expect(resend(options, names)).toMatchObject({ superseded: ["old"] });
  });

  test("emptied is {} under the token", () => {
    const made = room();
    expect(emptied(made.state, alice, "t")).toEqual({
      type: "m.room.third_party_invite",
      room_id: made.roomId,
      sender: alice,
      state_key: "t",
      content: {},
    });
  });
});
