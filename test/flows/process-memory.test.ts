import { type Either, right } from "fp-ts/lib/Either.js";
import type { Problem } from "matrix-third-party-invites";
import { parseServerName } from "matrix-third-party-invites/matrix";
import { describe, expect, it } from "vitest";
import { hasPassed, processMemory, waitFrom } from "../../src/flows/steps/process-memory.js";
import { openWorld, owe, pend } from "./ports.js";
import { alice, anna, invite, longTerm, must, room, signedBy, urlFor } from "./samples.js";

const minute = 60_000;
const hour = 60 * minute;
const year = 365 * 24 * hour;
const now = 1_800_000_000_000;
const server = must(parseServerName("b.example"));
const other = must(parseServerName("c.example"));

describe("a server that is backed off", () => {
  it("is asked nothing for a minute, twice as long each time, an hour at most", () => {
    const { servers } = processMemory();
    const waits = Array.from({ length: 12 }, () => servers.down(server, now) - now);
    expect(waits.map((wait) => wait / minute)).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60, 60, 60, 60]);
  });

  it("is asked again when that is over, and not before", () => {
    const { servers } = processMemory();
    const until = servers.down(server, now);
    expect(servers.until(server, now)).toBe(until);
    expect(servers.until(server, until - 1)).toBe(until);
    expect(servers.until(server, until)).toBeUndefined();
  });

  it("begins anew once it has answered, and is none of the others' concern", () => {
    const { servers } = processMemory();
    servers.down(server, now);
    servers.down(server, now);
    expect(servers.until(other, now)).toBeUndefined();
    expect(servers.down(other, now)).toBe(now + minute);
    servers.up(server);
    expect(servers.until(server, now)).toBeUndefined();
    expect(servers.down(server, now)).toBe(now + minute);
  });

  it.each([
    ["less than our own pause", 1, minute],
    ["more than our own pause", 10 * minute, 10 * minute],
    ["an hour", hour, hour],
    ["more than an hour", hour + 1, hour],
    ["decades", 30 * year, hour],
    ["the past", -hour, minute],
    ["NaN", NaN, minute],
    ["Infinity", Infinity, minute],
    ["minus Infinity", -Infinity, minute],
    ["nothing", undefined, minute],
  ])("is waited for as it asks, an hour at most: %s", (_, retryAfterMs, wait) => {
    const { servers } = processMemory();
    expect(servers.down(server, now, retryAfterMs)).toBe(now + wait);
    expect(servers.until(server, now)).toBe(now + wait);
  });

  it("is asked when the clock was set back by more than a back-off lasts", () => {
    const { servers } = processMemory();
    servers.down(server, now + year);
    expect(servers.until(server, now)).toBeUndefined();
    servers.down(server, now, hour);
    expect(servers.until(server, now)).toBe(now + hour);
    expect(servers.until(server, now - 1)).toBeUndefined();
  });

  it("is forgotten where 10,000 others came after it", () => {
    const { servers } = processMemory();
    const named = (at: number) => must(parseServerName(`s${at}.example`));
    for (let at = 0; at <= 10_000; at += 1) servers.down(named(at), now);
    expect(servers.until(named(0), now)).toBeUndefined();
    expect(servers.until(named(1), now)).toBe(now + minute);
    expect(servers.until(named(10_000), now)).toBe(now + minute);
  });
});

it.each([
  [0, 0],
  [5, 5],
  [11, 10],
  [-1, 0],
  [NaN, 0],
  [Infinity, 0],
  ["5", 0],
  [undefined, 0],
  [null, 0],
  [{}, 0],
])("a wait of %o that others ask for is %i of at most 10", (given, wait) => {
  expect(waitFrom(given, 10)).toBe(wait);
});

it.each([
  ["not yet", 100, 109, false],
  ["now", 100, 110, true],
  ["later", 100, 1_000, true],
  ["noted by a clock that was ahead", 100, 99, true],
])("so much time has passed: %s", (_, since, at, passed) => {
  expect(hasPassed(since, at, 10)).toBe(passed);
});

describe("what a validity URL says", () => {
  const url = "https://id.example/isvalid?public_key=x";

  it.each([
    [true, 5 * minute],
    [false, minute],
    ["unknown", 1_000],
  ] as const)("%o is remembered for %i ms", (valid, ms) => {
    const { validity } = processMemory();
    expect(validity.find(url, now)).toBeUndefined();
    validity.note(url, now, valid);
    expect(validity.find(url, now)).toBe(valid);
    expect(validity.find(url, now + ms - 1)).toBe(valid);
    expect(validity.find(url, now + ms)).toBeUndefined();
    expect(validity.find(`${url}y`, now)).toBeUndefined();
    // Noted by a clock that was ahead.
    expect(validity.find(url, now - 1)).toBeUndefined();
  });

  it("is what it said last", () => {
    const { validity } = processMemory();
    validity.note(url, now, true);
    validity.note(url, now + 1, false);
    expect(validity.find(url, now + 1)).toBe(false);
    expect(validity.find(url, now + 1 + minute)).toBeUndefined();
  });

  it("is forgotten where 10,000 others came after it", () => {
    const { validity } = processMemory();
    for (let at = 0; at <= 10_000; at += 1) validity.note(String(at), now, true);
    expect(["0", "1", "10000"].map((name) => validity.find(name, now))).toEqual([undefined, true, true]);
  });
});

