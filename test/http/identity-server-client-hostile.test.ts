import { once } from "node:events";
import { createServer as createHttps } from "node:https";
import { type Socket, createServer } from "node:net";
import type { Writable } from "node:stream";
import type { TLSSocket } from "node:tls";
import { brotliCompressSync, constants, deflateRawSync, gzipSync } from "node:zlib";
import { type Fetch, identityServerClient } from "matrix-third-party-invites/http";
import { guardedFetch } from "matrix-third-party-invites/node";
import { describe, expect, it } from "vitest";
import { makeCertificate } from "../certificate.js";
import {
  type CallName,
  callNames,
  calls,
  goodAnswers,
  goodOutcomes,
  inviteRequest,
} from "./identity-server-calls.js";
import { fetchTo, http, json, listen, openRawTcp, openRawTls, openWire, patient } from "./raw-tls-server.js";

const limits = { headersTimeoutMs: 200, bodyTimeoutMs: 200, maxBytes: 4096 };
/** For answers that need no time-out, on a machine that is busy. */
const small = { ...limits, ...patient };
const bytesOf = (mebibytes: number): number => mebibytes * 2 ** 20;

const malformed = { _tag: "Malformed" };
const broken = { _tag: "Unreachable", sent: true };
const late = { _tag: "Unreachable", sent: true, timedOut: true };
const neverSent = { _tag: "Unreachable", sent: false };

/** What was thrown is the runtime's. */
const withoutCause = (outcome: object): object => ({ ...outcome, cause: undefined });

/** Writes the same bytes again and again, as fast as they are taken, and counts them. */
const flood = (socket: Writable, bytes: Uint8Array | string): { readonly written: () => number } => {
  const chunk = Buffer.from(bytes);
  let written = 0;
  const pour = (): void => {
    for (let wanted = true; wanted && !socket.destroyed; written += chunk.length)
      wanted = socket.write(chunk);
  };
  socket.on("drain", pour);
  pour();
  return { written: () => written };
};

/** Writes one byte at a time. */
const drip = (socket: Writable, text: string): void => {
  let at = 0;
  const timer = setInterval(() => {
    socket.write(text[at % text.length] ?? "");
    at += 1;
  }, 5);
  socket.on("close", () => {
    clearInterval(timer);
  });
};

const head = (...lines: readonly string[]): string => `HTTP/1.1 200 OK\r\n${lines.join("\r\n")}\r\n\r\n`;

const deflated = (): Buffer => {
  // Ends at a flush, so it can be repeated: 64 times is a gigabyte.
  const piece = deflateRawSync(Buffer.alloc(bytesOf(16)), { level: 1, finishFlush: constants.Z_FULL_FLUSH });
  return Buffer.concat(Array.from({ length: 64 }, () => piece));
};

const bombs: readonly (readonly [string, () => Buffer])[] = [
  ["gzip", () => Buffer.concat([gzipSync("").subarray(0, 10), deflated()])],
  ["deflate", () => Buffer.concat([Buffer.from("789c", "hex"), deflated()])],
  [
    "br",
    () => brotliCompressSync(Buffer.alloc(bytesOf(128)), { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } }),
  ],
];

type Serve = (socket: TLSSocket) => { readonly written: () => number } | undefined;

const writes =
  (...parts: readonly (string | Uint8Array)[]): Serve =>
  (socket) => {
    for (const part of parts) socket.write(part);
    return undefined;
  };

const ends =
  (...parts: readonly (string | Uint8Array)[]): Serve =>
  (socket) => {
    socket.end(Buffer.concat(parts.map((part) => Buffer.from(part))));
    return undefined;
  };

const floods =
  (first: string, then: string | Uint8Array): Serve =>
  (socket) => {
    socket.write(first);
    return flood(socket, then);
  };

const drips =
  (first: string, then: string): Serve =>
  (socket) => {
    socket.write(first);
    drip(socket, then);
    return undefined;
  };

const line = `x: ${"y".repeat(1000)}\r\n`;

