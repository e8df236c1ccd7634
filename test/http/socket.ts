import { once } from "node:events";
import { type RequestListener, type Server, createServer } from "node:http";
import { createRequire } from "node:module";
import { connect } from "node:net";
import type { Endpoint } from "matrix-third-party-invites/http";

// Its own types do not compile without those of a browser.
const adapter = createRequire(import.meta.url)("@hono/node-server") as {
  readonly getRequestListener: (handle: Endpoint) => RequestListener;
};

export interface Listening {
  readonly port: number;
  readonly url: string;
  readonly close: () => Promise<void>;
}

/** Lets a server listen on a loopback port that the system chooses. */
export const listenOn = async (server: Server): Promise<Listening> => {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("There is no port.");
  return {
    port: address.port,
    url: `http://127.0.0.1:${address.port}`,
    close: async () => {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
};

export const listener = adapter.getRequestListener;

export const serve = (endpoint: Endpoint): Promise<Listening> => listenOn(createServer(listener(endpoint)));

export interface Raw {
  readonly status: number;
  readonly head: string;
  readonly body: string;
  /** Whether the server closed the connection by itself. */
  readonly isClosed: boolean;
}

export interface Line {
  readonly write: (text: string | Uint8Array) => void;
  readonly isOpen: () => boolean;
}

/** Whether this is all of one answer, as its own length or the last of its chunks says. */
const isWhole = (text: string): boolean => {
  const end = text.indexOf("\r\n\r\n");
  if (end < 0) return false;
  const [head, body] = [text.slice(0, end), text.slice(end + 4)];
  if (/^transfer-encoding: chunked/im.test(head)) return /(?:^|\r\n)0\r\n\r\n$/.test(body);
  return Buffer.byteLength(body) >= Number(/^content-length: (\d+)/im.exec(head)?.[1] ?? 0);
};

/** Speaks HTTP/1.1 byte by byte, and reads until the server closes, or the first answer is there unless told otherwise. */
export const speak = (
  port: number,
  talk: (line: Line) => unknown,
  {
    untilClosed = false,
    hangUpAfterMs,
  }: { readonly untilClosed?: boolean; readonly hangUpAfterMs?: number } = {},
): Promise<Raw> =>
  new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    let text = "";
    let isClosed = false;
    const finish = (): void => {
      socket.destroy();
      const [head = "", ...rest] = text.split("\r\n\r\n");
      const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1] ?? 0);
      resolve({ status, head, body: rest.join("\r\n\r\n"), isClosed });
    };
    socket.setEncoding("utf8").on("data", (chunk) => {
      text += String(chunk);
      if (!untilClosed && isWhole(text)) finish();
    });
    socket.on("error", () => undefined);
    socket.on("close", () => {
      isClosed = true;
      finish();
    });
    if (hangUpAfterMs !== undefined) setTimeout(() => socket.destroy(), hangUpAfterMs);
    talk({ write: (bytes) => socket.write(bytes), isOpen: () => !socket.destroyed });
  });
