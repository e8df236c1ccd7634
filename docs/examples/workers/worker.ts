import { createThirdPartyInvites } from "matrix-third-party-invites";
import {
  type AuthenticatedUser,
  identityServerClient,
  inviteEndpoint,
  onBindEndpoint,
} from "matrix-third-party-invites/http";
import { decodeBase64 } from "matrix-third-party-invites/matrix";
import { nodeCrypto, nodeSigningKey } from "matrix-third-party-invites/node";
import { eventsPort } from "../event-builder/events.js";
import { roomsPort } from "../event-builder/rooms.js";
import { migrateD1, storageOn } from "../sqlite/d1.js";
import { type D1Rooms, makeTables, roomStore } from "./rooms.js";

/** The bindings of the Worker. Both secrets are 32 bytes in base64. */
export interface Env {
  readonly DB: D1Rooms;
  readonly SERVER_NAME: string;
  readonly SIGNING_KEY: string;
  readonly ADDRESS_KEY: string;
}

interface ExecutionContext {
  waitUntil(promise: Promise<unknown>): void;
}

const secret = (text: string): Uint8Array => decodeBase64(text) ?? new Uint8Array();

/** Makes the library's object anew for each event: a promise of one request must not be waited for by another. */
const invitesOf = ({ DB, SERVER_NAME: serverName, SIGNING_KEY, ADDRESS_KEY }: Env) => {
  const store = roomStore(DB);
  const key = nodeSigningKey("ed25519:1", secret(SIGNING_KEY));
  const events = eventsPort(store, {
    serverName,
    key,
    now: Date.now,
    // This example has no other servers in its rooms.
    send: () => undefined,
    putInvite: () => Promise.reject(new Error("There is no federation.")),
    keyOf: () => undefined,
  });
  return createThirdPartyInvites({
    ...storageOn(DB), // invites, redemptions and limits
    config: { serverName, addressKey: secret(ADDRESS_KEY) },
    crypto: nodeCrypto,
    rooms: roomsPort(store),
    events,
    identityServer: identityServerClient({ fetch: (url, init) => fetch(url, init) }),
    federation: { exchangeThirdPartyInvite: () => Promise.resolve({ _tag: "Unreachable" }) },
    users: {
      find: async ({ userId }) => {
        const found = await DB.prepare("SELECT user_id FROM users WHERE user_id = ?").bind(userId).all();
        return { _tag: found.results.length > 0 ? "User" : "NoSuchUser" };
      },
    },
    clock: { now: Date.now },
    random: { fraction: Math.random },
  });
};

const authenticate = async (request: Request, { DB }: Env): Promise<AuthenticatedUser> => {
  const token = /^Bearer (.+)$/i.exec(request.headers.get("authorization") ?? "")?.[1] ?? "";
  const { results } = await DB.prepare("SELECT user_id FROM users WHERE token = ?").bind(token).all();
  const userId = results[0]?.["user_id"];
  if (typeof userId === "string") return { _tag: "User", requester: { userId } };
  const body = { errcode: "M_UNKNOWN_TOKEN", error: "The access token is not known." };
  return { _tag: "Denied", status: 401, body };
};

export default {
  async fetch(request: Request, env: Env, context: ExecutionContext): Promise<Response> {
    const invites = invitesOf(env);
    const { pathname } = new URL(request.url);
    if (/^\/_matrix\/client\/v3\/rooms\/[^/]+\/invite$/.test(pathname))
      return inviteEndpoint(invites, { authenticate: () => authenticate(request, env) })(request);
    if (pathname === "/_matrix/federation/v1/3pid/onbind") {
      // The answer does not wait for the work, and the Worker lives until it is done.
      const wake = () => {
        context.waitUntil(invites.deliverOwed({ limit: 10 }));
      };
      return onBindEndpoint(invites, { wake })(request);
    }
    return Response.json({ errcode: "M_UNRECOGNIZED", error: "There is nothing here." }, { status: 404 });
  },

  /** By cron, each minute: what has become due, and what an invocation that was stopped has left. */
  async scheduled(_event: unknown, env: Env): Promise<void> {
    await migrateD1(env.DB);
    await makeTables(env.DB);
    const result = await invitesOf(env).deliverOwed({ limit: 50 });
    if (result._tag === "Left") throw new Error(result.left.code);
  },
};
