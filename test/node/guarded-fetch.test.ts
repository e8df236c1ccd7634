import type { RequestListener } from "node:http";
import { type GuardedFetchOptions, guardedFetch } from "matrix-third-party-invites/node";
import { afterEach, describe, expect, it, vi } from "vitest";
import { type HttpsServer, openHttps, openTrap } from "./loopback.js";

const closing: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

const serve = async (answer: RequestListener): Promise<HttpsServer> => {
  const server = await openHttps(["id.example", "id.internal"], answer);
  closing.push(server.close);
  return server;
};

const loopback = { ranges: ["127.0.0.1/32"] };

const toLoopback = (): Promise<readonly string[]> => Promise.resolve(["127.0.0.1"]);

const refused = { code: "ERR_TARGET_REFUSED" };

describe("reaches what is listed", () => {
  it("an address, by its range", async () => {
    const { port, ca } = await serve((request, response) => {
      response.end(request.url);
    });
    const fetch = await guardedFetch({ allow: loopback, ca });
    const response = await fetch(`https://127.0.0.1:${port}/path?query=1`, { method: "GET" });
    expect([response.status, await response.text()]).toEqual([200, "/path?query=1"]);
  });

  it.each<readonly [string, (ca: string) => NonNullable<GuardedFetchOptions["ca"]>]>([
    ["bytes", (ca) => new TextEncoder().encode(ca)],
    ["a list of texts", (ca) => [ca]],
    ["a list of bytes", (ca) => [new TextEncoder().encode(ca)]],
  ])("a server whose certificate is trusted as %s", async (_, form) => {
    const { port, ca } = await serve((_request, response) => {
      response.end();
    });
    const fetch = await guardedFetch({ allow: loopback, ca: form(ca) });
    expect((await fetch(`https://127.0.0.1:${port}/`, { method: "GET" })).status).toBe(200);
  });

  it("a name, by the range of its addresses", async () => {
    const { port, ca } = await serve((request, response) => {
      response.writeHead(201, { "x-method": request.method ?? "", "x-host": request.headers.host ?? "" });
      request.pipe(response);
    });
    const fetch = await guardedFetch({ allow: loopback, ca, resolve: toLoopback });
    const response = await fetch(`https://id.example:${port}/`, { method: "POST", body: "body" });
    expect([response.status, await response.text()]).toEqual([201, "body"]);
    expect([response.headers.get("x-method"), response.headers.get("x-host")]).toEqual([
      "POST",
      `id.example:${port}`,
    ]);
  });

  it("a host, whatever its address, on the port that is listed and no other", async () => {
    const { port, ca, connections } = await serve((_, response) => {
      response.end();
    });
    const open = async (...hosts: string[]): ReturnType<typeof guardedFetch> =>
      guardedFetch({ allow: { hosts }, ca, resolve: toLoopback });
    const status = async (host: string, url: string): Promise<number> =>
      (await (await open(host))(url, {})).status;
    expect(await status(`id.internal:${port}`, `https://id.internal:${port}/`)).toBe(200);
    expect(await status(`ID.Internal:${port}`, `https://id.internal:${port}/`)).toBe(200);
    expect(await status(`127.0.0.1:${port}`, `https://127.0.0.1:${port}/`)).toBe(200);
    const reached = connections();
    for (const [host, url] of [
      ["id.internal", `https://id.internal:${port}/`],
      ["id.internal:443", `https://id.internal:${port}/`],
      [`id.internal:${port}`, `https://id.example:${port}/`],
      [`id.internal:${port}`, `https://127.0.0.1:${port}/`],
      [`id.internal:${port}`, `https://any.id.internal:${port}/`],
      [`id.internal:${port}`, `https://user@id.internal:${port}/`],
      [`id.internal:${port}`, `https://id.internal.:${port}/`],
      [`id.internal:${port}`, `http://id.internal:${port}/`],
      ["127.0.0.1", `https://127.0.0.1:${port}/`],
    ] as const)
      await expect(status(host, url)).rejects.toMatchObject(refused);
    expect(connections()).toBe(reached);
  });
});

