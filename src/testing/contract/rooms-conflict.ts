import { type StateEntry, contentOf, entry } from "../../matrix/event.js";
import { expectSame, expectTrue } from "./expect.js";
import {
  type InRoom,
  expectAppended,
  levels,
  newRoom,
  tokenAt,
  tokenContent,
  topic,
  topicOf,
} from "./in-room.js";
import type { OpenRooms } from "./rooms-adapter.js";
import type { Checks } from "./runner.js";

const untouched = "Nothing that was read has changed since the snapshot.";

/** Something happens between the snapshot and the append; the tag of the answer, and nothing appended but for Appended. */
const answerAfter = async (
  at: InRoom,
  reads: readonly StateEntry[],
  meanwhile: () => Promise<unknown>,
): Promise<string> => {
  const { revision } = await at.snapshot(reads);
  await meanwhile();
  const before = await at.tokens();
  const events = [at.token("first"), at.token("second")];
  const answer = await at.append({ revision, reads, events });
  if (answer._tag === "Appended") expectAppended(answer, 2, untouched);
  else
    expectSame(await at.tokens(), before, `append said ${answer._tag}, yet something of it is in the room.`);
  return answer._tag;
};

const isConflict = async (
  at: InRoom,
  reads: readonly StateEntry[],
  meanwhile: () => Promise<unknown>,
  what: string,
): Promise<void> => {
  expectSame(await answerAfter(at, reads, meanwhile), "Conflict", what);
};

export const conflictChecks: Checks<OpenRooms> = {
  "an entry that has changed is a Conflict, and nothing is appended": async (opened) => {
    const at = await newRoom(opened);
    await at.appended(at.token("t"));
    const reads = [levels, tokenAt("t"), tokenAt("first")];
    await isConflict(at, reads, () => at.changeLevels("1"), "The power levels have changed.");
    const emptied = (): Promise<void> => at.change({ ...at.token("t", {}), sender: at.theirs });
    await isConflict(at, reads, emptied, "A token's event was emptied.");
  },

  "each entry that was read is looked at, the last one too": async (opened) => {
    const at = await newRoom(opened);
    const names = Array.from({ length: 12 }, (_, index) => `t${index}`);
    await at.appended(...names.map((name) => at.token(name)));
    const reads = [levels, ...names.map(tokenAt)];
    for (const name of names)
      await isConflict(at, reads, () => at.change(at.token(name, {})), "One of many entries has changed.");
  },

  "an entry that was not there and now is, is a Conflict": async (opened) => {
    const at = await newRoom(opened);
    const reads = [levels, tokenAt("t"), topic];
    await isConflict(at, reads, () => at.change(at.token("t")), "An event stands where none stood.");
    await isConflict(at, reads, () => at.change(topicOf("x")), "An event stands where none stood.");
  },

  "an entry that has changed and changed back is a Conflict": async (opened) => {
    const at = await newRoom(opened);
    await at.change(topicOf("a"));
    const reads = [levels, topic];
    const thereAndBack = async (): Promise<void> => {
      for (const text of ["b", "a"]) await at.change(topicOf(text));
    };
    await isConflict(at, reads, thereAndBack, "The topic is what it was, but by another event.");
  },

  "what one has appended is a change like any other": async (opened) => {
    const at = await newRoom(opened);
    const reads = [levels, tokenAt("t")];
    await isConflict(at, reads, () => at.appended(at.token("t")), "Our own append has changed an entry.");
    const { revision } = await at.snapshot(reads);
    const request = { revision, reads, events: [at.token("t", {})] };
    expectAppended(await at.append(request), 1, untouched);
    expectSame((await at.append(request))._tag, "Conflict", "One revision was taken twice.");
  },

  "an old revision is a Conflict also where a newer one was given since": async (opened) => {
    const at = await newRoom(opened);
    const reads = [levels, tokenAt("t")];
    const old = await at.snapshot(reads);
    await at.change(at.token("t"));
    const fresh = await at.snapshot(reads);
    const events = [at.token("t", {})];
    const answer = await at.append({ revision: old.revision, reads, events });
    expectSame(answer._tag, "Conflict", "The revision is from before a change.");
    expectAppended(await at.append({ revision: fresh.revision, reads, events }), 1, untouched);
  },

  "no other change is a Conflict": async (opened) => {
    const [at, other] = [await newRoom(opened), await newRoom(opened)];
    await at.appended(at.token("t"));
    const reads = [levels, tokenAt("t"), tokenAt("new")];
    const elsewhere = async (): Promise<void> => {
      await at.change(topicOf("x"));
      await at.change({ ...at.token("u"), sender: at.theirs });
      await at.change({ type: "m.room.third_party_invite.t", state_key: "t", content: {} });
      await at.appended(at.token("T"));
      await other.changeLevels("1");
      await other.appended(other.token("t"));
    };
    expectSame(await answerAfter(at, reads, elsewhere), "Appended", untouched);
    expectSame(await at.tokens(), ["T", "first", "second", "t", "u"], "Something was lost.");
  },

  "a snapshot may have asked for more than was read": async (opened) => {
    const at = await newRoom(opened);
    const { revision } = await at.snapshot([levels, topic, tokenAt("t")]);
    await at.change(topicOf("x"));
    const answer = await at.append({ revision, reads: [levels, tokenAt("t")], events: [at.token("t")] });
    expectAppended(answer, 1, "What has changed was asked for, but is not among what was read.");
  },

  "a revision belongs to what its snapshot showed, also where the room changes meanwhile": async (opened) => {
    const at = await newRoom(opened);
    const reads = [topic, levels, tokenAt("t")];
    for (let round = 0; round < 10; round += 1) {
      const asking = at.snapshot(reads);
      // As many turns of the loop as a host may take for its entries.
      for (let turn = 0; turn < round; turn += 1) await Promise.resolve();
      await at.change(topicOf(String(round)));
      const { get, revision } = await asking;
      const shown = contentOf(get("m.room.topic", ""))["topic"];
      const { _tag } = await at.append({ revision, reads, events: [at.token(`t${round}`)] });
      expectTrue(
        _tag === "Conflict" || shown === String(round),
        "The snapshot showed the old entry, and append took its revision for one that has seen the change.",
      );
    }
  },

  "after a Conflict a new snapshot goes through": async (opened) => {
    const at = await newRoom(opened);
    const reads = [levels, tokenAt("t")];
    await isConflict(at, reads, () => at.changeLevels("1"), "The power levels have changed.");
    await at.appended(at.token("t"));
    await at.expectContent(tokenAt("t"), tokenContent(), "The second attempt was lost.");
  },

  "append to a room that was left is a Conflict: the next snapshot tells": async (opened) => {
    const at = await newRoom(opened);
    const reads = [levels, tokenAt("t"), entry("m.room.member", at.ours)];
    const { revision } = await at.snapshot(reads);
    await opened.leave(at.roomId);
    const answer = await at.append({ revision, reads: reads.slice(0, 2), events: [at.token("t")] });
    expectSame(answer._tag, "Conflict", "This server has left the room.");
    const next = await opened.rooms.snapshot(at.roomId, reads, {});
    expectSame(next._tag, "NotResident", "This server has left the room.");
  },
};