const hostile: readonly (readonly [string, Serve, object])[] = [
  ["says nothing", () => undefined, late],
  ["hangs up at once", ends(), broken],
  ["drips headers", drips("HTTP/1.1 200 OK\r\n", "x: y\r\n"), late],
  ["never ends its headers", floods("HTTP/1.1 200 OK\r\n", line), broken],
  ["never ends a header", floods("HTTP/1.1 200 OK\r\nx: ", "y".repeat(1000)), broken],
  ["drips interim answers", drips("", "HTTP/1.1 103 Early Hints\r\n\r\n"), late],
  ["switches protocols", writes("HTTP/1.1 101 x\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n"), broken],
  ["drips a body", drips(head("content-length: 4000"), " "), late],
  ["drips chunks", drips(head("transfer-encoding: chunked"), "1\r\n \r\n"), late],
  ["stops in its body", writes(head("content-length: 4000"), "{"), late],
  ["never ends its body", floods(head("connection: close"), "{".repeat(1000)), malformed],
  [
    "never ends its chunks",
    floods(head("transfer-encoding: chunked"), "3e8\r\n" + "{".repeat(1000) + "\r\n"),
    malformed,
  ],
  [
    "has a chunk without end",
    floods(`${head("transfer-encoding: chunked")}fffffffffffffff\r\n`, "{".repeat(1000)),
    malformed,
  ],
  ["announces more than it may", floods(head(`content-length: ${2 ** 40}`), "{".repeat(1000)), malformed],
  ["announces more than it sends", ends(head("content-length: 15"), '{"valid":true}'), broken],
  ["has two lengths", ends(head("content-length: 2", "content-length: 3"), "{} "), broken],
  ["has no length", ends(head("content-length: many"), "{}"), broken],
  ["has garbage for chunks", writes(head("transfer-encoding: chunked"), "zz\r\n{}\r\n0\r\n\r\n"), broken],
  ["has garbage for gzip", writes(http(200, { "content-encoding": "gzip" }, "{}")), broken],
  ["has garbage for br", writes(http(200, { "content-encoding": "br" }, "not brotli")), broken],
  ["speaks no HTTP", writes("220 mail.example ESMTP\r\n"), broken],
  ["speaks HTTP/2", writes(Buffer.from("000000040000000000", "hex")), broken],
];

/** Far less than is offered; the buffers of a connection and of the test itself are in it. */
const isBounded = (bytes: number): boolean => bytes < bytesOf(48);

describe("a server that", () => {
  it.each(hostile)("%s", async (_, serve, outcome) => {
    let written = (): number => 0;
    const server = await openRawTls((socket) => {
      written = serve(socket)?.written ?? written;
    });
    const fetch = await fetchTo(server.port, { keepAliveTimeoutMs: 50 });
    const client = identityServerClient({ fetch, ...(outcome === late ? limits : small) });
    expect(withoutCause(await calls.storeInvite(client))).toEqual(outcome);
    await server.abandoned();
    // The time may be over before a busy machine has shaken hands; nothing is ever asked twice.
    expect(server.received.length).toBeLessThanOrEqual(1);
    expect(isBounded(written())).toBe(true);
  });

  it.each(bombs)("sends a bomb of %s", async (encoding, bomb) => {
    const bytes = http(200, { "content-encoding": encoding }, bomb());
    const server = await openRawTls((socket) => socket.write(bytes));
    const fetch = await fetchTo(server.port, { keepAliveTimeoutMs: 50 });
    const client = identityServerClient({ fetch, ...small });
    const used = (): number => {
      const { heapUsed, external, arrayBuffers } = process.memoryUsage();
      return heapUsed + external + arrayBuffers;
    };
    const before = used();
    let most = 0;
    const timer = setInterval(() => (most = Math.max(most, used())), 1);
    expect(withoutCause(await calls.storeInvite(client))).toEqual(malformed);
    clearInterval(timer);
    expect(isBounded(Math.max(most, used()) - before)).toBe(true);
    await server.abandoned();
  });

  it.each([
    ["its status line", "HTTP/1.1 200 ", "y".repeat(1000)],
    ["interim answers", "", "HTTP/1.1 103 Early Hints\r\n\r\n".repeat(100)],
    ["an extension of a chunk", `${head("transfer-encoding: chunked")}1;`, "y".repeat(1000)],
  ])("never ends %s is left when its time is over", async (_, first, then) => {
    const server = await openRawTls((socket) => floods(first, then)(socket));
    const client = identityServerClient({ ...patient, fetch: await fetchTo(server.port), ...limits });
    expect(withoutCause(await calls.storeInvite(client))).toEqual(late);
    await server.abandoned();
  });

  it("sends more than it announced is read as far as it announced", async () => {
    const server = await openRawTls((socket) => {
      socket.write(Buffer.concat([json(200, goodAnswers.keyValidity), Buffer.from("HTTP/1.1 200 and more")]));
    });
    const client = identityServerClient({ ...patient, fetch: await fetchTo(server.port), ...small });
    expect(await calls.keyValidity(client)).toEqual(goodOutcomes.keyValidity);
  });
});