describe("a name is asked as the connection is made", () => {
  it("once for each, and its first answer holds for that connection only", async () => {
    const answers = [["127.0.0.1"], ["10.0.0.1"], ["127.0.0.1"]];
    const { port, ca, connections } = await serve((_, response) => {
      response.setHeader("connection", "close").end();
    });
    let asked = 0;
    const fetch = await guardedFetch({
      allow: loopback,
      ca,
      resolve: () => Promise.resolve(answers[asked++] ?? []),
    });
    const url = `https://id.example:${port}/`;
    expect((await fetch(url, {})).status).toBe(200);
    await expect(fetch(url, {})).rejects.toMatchObject(refused);
    expect((await fetch(url, {})).status).toBe(200);
    expect([asked, connections()]).toEqual([3, 2]);
  });

  it("and one refused address among its answers refuses it", async () => {
    const { port, ca, connections } = await serve((_, response) => {
      response.end();
    });
    for (const answers of [
      ["127.0.0.1", "10.0.0.1"],
      ["10.0.0.1", "127.0.0.1"],
    ]) {
      const fetch = await guardedFetch({ allow: loopback, ca, resolve: () => Promise.resolve(answers) });
      await expect(fetch(`https://id.example:${port}/`, {})).rejects.toMatchObject(refused);
    }
    expect(connections()).toBe(0);
  });

  it("and what fails there is no refusal", async () => {
    const fetch = await guardedFetch({
      resolve: () => Promise.reject(Object.assign(new Error("none"), { code: "ENOTFOUND" })),
    });
    await expect(fetch("https://id.example/", {})).rejects.toMatchObject({ cause: { code: "ENOTFOUND" } });
  });

  it("and a resolver that does not answer is bounded by the time for a connection", async () => {
    const fetch = await guardedFetch({ connectTimeoutMs: 50, resolve: () => new Promise(() => undefined) });
    await expect(fetch("https://id.example/", {})).rejects.toMatchObject({
      cause: { code: "UND_ERR_CONNECT_TIMEOUT" },
    });
    // Well below the ten seconds that would be the default.
  }, 8_000);
});

it("does not follow a redirect, whatever the caller says", async () => {
  const trap = await openTrap();
  closing.push(trap.close);
  const { port, ca } = await serve((_, response) => {
    response.writeHead(307, { location: `https://127.0.0.1:${trap.port}/` }).end();
  });
  const fetch = await guardedFetch({ allow: loopback, ca });
  for (const redirect of [undefined, "follow", "error", "manual"] as const) {
    const init = redirect === undefined ? {} : { redirect };
    expect((await fetch(`https://127.0.0.1:${port}/`, init)).status).toBe(307);
  }
  expect(trap.connections()).toBe(0);
});

it("sends a request once, although fetch repeats what is answered with 421", async () => {
  let requests = 0;
  const { port, ca } = await serve((_, response) => {
    requests += 1;
    response.writeHead(421).end();
  });
  const fetch = await guardedFetch({ allow: loopback, ca });
  const thrown: unknown = await fetch(`https://127.0.0.1:${port}/`, { method: "POST", body: "{}" }).catch(
    (error: unknown) => error,
  );
  expect(thrown).toBeInstanceOf(TypeError);
  expect(thrown).not.toMatchObject(refused);
  expect(requests).toBe(1);
});

it("uses no proxy of the environment", async () => {
  const proxy = await openTrap();
  closing.push(proxy.close);
  const { port, ca } = await serve((_, response) => {
    response.end();
  });
  for (const name of ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "ALL_PROXY", "NODE_USE_ENV_PROXY"])
    vi.stubEnv(name, name === "NODE_USE_ENV_PROXY" ? "1" : `http://127.0.0.1:${proxy.port}`);
  try {
    const fetch = await guardedFetch({ allow: loopback, ca });
    expect((await fetch(`https://127.0.0.1:${port}/`, {})).status).toBe(200);
  } finally {
    vi.unstubAllEnvs();
  }
  expect(proxy.connections()).toBe(0);
});

describe("trusts", () => {
  it("no certificate that Node does not", async () => {
    let requests = 0;
    const { port } = await serve(() => {
      requests += 1;
    });
    const fetch = await guardedFetch({ allow: loopback });
    await expect(fetch(`https://127.0.0.1:${port}/`, {})).rejects.toMatchObject({
      cause: { code: "DEPTH_ZERO_SELF_SIGNED_CERT" },
    });
    expect(requests).toBe(0);
  });

  it("no certificate for another name, listed or not", async () => {
    const { port, ca } = await serve((_, response) => {
      response.end();
    });
    const host = `other.example:${port}`;
    const mismatch = { cause: { code: "ERR_TLS_CERT_ALTNAME_INVALID" } };
    for (const allow of [loopback, { hosts: [host] }]) {
      const fetch = await guardedFetch({ allow, ca, resolve: toLoopback });
      await expect(fetch(`https://${host}/`, {})).rejects.toMatchObject(mismatch);
    }
  });
});

