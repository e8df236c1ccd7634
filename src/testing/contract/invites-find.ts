import { type InviteRecord, tokensOf } from "../../invite/invite-life.js";
import type { Invites, Marked } from "../../ports.js";
import { expectSame } from "./expect.js";
import { foundByToken, put } from "./invites.js";
import { replaced } from "./invites-replace.js";
import type { Checks } from "./runner.js";
import { everyLife, withEarlierTokens } from "./sample-lives.js";
import { asked, carol, hashOf, pending, record, room, room1, room2, server, user } from "./samples.js";

interface Subject {
  readonly invites: Invites;
}

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

  "findByToken finds all invites of the room that have the token": async ({ invites }) => {
    // Whoever runs an identity server can let it answer with somebody else's token.
    await put(invites, record("a", { life: pending("t") }));
    await put(invites, record("b", { sender: carol, life: withEarlierTokens("new", "t") }));
    await put(invites, record("c", { roomId: room2, life: pending("t") }));
    for (const [roomId, expected] of [[room1, ["a", "b"]] as const, [room2, ["c"]] as const]) {
      const keys = (await invites.findByToken(roomId, "t", {})).map(({ value }): string => value.key).sort();
      expectSame(keys, expected, "An invite hides behind another, or was found in another room.");
    }
  },
};

const byKey = (listed: readonly Marked<InviteRecord>[]): readonly Marked<InviteRecord>[] =>
  [...listed].sort(({ value: one }, { value: other }) => (one.key < other.key ? -1 : 1));

const keysOf = (listed: readonly Marked<InviteRecord>[]): readonly string[] =>
  listed.map(({ value }) => value.key);

export const listChecks: Checks<Subject> = {
  "list has the invites of a room, a sender, an identity server or an address, as they are now": async ({
    invites,
  }) => {
    const ids = ["id.example", "ID.example", "id.example:80", "sub.id.example"].map(server);
    const senders = ["@alice:a.example", "@Alice:a.example", "@alic_:a.example", "@alice:a.exampl"].map(user);
    const hashes = ["hash", "Hash", "has_", "hash "].map(hashOf);
    const rooms = ["!1:a.example", "!1:A.example", "!_:a.example", "!%"].map(room);
    const pick = <A>(list: readonly A[], index: number): A => list[index % list.length] as A;
    const all = Array.from({ length: 64 }, (_, index) =>
      record(`k${index}`, {
        roomId: pick(rooms, index),
        sender: pick(senders, index >> 2),
        idServer: pick(ids, index >> 4),
        addressHash: pick(hashes, index + (index >> 3)),
      }),
    );
    const stored: Marked<InviteRecord>[] = [];
    for (const [index, one] of all.entries()) {
      const mark = await put(invites, one);
      const value = index % 5 === 0 ? { ...one, life: asked(7) } : one;
      const answer = value === one ? { mark } : await invites.replace(value, mark, {});
      stored.push({ value, mark: "mark" in answer ? answer.mark : mark });
    }
    const questions = [
      ...rooms.map((roomId) => ({ roomId })),
      ...senders.map((sender) => ({ sender })),
      ...ids.map((idServer) => ({ idServer })),
      ...hashes.map((addressHash) => ({ addressHash })),
    ];
    for (const by of questions) {
      const [[name, value] = ["", ""]] = Object.entries(by);
      const expected = stored.filter((one) =>
        Object.entries(one.value).some(([key, is]) => key === name && is === value),
      );
      const listed = await invites.list({ by }, {});
      expectSame(byKey(listed), byKey(expected), `Not the invites of this ${name} were listed.`);
    }
    expectSame(await invites.list({ by: { roomId: room2 } }, {}), [], "There is none in this room.");
  },

  "list has the newest first, of one time by key, in pages that have each once": async ({ invites }) => {
    const made = [
      ["Z", 3],
      ["a", 3],
      ["b", 3],
      ["c", 3],
      ["f", 1],
      ["e", 2],
      ["d", 2],
      ["-", 2],
    ] as const;
    for (const [key, createdAt] of [made[3], made[0], made[6], made[4], made[7], made[1], made[5], made[2]])
      await put(invites, record(key, { createdAt }));
    const expected = ["Z", "a", "b", "c", "-", "d", "e", "f"];
    const by = { roomId: room1 };
    expectSame(keysOf(await invites.list({ by }, {})), expected, "They are in another order.");
    for (const limit of [1, 3, 8]) {
      const listed: Marked<InviteRecord>[] = [];
      for (let page = 0; page * limit <= expected.length; page += 1) {
        const last = listed.at(-1)?.value;
        listed.push(
          ...(await invites.list({ by, limit, ...(last === undefined ? {} : { after: last }) }, {})),
        );
      }
      expectSame(keysOf(listed), expected, `Pages of ${limit} are others.`);
    }
  },
};
