import { isDeepStrictEqual } from "node:util";
import { type ThirdPartyInvites, createThirdPartyInvites } from "matrix-third-party-invites";
import { isJsonObject } from "matrix-third-party-invites/matrix";
import type { Federation, JsonObject } from "matrix-third-party-invites/ports";
import {
  type Endpoint,
  exchangeEndpoint,
  identityServerClient,
  inviteEndpoint,
  onBindEndpoint,
} from "matrix-third-party-invites/http";
import { nodeCrypto, nodeSigningKey } from "matrix-third-party-invites/node";
import { type MemoryPorts, memoryPorts } from "matrix-third-party-invites/testing";
import { type Listening, serve } from "../http/socket.js";
import { type Exchange, type Transcript, present } from "./transcript.js";

/** One request of a client that invites addresses, and what came of it. */
export interface Act {
  readonly name: string;
  readonly client: Exchange;
  readonly sender: string;
  /** What the servers asked each other from here until the next such request. */
  readonly traffic: readonly Exchange[];
  /** The event that it led to, if it led to one. */
  readonly eventId: string | undefined;
  /** The events that the room had just before. */
  readonly before: readonly JsonObject[];
}

const isInviting = ({ name, request }: Exchange): boolean =>
  name === "createRoom" || request.path.endsWith("/invite");

const addressesOf = ({ request: { body } }: Exchange): readonly unknown[] =>
  [body["invite_3pid"] ?? body].flat().map((one) => (isJsonObject(one) ? one["address"] : undefined));

/** Each request begins with a lookup, so the lookups part the traffic. */
export const actsOf = (transcript: Transcript): readonly Act[] => {
  const { clientExchanges, serverExchanges, events, flows, asked } = transcript;
  const clients = clientExchanges.filter(isInviting);
  const lookups = serverExchanges.flatMap(({ request }, at) =>
    request.path.endsWith("/lookup") ? [at] : [],
  );
  if (lookups.length !== clients.length) throw new Error("not one lookup for each request");
  const parts = clients.map((client, at) => {
    const traffic = serverExchanges.slice(lookups[at], lookups[at + 1]);
    const stored = traffic.find(({ request }) => request.path.endsWith("/store-invite"));
    const token = stored?.response.body["token"];
    const index = events.findIndex(({ eventId, pdu }) =>
      stored === undefined ? eventId === flows.bound.inviteEventId : pdu["state_key"] === token,
    );
    // Whose request it was stands in what the identity server was told, then or when the address was new.
    const [address] = addressesOf(client);
    const sender = asked(/\/store-invite$/).find(({ request }) => request.body["address"] === address);
    const name = client.name ?? "";
    return { name, client, traffic, index, sender: String(present(sender).request.body["sender"]) };
  });
  return parts.map(({ index, ...part }, at) => {
    const next = present(parts.slice(at).find((later) => later.index !== -1)).index;
    const before = events.slice(0, next).map(({ pdu }) => pdu);
    return { ...part, eventId: events[index]?.eventId, before };
  });
};

/** What a real identity server was asked and said; in traffic between servers, `to` tells it from the rest. */
interface Heard {
  readonly to?: string;
  readonly request: { readonly method: string; readonly path: string; readonly body?: unknown };
  readonly response: { readonly status: number; readonly body: unknown };
}

type ExchangeCall = Parameters<Federation["exchangeThirdPartyInvite"]>[0];

/** One homeserver of a capture, with the library's endpoints on a socket. */
export interface Replayed {
  readonly ports: MemoryPorts;
  readonly invites: ThirdPartyInvites;
  /** From now on the identity server answers as it did here, and nothing else. */
  readonly hear: (traffic: readonly Heard[]) => void;
  /** What our identity-server client asked: the captured exchanges, in our order. */
  readonly asked: () => readonly Heard[];
  /** What it asked that the captured server did not. */
  readonly unforeseen: () => readonly string[];
  /** The exchanges that we asked another homeserver for, all of them accepted. */
  readonly exchanged: () => readonly ExchangeCall[];
  /** What `authenticate` was given to verify a signature over. */
  readonly signed: () => readonly unknown[];
  /** The events that we have put into the room. */
  readonly appended: () => readonly JsonObject[];
  /** Sends a captured request to our endpoints. `as` is the user or server that authentication makes out. */
  readonly send: (exchange: Exchange, as?: string) => Promise<Pick<Exchange["response"], "status" | "body">>;
  readonly close: () => Promise<void>;
}

