import type { Config } from "matrix-third-party-invites";
import { onBindEndpoint } from "matrix-third-party-invites/http";
import type { ExchangeQuestion } from "matrix-third-party-invites/ports";
import { describe, expect, it, vi } from "vitest";
import { type World, openWorld, owe } from "./ports.js";
import { address, alice, anna, bob, carol, must, problemOf, room, signedBy } from "./samples.js";

const soon = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 2));

/** A server that is in no room, whose exchanges are answered when the test says so. */
const openSlow = (config: Partial<Config> = {}) => {
  const world = openWorld({ resident: false, config });
  world.users.set(anna, {});
  const waiting: { readonly server: string; readonly answer: () => void }[] = [];
  const most = { inAll: 0, forOne: 0 };
  world.intercept = (call, perform) => {
    if (call.name !== "federation.exchangeThirdPartyInvite") return perform();
    const { destination: server } = call.args[0] as ExchangeQuestion;
    return new Promise((resolve) => {
      waiting.push({
        server,
        answer: () => {
          resolve({ _tag: "Accepted" });
        },
      });
      most.inAll = Math.max(most.inAll, waiting.length);
      const there = waiting.filter((one) => one.server === server).length;
      most.forOne = Math.max(most.forOne, there);
    });
  };
  /** Answers all exchanges until none comes any more. */
  const answerAll = async (): Promise<void> => {
    await soon();
    while (waiting.length > 0) {
      waiting.shift()?.answer();
      await soon();
    }
  };
  return { world, waiting, most, answerAll };
};

const exchanges = (world: World): number => world.count("federation.exchangeThirdPartyInvite");

describe("a second call joins the one that runs", () => {
  it("has its answer, claims nothing twice, and asks nobody twice", async () => {
    const { world, answerAll } = openSlow();
    await owe(world);
    const calls = Array.from({ length: 20 }, () => world.invites.deliverOwed());
    await soon();
    expect(exchanges(world)).toBe(1);
    calls.push(world.invites.deliverOwed({ limit: 1 }));
    await answerAll();
    const results = (await Promise.all(calls)).map(must);
    expect(new Set(results.map(({ done }) => done))).toEqual(new Set([1]));
    expect(exchanges(world)).toBe(1);
    expect(world.count("redemptions.nextDueAt")).toBe(1);
    expect(world.count("redemptions.claim")).toBeLessThanOrEqual(4);
  });

  it("brings what was stored meanwhile to be worked on before the first has ended", async () => {
    const { world, waiting, answerAll } = openSlow();
    await owe(world);
    const first = world.invites.deliverOwed();
    await soon();
    await owe(world, { token: "t2", sender: bob });
    const second = world.invites.deliverOwed();
    waiting.shift()?.answer();
    await soon();
    expect(waiting).toHaveLength(1);
    await answerAll();
    expect([must(await first).done, must(await second).done]).toEqual([2, 2]);
  });

  it("is none when the first has ended: a call begins anew", async () => {
    const { world, answerAll } = openSlow();
    await owe(world);
    const first = world.invites.deliverOwed();
    await answerAll();
    expect(must(await first).done).toBe(1);
    await owe(world, { token: "t2" });
    const next = world.invites.deliverOwed();
    await answerAll();
    expect(must(await next).done).toBe(1);
  });

  it("hears of the first one's failure, and the call after that begins anew", async () => {
    const { world } = openSlow();
    await owe(world);
    const perform = world.intercept;
    world.intercept = (call, real) =>
      call.name === "redemptions.claim" ? soon().then(() => Promise.reject(new Error("down"))) : real();
    const both = [world.invites.deliverOwed(), world.invites.deliverOwed()];
    for (const result of await Promise.all(both)) expect(problemOf(result).code).toBe("PortBroken");
    world.intercept = perform;
    const again = world.invites.deliverOwed();
    await soon();
    expect(exchanges(world)).toBe(1);
    void again;
  });

  it("is not stopped where the host stops the first", async () => {
    const { world } = openSlow();
    await owe(world);
    world.intercept = (call, perform) =>
      call.name === "redemptions.claim" && world.count("redemptions.claim") === 1
        ? new Promise((_, reject) => {
            call.signal?.addEventListener("abort", () => {
              reject(new Error("stopped"));
            });
          })
        : perform();
    world.next.exchange.push({ _tag: "Accepted" });
    const stopping = new AbortController();
    const first = world.invites.deliverOwed({}, { signal: stopping.signal });
    const second = world.invites.deliverOwed();
    await soon();
    stopping.abort();
    expect(problemOf(await first).code).toBe("Cancelled");
    expect(must(await second).done).toBe(1);
  });
});