describe("an answer that is cut off anywhere", () => {
  const body = JSON.stringify(goodAnswers.storeInvite);
  const chunked = `6\r\n${body.slice(0, 6)}\r\n${(body.length - 6).toString(16)}\r\n${body.slice(6)}\r\n0\r\n\r\n`;
  const framings = [
    ["with a length", head(`content-length: ${body.length}`), body, broken],
    ["in chunks", head("transfer-encoding: chunked"), chunked, broken],
    // Its end is the end of the connection: what came is all there is, and no JSON.
    ["without a length", head("connection: close"), body, malformed],
  ] as const;

  const ways: readonly (readonly [string, (socket: TLSSocket) => void])[] = [
    ["ended", (socket) => socket.end()],
    ["torn", (socket) => socket.destroy()],
  ];

  it.each(
    framings.flatMap(([framing, ...rest]) => ways.map(([way, cut]) => [framing, way, cut, ...rest] as const)),
  )("%s, %s", async (_framing, _way, cut, start, rest, inBody) => {
    const bytes = Buffer.from(start + rest);
    const server = await openRawTls((socket, { headers }) => {
      const length = Number(headers["authorization"]?.replace("Bearer ", ""));
      socket.write(bytes.subarray(0, length), () => {
        cut(socket);
      });
    });
    const client = identityServerClient({ ...patient, fetch: await fetchTo(server.port) });
    const lengths = Array.from({ length: bytes.length + 1 }, (_one, length) => length);
    const outcomes = await Promise.all(
      lengths.map(async (length) =>
        withoutCause(await client.storeInvite({ ...inviteRequest, accessToken: String(length) }, {})),
      ),
    );
    expect(outcomes.slice(0, start.length)).toEqual(lengths.slice(0, start.length).map(() => broken));
    expect(outcomes.slice(start.length, -1)).toEqual(lengths.slice(start.length, -1).map(() => inBody));
    expect(outcomes.at(-1)).toEqual(goodOutcomes.storeInvite);
    // Nothing was asked twice: each would have been a mail.
    expect(server.received).toHaveLength(lengths.length);
  });
});

describe("trouble below HTTP, with the request sent:", () => {
  it.each<readonly [string, (socket: Socket) => unknown, object]>([
    ["the connection is reset", (socket) => socket.resetAndDestroy(), broken],
    ["the connection breaks", (socket) => socket.destroy(), broken],
    // Node sends an alert and keeps waiting.
    ["TLS becomes garbage", (socket) => socket.write("garbage".repeat(9)), late],
  ])("%s", async (_, harm, outcome) => {
    const server = await openRawTls(() => {
      for (const { client, server: upstream } of wire.wires) {
        upstream.unpipe(client);
        harm(client);
      }
    });
    const wire = await openWire(server.port);
    const fetch = await fetchTo(wire.port);
    // A busy machine may not have shaken hands in the first time.
    for (const headersTimeoutMs of outcome === late ? [500, 5_000, 50_000] : [patient.headersTimeoutMs]) {
      const client = identityServerClient({ fetch, ...small, headersTimeoutMs });
      expect(withoutCause(await calls.storeInvite(client))).toEqual(outcome);
      if (server.received.length > 0) break;
    }
    expect(server.received).toHaveLength(1);
    await server.abandoned();
  });
});

