import { once } from "node:events";
import { type IncomingMessage, type ServerResponse, createServer } from "node:http";
import { parseJson } from "./json.js";

export type Handle = (request: Request) => Promise<Response>;

export interface Listener {
  readonly url: string;
  readonly close: () => Promise<void>;
}

const readAll = async (incoming: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) if (Buffer.isBuffer(chunk)) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
};

const serve = async (handle: Handle, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
  const { method = "GET", url = "/", headers } = incoming;
  const body = await readAll(incoming);
  const request = new Request(`http://${headers.host ?? "localhost"}${url}`, {
    method,
    headers: headers.authorization === undefined ? {} : { authorization: headers.authorization },
    ...(body === "" ? {} : { body }),
  });
  const response = await handle(request).catch((cause: unknown) =>
    json(500, { errcode: "M_UNKNOWN", error: String(cause) }),
  );
  outgoing.writeHead(response.status, { "content-type": "application/json" });
  outgoing.end(await response.text());
};

/** Serves `handle` with node:http on a loopback port that the system chooses. */
export const listen = async (handle: Handle): Promise<Listener> => {
  const server = createServer((incoming, outgoing) => {
    void serve(handle, incoming, outgoing);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("There is no port.");
  return {
    url: `http://127.0.0.1:${address.port}`,
    close: async () => {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
};

export const json = (status: number, body: unknown): Response => Response.json(body, { status });

/** A request that has found its route. */
export interface Call {
  readonly method: string;
  /** The path with its query, as it was sent. */
  readonly uri: string;
  readonly authorization: string;
  readonly body: unknown;
  /** What stands in the path where the route has `:name`. */
  readonly param: (name: string) => string;
}

export interface Route {
  readonly method: string;
  readonly path: string;
  readonly answer: (call: Call) => Promise<Response>;
}

const match = (pattern: string, path: string): ReadonlyMap<string, string> | undefined => {
  const [wanted, given] = [pattern.split("/"), path.split("/")];
  if (wanted.length !== given.length) return undefined;
  const params = new Map<string, string>();
  for (const [index, part] of wanted.entries()) {
    const found = given[index] ?? "";
    if (part.startsWith(":")) params.set(part.slice(1), decodeURIComponent(found));
    else if (part !== found) return undefined;
  }
  return params;
};

/** The first route that fits answers. */
export const router =
  (routes: readonly Route[]): Handle =>
  async (request) => {
    const { pathname, search } = new URL(request.url);
    for (const { method, path, answer } of routes) {
      const params = method === request.method ? match(path, pathname) : undefined;
      if (params === undefined) continue;
      const text = await request.text();
      return answer({
        method,
        uri: pathname + search,
        authorization: request.headers.get("authorization") ?? "",
        body: text === "" ? undefined : parseJson(text),
        param: (name) => params.get(name) ?? "",
      });
    }
    return json(404, { errcode: "M_UNRECOGNIZED", error: "Unrecognized request" });
  };