/** Synapse sends empty texts for what a room or user lacks; we leave such members out. */
const withoutEmpty = (body: unknown): unknown =>
  isJsonObject(body) ? Object.fromEntries(Object.entries(body).filter(([, value]) => value !== "")) : body;

/** The captured users of a server, by the names under which they joined. */
const usersOf = ({ users, events }: Transcript, serverName: string) => {
  const own = Object.values(users).filter((userId) => userId.endsWith(`:${serverName}`));
  const profileOf = (userId: string) => {
    const join = events.find(({ pdu }) => pdu["sender"] === userId && pdu["state_key"] === userId);
    const content = join?.pdu["content"];
    const displayname = isJsonObject(content) ? content["displayname"] : undefined;
    return typeof displayname === "string" ? { profile: { displayname } } : {};
  };
  return new Map(own.map((userId) => [userId, profileOf(userId)]));
};

export const openServer = async (
  transcript: Transcript,
  serverName: string,
  /** The room as it is when this server begins; none where it is not in it. */
  room: readonly JsonObject[] = [],
): Promise<Replayed> => {
  const { identityServer, version, roomId } = transcript;
  const hashDetails: Heard = {
    request: { method: "GET", path: "/_matrix/identity/v2/hash_details" },
    response: { status: 200, body: identityServer.hashDetails },
  };
  let heard: readonly Heard[] = [];
  const asked: Heard[] = [];
  const unforeseen: string[] = [];
  const exchanged: ExchangeCall[] = [];
  const signed: unknown[] = [];

  const identity = await serve(async (request) => {
    const { pathname, search } = new URL(request.url);
    const isGet = request.method === "GET";
    const body = isGet ? undefined : await request.json();
    const found = [hashDetails, ...heard].find(
      (one) =>
        one.request.method === request.method &&
        one.request.path === pathname + search &&
        (isGet || isDeepStrictEqual(withoutEmpty(one.request.body), body)),
    );
    if (found === undefined) unforeseen.push(`${request.method} ${pathname}${search}`);
    else asked.push(found);
    const { status, body: answer } = found?.response ?? { status: 404, body: { errcode: "M_UNRECOGNIZED" } };
    return Response.json(answer, { status });
  });
  const identityOrigin = `https://${identityServer.name}/`;
  const toIdentity = (url: string, init: RequestInit): Promise<Response> => {
    if (!url.startsWith(identityOrigin)) unforeseen.push(url);
    return fetch(url.replace(identityOrigin, `${identity.url}/`), init);
  };

  const ports = memoryPorts({
    crypto: nodeCrypto,
    serverName,
    key: nodeSigningKey("ed25519:1", new Uint8Array(32).fill(1)),
    identityServer: identityServerClient({ fetch: toIdentity }),
    users: usersOf(transcript, serverName),
    federation: {
      exchangeThirdPartyInvite: (call) => {
        exchanged.push(call);
        return Promise.resolve({ _tag: "Accepted" });
      },
    },
  });
  if (room.length > 0) ports.memory.load(roomId, version.id, room);

  const by = (request: Request): string => request.headers.get("authorization") ?? "";
  const invites = createThirdPartyInvites(ports);
  const invite = inviteEndpoint(invites, {
    authenticate: (request) => ({ _tag: "User", requester: { userId: by(request) } }),
  });
  const onBind = onBindEndpoint(invites);
  const exchange = exchangeEndpoint(invites, {
    authenticate: (request, content) => {
      signed.push(content);
      return { _tag: "Server", origin: by(request) };
    },
  });
  const endpointOf = (url: string): Endpoint =>
    url.includes("/client/") ? invite : url.endsWith("/onbind") ? onBind : exchange;
  const own: Listening = await serve((request) => endpointOf(request.url)(request));

  return {
    ports,
    invites,
    hear: (traffic) => {
      heard = traffic.filter(({ to = "is" }) => to === "is");
    },
    asked: () => asked,
    unforeseen: () => unforeseen,
    exchanged: () => exchanged,
    signed: () => signed,
    appended: () =>
      room.length === 0
        ? []
        : ports.memory
            .timeline(roomId)
            .slice(room.length)
            .map(({ pdu }) => pdu),
    send: async ({ request: { method, path, body } }, as) => {
      const response = await fetch(own.url + path, {
        method,
        headers: {
          "content-type": "application/json",
          ...(as === undefined ? {} : { authorization: as }),
        },
        body: JSON.stringify(body),
      });
      return { status: response.status, body: (await response.json()) as JsonObject };
    },
    close: async () => {
      await Promise.all([own.close(), identity.close()]);
    },
  };
};
