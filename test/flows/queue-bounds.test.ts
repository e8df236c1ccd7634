import { parseUserId } from "matrix-third-party-invites/matrix";
import { redemptionRow } from "matrix-third-party-invites/storage";
import type { JsonObject, RedemptionRecord } from "matrix-third-party-invites/ports";
import { afterEach, describe, expect, it, vi } from "vitest";
import { type World, openWorld, owe, pend } from "./ports.js";
import { alice, anna, bob, ephemeral, longTerm, must, room, signedBy, stranger } from "./samples.js";
import { type Answering, openVirtualTime } from "./virtual-time.js";

const mebibyte = 1024 * 1024;

afterEach(() => {
  vi.unstubAllGlobals();
});

const isStorage = (name: string): boolean => /^(?:redemptions|invites|users)\./.test(name);

/** How many statements run, and how many of them at a time at most. */
const countStatements = (world: World) => {
  const counted = { all: 0, atOnce: 0 };
  let running = 0;
  world.intercept = async (call, perform) => {
    if (!isStorage(call.name)) return perform();
    counted.all += 1;
    running += 1;
    counted.atOnce = Math.max(counted.atOnce, running);
    await Promise.resolve();
    try {
      return await perform();
    } finally {
      running -= 1;
    }
  };
  return counted;
};

const bodyOf = (entries: number, entryFor: (at: number) => JsonObject): JsonObject => ({
  mxid: anna,
  invites: Array.from({ length: entries }, (_, at) => ({
    mxid: anna,
    room_id: room,
    sender: `@bob:s${at}.example`,
    ...entryFor(at),
  })),
});

const forged = (at: number, padding = 0): JsonObject => ({
  signed: { mxid: anna, token: `t${at}`, signatures: { x: {} }, more: "x".repeat(padding) },
});

const openHome = (): World => {
  const pinnedKeys = new Map([["id.example", [longTerm.publicKey]]]);
  const queue = { unvouchedPerUser: 10_000 };
  const world = openWorld({ resident: false, config: { pinnedKeys, queue } });
  world.users.set(anna, {});
  return world;
};

const size = (body: JsonObject): number => JSON.stringify(body).length;

describe("one onbind is at most 10 statements for each 512 KiB, one at a time", () => {
  it.each([
    ["one entry", bodyOf(1, forged)],
    ["5,000 inviting servers", bodyOf(5_000, forged)],
    ["3 MiB", bodyOf(380, (at) => forged(at, 8_000))],
    [
      "vouched and others",
      bodyOf(20, (at) => (at % 2 === 0 ? forged(at) : { signed: signedBy(anna, `t${at}`) })),
    ],
  ])("%s", async (_, body) => {
    const world = openHome();
    const counted = countStatements(world);
    expect(must(await world.invites.receiveOnBind({ body })).refused).toEqual([]);
    expect(counted.all).toBeLessThanOrEqual(10 * Math.ceil(size(body) / (512 * 1024)));
    expect(counted.atOnce).toBe(1);
    for (const { name, args } of world.calls)
      if (name === "redemptions.put") {
        const records = args[0] as readonly RedemptionRecord[];
        const bytes = records.reduce((sum, record) => sum + redemptionRow(record).bytes, 0);
        expect(bytes).toBeLessThanOrEqual(512 * 1024);
      }
  });

  it("also where every cap is passed, and forged rows leave", async () => {
    const queue = { unvouched: 200, unvouchedPerUser: 100, vouched: 100, vouchedPerUser: 100 };
    const pinnedKeys = new Map([["id.example", [longTerm.publicKey]]]);
    const world = openWorld({ resident: false, config: { pinnedKeys, queue } });
    const other = must(parseUserId("@other:a.example"));
    for (const user of [anna, other]) {
      world.users.set(user, {});
      const invites = Array.from({ length: 99 }, (_, at) => ({
        mxid: user,
        room_id: room,
        sender: bob,
        signed: { ...(forged(at)["signed"] as JsonObject), mxid: user },
      }));
      await world.invites.receiveOnBind({ body: { mxid: user, invites } });
    }
    const counted = countStatements(world);
    const body = bodyOf(2, forged);
    const { added } = must(await world.invites.receiveOnBind({ body }));
    expect([added, counted.all <= 10]).toEqual([2, true]);
  });
});

it("a delivery of 5,000 entries lets others run all the time", async () => {
  const world = openHome();
  let turns = 0;
  const timer = setInterval(() => (turns += 1), 0);
  must(await world.invites.receiveOnBind({ body: bodyOf(5_000, forged) }));
  clearInterval(timer);
  // Once for 32 entries that are checked, and for 32 rows that are made.
  expect(turns).toBeGreaterThanOrEqual(200);
});

