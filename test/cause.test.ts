import { inspect } from "node:util";
import type { Cause } from "matrix-third-party-invites";
import { postgresStorage } from "matrix-third-party-invites/postgres";
import { describe, expect, it } from "vitest";
import { causeOf, secretsIn } from "../src/cause.js";
import { address, alice, anna, must, problemOf, room, signedBy } from "./flows/samples.js";
import { openWorld, pend } from "./flows/ports.js";
import { PGlite } from "./postgres/pglite.js";
import type { record } from "./testing/memory/samples.js";

const hidden = "[hidden]";

describe("the cause of a failure", () => {
  it("has the texts of an error, and of those behind it", () => {
    const inner = Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET", syscall: "read" });
    const outer = new TypeError("fetch failed", { cause: inner });
    expect(causeOf(outer)).toEqual({
      name: "TypeError",
      message: "fetch failed",
      stack: expect.stringContaining("cause.test.ts") as unknown,
      cause: {
        name: "Error",
        message: "read ECONNRESET",
        code: "ECONNRESET",
        syscall: "read",
        stack: expect.any(String) as unknown,
      },
    });
    const several = causeOf(new AggregateError([inner, "text"], "all"));
    expect(several.errors?.map(({ message }) => message)).toEqual(["read ECONNRESET", "text"]);
  });

  it("is the same of a cause", () => {
    const once = causeOf(new Error(`of ${address}`, { cause: new AggregateError([new Error("a")]) }));
    expect(causeOf(once)).toEqual(once);
  });

  it("has nothing that a driver adds", () => {
    const more = {
      query: "SELECT $1",
      params: ["447700900123"],
      detail: "Key (a)=(b)",
      hint: "h",
      where: "w",
    };
    expect(Object.keys(causeOf(Object.assign(new Error("no"), more))).sort()).toEqual([
      "message",
      "name",
      "stack",
    ]);
  });

  it.each([
    ["zoe@mail.example is no user", `${hidden} is no user`],
    [`{"medium":"email","address":"zoe+x@mail.example"}`, `{"medium":"email","address":"${hidden}"}`],
    ["<zoe@mail.example>", `<${hidden}>`],
    ["o'neill=x/y@mail.example", hidden],
    ["ζωή@παράδειγμα.example", hidden],
    ["GET https://id.example/?address=zoe%40mail.example failed", `GET ${hidden} failed`],
    ["447700900123 msisdn", `${hidden} msisdn`],
    ["+447700900123", hidden],
    ["@alice:a.example is in !room:a.example", "@alice:a.example is in !room:a.example"],
    ["connect ECONNREFUSED 192.0.2.1:8448", "connect ECONNREFUSED 192.0.2.1:8448"],
    [
      "at file:///srv/node_modules/@hono/node-server/index.js:10:2",
      "at file:///srv/node_modules/@hono/node-server/index.js:10:2",
    ],
    ["at node_modules/@hono/zoe@mail.example", `at ${hidden}`],
  ])("hides what looks like an address: %s", (text, shown) => {
    const error = new Error(text);
    error.name = text;
    const cause = causeOf(Object.assign(error, { code: text, syscall: text, cause: text, errors: [text] }));
    const { name, message, code, syscall, errors } = cause;
    expect([name, message, code, syscall]).toEqual([shown, shown, shown, shown]);
    expect([cause.cause, ...(errors ?? [])].map((one) => one?.message)).toEqual([shown, shown]);
    if (shown.includes(hidden)) expect(cause.stack).not.toContain(text);
  });

  it("hides what the call was made with, however it looks", () => {
    const question = [
      { idServer: "id.example", accessToken: "secret", addresses: ["12345 msisdn"], life: { token: "tok" } },
      { signed: { signatures: { "id.example": { "ed25519:0": "SIG+nature/" } } } },
    ];
    const secrets = secretsIn(question);
    expect(causeOf("id.example: Bearer secret, 12345, tok, SIG+nature/", secrets).message).toBe(
      `id.example: Bearer ${hidden}, ${hidden}, ${hidden}, ${hidden}`,
    );
  });

  const circular: { cause?: unknown; errors?: unknown[] } = new Error("round");
  circular.cause = circular;
  circular.errors = Array.from({ length: 20 }, () => circular);
  const throwing = {
    get message(): string {
      throw new Error("gotcha");
    },
  };

  it.each<readonly [string, unknown]>([
    ["itself", circular],
    ["a getter that throws", throwing],
    ["null", null],
    ["a symbol", Symbol("x")],
    ["an object without a prototype", Object.create(null)],
    [
      "a proxy",
      new Proxy(
        {},
        {
          get: () => {
            throw new Error("no");
          },
        },
      ),
    ],
    ["a function", () => undefined],
    ["a very long text", "x ".repeat(1_000_000)],
  ])("is had of %s, in bounds", (_, thrown) => {
    expect(JSON.stringify(causeOf(thrown)).length).toBeLessThan(2_000_000);
    expect(causeOf(thrown)).toMatchObject({ name: expect.any(String) as unknown });
  });
});

