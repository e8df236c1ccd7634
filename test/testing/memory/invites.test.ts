import { describe, expect, it } from "vitest";
import type { InviteQuery, Invites, RoomId, SettledLife } from "matrix-third-party-invites/ports";
import { memoryInvites } from "../../../src/testing/memory/index.js";
import { bob, keyFor, storedInvite, present, record, room1, room2 } from "./samples.js";

const pending = (token: string): SettledLife => ({
  _tag: "Pending",
  storedInvite: storedInvite(token),
  askedAt: 0,
  earlierTokens: [],
});

const keysByToken = async (invites: Invites, roomId: RoomId, token: string) =>
  (await invites.findByToken(roomId, token, {})).map(({ value }) => value.key);

describe("memoryInvites", () => {
  it("puts a record where none stands, and answers with the one that stands", async () => {
    const invites = memoryInvites();
    const first = await invites.putIfAbsent(record("a@x.example"), {});
    const second = await invites.putIfAbsent(record("a@x.example", { createdAt: 2 }), {});
    expect(first.value).toEqual(record("a@x.example"));
    const { isNew, ...stored } = first;
    expect(isNew).toBe(true);
    expect(second).toEqual({ ...stored, isNew: false });
    expect(await invites.find(keyFor("a@x.example"), {})).toEqual(stored);
  });

  it("lets one of many concurrent puts win", async () => {
    const invites = memoryInvites();
    const answers = await Promise.all(
      [1, 2, 3].map((createdAt) => invites.putIfAbsent(record("a@x.example", { createdAt }), {})),
    );
    expect(new Set(answers.map(({ mark, value }) => `${mark} ${value.createdAt}`)).size).toBe(1);
    expect(answers.map(({ isNew }) => isNew)).toEqual([true, false, false]);
  });

  it("replaces under the mark it gave last, with a new mark", async () => {
    const invites = memoryInvites();
    const { mark } = await invites.putIfAbsent(record("a@x.example"), {});
    const asked = record("a@x.example", { life: { _tag: "Asked", at: 5, before: { _tag: "Intended" } } });
    const answer = await invites.replace(asked, mark, {});
    expect(answer._tag).toBe("Replaced");
    const now = await invites.find(asked.key, {});
    expect(now).toEqual({ value: asked, mark: answer._tag === "Replaced" ? answer.mark : "" });
    expect(now?.mark).not.toBe(mark);
  });

  it("changes nothing on a stale mark, not even one of another record", async () => {
    const invites = memoryInvites();
    const first = await invites.putIfAbsent(record("a@x.example"), {});
    const other = await invites.putIfAbsent(record("b@x.example"), {});
    await invites.replace(record("a@x.example", { createdAt: 2 }), first.mark, {});
    for (const mark of [first.mark, other.mark, ""])
      expect(await invites.replace(record("a@x.example", { createdAt: 3 }), mark, {})).toEqual({
        _tag: "Stale",
      });
    expect((await invites.find(first.value.key, {}))?.value.createdAt).toBe(2);
  });

  it("puts nothing by a replacement", async () => {
    const invites = memoryInvites();
    expect(await invites.replace(record("a@x.example"), "1", {})).toEqual({ _tag: "Stale" });
    expect(await invites.find(keyFor("a@x.example"), {})).toBeUndefined();
  });

  it("finds by the token under which an invite stands, in its room only", async () => {
    const invites = memoryInvites();
    const put = async (address: string, life: Parameters<typeof record>[1]) =>
      (await invites.putIfAbsent(record(address, life), {})).value.key;
    const open = await put("a@x.example", { life: pending("t1") });
    const asked = await put("b@x.example", {
      life: { _tag: "Asked", at: 1, before: pending("t2") },
    });
    const redeemed = await put("c@x.example", {
      life: { _tag: "Redeemed", by: bob, tokens: [storedInvite("t3").token] },
    });
    await put("d@x.example", {});
    expect(await keysByToken(invites, room1, "t1")).toEqual([open]);
    expect(await keysByToken(invites, room1, "t2")).toEqual([asked]);
    expect(await keysByToken(invites, room1, "t3")).toEqual([redeemed]);
    expect(await keysByToken(invites, room1, "t4")).toEqual([]);
    expect(await keysByToken(invites, room2, "t1")).toEqual([]);
  });

  it("no longer finds a token that a newer one has replaced", async () => {
    const invites = memoryInvites();
    const old = record("a@x.example", { life: pending("old") });
    const { mark } = await invites.putIfAbsent(old, {});
    await invites.replace({ ...old, life: pending("new") }, mark, {});
    expect(await keysByToken(invites, room1, "old")).toEqual([]);
    expect(await keysByToken(invites, room1, "new")).toEqual([old.key]);
  });

  it("lists the records of one room", async () => {
    const invites = memoryInvites();
    await invites.putIfAbsent(record("a@x.example"), {});
    await invites.putIfAbsent(record("b@x.example"), {});
    await invites.putIfAbsent(record("a@x.example", { roomId: room2 }), {});
    const listed = async (query: InviteQuery) => (await invites.list(query, {})).map(({ value }) => value);
    const ofRoom = await listed({ by: { roomId: room1 } });
    expect(ofRoom).toHaveLength(2);
    expect(ofRoom).toEqual(expect.arrayContaining([record("a@x.example"), record("b@x.example")]));
    expect(await listed({ by: { roomId: room2 } })).toEqual([record("a@x.example", { roomId: room2 })]);
  });

  it("keeps what was put, whatever the caller does to its own copy or to an answer", async () => {
    const invites = memoryInvites();
    const details = { reason: "first" };
    const { key } = (await invites.putIfAbsent(record("a@x.example", { details }), {})).value;
    details.reason = "second";
    const stored = present(await invites.find(key, {}));
    expect(stored.value.details.reason).toBe("first");
    expect(() => Object.assign(stored.value.details, { reason: "third" })).toThrow(TypeError);
    expect(() => Object.assign(stored, { mark: "0" })).toThrow(TypeError);
  });
});
