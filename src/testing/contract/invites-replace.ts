import type { InviteLife } from "../../invite/invite-life.js";
import type { Invites } from "../../ports.js";
import { expectPresent, expectSame, expectTrue, fail } from "./expect.js";
import { found, foundByToken, put } from "./invites.js";
import type { Checks } from "./runner.js";
import { asked, keyOf, pending, record, room1 } from "./samples.js";

interface Subject {
  readonly invites: Invites;
}

/** Replaces the record; its new mark. */
export const replaced = async (
  invites: Invites,
  key: string,
  life: InviteLife,
  mark: string,
): Promise<string> => {
  const answer = await invites.replace(record(key, { life }), mark, {});
  return answer._tag === "Replaced"
    ? answer.mark
    : fail("replace under the mark that it gave last is Stale.");
};

export const replaceChecks: Checks<Subject> = {
  "replace stores the record under the mark that was given last, by whichever call, and gives a new one":
    async ({ invites }) => {
      const other = { value: record("b"), mark: await put(invites, record("b")) };
      const first = await put(invites, record("a"));
      const second = await replaced(invites, "a", pending("t"), first);
      const standing = { value: record("a", { life: pending("t") }), mark: second };
      expectSame(await found(invites, "a"), standing, "What was replaced is not what is found.");
      await replaced(invites, "a", pending("t"), (await found(invites, "a")).mark);
      const byToken = expectPresent(await foundByToken(invites, room1, "t"), "findByToken finds nothing.");
      await replaced(invites, "a", asked(1), byToken.mark);
      const [listed] = await invites.list({ by: { roomId: room1 }, limit: 1 }, {});
      await replaced(invites, "a", asked(2), expectPresent(listed, "list lists nothing.").mark);
      await replaced(invites, "a", asked(3), (await invites.putIfAbsent(record("a"), {})).mark);
      expectSame((await found(invites, "a")).value.life, asked(3), "The last replacement was lost.");
      expectSame(await found(invites, "b"), other, "replace changed another record.");
    },

  "replace changes nothing under an old mark, and says Stale": async ({ invites }) => {
    const first = await put(invites, record("a"));
    const other = await put(invites, record("b"));
    const second = await replaced(invites, "a", asked(1), first);
    for (const mark of [first, other, ""]) {
      const answer = await invites.replace(record("a", { life: asked(2) }), mark, {});
      expectSame(answer, { _tag: "Stale" }, "An old mark was taken, or another record's.");
    }
    const standing = { value: record("a", { life: asked(1) }), mark: second };
    expectSame(await found(invites, "a"), standing, "A replacement under an old mark changed the record.");
  },

  "a mark never comes again, even where the record is what it was before": async ({ invites }) => {
    const marks = [await put(invites, record("a"))];
    for (let round = 0; round < 4; round += 1)
      marks.push(await replaced(invites, "a", { _tag: "Intended" }, marks.at(-1) ?? ""));
    expectTrue(new Set(marks).size === marks.length, "A mark was given twice.");
  },

  "replace puts nothing where no record stands": async ({ invites }) => {
    const mark = await put(invites, record("a"));
    expectSame(await invites.replace(record("b"), mark, {}), { _tag: "Stale" }, "It was no Stale.");
    expectSame(await invites.find(keyOf("b"), {}), undefined, "replace stored a record under a new key.");
  },
};