/** A port where nobody listens. */
const closedPort = async (): Promise<number> => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address !== null ? address.port : 0;
};

describe("before a request is sent:", () => {
  const ask = async (fetch: Fetch, url = "https://id.example/"): Promise<readonly unknown[]> => {
    const client = identityServerClient({ fetch, ...small });
    return [withoutCause(await calls.storeInvite(client)), withoutCause(await client.keyValidity(url, {}))];
  };

  it("a connection that is refused", async () => {
    expect(await ask(await fetchTo(await closedPort()))).toEqual([neverSent, neverSent]);
  });

  it.each(["127.0.0.1", "localhost"])("the runtime's own fetch, refused by %s", async (host) => {
    const url = `https://${host}:${await closedPort()}/`;
    expect(withoutCause(await identityServerClient({ fetch }).keyValidity(url, {}))).toEqual(neverSent);
  });

  it("a certificate that nobody vouches for", async () => {
    const server = await openRawTls((socket) => socket.write(json(200, {})));
    expect(await ask(await fetchTo(server.port, { trusts: false }))).toEqual([neverSent, neverSent]);
    const url = `https://localhost:${server.port}/`;
    expect(withoutCause(await identityServerClient({ fetch }).keyValidity(url, {}))).toEqual(neverSent);
    expect(server.received).toEqual([]);
  });

  it("a certificate of another name", async () => {
    const server = await openRawTls((socket) => socket.write(json(200, {})));
    const others = await fetchTo(server.port, { servername: "id.example" });
    expect(await ask(others)).toEqual([neverSent, neverSent]);
    expect(server.received).toEqual([]);
  });

  it("a target that the guarded fetch refuses", async () => {
    const server = await openRawTls((socket) => socket.write(json(200, {})));
    const resolve = (): Promise<readonly string[]> => Promise.resolve(["127.0.0.1"]);
    const guarded = await guardedFetch({ resolve });
    expect(await ask(guarded, `https://127.0.0.1:${server.port}/`)).toEqual([neverSent, neverSent]);
    expect(server.connections().made).toBe(0);
  });

  it("a name that does not resolve", async () => {
    const resolve = (): Promise<never> =>
      Promise.reject(Object.assign(new Error("not found"), { code: "ENOTFOUND", syscall: "getaddrinfo" }));
    expect(await ask(await guardedFetch({ resolve }))).toEqual([neverSent, neverSent]);
  });

  it("a connection that takes too long", async () => {
    const silent = await openRawTcp((socket) => socket.resume());
    const fetch = await fetchTo(silent.port, { connectTimeoutMs: 100 });
    const client = identityServerClient({ fetch, ...small });
    expect(withoutCause(await calls.storeInvite(client))).toEqual({ ...neverSent, timedOut: true });
    await silent.abandoned();
  });
});

it("a handshake that never ends is over in time, and may have carried the request", async () => {
  const silent = await openRawTcp((socket) => socket.resume());
  const fetch = await fetchTo(silent.port, { connectTimeoutMs: 400 });
  const client = identityServerClient({ fetch, ...limits });
  expect(withoutCause(await calls.storeInvite(client))).toEqual(late);
  await silent.abandoned();
});

it("the guarded fetch carries every call to a host that is allowed", async () => {
  const { key, cert } = await makeCertificate(["localhost"]);
  let name: CallName = "hashDetails";
  const server = await listen(
    createHttps({ key, cert }, (_, reply) => reply.end(JSON.stringify(goodAnswers[name]))),
  );
  const host = `localhost:${server.port}`;
  const resolve = (): Promise<readonly string[]> => Promise.resolve(["127.0.0.1"]);
  const fetch = await guardedFetch({ allow: { hosts: [host] }, ca: cert, resolve });
  const toHost: Fetch = (url, init) => fetch(url.replace("id.example", host), init);
  for (name of callNames)
    expect(await calls[name](identityServerClient({ fetch: toHost }))).toEqual(goodOutcomes[name]);
});

