import type { RoomId } from "../../matrix/ids.js";
import type { Invites } from "../../ports.js";
import { expectPresent, expectSame, expectTrue } from "./expect.js";
import type { Checks } from "./runner.js";
import { asked, keyOf, oddTexts, pending, record, room1, threepid } from "./samples.js";
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
    const { isNew, ...stored } = await invites.putIfAbsent(record("a"), {});
    expectSame(isNew, true, "isNew of a record that was stored by this call.");
    expectSame(stored.value, record("a"), "putIfAbsent did not answer with the record that it stored.");
    expectSame(await found(invites, "a"), stored, "find answered something else.");
  },

  "putIfAbsent leaves the record that stands, replaced or not, and answers with it and that it is not new":
    async ({ invites }) => {
      const mark = await put(invites, record("a"));
      const other = record("a", { createdAt: 2, life: pending("t") });
      const standing = { value: record("a"), mark };
      const again = await invites.putIfAbsent(other, {});
      expectSame(
        again,
        { ...standing, isNew: false },
        "The second putIfAbsent was to answer with what stood there.",
      );
      expectSame(await found(invites, "a"), standing, "The second putIfAbsent has overwritten the record.");
      await invites.replace(record("a", { life: asked(5) }), mark, {});
      const late = await invites.putIfAbsent(other, {});
      expectSame(late.isNew, false, "isNew of a record that was put before, and replaced since.");
      expectSame(late.value, record("a", { life: asked(5) }), "putIfAbsent brought an old record back.");
    },

  "find finds nothing under a key that nobody put: keys that differ in case or in blanks are others": async ({
    invites,
  }) => {
    const keys = ["Key", "key", "KEY", "key ", " key"];
    for (const key of keys) {
      expectSame(await invites.find(keyOf(key), {}), undefined, "find took one key for another.");
      await put(invites, record(key));
    }
    for (const key of keys)
      expectSame((await found(invites, key)).value.key, key, "find took one key for another.");
  },

  "an invite comes back as it was put, in any state, with an address or none, and any texts in it": async ({
    invites,
  }) => {
    const given = [
      ...Object.entries(everyLife).map(([state, life]) => record(state, { life })),
      ...oddTexts.map((reason, index) =>
        record(`a${index}`, { details: { isDirect: index % 2 === 0, reason } }),
      ),
      record("address", { threepid: threepid("zo\u00eb+\u{1f98a}'%@example.org") }),
    ];
    for (const one of given) await put(invites, one);
    for (const one of given)
      expectSame((await found(invites, one.key)).value, one, "The record was changed.");
  },

  "an invite that was put stays so, whatever the caller does to its own copy": async ({ invites }) => {
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
    expectTrue(
      (await invites.list({ by: { roomId: room1 } }, { signal })).length === 1,
      "With a signal, list fails.",
    );
  },
};