describe("a call that joins", () => {
  it("is over when its own signal stops it, and the other goes on", async () => {
    const { world, answerAll } = openSlow();
    await owe(world);
    const first = world.invites.deliverOwed();
    await soon();
    const stopping = new AbortController();
    const second = world.invites.deliverOwed({}, { signal: stopping.signal });
    await soon();
    stopping.abort();
    expect(problemOf(await second).code).toBe("Cancelled");
    expect(problemOf(await world.invites.deliverOwed({}, { signal: stopping.signal })).code).toBe(
      "Cancelled",
    );
    await answerAll();
    expect(must(await first).done).toBe(1);
    expect(exchanges(world)).toBe(1);
  });

  it("has what is new worked on at once, though all that began before waits for slow servers", async () => {
    const { world, waiting, answerAll } = openSlow();
    await owe(world);
    void world.invites.deliverOwed();
    await soon();
    await owe(world, { token: "t2", sender: carol });
    void world.invites.deliverOwed();
    await soon();
    expect(waiting.map(({ server }) => server)).toEqual(["b.example", "c.example"]);
    await answerAll();
  });
});

it("lets others run, though the storage and the room answer at once", async () => {
  const world = openWorld();
  for (let row = 0; row < 300; row += 1) await owe(world, { token: `t${row}`, sender: alice });
  let turns = 0;
  const timer = setInterval(() => (turns += 1), 0);
  must(await world.invites.deliverOwed());
  clearInterval(timer);
  expect(turns).toBeGreaterThanOrEqual(3);
});

describe("the same onbind 100 times, from a stranger, while the inviter's server is slow", () => {
  const entryOf = (token: string, sender: string) => ({
    medium: "email",
    address,
    mxid: anna,
    room_id: room,
    sender,
    token,
    signed: signedBy(anna, token),
  });

  const deliver100 = async (
    { invites }: World,
    entries: readonly unknown[],
    wake = vi.fn((): Promise<unknown> => invites.deliverOwed()),
  ) => {
    const onBind = onBindEndpoint(invites, { wake });
    const body = JSON.stringify({ medium: "email", address, mxid: anna, invites: entries });
    const url = "https://a.example/_matrix/federation/v1/3pid/onbind";
    for (let time = 0; time < 100; time += 1) {
      const { status } = await onBind(new Request(url, { method: "POST", body }));
      expect(status).toBe(200);
    }
    return wake;
  };

  it("is 1 row, 1 wake and 1 exchange", async () => {
    const { world, most, answerAll } = openSlow();
    const wake = await deliver100(world, [entryOf("t1", bob)]);
    await answerAll();
    expect(world.rows()).toHaveLength(1);
    expect(wake).toHaveBeenCalledTimes(1);
    expect([exchanges(world), most.inAll]).toEqual([1, 1]);
    expect(world.count("redemptions.claim")).toBeLessThanOrEqual(4);
  });

  it.each([
    ["one server", 1, 8, 3],
    ["many servers", 40, 8, 7],
    ["many servers, by default", 100, undefined, 60],
  ] as const)(
    "is never more than maxInFlight exchanges at a time: %s",
    async (_, servers, maxInFlight, expected) => {
      const { world, most, answerAll } = openSlow(maxInFlight === undefined ? {} : { maxInFlight });
      const entries = Array.from({ length: 100 }, (_, at) =>
        entryOf(`t${at}`, `@bob:s${at % servers}.example`),
      );
      // A host may also call the worker on its own, as often as it likes.
      await deliver100(
        world,
        entries,
        vi.fn((): Promise<unknown> =>
          Promise.all(Array.from({ length: 50 }, () => world.invites.deliverOwed())),
        ),
      );
      await answerAll();
      expect(world.rows()).toHaveLength(100);
      expect(most.inAll).toBe(expected);
      expect(most.forOne).toBeLessThanOrEqual(3);
      expect(exchanges(world)).toBe(100);
      expect(world.rows().every(({ state }) => state._tag === "Done")).toBe(true);
    },
  );
});
