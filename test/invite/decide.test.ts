import { describe, expect, test } from "vitest";
import { authorize } from "../../src/invite/authorize.js";
import {
  type Invitee,
  admitTarget,
  decide,
  emptied,
  thirdPartyInviteContent,
} from "../../src/invite/decide.js";
import { type MintedInvite, parseMintedInvite, parseToken } from "../../src/invite/minted.js";
import { portableCrypto } from "../../src/portable/crypto.js";
import {
  type RoomOptions,
  alice,
  bob,
  carol,
  codeOf,
  dave,
  email,
  ephemeralKey,
  ephemeralUrl,
  inviteContent,
  leftOf,
  longTermKey,
  numbers,
  rightOf,
  room,
  token,
  userId,
  validityUrl,
  versions,
  written,
} from "./room.js";

const minted: MintedInvite = rightOf(
  parseMintedInvite(
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

const unbound: Invitee = { _tag: "Unbound", minted };
const bound: Invitee = { _tag: "Bound", userId: bob };

describe.each(versions())("room version %s", (version) => {
  const rule = numbers[version]?.plain ?? "";

  test("nobody is behind it → an m.room.third_party_invite that the rules allow", () => {
    const made = room(version, { invite: null });
    const outcome = rightOf(decide(made.state, { userId: alice }, unbound));
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
    if (outcome._tag === "ThirdPartyInvite")
      for (const event of outcome.events)
        expect(authorize(event, made.state, portableCrypto)).toEqual({ _tag: "Allow" });
  });

  test("somebody is → a plain member invite that the rules allow", () => {
    const made = room(version);
    const outcome = rightOf(decide(made.state, { userId: alice }, bound));
    expect(outcome).toEqual({
      _tag: "Invite",
      events: [
        {
          type: "m.room.member",
          room_id: made.roomId,
          sender: alice,
          state_key: bob,
          content: { membership: "invite" },
        },
      ],
    });
    if (outcome._tag === "Invite")
      expect(authorize(outcome.events[0], made.state, portableCrypto)).toEqual({ _tag: "Allow" });
  });

  test("without the power neither", () => {
    const { state } = room(version, { invite: null });
    for (const invitee of [bound, unbound])
      expect(leftOf(decide(state, { userId: carol }, invitee))).toMatchObject({
        code: "PowerTooLow",
        status: 403,
      });
  });

  test("the requester before the target", () => {
    const { state } = room(version, { members: { [bob]: "ban", [alice]: "leave" } });
    expect(codeOf(decide(state, { userId: alice }, bound))).toBe("SenderNotJoined");
  });

  test.each([
    ["join", "TargetJoined"],
    ["ban", "TargetBanned"],
  ])("target %s", (membership, code) => {
    const { state } = room(version, { members: { [bob]: membership } });
    expect(leftOf(decide(state, { userId: alice }, bound))).toMatchObject({
      code,
      rule: `${rule}.3`,
      errcode: "M_FORBIDDEN",
      status: 403,
    });
  });
});

describe("membership transitions", () => {
  test.each([
    ["leave", "Invite"],
    ["knock", "Invite"],
    ["invite", "AlreadyInvited"],
  ])("%s → %s", (membership, tag) => {
    const { state } = room("10", { members: { [bob]: membership } });
    expect(rightOf(decide(state, { userId: alice }, bound))._tag).toBe(tag);
  });

  test("one cannot invite oneself", () => {
    expect(codeOf(decide(room().state, { userId: alice }, { _tag: "Bound", userId: alice }))).toBe(
      "TargetJoined",
    );
  });
});

describe("the plain invite", () => {
  const content = (invitee: Partial<Extract<Invitee, { _tag: "Bound" }>>): unknown => {
    const outcome = rightOf(
      decide(room().state, { userId: alice }, { _tag: "Bound", userId: bob, ...invitee }),
    );
    return outcome._tag === "Invite" ? outcome.events[0].content : outcome;
  };

  test("profile, is_direct and reason where they are known", () => {
    const profile = { displayname: "Bob", avatarUrl: "mxc://two.example/b" };
    expect(content({ profile, isDirect: true, reason: "why not" })).toEqual({
      membership: "invite",
      displayname: "Bob",
      avatar_url: "mxc://two.example/b",
      is_direct: true,
      reason: "why not",
    });
  });

  test("is_direct false, and what is not known, is left out", () => {
    expect(content({ isDirect: false, profile: {} })).toStrictEqual({ membership: "invite" });
  });

  test("never has third_party_invite", () => {
    expect(content({})).not.toHaveProperty("third_party_invite");
  });
});

describe("a target whose server the room does not federate with", () => {
  const options: RoomOptions = { create: { "m.federate": false } };

  test("is refused, though the rules would allow it", () => {
    expect(leftOf(decide(room("10", options).state, { userId: alice }, bound))).toMatchObject({
      code: "TargetNotFederated",
      status: 403,
    });
  });

  test("on the creator's server is fine", () => {
    const erin = userId("@erin:one.example");
    expect(rightOf(admitTarget(room("10", options).state, erin))).toBe("outside");
  });
});

describe("the content", () => {
  const content = thirdPartyInviteContent(minted);

  test("display_name as it was minted", () => {
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
  const decideOn = (options: RoomOptions): ReturnType<typeof decide> =>
    decide(room("10", options).state, { userId: alice }, unbound);

  test("the very event, ours → pending already, whatever the order of its members", () => {
    const invite = Object.fromEntries(Object.entries(inviteContent).reverse());
    expect(rightOf(decideOn({ invite }))).toEqual({ _tag: "AlreadyPending", token });
  });

  test.each([
    ["another's", { inviteSender: carol }],
    ["with other content", { invite: { ...inviteContent, display_name: "x" } }],
    ["emptied", { invite: {} }],
  ])("%s → refused", (_name, options) => {
    expect(leftOf(decideOn(options))).toMatchObject({
      code: "TokenTaken",
      errcode: "M_SERVER_NOT_TRUSTED",
      status: 403,
    });
  });
});

describe("a resend: the earlier token is emptied", () => {
  const old = rightOf(parseToken("old"));
  const standing = (sender: string, content: Record<string, unknown>): RoomOptions => {
    const { event } = room();
    return { invite: null, more: [event("m.room.third_party_invite", sender, "old", content)] };
  };
  const events = (options: RoomOptions): unknown => {
    const outcome = rightOf(
      decide(room("10", options).state, { userId: alice }, { ...unbound, supersedes: [old] }),
    );
    return outcome._tag === "ThirdPartyInvite"
      ? outcome.events.map((event) => [event.state_key, event.content])
      : outcome;
  };

  test("ours and not empty", () => {
    expect(events(standing(alice, { public_key: "x" }))).toEqual([
      [token, inviteContent],
      ["old", {}],
    ]);
  });

  test.each([
    ["somebody else's", standing(dave, { public_key: "x" })],
    ["empty already", standing(alice, {})],
    ["not there", { invite: null }],
  ])("%s → left alone", (_name, options) => {
    expect(events(options)).toEqual([[token, inviteContent]]);
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
