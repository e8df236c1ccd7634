import { once } from "node:events";
import { type Socket, connect } from "node:net";
import { Worker } from "node:worker_threads";
import { identityServerClient } from "matrix-third-party-invites/http";
import { guardedFetch } from "matrix-third-party-invites/node";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { makeCertificate } from "../certificate.js";
import { type CallName, callNames, calls, goodAnswers, goodOutcomes } from "../http/identity-server-calls.js";
import { json, openRawTls } from "../http/raw-tls-server.js";
import { openHttps } from "./loopback.js";

const loopback = { ranges: ["127.0.0.0/8"] };

describe("a request with connection: close", () => {
  it("has a connection of its own, whatever is kept", async () => {
    const server = await openHttps(["id.example"], (_, response) => response.end());
    onTestFinished(server.close);
    const fetch = await guardedFetch({ allow: loopback, ca: server.ca });
    const ask = async (headers: Record<string, string>): Promise<number> => {
      await (await fetch(`https://127.0.0.1:${server.port}/`, { method: "POST", headers })).text();
      return server.connections();
    };
    await ask({});
    const kept = await ask({});
    expect(await ask({ connection: "close" })).toBe(kept + 1);
    expect(await ask({ connection: "close" })).toBe(kept + 2);
  });
});

describe("a server that closes a kept connection as it is used again", () => {
  /** Answers the first request of each connection, and breaks the connection at the second. */
  const openBreaking = (name: CallName) => {
    const answered = new Set<Socket>();
    return openRawTls((socket) => {
      if (answered.has(socket)) socket.destroy();
      else socket.write(json(200, goodAnswers[name]));
      answered.add(socket);
    });
  };

  it.each(callNames)("%s is answered all the same, and store-invite is sent once", async (name) => {
    const server = await openBreaking(name);
    const host = `localhost:${server.port}`;
    const resolve = () => Promise.resolve(["127.0.0.1"]);
    const fetch = await guardedFetch({ allow: { hosts: [host] }, ca: server.ca, resolve });
    const toHost: typeof fetch = (url, init) => fetch(url.replace("id.example", host), init);
    for (let at = 1; at <= 3; at += 1) {
      expect(await calls[name](identityServerClient({ fetch: toHost }))).toEqual(goodOutcomes[name]);
      if (name === "storeInvite") expect(server.received).toHaveLength(at);
    }
  });
});

/** Listens, and accepts nobody while its thread is blocked: what its queue does not hold waits. */
const blocked = `
const { parentPort, workerData: { key, cert, gate } } = require("node:worker_threads");
const server = require("node:https").createServer({ key, cert }, (_, response) => response.end("late"));
server.listen({ port: 0, host: "127.0.0.1", backlog: 1 }, () => {
  parentPort.postMessage(server.address().port);
  setImmediate(() => Atomics.wait(gate, 0, 0));
});
`;

describe("a name with several addresses", () => {
  it("waits for its first address longer than Node does", async () => {
    const { key, cert } = await makeCertificate(["id.example"]);
    const gate = new Int32Array(new SharedArrayBuffer(4));
    const worker = new Worker(blocked, { eval: true, workerData: { key, cert, gate } });
    onTestFinished(async () => {
      await worker.terminate();
    });
    const [port] = (await once(worker, "message")) as [number];
    const filling = Array.from({ length: 8 }, () => connect(port, "127.0.0.1").on("error", () => undefined));
    onTestFinished(() => {
      for (const socket of filling) socket.destroy();
    });
    // Those that the queue holds are connected; the next is not, until the thread goes on.
    await Promise.race(filling.map((socket) => once(socket, "connect")));
    const resolve = () => Promise.resolve(["127.0.0.1", "127.0.0.2"]);
    const fetch = await guardedFetch({ allow: loopback, ca: cert, resolve, connectTimeoutMs: 60_000 });
    setTimeout(() => {
      Atomics.store(gate, 0, 1);
      Atomics.notify(gate, 0);
    }, 400);
    const started = performance.now();
    const response = await fetch(`https://id.example:${port}/`, {});
    expect(await response.text()).toBe("late");
    expect(performance.now() - started).toBeGreaterThan(250);
  });
});

describe("is refused when it is made, with its cause,", () => {
  const madeWith = async (undici: () => object): Promise<unknown> => {
    vi.resetModules();
    vi.doMock("undici", undici);
    try {
      const entry = await import("matrix-third-party-invites/node");
      expect(entry.nodeCrypto.sha256(new Uint8Array())).toHaveLength(32);
      return await entry.guardedFetch().catch((error: unknown) => error);
    } finally {
      vi.doUnmock("undici");
      vi.resetModules();
    }
  };

  it("where undici does not load", async () => {
    const error = await madeWith(() => {
      throw new Error('Dynamic require of "node:assert" is not supported');
    });
    expect(error).toMatchObject({
      message: expect.stringMatching(/npm install undici@7.*bundle/) as unknown,
      cause: expect.any(Error) as unknown,
    });
  });

  class Agent {
    compose(): this {
      return this;
    }
  }
  const unreachable = new TypeError("fetch failed");

  it.each<readonly [string, () => object, unknown]>([
    [
      "has dispatchers without methods, as that of Bun",
      () => ({ Agent: EventTarget, fetch }),
      expect.any(TypeError),
    ],
    [
      "has a fetch that passes over the dispatcher, and fails",
      () => ({ Agent, fetch: () => Promise.reject(unreachable) }),
      unreachable,
    ],
    [
      "has a fetch that passes over the dispatcher, and succeeds",
      () => ({ Agent, fetch: () => Promise.resolve(new Response()) }),
      undefined,
    ],
    ["has no fetch", () => ({ Agent, fetch: undefined }), expect.any(TypeError)],
  ])("where what bears its name %s", async (_, undici, cause) => {
    const error = await madeWith(undici);
    expect(error).toMatchObject({
      message: expect.stringContaining("the package undici, version 7") as unknown,
    });
    expect((error as Error).cause).toEqual(cause);
  });
});
