import type { Ports } from "matrix-third-party-invites";
import { decodeBase64, domainOf } from "matrix-third-party-invites/matrix";
import {
  type EmbeddedIdentityServer,
  type InviteMail,
  createIdentityServer,
} from "matrix-third-party-invites/testing";
import type { Answer } from "./federation-client.js";
import { Homeserver } from "./homeserver.js";
import { type Listener, listen } from "./http.js";
import { parseJson } from "./json.js";
import { Network } from "./network.js";
import type { Transcript } from "./transcript.js";

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
  /** Somebody proves that an address is theirs, and binds it to their user ID; gives the signed association. */
  readonly bind: (userId: string, address: string) => Promise<unknown>;
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

/** Opens all of it; `portsOf` takes the place of a homeserver's own ports. */
export const openWorld = async (
  transcript: Transcript,
  portsOf: (serverName: string) => Partial<Ports> = () => ({}),
): Promise<World> => {
  const network = new Network(transcript);
  const listeners: Listener[] = [];

  const homeserver = (name: string, accounts: readonly string[]): Homeserver =>
    new Homeserver(name, accounts, network, transcript, portsOf(name));
  const hs1 = homeserver("hs1.example", ["alice", "carol"]);
  const hs2 = homeserver("hs2.example", ["zoe", "bob", "yan", "una"]);
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
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    return { status: response.status, body: parseJson(await response.text()) };
  };
  const identityClient: World["identityClient"] = (userId, path, body) =>
    ask(
      userId,
      `https://${idServer}/_matrix/identity/v2${path}`,
      "POST",
      identityServer.account(userId),
      body,
    );

  return {
    hs1,
    hs2,
    identityServer,
    network,
    transcript,
    client: (userId, method, path, body) =>
      ask(userId, `https://${domainOf(userId)}/_matrix/client/v3${path}`, method, userId, body),
    identityClient,
    bind: async (userId, email) => {
      const secret = { client_secret: "demo" };
      await identityClient(userId, "/validate/email/requestToken", { ...secret, email, send_attempt: 1 });
      const mail = identityServer.outbox.filter((one) => one.kind === "validation").at(-1);
      if (mail === undefined) throw new Error("The identity server has mailed no token.");
      const { sid, token } = mail;
      await identityClient(userId, "/validate/email/submitToken", { ...secret, sid, token });
      const { status, body } = await identityClient(userId, "/3pid/bind", { ...secret, sid, mxid: userId });
      if (status !== 200) throw new Error(`The bind was answered ${status}: ${JSON.stringify(body)}`);
      return body;
    },
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
