// Yours stand here. These hold one room in memory, and speak to an identity server in this process.
import { identityServerClient } from "matrix-third-party-invites/http";
import { nodeCrypto, nodeSigningKey } from "matrix-third-party-invites/node";
import { createIdentityServer, memoryPorts } from "matrix-third-party-invites/testing";

export const identity = createIdentityServer({ serverName: "id.example", baseUrl: "https://id.example" });
const fetch = (url, init) => identity.handle(new Request(url, init));
const identityServer = identityServerClient({ fetch });
const key = nodeSigningKey("ed25519:1", crypto.getRandomValues(new Uint8Array(32)));
export const ports = memoryPorts({ crypto: nodeCrypto, serverName: "example.org", key, identityServer });

/** Whose access token it is. */
export const sessions = new Map([["alices-token", { userId: "@alice:example.org" }]]);

/** The Ed25519 keys of other servers, 32 bytes each, as your key fetcher knows them. */
export const serverKeys = new Map();

/** All that your server answers beside. */
export const yourHandler = (_request, response) => {
  response.writeHead(404, { "content-type": "application/json" });
  response.end(JSON.stringify({ errcode: "M_UNRECOGNIZED", error: "There is nothing here." }));
};
