import { expectSame, expectTrue } from "./expect.js";
import { type InRoom, inRoom, levels, newRoom, tokenAt, tokenContent } from "./in-room.js";
import type { OpenRooms } from "./rooms-adapter.js";
import type { Checks } from "./runner.js";

/** Rooms that can be left, as a process leaves them that dies, and found again. */
export interface MortalRooms {
  readonly opened: OpenRooms;
  readonly restart: () => Promise<OpenRooms>;
}

/** What a resend reads. */
const resent = [levels, tokenAt("new"), tokenAt("old")];

/** The two events of a resend are both there, or neither is. */
const expectWhole = async (at: InRoom, isAnswered: boolean, when: string): Promise<void> => {
  const isNew = (await at.contentAt(tokenAt("new"))) !== undefined;
  const isEmptied = (await at.contentAt(tokenAt("old")))?.["display_name"] === undefined;
  expectTrue(
    isNew === isEmptied,
    `${when} the ${isNew ? "new token's event" : "emptied old event"} stands there, and the other does not.`,
  );
  expectTrue(isNew || !isAnswered, `${when} an append that was answered for is lost.`);
};

/** An append of a resend's two events; whether it was answered for. */
const resend = async (at: InRoom, revision: string): Promise<boolean> => {
  const events = [at.token("new"), at.token("old", {})];
  return at.append({ revision, reads: resent, events }).then(
    ({ _tag }) => _tag === "Appended",
    () => false,
  );
};

export const roomRecovery: Checks<MortalRooms> = {
  "what append has answered outlives the process": async ({ opened, restart }) => {
    const at = await newRoom(opened);
    await at.appended(at.token("old"));
    await at.appended(at.token("new"), at.token("old", {}));
    const after = inRoom(await restart(), at);
    await after.expectContent(tokenAt("new"), tokenContent(), "What was answered for is lost.");
    await after.expectContent(tokenAt("old"), {}, "What was answered for is lost.");
    expectSame(await after.tokens(), ["new", "old"], "What was answered for is lost.");
    await after.appended(after.token("t"));
  },

  "a revision from before a restart hides no change from after it": async ({ opened, restart }) => {
    const at = await newRoom(opened);
    for (const token of ["a", "b", "c"]) await at.appended(at.token(token));
    const reads = [levels, tokenAt("t")];
    const { revision } = await at.snapshot(reads);
    const after = inRoom(await restart(), at);
    await after.appended(after.token("t"));
    const { _tag } = await after.append({ revision, reads, events: [after.token("t", {})] });
    expectSame(_tag, "Conflict", "An entry has changed since.");
  },

  "an append that the process dies in leaves all of its events or none": async ({ opened, restart }) => {
    const at = await newRoom(opened);
    await at.appended(at.token("old"));
    const { revision } = await at.snapshot(resent);
    const appending = resend(at, revision);
    const after = inRoom(await restart(), at);
    const isAnswered = await Promise.race([appending, Promise.resolve(false)]);
    await expectWhole(after, isAnswered, "After a restart");
  },
};

/** Rooms whose process dies at a given write. */
export interface DyingRooms {
  readonly opened: OpenRooms;
  readonly dieAfter: (writes: number) => void;
  readonly restart: () => Promise<OpenRooms>;
}

/** A host of its own for each death. */
export type Deaths = (check: (dying: DyingRooms) => Promise<void>) => Promise<void>;

/** No host writes so often for two events. */
const mostWrites = 100;

export const dyingChecks: Checks<Deaths> = {
  "an append leaves all of its events or none, whichever of its writes the process dies at": async (
    deaths,
  ) => {
    // The writes of one append are as many as the process outlives with an answer.
    for (let writes = 0; ; writes += 1) {
      expectTrue(writes <= mostWrites, `The append never goes through, even with ${mostWrites} writes.`);
      const answered: boolean[] = [];
      await deaths(async ({ opened, dieAfter, restart }) => {
        const at = await newRoom(opened);
        await at.appended(at.token("old"));
        const { revision } = await at.snapshot(resent);
        dieAfter(writes);
        const isAnswered = await resend(at, revision);
        answered.push(isAnswered);
        expectTrue(writes > 0 || !isAnswered, "An append was answered for that had written nothing.");
        const after = inRoom(await restart(), at);
        await expectWhole(after, isAnswered, `Where the process died after ${writes} of its writes,`);
        // What is left is a room like any other.
        await after.appended(after.token("new"), after.token("old", {}));
      });
      if (answered.includes(true)) return;
    }
  },
};
