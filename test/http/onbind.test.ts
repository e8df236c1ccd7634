import { describe, expect, it, vi } from "vitest";
import { anna, bob, carol, signedBy } from "../flows/samples.js";
import {
  answerOf,
  entryOf,
  mountedOnBind as mounted,
  onBindBody,
  openHost,
  requestTo,
  shortly,
} from "./host.js";

const text = (body: unknown): string => JSON.stringify(body);
const entries = (count: number, more = {}) =>
  Array.from({ length: count }, (_, index) => entryOf(`t${index}`, more));

describe.each(mounted.methods)("a delivery by %s", (method) => {
  const send = (world: ReturnType<typeof openHost>, body: unknown, options = {}) =>
    mounted.open(world, options)(requestTo(mounted, text(body), { method }));

  it.each([
    ["absent", { medium: "email", mxid: anna }],
    ["null", onBindBody(null)],
    ["empty", onBindBody([])],
  ])("without invites (%s) is 200, and nothing is owed", async (_, body) => {
    const world = openHost();
    const answered = await answerOf(send(world, body));
    expect([answered.status, answered.body]).toEqual([200, {}]);
    expect(world.rows()).toEqual([]);
  });

  it("of 500 entries is taken whole", async () => {
    const world = openHost();
    const padding = "a".repeat(250);
    const body = onBindBody(entries(500, { "org.example.more": padding }));
    expect(text(body).length).toBeGreaterThan(276_000);
    expect((await send(world, body)).status).toBe(200);
    expect(world.rows()).toHaveLength(500);
    expect(world.count("redemptions.put")).toBe(1);
  });

  it("twice is owed once", async () => {
    const world = openHost();
    const body = onBindBody([entryOf("t1"), entryOf("t2", { sender: carol })]);
    expect((await send(world, body)).status).toBe(200);
    expect((await send(world, body)).status).toBe(200);
    expect(world.rows().map(({ token }) => token)).toEqual(["t1", "t2"]);
  });

  it("with bad entries among good ones is 200, so that the identity server stops", async () => {
    const world = openHost();
    const bad = [7, null, entryOf("x", { signed: null }), entryOf("x", { mxid: bob }), []];
    const body = onBindBody([entryOf("t1"), ...bad, entryOf("t2")]);
    const answered = await answerOf(send(world, body));
    expect([answered.status, answered.body]).toEqual([200, {}]);
    expect(world.rows().map(({ token }) => token)).toEqual(["t1", "t2"]);
  });

  it.each([
    ["a number without end", "1e999"],
    ["what is nested 5,000 deep", `${'{"a":'.repeat(5_000)}1${"}".repeat(5_000)}`],
    ["half a surrogate pair", '"\\ud800"'],
  ])("of which one entry has %s is 200, and the others are stored", async (_, bad) => {
    const world = openHost();
    const body = text(onBindBody([entryOf("t1"), entryOf("t2", { signed: "here" }), entryOf("t3")]));
    const signed = `{"more":${bad},${text(signedBy(anna, "t2")).slice(1)}`;
    const answered = await answerOf(
      mounted.open(world)(requestTo(mounted, body.replace('"here"', signed), { method })),
    );
    expect([answered.status, answered.body]).toEqual([200, {}]);
    expect(world.rows().map(({ token }) => token)).toEqual(["t1", "t3"]);
  });

  it("of a user whom nobody knows is 200, and nothing is owed", async () => {
    const world = openHost();
    world.users.clear();
    expect((await send(world, onBindBody())).status).toBe(200);
    expect(world.rows()).toEqual([]);
  });

  it("of more entries than are taken at once is 413, and nothing is owed", async () => {
    const world = openHost({ config: { maxOnBindEntries: 3 } });
    expect(shortly(await answerOf(send(world, onBindBody(entries(4)))))).toEqual([413, "M_TOO_LARGE"]);
    expect(world.rows()).toEqual([]);
  });

  it("of more than may wait is 502, and comes again whole", async () => {
    const world = openHost({ config: { queue: { unvouchedPerUser: 2 } } });
    await send(world, onBindBody(entries(1)));
    const answered = await answerOf(send(world, onBindBody(entries(2))));
    expect(shortly(answered)).toEqual([502, "M_LIMIT_EXCEEDED"]);
    expect(answered.headers.get("retry-after")).toBe("60");
    expect(answered.body["retry_after_ms"]).toBe(60_000);
    expect(world.rows().map(({ token }) => token)).toEqual(["t0"]);
  });
});