describe("is a fetch", () => {
  it("that streams", async () => {
    let finish = (): void => undefined;
    const { port, ca } = await serve((_, response) => {
      response.write("first");
      finish = () => response.end("second");
    });
    const fetch = await guardedFetch({ allow: loopback, ca });
    const { body } = await fetch(`https://127.0.0.1:${port}/`, {});
    const chunks: string[] = [];
    for await (const chunk of body ?? []) {
      chunks.push(Buffer.from(chunk as Uint8Array).toString());
      finish();
    }
    expect(chunks).toEqual(["first", "second"]);
  });

  it("that can be stopped, before, during and after the headers", async () => {
    const { port, ca } = await serve((request, response) => {
      if (request.url === "/headers") response.write("first");
    });
    const fetch = await guardedFetch({ allow: loopback, ca });
    const url = `https://127.0.0.1:${port}/`;
    const reason = new Error("enough");
    await expect(fetch(url, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);

    const waiting = new AbortController();
    setTimeout(() => {
      waiting.abort(reason);
    }, 50);
    await expect(fetch(url, { signal: waiting.signal })).rejects.toBe(reason);

    const reading = new AbortController();
    const response = await fetch(`${url}headers`, { signal: reading.signal });
    reading.abort(reason);
    await expect(response.text()).rejects.toBe(reason);
  });

  it("that keeps a connection for the next request", async () => {
    const { port, ca, connections } = await serve((_, response) => {
      response.end();
    });
    const fetch = await guardedFetch({ allow: loopback, ca });
    for (let at = 0; at < 10; at += 1) await (await fetch(`https://127.0.0.1:${port}/`, {})).text();
    // Two, where a request is quicker than the news that the first connection is free again.
    expect(connections()).toBeLessThan(5);
  });

  it("that takes the headers of the runtime", async () => {
    const { port, ca } = await serve((request, response) => {
      response.end(request.headers.authorization);
    });
    const fetch = await guardedFetch({ allow: loopback, ca });
    const headers = new Headers({ authorization: "Bearer token" });
    expect(await (await fetch(`https://127.0.0.1:${port}/`, { headers })).text()).toBe("Bearer token");
  });
});

describe("a malformed entry is an error", () => {
  it.each([
    "",
    "10.0.0.0",
    "10.0.0.0/",
    "10.0.0.0/33",
    "10.0.0.0/-1",
    "10.0.0.0/8/8",
    "10.0.0.0/255.0.0.0",
    "10.1.2.3/8",
    "10.0.0/8",
    "010.0.0.0/8",
    "0x0a000000/8",
    " 10.0.0.0/8",
    "10.0.0.0/8 ",
    "10.0.0.0/ 8",
    "10.0.0.0-10.0.0.9",
    "::1",
    "::1/129",
    "::1/64",
    "[::1]/128",
    "fe80::%lo/10",
    "id.internal/8",
    "*",
  ])("range %j", async (range) => {
    await expect(guardedFetch({ allow: { ranges: ["127.0.0.0/8", range] } })).rejects.toThrow("allow.ranges");
  });

  it.each([
    "",
    " ",
    "id.internal ",
    "id.internal:",
    "id.internal:0x1",
    "id.internal:65536",
    "id.internal:*",
    "id.internal.",
    "*.internal",
    "*",
    ".internal",
    "id..internal",
    "https://id.internal",
    "id.internal/",
    "id.internal/path",
    "id.internal?query",
    "id.internal#hash",
    "id.internal\\path",
    "user@id.internal",
    "id.internal\u0001",
    "10.0.0.0/8",
    "fd00::1",
    "[fd00::1",
    "[fd00::1%25lo]",
  ])("host %j", async (host) => {
    await expect(guardedFetch({ allow: { hosts: ["id.internal", host] } })).rejects.toThrow("allow.hosts");
  });

  it("and good ones are none", async () => {
    const ranges = ["10.0.0.0/8", "10.1.2.3/32", "0.0.0.0/0", "::1/128", "fd00::/8", "64:ff9b::/96"];
    const hosts = [
      "id.internal",
      "ID_1.internal:8443",
      "localhost",
      "10.0.0.1:8443",
      "[fd00::1]:8443",
      "büro.example",
    ];
    await expect(guardedFetch({ allow: { ranges, hosts } })).resolves.toBeTypeOf("function");
  });
});
