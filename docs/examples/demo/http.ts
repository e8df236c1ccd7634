import { once } from "node:events";
import { type IncomingMessage, type ServerResponse, createServer } from "node:http";
import { buffer } from "node:stream/consumers";
import { json } from "./answers.js";
import { parseJson } from "./json.js";

export type Handle = (request: Request) => Promise<Response>;

export interface Listener {
  readonly url: string;
  readonly close: () => Promise<void>;
}

const serve = async (handle: Handle, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
  const { method = "GET", url = "/", headers } = incoming;
  const body = await buffer(incoming);
  const request = new Request(`http://${headers.host ?? "localhost"}${url}`, {
    method,
    headers: Object.entries(headers).filter((one): one is [string, string] => typeof one[1] === "string"),
    ...(body.length === 0 ? {} : { body }),
  });
  const response = await handle(request).catch((cause: unknown) =>
    json(500, { errcode: "M_UNKNOWN", error: String(cause) }),
  );
  outgoing.writeHead(response.status, Object.fromEntries(response.headers));
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

/** What stands in the path where the route has `:name`. */
export type Param = (name: string) => string;

export interface Route {
  readonly methods: readonly string[];
  readonly path: string;
  readonly answer: (request: Request, param: Param) => Promise<Response>;
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
    const { pathname } = new URL(request.url);
    for (const { methods, path, answer } of routes) {
      const params = methods.includes(request.method) ? match(path, pathname) : undefined;
      if (params !== undefined) return answer(request, (name) => params.get(name) ?? "");
    }
    return json(404, { errcode: "M_UNRECOGNIZED", error: "Unrecognized request" });
  };

/** A request to an endpoint of our own: who asks, and what. */
export interface Call<Who> {
  readonly who: Who;
  readonly body: unknown;
  readonly param: Param;
}

export const readJson = async (request: Request): Promise<unknown> => parseJson(await request.text());
