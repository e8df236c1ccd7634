import { contentOf } from "../../matrix/event.js";
import { expectSame, expectTrue } from "./expect.js";
import {
  type AppendAnswer,
  type InRoom,
  inRoom,
  levels,
  newRoom,
  tokenAt,
  tokenContent,
  topic,
  topicOf,
} from "./in-room.js";
import type { OpenRooms } from "./rooms-adapter.js";
import type { Checks } from "./runner.js";
import { type Many, race, rounds } from "./sessions.js";

type RoomRacers = Many<OpenRooms>;

/** One room, as each of the racers has it. */
const oneRoom = async (racers: RoomRacers): Promise<Many<InRoom>> => {
  const [first, ...others] = racers;
  const at = await newRoom(first);
  return [at, ...others.map((other) => inRoom(other, at))];
};

const tags = (answers: readonly AppendAnswer[]): readonly string[] => answers.map(({ _tag }) => _tag);

const count = (all: readonly string[], tag: string): number => all.filter((one) => one === tag).length;

/** The number in a token's content. */
const numberAt = async (at: InRoom, token: string): Promise<number> =>
  Number((await at.contentAt(tokenAt(token)))?.["n"] ?? 0);

export const roomRaces: Checks<RoomRacers> = {
  "of racing appends that read what each other changes exactly one goes through": async (racers) => {
    const all = await oneRoom(racers);
    for (let round = 0; round < rounds; round += 1) {
      const token = `t${round}`;
      const reads = [levels, tokenAt(token)];
      const revisions = await race(all, async (at) => (await at.snapshot(reads)).revision);
      const answers = await race(all, (at, index) => {
        const events = [at.token(token, tokenContent(String(index)))];
        return at.append({ revision: revisions[index] ?? "", reads, events });
      });
      const found = tags(answers);
      expectSame(count(found, "Appended"), 1, `Of ${all.length} one was to go through: ${found.join(", ")}.`);
      expectSame(
        count(found, "Conflict"),
        all.length - 1,
        `The others were to conflict: ${found.join(", ")}.`,
      );
      const winner = tokenContent(String(found.indexOf("Appended")));
      await all[0].expectContent(tokenAt(token), winner, "What stands there is not the winner's.");
    }
  },

  "racing appends that read nothing of each other's all go through": async (racers) => {
    const all = await oneRoom(racers);
    for (let round = 0; round < rounds / 4; round += 1) {
      const nameOf = (index: number): string => `t${round}-${index}`;
      const revisions = await race(
        all,
        async (at, index) => (await at.snapshot([levels, tokenAt(nameOf(index))])).revision,
      );
      const answers = await race(all, (at, index) => {
        const reads = [levels, tokenAt(nameOf(index))];
        return at.append({ revision: revisions[index] ?? "", reads, events: [at.token(nameOf(index))] });
      });
      expectSame(count(tags(answers), "Appended"), all.length, `Got ${tags(answers).join(", ")}.`);
      const there = new Set(await all[0].tokens());
      for (const index of all.keys()) expectTrue(there.has(nameOf(index)), "What was appended is lost.");
    }
  },

  "of racing resends one stands with both of its events, and nothing of the others": async (racers) => {
    const all = await oneRoom(racers);
    for (let round = 0; round < rounds / 2; round += 1) {
      const old = `old${round}`;
      await all[0].appended(all[0].token(old));
      const nameOf = (index: number): string => `new${round}-${index}`;
      const readsOf = (index: number) => [levels, tokenAt(nameOf(index)), tokenAt(old)];
      const revisions = await race(all, async (at, index) => (await at.snapshot(readsOf(index))).revision);
      const answers = await race(all, (at, index) => {
        const events = [at.token(nameOf(index)), at.token(old, { n: index })];
        return at.append({ revision: revisions[index] ?? "", reads: readsOf(index), events });
      });
      const winner = tags(answers).indexOf("Appended");
      const last = await numberAt(all[0], old);
      const there = (await all[0].tokens()).filter((token) => token.startsWith(`new${round}-`));
      expectSame(there, [nameOf(winner)], "One was to go through, and leave nothing of the others.");
      expectSame(last, winner, "The two events of one append were torn apart.");
    }
  },

  "no change is lost: everybody who reads, appends, and tries again gets through": async (racers) => {
    const all = await oneRoom(racers);
    const each = 5;
    const total = each * all.length;
    const reads = [levels, tokenAt("t")];
    await race(all, async (at) => {
      let left = each;
      // Each Conflict is another's success, of which there are so many.
      for (let tries = 0; left > 0; tries += 1) {
        expectTrue(tries <= total, "append says Conflict again and again although nobody else appends.");
        const { get, revision } = await at.snapshot(reads);
        const n = Number(contentOf(get("m.room.third_party_invite", "t"))["n"] ?? 0);
        const { _tag } = await at.append({ revision, reads, events: [at.token("t", { n: n + 1 })] });
        if (_tag === "Appended") left -= 1;
      }
    });
    expectSame(await numberAt(all[0], "t"), total, "An append has overwritten what it had not read.");
  },

  "a snapshot has all of its entries at one point while the room changes": async (racers) => {
    const [at, ...others] = await oneRoom(racers);
    const writer = async (): Promise<void> => {
      for (let n = 1; n <= rounds; n += 1) {
        // The topic first: it is never behind the token, and never more than one ahead.
        await at.change(topicOf(String(n)));
        await at.change(at.token("t", { topic: String(n) }));
      }
    };
    const reader = async (other: InRoom): Promise<void> => {
      for (let look = 0; look < rounds; look += 1) {
        const { get } = await other.snapshot([topic, tokenAt("t")]);
        const [first, second] = [get("m.room.topic", ""), get("m.room.third_party_invite", "t")].map(
          (event) => Number(contentOf(event)["topic"] ?? 0),
        );
        const ahead = (first ?? 0) - (second ?? 0);
        expectTrue(
          ahead === 0 || ahead === 1,
          "A snapshot has two entries that never stood there at one time.",
        );
      }
    };
    await Promise.all([writer(), ...others.map(reader)]);
  },

  "append shows all of its events or none of them while it runs": async (racers) => {
    const [at, ...others] = await oneRoom(racers);
    const writer = async (): Promise<void> => {
      for (let n = 1; n <= rounds; n += 1) await at.appended(at.token("a", { n }), at.token("b", { n }));
    };
    const reader = async (other: InRoom): Promise<void> => {
      for (let look = 0; look < 2 * rounds; look += 1) {
        const { get } = await other.snapshot([tokenAt("a"), tokenAt("b")]);
        const [a, b] = ["a", "b"].map((token) => contentOf(get("m.room.third_party_invite", token))["n"]);
        expectSame(a, b, "A snapshot shows one of the two events that were appended together.");
      }
    };
    await Promise.all([writer(), ...others.map(reader)]);
  },

  "what one has appended, everybody sees as soon as it is answered": async (racers) => {
    const all = await oneRoom(racers);
    for (const [index, at] of all.entries()) {
      await at.appended(at.token(`t${index}`));
      await race(all, async (other) => {
        await other.expectContent(tokenAt(`t${index}`), tokenContent(), "Somebody sees an old room.");
        expectTrue((await other.tokens()).includes(`t${index}`), "Somebody sees an old room.");
      });
    }
  },
};