/** An error as fetch, Node and undici make it. */
const failure = (code?: string, more: object = {}): Error =>
  Object.assign(new Error("failed"), code === undefined ? {} : { code }, more);
const fetchFailed = (cause: unknown): Error => new TypeError("fetch failed", { cause });
const connectFailure = (code: string): Error => failure(code, { syscall: "connect" });
const several = (...errors: readonly Error[]): Error =>
  Object.assign(new AggregateError(errors), { code: (errors[0] as { code?: string } | undefined)?.code });
const circular = failure();
circular.cause = circular;

describe("the errors of fetch", () => {
  it.each<readonly [string, Error]>([
    [
      "refused on every address",
      fetchFailed(several(connectFailure("ECONNREFUSED"), connectFailure("ECONNREFUSED"))),
    ],
    [
      "no route on one, too late on another",
      fetchFailed(several(connectFailure("ENETUNREACH"), connectFailure("EHOSTUNREACH"))),
    ],
    ["a firewall", fetchFailed(connectFailure("EACCES"))],
    ["reset while connecting", fetchFailed(connectFailure("ECONNRESET"))],
    ["a resolver that is down", fetchFailed(failure("EAI_AGAIN", { syscall: "getaddrinfo" }))],
    ["a resolver of our own", fetchFailed(failure("ESERVFAIL", { syscall: "queryA" }))],
    ["an expired certificate", fetchFailed(failure("CERT_HAS_EXPIRED"))],
    ["an unknown issuer", fetchFailed(failure("UNABLE_TO_GET_ISSUER_CERT_LOCALLY"))],
    ["a certificate for another name", fetchFailed(failure("ERR_TLS_CERT_ALTNAME_INVALID"))],
    ["the guard's refusal", failure("ERR_TARGET_REFUSED")],
    ["another runtime's refusal", failure("ConnectionRefused")],
  ])("%s: not sent", async (_, thrown) => {
    const client = identityServerClient({ fetch: () => Promise.reject(thrown) });
    const outcome = await calls.storeInvite(client);
    expect(withoutCause(outcome)).toEqual(neverSent);
    expect("cause" in outcome && outcome.cause).toBe(thrown);
  });

  it.each<readonly [string, unknown, boolean?]>([
    ["reset", fetchFailed(failure("ECONNRESET", { syscall: "read" }))],
    ["reset in the handshake, perhaps", fetchFailed(failure("ECONNRESET"))],
    ["closed by the other side", fetchFailed(failure("UND_ERR_SOCKET"))],
    ["a broken pipe", fetchFailed(failure("EPIPE", { syscall: "write" }))],
    ["the network gone under a connection", fetchFailed(failure("EHOSTUNREACH", { syscall: "read" }))],
    ["a connection that fell silent", fetchFailed(failure("ETIMEDOUT", { syscall: "read" })), true],
    ["no headers in undici's own time", fetchFailed(failure("UND_ERR_HEADERS_TIMEOUT")), true],
    ["a record of TLS that is none", fetchFailed(failure("ERR_SSL_WRONG_VERSION_NUMBER"))],
    [
      "one of several attempts unclear",
      fetchFailed(several(connectFailure("ECONNREFUSED"), failure("ECONNRESET"))),
    ],
    ["no attempt at all", fetchFailed(new AggregateError([]))],
    ["no code", fetchFailed(new Error("bad"))],
    ["no cause", new TypeError("fetch failed")],
    ["a cause of itself", circular],
    ["a text", "no"],
    ["nothing", undefined],
    ["an abort that nobody asked for", new DOMException("aborted", "AbortError")],
  ])("%s: perhaps sent", async (_, thrown, isLate = false) => {
    const client = identityServerClient({
      fetch: () => {
        throw thrown;
      },
    });
    expect(withoutCause(await calls.storeInvite(client))).toEqual(isLate ? late : broken);
  });
});
