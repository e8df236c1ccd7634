import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { Ports } from "matrix-third-party-invites";
import { domainOf } from "matrix-third-party-invites/matrix";
import type { EmbeddedIdentityServer, InviteMail } from "matrix-third-party-invites/testing";
import type { Answer } from "../homeserver/federation-client.js";
import { Homeserver } from "../homeserver/homeserver.js";
import { parseJson } from "../homeserver/json.js";
import { type Handle, type Listener, listen } from "../homeserver/listen.js";
import { type Deed, openIdentityServer } from "./kept-identity-server.js";
import { Network } from "./network.js";
import type { Transcript } from "./transcript.js";

/** Two homeservers, the identity server, and the people who use them, each server on a port of its own. */
export interface World {
  readonly hs1: Homeserver;
  readonly hs2: Homeserver;
  readonly identityServer: EmbeddedIdentityServer;
  readonly network: Network;
  readonly transcript: Transcript;
  /** A user's client asks their homeserver, and all that follows has happened when this answers. */
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

/** Where the world keeps its data; everything is in memory if it is left out. */
export interface Kept {
  readonly folder?: string | undefined;
  readonly seed: string;
  readonly deeds: Deed[];
}

/** A homeserver of this world. An access token is the user ID itself, in place of a login. */
export const openHomeserver = (
  name: string,
  userIds: readonly string[],
  world: Pick<World, "network" | "transcript"> & { readonly folder?: string | undefined },
  ports: Partial<Ports> = {},
): Promise<Homeserver> =>
  Homeserver.open({
    name,
    folder: world.folder === undefined ? undefined : join(world.folder, name),
    accounts: Object.fromEntries(userIds.map((userId) => [userId.slice(1, userId.indexOf(":")), userId])),
    keyId: "ed25519:demo",
    fetch: world.network.as(name),
    now: () => Date.now() + world.network.aheadMs,
    onEvent: (roomId, version, event) => {
      world.transcript.appended(name, roomId, version, event);
    },
    ports,
  });

/** Opens all of it; `portsOf` takes the place of a homeserver's own ports. */
export const openWorld = async (
  transcript: Transcript,
  { folder, seed, deeds }: Kept = { seed: randomBytes(16).toString("hex"), deeds: [] },
  portsOf: (serverName: string) => Partial<Ports> = () => ({}),
): Promise<World> => {
  const network = new Network(transcript);
  const listeners: Listener[] = [];
  const serve = async (name: string, handle: Handle): Promise<void> => {
    const listener = await listen(handle);
    listeners.push(listener);
    network.register(name, `http://127.0.0.1:${listener.port}`);
  };

  const open = async (name: string, userIds: readonly string[]): Promise<Homeserver> => {
    const server = await openHomeserver(name, userIds, { network, transcript, folder }, portsOf(name));
    await serve(name, server.handle);
    return server;
  };
  const hs1 = await open("hs1.example", [alice, carol, "@dave:hs1.example"]);
  const hs2 = await open("hs2.example", [zoe, bob, yan, una]);
  const identityServer = await openIdentityServer(idServer, { seed, deeds, fetch: network.as(idServer) });
  await serve(idServer, (request) => identityServer.handle(request));

  const settle = async (): Promise<void> => {
    for (const server of [hs1, hs2, hs1]) await server.settled();
  };
  const ask = async (userId: string, url: string, token: string, method: string, body: unknown) => {
    const response = await network.as(userId)(url, {
      method,
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    await settle();
    return { status: response.status, body: parseJson(await response.text()) };
  };
  const identityClient: World["identityClient"] = (userId, path, body) => {
    const url = `https://${idServer}/_matrix/identity/v2${path}`;
    return ask(userId, url, identityServer.account(userId), "POST", body);
  };

  return {
    hs1,
    hs2,
    identityServer,
    network,
    transcript,
    client: (userId, method, path, body) =>
      ask(userId, `https://${domainOf(userId)}/_matrix/client/v3${path}`, userId, method, body),
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
      await settle();
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