describe("what a flow hands out", () => {
  it("has no address of a database's error, which has it", async () => {
    const db = await PGlite.create();
    const world = openWorld({ config: { storeAddresses: true } });
    const thrown: unknown[] = [];
    // Without its tables, each statement fails, with its parameters in the error.
    const storage = postgresStorage(db).invites;
    world.intercept = async ({ name, args }, perform) => {
      if (name !== "invites.putIfAbsent") return perform();
      try {
        return await storage.putIfAbsent(args[0] as ReturnType<typeof record>, {});
      } catch (error) {
        thrown.push(error);
        throw error;
      }
    };
    const result = await world.invites.invite({
      roomId: room,
      requester: { userId: alice },
      body: { id_server: "id.example", id_access_token: "secret-token", medium: "email", address },
    });
    await db.close();
    expect(inspect(thrown[0], { depth: 9 })).toContain(address);
    expect(problemOf(result)).toMatchObject({ port: "invites.putIfAbsent", cause: { code: "42P01" } });
    for (const shown of [result, world.observed])
      for (const text of [inspect(shown, { depth: 9 }), JSON.stringify(shown)])
        expect(text).not.toContain(address);
    expect(world.observed).toMatchObject([{ _tag: "PortFailed", cause: { code: "42P01" } }]);
  });

  it.each([
    ["invites.putIfAbsent", "email", address],
    ["identityServer.storeInvite", "email", address],
    ["identityServer.lookup", "msisdn", "44777"],
    ["policy.mayInvite", "msisdn", "44777"],
  ])("has none that %s threw", async (port, medium, given) => {
    const world = openWorld({ config: { storeAddresses: true, allowClearLookup: true } });
    world.next.hashDetails.push({ _tag: "HashDetails", pepper: "p", algorithms: ["none"] });
    world.intercept = ({ name, args }, perform) =>
      name === port ? Promise.reject(new Error(`asked with ${JSON.stringify(args)}`)) : perform();
    const result = await world.invites.invite({
      roomId: room,
      requester: { userId: alice },
      body: { id_server: "id.example", id_access_token: "secret-token", medium, address: given },
    });
    expect(problemOf(result)).toMatchObject({
      cause: { message: expect.stringContaining("asked") as unknown },
    });
    for (const secret of [given, "secret-token"])
      expect(inspect([result, world.observed], { depth: 9 })).not.toContain(secret);
  });

  it("tells the observer of an append that threw inside a delivery", async () => {
    const world = openWorld();
    pend(world, "t1", { sender: alice });
    world.users.set(anna, {});
    const entry = { mxid: anna, room_id: room, sender: alice, signed: signedBy(anna, "t1") };
    must(await world.invites.receiveOnBind({ body: { mxid: anna, invites: [entry] } }));
    world.intercept = ({ name }, perform) =>
      name === "events.append" ? Promise.reject(new Error("the disk is full")) : perform();
    must(await world.invites.deliverOwed());
    expect(world.observed).toContainEqual({
      _tag: "PortFailed",
      code: "PortBroken",
      port: "events.append",
      flow: "deliverOwed",
      roomId: room,
      userId: expect.any(String) as unknown,
      cause: expect.objectContaining({ message: "the disk is full" } satisfies Partial<Cause>) as unknown,
    });
  });
});