it("a flood of 1,000 anonymous onbinds of 3 MiB leaves less than 64 MiB: at a sixty-fourth of both", async () => {
  const scale = 64;
  const answers: readonly Answering[] = [
    { ms: 300, answer: { _tag: "Accepted" } },
    { ms: 300, answer: { _tag: "Refused", status: 403, errcode: "M_FORBIDDEN" } },
    { ms: 30_000, answer: { _tag: "Unreachable" } },
  ];
  const time = openVirtualTime(
    ({ destination }) => answers[destination.length % 3] ?? must(undefined as never),
    {
      queue: {
        unvouched: Math.floor(20_000 / scale),
        unvouchedBytes: (24 * mebibyte) / scale,
        dead: Math.floor(10_000 / scale),
        deadBytes: (8 * mebibyte) / scale,
        done: Math.floor(10_000 / scale),
      },
    },
  );
  let most = 0;
  let sent = 0;
  for (let onBind = 0; onBind < 1_000; onBind += 1) {
    const entries = Array.from({ length: 6 }, (_, at) => ({
      user: onBind,
      server: `${"s".repeat(1 + (at % 3))}${onBind}.example`,
      token: `t${onBind}-${at}`,
      padding: 7_900,
    }));
    sent += 6 * 8_000;
    await time.deliver(entries);
    if (onBind % 20 !== 19) continue;
    const stored = time.world.rows().reduce((sum, record) => sum + redemptionRow(record).bytes, 0);
    most = Math.max(most, stored);
    await time.run(time.now() + 60_000);
  }
  if (process.env["SHOW"] !== undefined) process.stdout.write(`live ${(most * scale) / mebibyte} MiB\n`);
  expect(sent * scale).toBeGreaterThan(2.8 * 1024 * mebibyte);
  expect(most * scale).toBeLessThanOrEqual(64 * mebibyte);
  // It is no empty queue that is counted.
  expect(most * scale).toBeGreaterThan(16 * mebibyte);
});

describe("forged proofs of one token", () => {
  /** Statements, and rows that they write, for so many. */
  const workOn = async (rows: number) => {
    const world = openWorld();
    pend(world, "t1", { sender: alice });
    for (let row = 0; row < rows; row += 1)
      await owe(world, { sender: alice, signed: { ...signedBy(anna, "t1", stranger), row } });
    expect(must(await world.invites.deliverOwed())).toMatchObject({ dead: rows });
    return { replaced: world.count("redemptions.replace"), all: world.names().filter(isStorage).length };
  };

  it("cost as much each, however many there are: one row is written for one", async () => {
    const [few, many] = [await workOn(50), await workOn(400)];
    expect([few.replaced, many.replaced]).toEqual([50, 400]);
    expect(many.all / 400).toBeLessThanOrEqual(few.all / 50);
  });
});

describe("500 proofs of one invite", () => {
  it("ask the servers that its event names what a key is worth a few times, not for each", async () => {
    const world = openWorld();
    const public_keys = Array.from({ length: 8 }, (_, at) => ({
      public_key: longTerm.publicKey,
      key_validity_url: `https://id.example/${at}`,
    }));
    pend(world, "t1", { sender: alice, content: { display_name: "z", public_keys } });
    world.intercept = (call, perform) =>
      call.name === "identityServer.keyValidity" ? Promise.resolve({ _tag: "Unreachable" }) : perform();
    for (let row = 0; row < 500; row += 1)
      await owe(world, { sender: alice, signed: { ...signedBy(anna, "t1"), unsigned: { row } } });
    const asked = () => world.count("identityServer.keyValidity");
    const began = world.now;
    must(await world.invites.deliverOwed());
    const first = asked();
    while (world.now < began + 30_000) {
      const { nextDueAt = Infinity } = must(await world.invites.deliverOwed());
      world.now = Math.max(nextDueAt, world.now + 1);
    }
    // 12,000 for 0.1.0. An answer that says nothing is remembered for a second.
    expect(first).toBeLessThanOrEqual(16);
    expect(asked()).toBeLessThanOrEqual(8 * 30 * 2);
  });
});

it("a proof that is stored beside the end of another of its token ends as well, and makes no second invite", async () => {
  const world = openWorld();
  pend(world, "t1", { sender: alice });
  await owe(world, { sender: alice });
  let isPut = false;
  world.intercept = async (call, perform) => {
    if (call.name === "redemptions.replace" && !isPut) {
      isPut = true;
      await owe(world, { sender: alice, signed: signedBy(anna, "t1", ephemeral) });
    }
    return perform();
  };
  must(await world.invites.deliverOwed());
  must(await world.invites.deliverOwed());
  expect(world.rows().map(({ state }) => state._tag)).toEqual(["Redeemed", "Done"]);
  expect(world.appended).toHaveLength(1);
});