describe("two requests at a time to one host", () => {
  /** Steps that begin when they have their turn and end when they are told to. */
  const open = () => {
    const { validityTurns } = processMemory();
    const begun: string[] = [];
    const endings = new Map<string, (how?: unknown) => void>();
    const start = (name: string, { host = "id.example", isUrgent = false } = {}): Promise<unknown> =>
      validityTurns({ name: host, isUrgent }, () => {
        begun.push(name);
        return new Promise<Either<Problem, string>>((resolve, reject) => {
          endings.set(name, (how) => {
            if (how === undefined) resolve(right(name));
            else reject(how instanceof Error ? how : new Error("broken"));
          });
        });
      })();
    const end = async (name: string, how?: unknown): Promise<void> => {
      endings.get(name)?.(how);
      for (let ticks = 0; ticks < 10; ticks += 1) await Promise.resolve();
    };
    return { begun, start, end };
  };

  it("the urgent ones are first among those that wait, each kind in its order", async () => {
    const { begun, start, end } = open();
    const all = ["a", "b", "c", "d"].map((name) => start(name));
    all.push(start("urgent 1", { isUrgent: true }), start("urgent 2", { isUrgent: true }));
    expect(begun).toEqual(["a", "b"]);
    for (const name of ["a", "b", "urgent 1", "urgent 2", "c", "d"]) await end(name);
    expect(begun).toEqual(["a", "b", "urgent 1", "urgent 2", "c", "d"]);
    await Promise.all(all);
  });

  it("other hosts have turns of their own", () => {
    const { begun, start } = open();
    for (const name of ["a", "b", "c"]) void start(name);
    for (const name of ["x", "y", "z"]) void start(name, { host: "other.example" });
    expect(begun).toEqual(["a", "b", "x", "y"]);
  });

  it("whoever comes when a turn is handed on does not overtake those who wait", async () => {
    const { begun, start, end } = open();
    for (const name of ["a", "b", "c"]) void start(name);
    const ending = end("a");
    void start("late");
    await ending;
    expect(begun).toEqual(["a", "b", "c"]);
  });

  it("a step that throws gives its turn back", async () => {
    const { begun, start, end } = open();
    const broken = [start("a"), start("b")];
    void start("c");
    void start("d");
    const results = Promise.allSettled(broken);
    await end("a", new Error("broken"));
    await end("b", new Error("broken"));
    expect((await results).map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    expect(begun).toEqual(["a", "b", "c", "d"]);
  });

  it("when all have ended, two begin at once again", async () => {
    const { begun, start, end } = open();
    for (const name of ["a", "b", "c"]) void start(name);
    for (const name of ["a", "b", "c"]) await end(name);
    for (const name of ["d", "e", "f"]) void start(name);
    expect(begun).toEqual(["a", "b", "c", "d", "e"]);
  });
});

describe("a worker with many proofs whose keys are asked about", () => {
  /** So many invites of ours, each with a URL of its own at the host. */
  const openKeys = async (rows: number, urlOf: (row: number) => string) => {
    const world = openWorld();
    for (let row = 0; row < rows; row += 1) {
      const content = {
        display_name: "z",
        public_key: longTerm.publicKey,
        key_validity_url: urlOf(row),
      };
      pend(world, `t${row}`, { sender: alice, content });
      await owe(world, { token: `t${row}`, sender: alice, isVouched: true });
    }
    const atOnce = new Map<string, number>();
    const most = new Map<string, number>();
    world.intercept = async (call, perform) => {
      if (call.name !== "identityServer.keyValidity") return perform();
      const { host } = new URL(String(call.args[0]));
      const running = (atOnce.get(host) ?? 0) + 1;
      atOnce.set(host, running);
      most.set(host, Math.max(most.get(host) ?? 0, running));
      await new Promise((resolve) => setTimeout(resolve, 1));
      atOnce.set(host, running - 1);
      return perform();
    };
    return { world, most };
  };

  it("asks one host two things at a time, however its name is written", async () => {
    const { world, most } = await openKeys(12, (row) =>
      row % 3 === 0
        ? `https://ID.example:0443/${row}`
        : `https://${row % 3 === 1 ? "id" : "other"}.example/${row}`,
    );
    await world.invites.deliverOwed();
    expect(Object.fromEntries(most)).toEqual({ "id.example": 2, "other.example": 2 });
    expect(world.count("identityServer.keyValidity")).toBe(12);
  });

  it("asks one URL once, though all of them wait for it", async () => {
    const { world } = await openKeys(12, () => "https://id.example/isvalid");
    await world.invites.deliverOwed();
    // Two begin at once; the others look again when they have their turn.
    expect(world.count("identityServer.keyValidity")).toBeLessThanOrEqual(2);
  });

  it("asks about our own stored invites first", async () => {
    // Three and ours: vouched, so that all four are worked on at a time.
    const { world } = await openKeys(3, (row) => `https://id.example/${row}`);
    must(await world.invites.invite({ roomId: room, requester: { userId: alice }, body: invite() }));
    await owe(world, {
      token: "token1",
      sender: alice,
      signed: signedBy(anna, "token1"),
      isVouched: true,
      turn: 9,
    });
    const asked: string[] = [];
    const ends: (() => void)[] = [];
    world.intercept = (call, perform) => {
      if (call.name !== "identityServer.keyValidity") return perform();
      asked.push(String(call.args[0]));
      return new Promise<void>((resolve) => ends.push(resolve)).then(perform);
    };
    const working = world.invites.deliverOwed();
    for (let at = 0; at < 4; at += 1) {
      // All that can begin has begun when nothing is left to do but to wait.
      await new Promise((resolve) => setTimeout(resolve, 5));
      ends[at]?.();
    }
    expect(must(await working).done).toBe(4);
    expect(asked).toHaveLength(4);
    // Two others had begun.
    expect(asked.indexOf(urlFor("https://id.example/isvalid", longTerm.publicKey))).toBe(2);
  });
});
