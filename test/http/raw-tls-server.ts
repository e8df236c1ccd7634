import { once } from "node:events";
import { type AddressInfo, type Server, type Socket, connect, createServer } from "node:net";
import { type TLSSocket, createServer as createTlsServer } from "node:tls";
import { Agent, buildConnector, fetch as undiciFetch } from "undici";
import type { Fetch } from "matrix-third-party-invites/http";
import { onTestFinished } from "vitest";
import { makeCertificate } from "../certificate.js";

const certificate = makeCertificate(["localhost"], ["127.0.0.1"]);

/** A client's limits where none is in question: longer than any test may take, so that whoever waits for one is stuck. */
export const patient = { headersTimeoutMs: 600_000, bodyTimeoutMs: 600_000 };

/** A request as it came over the wire; header names in lower case. */
export interface Received {
  readonly method: string;
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface Listening {
  readonly port: number;
  /** Connections that were ever made, and those that are open now. */
  readonly connections: () => { readonly made: number; readonly open: number };
  /**
   * Waits until the client has let go of every connection that carried something. Others may be open: undici likes to
   * make one more after a failure, and closes it when nobody wants it.
   */
  readonly abandoned: () => Promise<void>;
}

export interface RawTlsServer extends Listening {
  readonly received: readonly Received[];
  /** The certificate to trust; it is for `localhost`. */
  readonly ca: string;
}

const closed = (socket: Socket): Promise<void> =>
  new Promise((resolve) => {
    if (socket.closed) resolve();
    else
      socket.once("close", () => {
        resolve();
      });
  });

const allClosed = async (sockets: Iterable<Socket>): Promise<void> => {
  await Promise.all(Array.from(sockets, closed));
};

/** Opens a server on loopback for as long as the running test. */
export const listen = async (server: Server): Promise<Listening> => {
  const sockets = new Set<Socket>();
  let made = 0;
  server.on("connection", (socket: Socket) => {
    made += 1;
    sockets.add(socket);
    // What the client does to a connection is no trouble of the server's.
    socket.on("error", () => undefined).on("close", () => sockets.delete(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(async () => {
    server.close();
    for (const socket of sockets) socket.destroy();
    await once(server, "close");
  });
  return {
    port: (server.address() as AddressInfo).port,
    connections: () => ({ made, open: sockets.size }),
    abandoned: () => allClosed(sockets),
  };
};

/** The first request in these bytes, once all of it is there, and what comes after it. */
const readRequest = (bytes: Buffer): { readonly request: Received; readonly rest: Buffer } | undefined => {
  const end = bytes.indexOf("\r\n\r\n");
  if (end < 0) return undefined;
  const [first = "", ...lines] = bytes.subarray(0, end).toString("latin1").split("\r\n");
  const [method = "", target = ""] = first.split(" ");
  const headers = Object.fromEntries(
    lines.map((line): [string, string] => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
  const bodyEnd = end + 4 + Number(headers["content-length"] ?? 0);
  if (bytes.length < bodyEnd) return undefined;
  const body = bytes.subarray(end + 4, bodyEnd).toString();
  return { request: { method, target, headers, body }, rest: bytes.subarray(bodyEnd) };
};

/** A server that shakes hands in TLS and then writes whatever it is told to, byte for byte, after each request. */
export const openRawTls = async (
  answer: (socket: TLSSocket, request: Received) => void,
): Promise<RawTlsServer> => {
  const received: Received[] = [];
  const asked = new Set<TLSSocket>();
  const { key, cert } = await certificate;
  const server = createTlsServer({ key, cert }, (socket) => {
    let bytes: Buffer = Buffer.alloc(0);
    socket.on("error", () => undefined);
    socket.on("data", (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk]);
      for (let read = readRequest(bytes); read !== undefined; read = readRequest(bytes)) {
        bytes = read.rest;
        received.push(read.request);
        asked.add(socket);
        answer(socket, read.request);
      }
    });
  });
  server.on("tlsClientError", () => undefined);
  return { ...(await listen(server)), received, ca: cert, abandoned: () => allClosed(asked) };
};

/** A server that speaks no TLS of its own. */
export const openRawTcp = (serve: (socket: Socket) => void): Promise<Listening> =>
  listen(createServer(serve));

/** A connection to a server through a wire that can be tampered with below TLS. */
export interface Wire {
  readonly client: Socket;
  readonly server: Socket;
}

/** A wire to this port; `wires` holds the connections that were made over it. */
export const openWire = async (port: number): Promise<Listening & { readonly wires: readonly Wire[] }> => {
  const wires: Wire[] = [];
  const listening = await openRawTcp((client) => {
    const server = connect(port, "127.0.0.1");
    client.on("close", () => server.destroy());
    server.on("error", () => undefined).on("close", () => client.destroy());
    client.pipe(server);
    server.pipe(client);
    wires.push({ client, server });
  });
  return { ...listening, wires };
};

/** undici has classes of its own, which its types keep apart from the runtime's; they have the same members. */
const fetchWith = undiciFetch as unknown as (
  url: string,
  init: Omit<RequestInit, "dispatcher"> & { readonly dispatcher: Agent },
) => Promise<Response>;

/** A real `fetch` for which every host stands at one port of loopback. */
export const fetchTo = async (
  port: number,
  {
    trusts = true,
    servername = "localhost",
    connectTimeoutMs = patient.headersTimeoutMs,
    keepAliveTimeoutMs = 4_000,
  } = {},
): Promise<Fetch> => {
  const { cert } = await certificate;
  const connectOver = buildConnector({ ...(trusts ? { ca: cert } : {}), timeout: connectTimeoutMs });
  const dispatcher = new Agent({
    keepAliveTimeout: keepAliveTimeoutMs,
    connect: (options, callback) => {
      connectOver({ ...options, hostname: "127.0.0.1", port: String(port), servername }, callback);
    },
  });
  onTestFinished(() => dispatcher.destroy());
  return (url, init) => fetchWith(url, { ...init, dispatcher });
};

/** An answer as bytes: this status, these header lines, this body with its length. */
export const http = (
  status: number,
  headers: Readonly<Record<string, string>>,
  body: string | Uint8Array,
): Buffer => {
  const bytes = Buffer.from(body);
  const lines = Object.entries({ ...headers, "content-length": String(bytes.length) });
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  return Buffer.concat([Buffer.from(`HTTP/1.1 ${status} Any\r\n${head}\r\n`), bytes]);
};

export const json = (status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Buffer =>
  http(status, { "content-type": "application/json", ...headers }, JSON.stringify(body));
