import { decodeBase64 } from "matrix-third-party-invites";
import {
  type EmbeddedIdentityServer,
  type InviteMail,
  createIdentityServer,
} from "matrix-third-party-invites/testing";
import { Homeserver } from "./homeserver.js";
import { type Listener, listen } from "./http.js";
import { parseJson } from "./json.js";
import { Network } from "./network.js";
import type { Transcript } from "./transcript.js";

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** Two homeservers, the identity server, and the people who use them, each server on a port of its own. */
export interface World {
  readonly hs1: Homeserver;
  readonly hs2: Homeserver;
  readonly identityServer: EmbeddedIdentityServer;
  readonly network: Network;
  readonly transcript: Transcript;
  /** A user's client asks their homeserver. */
  readonly client: (userId: string, method: "POST" | "PUT", path: string, body: unknown) => Promise<Answer>;
  /** A user's client asks the identity server. */
  readonly identityClient: (userId: string, path: string, body: unknown) => Promise<Answer>;
  /** Has the identity server deliver what it owes to homeservers, and waits until they have worked on it. */
  readonly deliverOnBind: () => Promise<void>;
  readonly invitesMailedTo: (address: string) => readonly InviteMail[];
  readonly close: () => Promise<void>;
}

export const alice = "@alice:hs1.example";
export const carol = "@carol:hs1.example";
export const zoe = "@zoe:hs2.example";
export const bob = "@bob:hs2.example";
export const yan = "@yan:hs2.example";
export const una = "@una:hs2.example";

export const idServer = "id.example";

/** The name that the embedded identity server gives its long-term key. */
export const idKeyId = "ed25519:0";

export const openWorld = async (transcript: Transcript): Promise<World> => {
  const network = new Network(transcript);
  const listeners: Listener[] = [];

  const hs1 = new Homeserver("hs1.example", ["alice", "carol"], network, transcript);
  const hs2 = new Homeserver("hs2.example", ["zoe", "bob", "yan", "una"], network, transcript);
  for (const server of [hs1, hs2]) {
    const listener = await listen(server.handle);
    listeners.push(listener);
    network.register(server.name, { url: listener.url, ...server.key });
  }

  const identityServer = createIdentityServer({
    serverName: idServer,
    // What key validity URLs begin with. Only the address book knows that plain HTTP on a loopback port is behind it.
    baseUrl: `https://${idServer}`,
    fetch: network.as(idServer),
  });
  const listener = await listen((request) => identityServer.handle(request));
  listeners.push(listener);
  const publicKey = decodeBase64(identityServer.publicKey) ?? new Uint8Array();
  network.register(idServer, { url: listener.url, keyId: idKeyId, publicKey });

  const ask = async (userId: string, url: string, method: string, token: string, body: unknown) => {
    const response = await network.as(userId)(url, {
      method,
      headers: { authorization: `Bearer ${token}` },
      body: JSON.stringify(body),
    });
    return { status: response.status, body: parseJson(await response.text()) };
  };

  return {
    hs1,
    hs2,
    identityServer,
    network,
    transcript,
    client: (userId, method, path, body) => {
      const server = userId.slice(userId.indexOf(":") + 1);
      return ask(userId, `https://${server}/_matrix/client/v3${path}`, method, userId, body);
    },
    identityClient: (userId, path, body) =>
      ask(
        userId,
        `https://${idServer}/_matrix/identity/v2${path}`,
        "POST",
        identityServer.account(userId),
        body,
      ),
    deliverOnBind: async () => {
      await identityServer.deliverDue();
      await hs1.settled();
      await hs2.settled();
    },
    invitesMailedTo: (address) =>
      identityServer.outbox
        .filter((mail) => mail.kind === "invite")
        .filter((mail) => mail.address === address),
    close: async () => {
      await hs1.stop();
      await hs2.stop();
      await Promise.all(listeners.map(({ close }) => close()));
    },
  };
};
