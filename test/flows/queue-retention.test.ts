import { afterEach, describe, expect, it, vi } from "vitest";
import { isAll } from "../all.js";
import { type Answering, type Sent, type VirtualTime, openVirtualTime, userId } from "./virtual-time.js";

const second = 1_000;
const minute = 60 * second;

/** A smaller queue says the same, in seconds; the numbers of rows of a delivery, and of one user, stay. */
const scale = isAll ? 1 : 8;
const config = { queue: { unvouched: 20_000 / scale, unvouchedBytes: (24 * 1024 * 1024) / scale } };

afterEach(() => {
  vi.unstubAllGlobals();
});

const up: Answering = { ms: 300, answer: { _tag: "Accepted" } };
const down: Answering = { ms: 30 * second, answer: { _tag: "Unreachable" } };
/** What fills the queue the fastest: its rows come again and again. */
const failing: Answering = { ms: 300, answer: { _tag: "Refused", status: 500, errcode: "M_UNKNOWN" } };

const answering = ({ destination }: { readonly destination: string }): Answering => {
  if (destination === "up.example") return up;
  return destination === "down.example" ? down : failing;
};

const sizes = [1, 50, 500] as const;

/** A flood of a few users with many rows each, and one of many users whose rows never leave untried. */
const floods = [
  { name: "deep", users: 22 / scale, each: 900 },
  { name: "wide", users: 400 / scale, each: 64 },
] as const;

const floodOf = ({ users, each }: (typeof floods)[number]): readonly Sent[] =>
  Array.from({ length: Math.ceil(users) * each }, (_, row) => ({
    user: 1_000 + Math.floor(row / each),
    server: `s${row}.example`,
    token: `forged${row}`,
  }));

const honest = (when: string, server: string, size: number, user: number): readonly Sent[] =>
  Array.from({ length: size }, (_, row) => ({ user, server, token: `${when} ${size} ${row}` }));

/** How many of a delivery wait still, or were redeemed. */
const left = ({ world }: VirtualTime, user: number): number =>
  world.rows().filter(({ mxid, state }) => mxid === userId(user) && state._tag !== "Dead").length;

/** Delivers each until it is taken, as an identity server does; answers after how long. */
const deliverAll = async (time: VirtualTime, when: string, server: string, firstUser: number) => {
  const began = time.now();
  const waits: number[] = [];
  for (const [at, size] of sizes.entries()) {
    for (let wait = second; ; wait *= 2) {
      if ((await time.deliver(honest(when, server, size, firstUser + at), size)) === size) break;
      await time.run(time.now() + wait);
    }
    waits.push(time.now() - began);
  }
  return waits;
};

const allLeft = (time: VirtualTime, firstUser: number) => sizes.map((_, at) => left(time, firstUser + at));

describe.each(floods)("honest deliveries of 1, 50 and 500 entries, and a $name flood", (flood) => {
  it("are taken within seconds, and all entries stay until they are tried; of those tried the first of each user stay", async () => {
    const time = openVirtualTime(answering, config);
    // The inviter's server is down: these are tried, and wait.
    await deliverAll(time, "before", "down.example", 0);
    await time.run(2 * minute);
    await time.deliver(floodOf(flood), flood.each);
    const waits = await deliverAll(time, "during", "up.example", 10);
    await time.run(time.now() + 3 * minute);
    const during = allLeft(time, 10);
    const before = allLeft(time, 0);
    await deliverAll(time, "after", "down.example", 20);
    await time.run(time.now() + 3 * minute);
    const after = allLeft(time, 20);
    if (process.env["SHOW"] !== undefined)
      process.stdout.write(`${JSON.stringify({ flood: flood.name, before, waits, during, after })}\n`);
    expect(Math.max(...waits)).toBeLessThanOrEqual(30 * second);
    expect(during).toEqual([...sizes]);
    expect([before[0], after[0]]).toEqual([1, 1]);
    if (flood.name === "deep") expect([before[1], after[1]]).toEqual([50, 50]);
  });
});
