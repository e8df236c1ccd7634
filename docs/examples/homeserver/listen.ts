import { once } from "node:events";
import { createServer } from "node:https";
import { createAdaptorServer } from "@hono/node-server";

export type Handle = (request: Request) => Promise<Response>;

export interface Listener {
  readonly port: number;
  readonly close: () => Promise<void>;
}

export interface Place {
  /** The system chooses one if it is left out. */
  readonly port?: number;
  readonly host?: string;
  /** A private key and its certificate in PEM; plain HTTP without them. */
  readonly tls?: { readonly key: string; readonly cert: string };
}

/** Serves `handle` with Hono's server for Node, on a loopback port unless told otherwise. */
export const listen = async (
  handle: Handle,
  { port = 0, host = "127.0.0.1", tls }: Place = {},
): Promise<Listener> => {
  const server = createAdaptorServer({
    fetch: handle,
    overrideGlobalObjects: false,
    ...(tls === undefined ? {} : { createServer, serverOptions: tls }),
  });
  server.listen(port, host);
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("There is no port.");
  return {
    port: address.port,
    close: async () => {
      const closed = once(server, "close");
      server.close();
      if ("closeAllConnections" in server) server.closeAllConnections();
      await closed;
    },
  };
};
