import type { RoomId } from "../../matrix/ids.js";
import type { Invites } from "../../ports.js";
import { expectPresent, expectSame, expectTrue } from "./expect.js";
import type { Checks } from "./runner.js";
import { alice, asked, keyOf, oddTexts, pending, record, room1, room2, threepid } from "./samples.js";
import { everyLife } from "./sample-lives.js";

interface Subject {
  readonly invites: Invites;
}

/** Puts a record of which nothing stands yet; its mark. */
export const put = async (invites: Invites, given: ReturnType<typeof record>): Promise<string> => {
  const { value, mark } = await invites.putIfAbsent(given, {});
  expectSame(value, given, "putIfAbsent did not answer with the record that it stored.");
  return mark;
};

export const found = async (invites: Invites, key: string) =>
  expectPresent(await invites.find(keyOf(key), {}), "A record that was stored is not found under its key.");

/** The one record that has this token, if any. */
export const foundByToken = async (invites: Invites, roomId: RoomId, token: string) => {
  const [first, ...more] = await invites.findByToken(roomId, token, {});
  expectSame(more, [], "findByToken finds one record twice, or another beside it.");
  return first;
};

export const putChecks: Checks<Subject> = {
  "putIfAbsent stores a record where none stands, and find finds it with the same mark": async ({
    invites,
  }) => {
    const mark = await put(invites, record("a"));
    expectSame(await found(invites, "a"), { value: record("a"), mark }, "find answered something else.");
  },

  "putIfAbsent leaves the record that stands, and answers with it and its mark": async ({ invites }) => {
    const mark = await put(invites, record("a"));
    const second = await invites.putIfAbsent(record("a", { createdAt: 2, life: pending("t") }), {});
    const standing = { value: record("a"), mark };
    expectSame(
      { value: second.value, mark: second.mark },
      standing,
      "The second putIfAbsent did not answer with what stood there.",
    );
    expectSame(await found(invites, "a"), standing, "The second putIfAbsent has overwritten the record.");
  },

  "putIfAbsent leaves a record alone that was replaced since": async ({ invites }) => {
    const mark = await put(invites, record("a"));
    await invites.replace(record("a", { life: asked(5) }), mark, {});
    const { value } = await invites.putIfAbsent(record("a"), {});
    expectSame(value, record("a", { life: asked(5) }), "putIfAbsent brought an old record back.");
  },

  "putIfAbsent says isNew to the call that stores the record": async ({ invites }) => {
    for (const key of ["a", "b"]) {
      const { isNew } = await invites.putIfAbsent(record(key), {});
      expectSame(isNew, true, "isNew of a record that was stored by this call.");
    }
  },

  "putIfAbsent says that it is not new to every call that finds a record, replaced or not": async ({
    invites,
  }) => {
    const mark = await put(invites, record("a"));
    const again = await invites.putIfAbsent(record("a"), {});
    expectSame(again.isNew, false, "isNew of a record that was put before.");
    await invites.replace(record("a", { life: asked(5) }), mark, {});
    const late = await invites.putIfAbsent(record("a", { createdAt: 2 }), {});
    expectSame(late.isNew, false, "isNew of a record that was put before, and replaced since.");
  },

  "find finds nothing under a key that nobody put": async ({ invites }) => {
    await put(invites, record("a"));
    expectSame(await invites.find(keyOf("b"), {}), undefined, "find made something up.");
  },

  "keys that differ in case or in blanks are different keys": async ({ invites }) => {
    for (const key of ["Key", "key", "KEY", "key ", " key"]) await put(invites, record(key));
    for (const key of ["Key", "key", "KEY", "key ", " key"])
      expectSame((await found(invites, key)).value.key, key, "find took one key for another.");
  },

  "a record in any state of its life comes back as it was put": async ({ invites }) => {
    for (const [state, life] of Object.entries(everyLife)) {
      await put(invites, record(state, { life }));
      expectSame((await found(invites, state)).value.life, life, `A life that is ${state} was changed.`);
    }
  },

  "what the inviter said comes back as it was put, whatever characters are in it": async ({ invites }) => {
    for (const [index, reason] of oddTexts.entries()) {
      const given = record(`a${index}`, { details: { isDirect: index % 2 === 0, reason } });
      await put(invites, given);
      expectSame((await found(invites, `a${index}`)).value, given, "The details were changed.");
    }
  },

  "the address of a host that stores it comes back as it was put, and is not made up": async ({
    invites,
  }) => {
    const given = record("a", { threepid: threepid("zo\u00eb+\u{1f98a}'%@example.org") });
    await put(invites, given);
    await put(invites, record("b"));
    expectSame((await found(invites, "a")).value, given, "The address was changed.");
    expectSame((await found(invites, "b")).value, record("b"), "A record without an address has one now.");
  },

  "what was put stays, whatever the caller does to its own copy": async ({ invites }) => {
    const details = { reason: "first" };
    await put(invites, record("a", { details }));
    details.reason = "second";
    const { value } = await found(invites, "a");
    expectSame(value.details, { reason: "first" }, "The storage holds the caller's own object.");
  },

  "a signal that nobody aborts changes nothing": async ({ invites }) => {
    const { signal } = new AbortController();
    const { mark } = await invites.putIfAbsent(record("a"), { signal });
    const answer = await invites.replace(record("a", { life: pending("t") }), mark, { signal });
    expectSame(answer._tag, "Replaced", "With a signal, replace did nothing.");
    expectTrue((await invites.find(keyOf("a"), { signal })) !== undefined, "With a signal, find fails.");
    const byToken = await invites.findByToken(room1, "t", { signal });
    expectTrue(byToken.length === 1, "With a signal, findByToken fails.");
    expectTrue((await invites.list(room1, { signal })).length === 1, "With a signal, list fails.");
  },
};

export const listChecks: Checks<Subject> = {
  "list has every record of the room, as it is now, and none of another room": async ({ invites }) => {
    const mark = await put(invites, record("a"));
    await put(invites, record("b", { sender: alice, life: pending("t") }));
    await put(invites, record("c", { roomId: room2 }));
    await invites.replace(record("a", { life: asked(7) }), mark, {});
    const listed = [...(await invites.list(room1, {}))].sort((one, other) => (one.key < other.key ? -1 : 1));
    const expected = [record("a", { life: asked(7) }), record("b", { life: pending("t") })];
    expectSame(listed, expected, "list answered something else than the room's records.");
  },

  "list has nothing for a room without invites": async ({ invites }) => {
    await put(invites, record("a"));
    expectSame(await invites.list(room2, {}), [], "list answered with records of another room.");
  },
};
