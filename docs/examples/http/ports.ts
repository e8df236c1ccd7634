// Replace these with your own. They hold rooms in memory, and speak to an identity server in this process.
import type { ServerResponse } from "node:http";
import type { RequesterCommand } from "matrix-third-party-invites";
import { identityServerClient } from "matrix-third-party-invites/http";
import { nodeCrypto, nodeSigningKey } from "matrix-third-party-invites/node";
import { createIdentityServer, memoryPorts } from "matrix-third-party-invites/testing";

export const identity = createIdentityServer({ serverName: "id.example", baseUrl: "https://id.example" });
const fetch = (url: string, init: RequestInit) => identity.handle(new Request(url, init));
const identityServer = identityServerClient({ fetch });
const key = nodeSigningKey("ed25519:1", crypto.getRandomValues(new Uint8Array(32)));
export const ports = memoryPorts({ crypto: nodeCrypto, serverName: "example.org", key, identityServer });

/** Users by their access tokens. */
export const sessions = new Map<string, RequesterCommand>([
  ["alices-token", { userId: "@alice:example.org" }],
]);

/** The Ed25519 keys of other servers, of 32 bytes, by server name and key ID. */
export const serverKeys = new Map<string, Uint8Array>();

/** Answers every other request to your server. */
export const yourHandler = (_request: unknown, response: ServerResponse): void => {
  response.writeHead(404, { "content-type": "application/json" });
  response.end(JSON.stringify({ errcode: "M_UNRECOGNIZED", error: "There is nothing here." }));
};
