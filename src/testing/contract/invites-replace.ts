import { type InviteLife, tokensOf } from "../../invite/invite-life.js";
import type { Invites } from "../../ports.js";
import { expectPresent, expectSame, expectTrue, fail } from "./expect.js";
import { found, foundByToken, put } from "./invites.js";
import type { Checks } from "./runner.js";
import { everyLife, withEarlierTokens } from "./sample-lives.js";
import { asked, carol, keyOf, pending, record, room1, room2 } from "./samples.js";

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
  "replace stores the record under the mark that was given last, and gives a new one": async ({
    invites,
  }) => {
    const first = await put(invites, record("a"));
    const second = await replaced(invites, "a", asked(1), first);
    const standing = { value: record("a", { life: asked(1) }), mark: second };
    expectSame(await found(invites, "a"), standing, "What was replaced is not what is found.");
    expectTrue(second !== first, "replace gave the old mark again.");
    await replaced(invites, "a", asked(2), second);
    expectSame((await found(invites, "a")).value.life, asked(2), "The second replacement was lost.");
  },

  "replace takes the mark of find, of findByToken, and of a putIfAbsent that found a record": async ({
    invites,
  }) => {
    await put(invites, record("a", { life: pending("t") }));
    await replaced(invites, "a", pending("t"), (await found(invites, "a")).mark);
    const byToken = expectPresent(await foundByToken(invites, room1, "t"), "findByToken finds nothing.");
    await replaced(invites, "a", asked(1), byToken.mark);
    await replaced(invites, "a", asked(2), (await invites.putIfAbsent(record("a"), {})).mark);
    expectSame((await found(invites, "a")).value.life, asked(2), "The last replacement was lost.");
  },

  "replace changes nothing under an old mark, and says Stale": async ({ invites }) => {
    const first = await put(invites, record("a"));
    const second = await replaced(invites, "a", asked(1), first);
    const answer = await invites.replace(record("a", { life: asked(2) }), first, {});
    expectSame(answer, { _tag: "Stale" }, "An old mark was taken.");
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

  "replace leaves every other record alone": async ({ invites }) => {
    const mark = await put(invites, record("a"));
    const other = await put(invites, record("b"));
    await replaced(invites, "a", pending("t"), mark);
    const standing = { value: record("b"), mark: other };
    expectSame(await found(invites, "b"), standing, "replace changed another record.");
  },
};

export const tokenChecks: Checks<Subject> = {
  "findByToken finds an invite by its token, in any state that has one": async ({ invites }) => {
    for (const [state, life] of Object.entries(everyLife)) await put(invites, record(state, { life }));
    for (const [state, life] of Object.entries(everyLife)) {
      const [newest] = tokensOf(life);
      if (newest === undefined) continue;
      const stored = await foundByToken(invites, room1, newest);
      expectSame(stored?.value.key, state, `An invite that is ${state} is not found by its token.`);
    }
  },

  "findByToken finds an invite by each earlier token that may stand in the room": async ({ invites }) => {
    await put(invites, record("a", { life: withEarlierTokens("new", "older", "oldest") }));
    const before = withEarlierTokens("new-2", "older-2");
    await put(invites, record("b", { life: { _tag: "Asked", at: 1, before } }));
    for (const [name, key] of [
      ["older", "a"],
      ["oldest", "a"],
      ["older-2", "b"],
    ] as const) {
      const stored = await foundByToken(invites, room1, name);
      expectSame(stored?.value.key, key, "An earlier token, which may stand in the room, was forgotten.");
    }
  },

  "findByToken no longer finds an invite by a token that is none of its own any more": async ({
    invites,
  }) => {
    const first = await put(invites, record("a", { life: withEarlierTokens("t1", "t0") }));
    await replaced(invites, "a", pending("t2"), first);
    for (const name of ["t1", "t0"])
      expectSame(await foundByToken(invites, room1, name), undefined, "It was found by a token it had lost.");
    const stored = await foundByToken(invites, room1, "t2");
    expectSame(stored?.value.key, "a", "It is not found by the token that it was given.");
  },

  "findByToken looks in one room, and for the whole token in its very case": async ({ invites }) => {
    // Whoever delivers a proof chooses the token that is looked for.
    await put(invites, record("a", { life: pending("Token_1") }));
    await put(invites, record("b", { roomId: room2, life: pending("other") }));
    for (const [roomId, name] of [
      [room2, "Token_1"],
      [room1, "token_1"],
      [room1, "Token_"],
      [room1, "Token%1"],
      [room1, "TokenX1"],
      [room1, "Token_1 "],
      [room1, ""],
      [room1, "a\u0000b"],
    ] as const)
      expectSame(await foundByToken(invites, roomId, name), undefined, "Another token was taken for it.");
  },

  "findByToken finds all invites that have the token": async ({ invites }) => {
    // Whoever runs an identity server can let it answer with somebody else's token.
    await put(invites, record("a", { life: pending("t") }));
    await put(invites, record("b", { sender: carol, life: withEarlierTokens("new", "t") }));
    await put(invites, record("c", { life: pending("other") }));
    const stored = await invites.findByToken(room1, "t", {});
    const keys: readonly string[] = stored.map(({ value }) => value.key).sort();
    expectSame(keys, ["a", "b"], "An invite hides behind another that has the same token.");
  },

  "findByToken tells one room from another that has the same token": async ({ invites }) => {
    await put(invites, record("a", { life: pending("t") }));
    await put(invites, record("b", { roomId: room2, life: pending("t") }));
    for (const [roomId, key] of [
      [room1, "a"],
      [room2, "b"],
    ] as const) {
      const stored = await foundByToken(invites, roomId, "t");
      expectSame(stored?.value.key, key, "It was found in another room.");
    }
  },
};
