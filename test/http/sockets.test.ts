import { gzipSync } from "node:zlib";
import { afterEach, describe, expect, it } from "vitest";
import type { World } from "../flows/ports.js";
import {
  type Mounted,
  type Options,
  answerOf,
  entryOf,
  everyEndpoint,
  mountedInvite,
  mountedOnBind,
  onBindBody,
  openHost,
  shortly,
} from "./host.js";
import { type Listening, serve, speak } from "./socket.js";

const open: Listening[] = [];
const mount = async (mounted: Mounted, options: Options = {}, world: World = openHost()) => {
  const listening = await serve(mounted.open(world, options));
  open.push(listening);
  return { ...listening, world };
};

afterEach(async () => {
  await Promise.all(open.splice(0).map(({ close }) => close()));
});

const perEndpoint = everyEndpoint.map((mounted) => [mounted.name, mounted] as const);
const json = { "content-type": "application/json" };
const head = ({ method, path }: Mounted, ...headers: readonly string[]): string =>
  [
    `${method} ${path} HTTP/1.1`,
    "host: a.example",
    "content-type: application/json",
    ...headers,
    "",
    "",
  ].join("\r\n");
const chunk = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n`;
const timeoutMs = 80;

describe.each(perEndpoint)("%s over a socket", (_, mounted) => {
  const body = JSON.stringify(mounted.body);

  it("answers 200 and {}", async () => {
    const { url } = await mount(mounted);
    const answered = await answerOf(
      fetch(url + mounted.path, { method: mounted.method, headers: json, body }),
    );
    expect([answered.status, answered.body]).toEqual([200, {}]);
    expect(answered.headers.get("access-control-allow-origin")).toBe(mounted.isForBrowsers ? "*" : null);
  });

  it("answers HEAD with 405 and no body", async () => {
    const { url } = await mount(mounted);
    const response = await fetch(url + mounted.path, { method: "HEAD" });
    expect([response.status, await response.text()]).toEqual([405, ""]);
    expect(response.headers.get("allow")).toBe(mounted.methods.join(", "));
  });

  it("takes a body in chunks, and one without a type", async () => {
    const { port } = await mount(mounted);
    const pieces = Array.from(body, chunk).join("");
    const raw = await speak(port, ({ write }) => {
      write(`${head(mounted, "transfer-encoding: chunked")}${pieces}0\r\n\r\n`);
    });
    expect(raw.status).toBe(200);
    const untyped = await speak(port, ({ write }) => {
      write(
        head(mounted, `content-length: ${body.length}`).replace("content-type: application/json\r\n", "") +
          body,
      );
    });
    expect(untyped.status).toBe(200);
  });

  it("answers a body that drips without end with 408 in time, and ends the connection", async () => {
    const { port, world } = await mount(mounted, { timeoutMs });
    const raw = await speak(
      port,
      ({ write, isOpen }) => {
        write(head(mounted, "transfer-encoding: chunked"));
        const timer = setInterval(() => {
          if (isOpen()) write(chunk(" "));
          else clearInterval(timer);
        }, 10);
      },
      { untilClosed: true },
    );
    expect([raw.status, raw.isClosed]).toEqual([408, true]);
    expect(world.calls).toEqual([]);
  });

  it("answers a body that is announced and never sent with 408", async () => {
    const { port } = await mount(mounted, { timeoutMs });
    const raw = await speak(port, ({ write }) => {
      write(head(mounted, "content-length: 100"));
    });
    expect(raw.status).toBe(408);
  });

  it.each([
    ["announced", "content-length: 100000", ""],
    [
      "in chunks",
      "transfer-encoding: chunked",
      Array.from({ length: 40 }, () => chunk(" ".repeat(100))).join(""),
    ],
  ])("answers a body that is too large with 413 before it is all there: %s", async (__, header, sent) => {
    const { port, world } = await mount(mounted, { maxBytes: 2_000 });
    const raw = await speak(port, ({ write }) => {
      write(head(mounted, header) + sent);
    });
    expect([raw.status, JSON.parse(raw.body)]).toMatchObject([413, { errcode: "M_TOO_LARGE" }]);
    expect(world.calls).toEqual([]);
  });

  it("outlives a client that hangs up in the middle of its body", async () => {
    const { port, url, world } = await mount(mounted);
    const raw = await speak(
      port,
      ({ write }) => {
        write(head(mounted, `content-length: ${body.length}`) + body.slice(0, 20));
      },
      { hangUpAfterMs: 20 },
    );
    expect(raw.status).toBe(0);
    expect(world.calls).toEqual([]);
    const next = await fetch(url + mounted.path, { method: mounted.method, headers: json, body });
    expect(next.status).toBe(200);
  });

  it("does not unpack: a body in gzip is no JSON", async () => {
    const { url } = await mount(mounted);
    const headers = { ...json, "content-encoding": "gzip" };
    const sent = fetch(url + mounted.path, {
      method: mounted.method,
      headers,
      body: new Uint8Array(gzipSync(body)),
    });
    expect(shortly(await answerOf(sent))).toEqual([400, "M_NOT_JSON"]);
  });

  it("answers requests behind one another on one connection", async () => {
    const { port } = await mount(mounted);
    const one = head(mounted, `content-length: ${body.length}`) + body;
    const last = head(mounted, `content-length: ${body.length}`, "connection: close") + body;
    const raw = await speak(
      port,
      ({ write }) => {
        write(one + one.replace(body, body.replace("{", "[")) + last);
      },
      { untilClosed: true },
    );
    expect(`${raw.head}${raw.body}`.match(/HTTP\/1\.1 (\d{3})/g)).toEqual([
      "HTTP/1.1 200",
      "HTTP/1.1 400",
      "HTTP/1.1 200",
    ]);
  });
});

describe("on the wire", () => {
  it.each([
    ["raw", "!garden"],
    ["encoded", "%21garden"],
    ["wholly encoded", "%21%67%61%72%64%65%6e"],
  ])("a room ID that is %s is the same room", async (_, written) => {
    const { port, world } = await mount(mountedInvite);
    const body = JSON.stringify(mountedInvite.body);
    await speak(port, ({ write }) => {
      write(head(mountedInvite, `content-length: ${body.length}`).replace("!garden", written) + body);
    });
    expect(world.calls[0]?.args[0]).toBe("!garden");
  });

  it.each(["%zz", "%E9", "a%2Fb/c"])("a room ID written %s is nowhere", async (written) => {
    const { port } = await mount(mountedInvite);
    const raw = await speak(port, ({ write }) => {
      write(head(mountedInvite, "content-length: 2").replace("!garden", written) + "{}");
    });
    expect([raw.status, JSON.parse(raw.body)]).toMatchObject([404, { errcode: "M_UNRECOGNIZED" }]);
  });

  it("a preflight is answered with 204 and without a body", async () => {
    const { url } = await mount(mountedInvite);
    const response = await fetch(url + mountedInvite.path, { method: "OPTIONS" });
    expect([response.status, await response.text()]).toEqual([204, ""]);
    expect(response.headers.get("access-control-allow-methods")).toBe("GET, POST, PUT, DELETE, OPTIONS");
  });

  it("500 entries in one delivery are taken, and owed once though it comes twice", async () => {
    const { url, world } = await mount(mountedOnBind);
    const invites = Array.from({ length: 500 }, (_, index) =>
      entryOf(`t${index}`, { "org.example.more": "a".repeat(250) }),
    );
    const body = JSON.stringify(onBindBody(invites));
    expect(body.length).toBeGreaterThan(276_000);
    for (const method of ["POST", "PUT"])
      expect((await fetch(url + mountedOnBind.path, { method, headers: json, body })).status).toBe(200);
    expect(world.rows()).toHaveLength(500);
  });

  it("a client that hangs up ends its lookup", async () => {
    const world = openHost();
    const controller = new AbortController();
    let ended: (() => void) | undefined;
    const end = new Promise<void>((resolve) => {
      ended = resolve;
    });
    world.intercept = ({ name, signal }, perform) => {
      if (name !== "identityServer.lookup") return perform();
      signal?.addEventListener("abort", () => ended?.());
      controller.abort();
      return new Promise(() => undefined);
    };
    const { url } = await mount(mountedInvite, {}, world);
    const asked = fetch(url + mountedInvite.path, {
      method: "POST",
      headers: json,
      body: JSON.stringify(mountedInvite.body),
      signal: controller.signal,
    });
    await expect(asked).rejects.toThrow();
    await end;
    expect(world.mails).toEqual([]);
  });
});
