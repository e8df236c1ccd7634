import { once } from "node:events";
import type { RequestListener } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { type AddressInfo, type Server, type Socket, createServer } from "node:net";
import { makeCertificate } from "../certificate.js";

const listen = async (server: Server, port: number, host: string): Promise<number> => {
  server.listen(port, host);
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
};

export interface Trap {
  readonly port: number;
  readonly connections: () => number;
  readonly close: () => Promise<void>;
}

/** Counts whoever connects to this port of loopback, of IPv4 and, where the machine has it, of IPv6. */
export const openTrap = async (): Promise<Trap> => {
  let connections = 0;
  const open = (): Server =>
    createServer((socket: Socket) => {
      connections += 1;
      socket.destroy();
    });
  const [four, six] = [open(), open()];
  const port = await listen(four, 0, "127.0.0.1");
  const hasSix = await listen(six, port, "::1").then(
    () => true,
    () => false,
  );
  return {
    port,
    connections: () => connections,
    close: async () => {
      for (const server of hasSix ? [four, six] : [four]) {
        server.close();
        await once(server, "close");
      }
    },
  };
};

export interface HttpsServer {
  readonly port: number;
  /** The certificate to trust. */
  readonly ca: string;
  readonly connections: () => number;
  readonly close: () => Promise<void>;
}

/** An HTTPS server on 127.0.0.1, with a certificate for that address and for these names. */
export const openHttps = async (names: readonly string[], answer: RequestListener): Promise<HttpsServer> => {
  const { key, cert } = await makeCertificate(names, ["127.0.0.1"]);
  let connections = 0;
  const server = createHttpsServer({ key, cert }, answer).on("connection", () => {
    connections += 1;
  });
  const port = await listen(server, 0, "127.0.0.1");
  return {
    port,
    ca: cert,
    connections: () => connections,
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
};
