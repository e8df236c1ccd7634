import { type RequestListener, type Server, createServer } from "node:http";
import type { SigningKey } from "matrix-third-party-invites/ports";
import type { Endpoint } from "matrix-third-party-invites/http";
import type { memoryPorts } from "matrix-third-party-invites/testing";
import { serve, listenOn, type Listening } from "./socket.js";

/** What stands in docs/examples/http, which is JavaScript: its frameworks' types are no concern of this library. */
interface Examples {
  readonly "ports.js": {
    readonly ports: ReturnType<typeof memoryPorts>;
    readonly identity: { readonly account: (userId: string) => string };
    readonly serverKeys: Map<string, SigningKey["publicKey"]>;
  };
  readonly "node-http.js": { readonly server: Server };
  readonly "hono.js": { readonly app: { readonly fetch: Endpoint } };
  readonly "express.js": { readonly app: RequestListener };
  readonly "express-parsed.js": { readonly app: RequestListener };
  readonly "fastify.js": {
    readonly app: { readonly ready: () => PromiseLike<unknown>; readonly server: Server };
  };
}

export const example = async <Name extends keyof Examples>(name: Name): Promise<Examples[Name]> =>
  (await import(`../../docs/examples/http/${name}`)) as Examples[Name];

/** Each example, listening. */
export const frameworks: readonly (readonly [string, () => Promise<Listening>])[] = [
  ["node:http", async () => listenOn((await example("node-http.js")).server)],
  ["Hono", async () => serve((await example("hono.js")).app.fetch)],
  ["Express", async () => listenOn(createServer((await example("express.js")).app))],
  [
    "Express with its bytes kept",
    async () => listenOn(createServer((await example("express-parsed.js")).app)),
  ],
  [
    "Fastify",
    async () => {
      const { app } = await example("fastify.js");
      await app.ready();
      return listenOn(app.server);
    },
  ],
];