describe("wake", () => {
  const send = (world: ReturnType<typeof openHost>, wake: () => unknown, body: unknown = onBindBody()) =>
    mounted.open(world, { wake })(requestTo(mounted, text(body)));

  it("is called once, when the proofs have been stored and before the answer", async () => {
    const world = openHost();
    const stored: number[] = [];
    const answer = await send(world, () => stored.push(world.rows().length), onBindBody(entries(3)));
    expect([answer.status, stored]).toEqual([200, [3]]);
  });

  it("is not called for a delivery that comes again, however often; a new proof beside the old ones wakes", async () => {
    const world = openHost();
    const wake = vi.fn();
    for (let time = 0; time < 100; time += 1) {
      expect((await send(world, wake, onBindBody(entries(2)))).status).toBe(200);
      expect(wake).toHaveBeenCalledTimes(1);
    }
    expect(world.rows()).toHaveLength(2);
    await send(world, wake, onBindBody(entries(3)));
    expect(wake).toHaveBeenCalledTimes(2);
  });

  it("is not called where none found room", async () => {
    const world = openHost({ config: { queue: { unvouchedPerUser: 2 } } });
    await send(world, () => undefined, onBindBody(entries(1)));
    const wake = vi.fn();
    expect((await send(world, wake, onBindBody(entries(2)))).status).toBe(502);
    expect(wake).not.toHaveBeenCalled();
  });

  it.each([
    ["no invites", onBindBody([]), 200],
    ["bad entries only", onBindBody([7]), 200],
    ["no user", {}, 400],
    ["no object", 7, 400],
    ["a user of elsewhere", { ...onBindBody(), mxid: bob }, 200],
  ])("is not called where nothing was stored: %s", async (_, body, status) => {
    const wake = vi.fn();
    expect((await send(openHost(), wake, body)).status).toBe(status);
    expect(wake).not.toHaveBeenCalled();
  });

  it("is not called where storing failed", async () => {
    const world = openHost();
    world.intercept = ({ name }, perform) =>
      name === "redemptions.put" ? Promise.reject(new Error("down")) : perform();
    const wake = vi.fn();
    expect((await send(world, wake)).status).toBe(502);
    expect(wake).not.toHaveBeenCalled();
  });

  const failing: readonly (readonly [string, () => unknown])[] = [
    [
      "throws",
      () => {
        throw new Error("broken");
      },
    ],
    ["rejects", () => Promise.reject(new Error("broken"))],
    ["never ends", () => new Promise(() => undefined)],
  ];

  it.each(failing)("changes nothing when it %s: what is stored is 200", async (_, wake) => {
    const unhandled = vi.fn();
    process.on("unhandledRejection", unhandled);
    try {
      const world = openHost();
      const answered = await answerOf(send(world, wake));
      expect([answered.status, answered.body]).toEqual([200, {}]);
      expect(world.rows()).toHaveLength(1);
      await new Promise((resolve) => setTimeout(resolve, 5));
      expect(unhandled).not.toHaveBeenCalled();
    } finally {
      process.off("unhandledRejection", unhandled);
    }
  });
});

it("the endpoint needs no options at all", async () => {
  const { onBindEndpoint } = await import("matrix-third-party-invites/http");
  const world = openHost();
  expect((await onBindEndpoint(world.invites)(requestTo(mounted, text(onBindBody())))).status).toBe(200);
  expect(world.rows().map(({ mxid }) => mxid)).toEqual([anna]);
});
