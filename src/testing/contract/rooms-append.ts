import { type EventTemplate, entry } from "../../matrix/event.js";
import type { JsonObject } from "../../matrix/json.js";
import { numbersOf, roomVersion } from "../../matrix/room-version.js";
import { expectSame } from "./expect.js";
import { type InRoom, levels, newRoom, tokenAt, tokenContent } from "./in-room.js";
import { provenInvite } from "./proven-invite.js";
import { foreignRoom } from "./rooms-snapshot.js";
import type { OpenRooms } from "./rooms-adapter.js";
import type { Checks } from "./runner.js";
import { oddTexts } from "./samples.js";

/** Contents that databases, drivers and builders are known to change. */
export const oddContents: readonly JsonObject[] = [
  { numbers: [0, -1, 2 ** 31, 2 ** 32 + 1, 2 ** 53 - 1, -(2 ** 53) + 1, 1_767_225_600_321] },
  { texts: oddTexts.filter((text) => text.isWellFormed() && !text.includes("\0")) },
  { null: null, list: [], object: {}, flags: [true, false], nested: [[[{ a: [{}] }]]] },
  { "": 1, " ": 2, "10": 3, "9": 4, "\uffff": 5, "\u{1f98a}": 6, $set: 7, "a.b": 8, "a:b": 9 },
  // Written as text: in a literal this key would be the prototype.
  JSON.parse('{"__proto__":{"a":1},"constructor":1,"toString":null,"inner":{"__proto__":2}}') as JsonObject,
  { unsigned: {}, signatures: { "id.example": { "ed25519:0": "c2lnbmVk" } }, hashes: 1, event_id: "$e" },
];

/** Whatever it answers, it must not be Appended, and nothing of it may be in the room. */
export const expectNothing = async (
  at: InRoom,
  events: readonly EventTemplate[],
  what: string,
): Promise<void> => {
  const before = await at.tokens();
  const { revision } = await at.snapshot([levels]);
  // A host that cannot put its refusal into an answer rejects: nothing is lost, and nothing appended.
  const tag = await at.append({ revision, reads: [levels], events }).then(
    ({ _tag }) => _tag,
    () => "rejected",
  );
  expectSame(tag === "Appended" ? tag : "refused", "refused", `${what} append said Appended.`);
  expectSame(await at.tokens(), before, `${what} Yet something of it is in the room.`);
};

export const appendChecks: Checks<OpenRooms> = {
  "what was appended is in the next snapshot and in the next tokens": async (opened) => {
    const at = await newRoom(opened);
    for (const token of ["t", "u"]) {
      await at.appended(at.token(token));
      await at.expectContent(tokenAt(token), tokenContent(), "What was appended is not there.");
    }
    expectSame(await at.tokens(), ["t", "u"], "What was appended is not there.");
  },

  "an event takes the place of the one that stood there": async (opened) => {
    const at = await newRoom(opened);
    await at.appended(at.token("t", tokenContent("first")));
    await at.appended(at.token("t", tokenContent("second")));
    await at.expectContent(tokenAt("t"), tokenContent("second"), "Another event stands there.");
  },

  "append takes an invite as well as a token's event": async (opened) => {
    const at = await newRoom(opened);
    const invite: EventTemplate = {
      type: "m.room.member",
      room_id: at.roomId,
      sender: at.ours,
      state_key: at.invitee,
      content: { membership: "invite", displayname: "Zo\u00eb" },
    };
    await at.appended(invite);
    await at.expectContent(entry("m.room.member", at.invitee), invite.content, "The invite is not there.");
  },

  "append takes a proven invite of another server's user, and leaves its sender as it is": async (opened) => {
    const at = await newRoom(opened);
    const invite = await provenInvite(at);
    await at.appended(invite);
    const place = entry("m.room.member", at.invitee);
    await at.expectContent(place, invite.content, "The invite is not there.");
    const { get } = await at.snapshot([place]);
    expectSame(get(place.type, place.stateKey)?.sender, at.theirs, "The invite has another sender.");
  },

  "a content comes back byte for byte: numbers, odd keys, odd texts": async (opened) => {
    const at = await newRoom(opened);
    for (const [index, odd] of oddContents.entries()) {
      const content = { ...tokenContent(), odd };
      await at.appended(at.token(`t${index}`, content));
      await at.expectContent(tokenAt(`t${index}`), content, "The content was changed.");
      // At its top level as well, where a builder may look for members of its own.
      await at.appended(at.token(`top${index}`, odd));
      await at.expectContent(tokenAt(`top${index}`), odd, "The content was changed.");
    }
  },

  "what was appended stays, whatever the caller does to its own copy": async (opened) => {
    const at = await newRoom(opened);
    const content = { display_name: "first" };
    await at.appended(at.token("t", content));
    content.display_name = "second";
    await at.expectContent(
      tokenAt("t"),
      { display_name: "first" },
      "The host holds the caller's own object.",
    );
  },

  "append takes several events, more than a room's tokens are emptied at once": async (opened) => {
    const at = await newRoom(opened);
    const names = Array.from({ length: 51 }, (_, index) => `t${String(index).padStart(2, "0")}`);
    await at.appended(...names.map((name) => at.token(name)));
    expectSame(await at.tokens(), names, "Not all of them were appended.");
    await at.appended(...names.map((name) => at.token(name, {})));
    for (const name of names) await at.expectContent(tokenAt(name), {}, "Not all of them were emptied.");
  },

  "a resend appends both: the new token's event and the emptied old one": async (opened) => {
    const at = await newRoom(opened);
    await at.appended(at.token("old"));
    await at.appended(at.token("new"), at.token("old", {}));
    await at.expectContent(tokenAt("new"), tokenContent(), "The first of two events is not there.");
    await at.expectContent(tokenAt("old"), {}, "The second of two events is not there.");
  },

  "events are appended in their order: of two in one place the later one stands": async (opened) => {
    const at = await newRoom(opened);
    await at.appended(at.token("t", tokenContent("first")), at.token("t", tokenContent("second")));
    await at.expectContent(tokenAt("t"), tokenContent("second"), "The earlier one stands there.");
  },

  "an event of another room is appended nowhere, nor what comes with it": async (opened) => {
    const [at, other] = [await newRoom(opened), await newRoom(opened)];
    for (const roomId of [other.roomId, foreignRoom]) {
      const stray = { ...at.token("stray"), room_id: roomId };
      await expectNothing(at, [stray], "The event is of another room.");
      await expectNothing(at, [at.token("good"), stray], "The second event is of another room.");
    }
    expectSame(await other.tokens(), [], "It was appended to the other room.");
  },

  "an event that cannot be one is not appended, nor what comes with it": async (opened) => {
    const at = await newRoom(opened);
    const version = roomVersion((await at.snapshot([levels])).roomVersion);
    const isStrict = version === undefined || numbersOf(version) === "integers";
    for (const content of [{ display_name: "\ud83d" }, ...(isStrict ? [{ number: 0.5 }] : [])]) {
      const bad = at.token("bad", content);
      await expectNothing(at, [bad], "The event has no canonical JSON.");
      await expectNothing(at, [at.token("good"), bad], "The second event has no canonical JSON.");
    }
  },
};
