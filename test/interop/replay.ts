import { isDeepStrictEqual } from "node:util";
import type { ThirdPartyInvites } from "matrix-third-party-invites";
import { isJsonObject, signPdu, signRequest } from "matrix-third-party-invites/matrix";
import type { JsonObject } from "matrix-third-party-invites/ports";
import { nodeSigningKey } from "matrix-third-party-invites/node";
import { memoryUsers } from "matrix-third-party-invites/testing";
import { Homeserver } from "../../docs/examples/homeserver/homeserver.js";
import { keyDocument } from "../../docs/examples/homeserver/server-keys.js";
import { type Exchange, type Transcript, present, rightOf } from "./transcript.js";

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

interface Exchanged {
  readonly destination: string;
  readonly roomId: string;
  readonly body: unknown;
}

/** Signs for the other servers: the capture does not have their keys. */
const replayKey = nodeSigningKey("ed25519:replayed", new Uint8Array(32).fill(3));

/** One homeserver of a capture: the example, in its place. */
export interface Replayed {
  readonly server: Homeserver;
  readonly invites: ThirdPartyInvites;
  /** From now on the identity server answers as it did here, and nothing else. */
  readonly hear: (traffic: readonly Heard[]) => void;
  /** What our identity-server client asked: the captured exchanges, in our order. */
  readonly asked: () => readonly Heard[];
  /** What it asked that the captured server did not. */
  readonly unforeseen: () => readonly string[];
  /** The exchanges that we asked another homeserver for, all of them accepted. */
  readonly exchanged: () => readonly Exchanged[];
  /** The events that we have put into the room. */
  readonly appended: () => readonly JsonObject[];
  /** Puts an event of the capture into the room, as it is. */
  readonly receive: (pdu: JsonObject) => void;
  /** Sends a captured request to it. `as` is the user or server that authentication makes out. */
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
  const { identityServer, version, roomId, events } = transcript;
  const hashDetails: Heard = {
    request: { method: "GET", path: "/_matrix/identity/v2/hash_details" },
    response: { status: 200, body: identityServer.hashDetails },
  };
  let heard: readonly Heard[] = [];
  const asked: Heard[] = [];
  const unforeseen: string[] = [];
  const exchanged: Exchanged[] = [];

  const identity = async (request: Request): Promise<Response> => {
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
  };

  /** What another homeserver answers: its keys, its signature on an invite, and that all is well. */
  const other = async (name: string, request: Request): Promise<Response> => {
    const { pathname } = new URL(request.url);
    if (pathname.startsWith("/_matrix/key/")) return Response.json(keyDocument(name, replayKey, Date.now()));
    const body: unknown = await request.json();
    const event = isJsonObject(body) ? body["event"] : undefined;
    if (pathname.includes("/v2/invite/") && isJsonObject(event))
      return Response.json({ event: rightOf(signPdu(event, version, name, replayKey)) });
    if (pathname.includes("/exchange_third_party_invite/")) {
      const [room = ""] = pathname.split("/").slice(-1);
      exchanged.push({ destination: name, roomId: decodeURIComponent(room), body });
    }
    return Response.json({});
  };

  const homeserver = await Homeserver.open({
    name: serverName,
    accounts: Object.fromEntries(
      [...usersOf(transcript, serverName).keys()].map((userId) => [
        userId.slice(1, userId.indexOf(":")),
        userId,
      ]),
    ),
    fetch: (url, init) => {
      const { host } = new URL(url);
      const request = new Request(url, init);
      return host === identityServer.name ? identity(request) : other(host.replace(/:8448$/, ""), request);
    },
    ports: { users: memoryUsers(usersOf(transcript, serverName)) },
  });
  const receive = (pdu: JsonObject): void => {
    const eventId = present(events.find((stored) => stored.pdu === pdu)).eventId;
    homeserver.database.transaction(() => {
      homeserver.store.add(roomId, { eventId, pdu }, "accepted");
    });
  };
  if (room.length > 0) homeserver.store.begin(roomId, version.id);
  for (const pdu of room) receive(pdu);

  /** The `Authorization` header of a request by a user, or by a server, which signs it. */
  const authorization = (by: string, { method, path, body: content }: Exchange["request"]): string => {
    if (by.startsWith("@")) return `Bearer ${by}`;
    const key = by === serverName ? homeserver.key : replayKey;
    return rightOf(signRequest({ method, uri: path, origin: by, destination: serverName, content }, key));
  };

  return {
    server: homeserver,
    invites: homeserver.invites,
    receive,
    hear: (traffic) => {
      heard = traffic.filter(({ to = "is" }) => to === "is");
    },
    asked: () => asked,
    unforeseen: () => unforeseen,
    exchanged: () => exchanged,
    appended: () =>
      homeserver.store
        .timeline(roomId)
        .slice(room.length)
        .map(({ pdu }) => pdu),
    send: async ({ request }, as) => {
      const { method, path, body } = request;
      const response = await homeserver.handle(
        new Request(`https://${serverName}${path}`, {
          method,
          headers: {
            "content-type": "application/json",
            ...(as === undefined ? {} : { authorization: authorization(as, request) }),
          },
          body: JSON.stringify(body),
        }),
      );
      return { status: response.status, body: (await response.json()) as JsonObject };
    },
    close: () => homeserver.stop(),
  };
};
