import { type EventLike, type StateEntry, contentOf, entry } from "../../matrix/event.js";
import { stringMember } from "../../matrix/json.js";
import { expectSame, expectTrue } from "./expect.js";
import { levels, newRoom, tokenAt, tokenContent, topic, written, topicOf } from "./in-room.js";
import type { OpenRooms } from "./rooms-adapter.js";
import type { Checks } from "./runner.js";
import { room } from "./samples.js";

const create = entry("m.room.create");
const memberAt = (userId: string): StateEntry => entry("m.room.member", userId);

/** Nobody is in it. */
export const foreignRoom = room("!nobody-here:elsewhere.example");

/** Names that a map, a pattern, or a name made of two takes for others. */
const near: readonly (readonly [type: string, stateKey: string])[] = [
  ["m.room.third_party_invite", ""],
  ["m.room.third_party_invite", "a:b "],
  ["m.room.third_party_invite", "A:b"],
  ["m.room.third_party_invite", "a:"],
  ["m.room.third_party_invite", "%"],
  ["m.room.third_party_invite:a", "b"],
  ["m.room.third_party_invite", "constructor"],
  ["m.room.third_party_invite", "__proto__"],
  ["constructor", ""],
  ["M.ROOM.POWER_LEVELS", ""],
  ["m.room.power_levels", "x"],
  ["m.room.topic", ""],
];

export const snapshotChecks: Checks<OpenRooms> = {
  "snapshot has each entry that was named, as it stands": async (opened) => {
    const at = await newRoom(opened);
    await at.appended(at.token("t"));
    await at.change(topicOf("before"));
    await at.change({ ...topicOf("now"), sender: at.theirs });
    const members = [at.ours, at.theirs].map(memberAt);
    const { get } = await at.snapshot([create, levels, ...members, topic, tokenAt("t")]);
    const expectAt = (place: StateEntry, sender: string | undefined): EventLike | undefined => {
      const event = get(place.type, place.stateKey);
      const name = `${place.type} ${place.stateKey}`;
      expectSame(event?.type, place.type, `The type of the event at ${name} is wrong.`);
      expectSame(event?.state_key, place.stateKey, `The state key of the event at ${name} is wrong.`);
      expectSame(event?.sender, sender ?? event?.sender, `The sender of the event at ${name} is wrong.`);
      return event;
    };
    expectAt(create, undefined);
    expectAt(levels, undefined);
    for (const place of members)
      expectSame(
        contentOf(expectAt(place, place.stateKey))["membership"],
        "join",
        "A member's event is wrong.",
      );
    expectSame(contentOf(expectAt(topic, at.theirs)), { topic: "now" }, "The topic is not the last one.");
    const content = written(contentOf(expectAt(tokenAt("t"), at.ours)));
    expectSame(content, written(tokenContent()), "The event of a token has another content.");
  },

  "snapshot has nothing where nothing stands, however near its name is to another": async (opened) => {
    const at = await newRoom(opened);
    const content = tokenContent();
    await at.change({ type: "m.room.third_party_invite", state_key: "a:b", content });
    const { get } = await at.snapshot([tokenAt("a:b"), ...near.map((name) => entry(...name))]);
    expectTrue(get("m.room.third_party_invite", "a:b") !== undefined, "What stands there is not found.");
    for (const [type, stateKey] of near)
      expectSame(get(type, stateKey), undefined, `The room has no ${type} at "${stateKey}".`);
  },

  "snapshot has an event whose content was emptied: it still stands there": async (opened) => {
    const at = await newRoom(opened);
    await at.appended(at.token("t"));
    await at.appended(at.token("t", {}));
    await at.expectContent(tokenAt("t"), {}, "An event was emptied.");
  },

  "snapshot shows one point: what comes later does not show in it": async (opened) => {
    const at = await newRoom(opened);
    await at.change(topicOf("before"));
    const { get } = await at.snapshot([topic, tokenAt("t")]);
    await at.change(topicOf("after"));
    await at.appended(at.token("t"));
    expectSame(contentOf(get(topic.type, "")), { topic: "before" }, "A later event shows in a snapshot.");
    expectSame(get("m.room.third_party_invite", "t"), undefined, "A later event shows in a snapshot.");
  },

  "snapshot shows what came just before": async (opened) => {
    const at = await newRoom(opened);
    for (let index = 0; index < 5; index += 1) {
      await at.change({ ...topicOf(String(index)), sender: index % 2 === 0 ? at.ours : at.theirs });
      await at.expectContent(
        topic,
        { topic: String(index) },
        "The room was changed before it was asked for.",
      );
    }
  },

  "snapshot has the room's version": async (opened) => {
    const at = await newRoom(opened);
    const { roomVersion, get } = await at.snapshot([create]);
    const named = stringMember(contentOf(get("m.room.create", "")), "room_version") ?? "1";
    expectSame(roomVersion, named, "It is not the one that the create event names.");
  },

  "snapshot keeps rooms apart": async (opened) => {
    const [one, other] = [await newRoom(opened), await newRoom(opened)];
    await one.change(topicOf("one"));
    await one.appended(one.token("t"));
    await other.expectContent(topic, undefined, "A room has the topic of another.");
    await other.expectContent(tokenAt("t"), undefined, "A room has a token of another.");
  },

  "snapshot and tokens say NotResident of a room that this server is not in": async (opened) => {
    await newRoom(opened);
    const answers = [
      await opened.rooms.snapshot(foreignRoom, [create], {}),
      await opened.rooms.tokens(foreignRoom, {}),
    ];
    for (const answer of answers) expectSame(answer._tag, "NotResident", "Nobody of ours is in the room.");
  },

  "snapshot and tokens say NotResident of a room that was left, and of no other": async (opened) => {
    const [left, other] = [await newRoom(opened), await newRoom(opened)];
    await left.appended(left.token("t"));
    await opened.leave(left.roomId);
    const answers = [
      await opened.rooms.snapshot(left.roomId, [create], {}),
      await opened.rooms.tokens(left.roomId, {}),
    ];
    for (const answer of answers) expectSame(answer._tag, "NotResident", "This server has left the room.");
    await other.snapshot([create]);
  },

  "a signal that nobody aborts changes nothing": async (opened) => {
    const at = await newRoom(opened);
    const { signal } = new AbortController();
    const reads = [levels, tokenAt("t")];
    const { revision } = await at.snapshot(reads, { signal });
    const answer = await at.append({ revision, reads, events: [at.token("t")] }, { signal });
    expectSame(answer._tag, "Appended", "With a signal, append does nothing.");
    expectSame(await at.tokens({ signal }), ["t"], "With a signal, tokens answers otherwise.");
    expectTrue(
      (await at.snapshot(reads, { signal })).get("m.room.third_party_invite", "t") !== undefined,
      "With a signal, snapshot answers otherwise.",
    );
  },
};
