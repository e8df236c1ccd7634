import type { Hono } from "hono";
import { exchangeEndpoint, matrixResponse, onBindEndpoint } from "matrix-third-party-invites/http";
import { checkPdu, roomVersion } from "matrix-third-party-invites/judge";
import { domainOf, isJsonObject, signPdu } from "matrix-third-party-invites/matrix";
import { nodeCrypto } from "matrix-third-party-invites/node";
import type { JsonObject } from "matrix-third-party-invites/ports";
import { badRequest, forbidden, json, notFound } from "./answers.js";
import type { Homeserver } from "./homeserver.js";
import { at, idsAt, listAt, objectsAt, parseJson, textAt, writeJson } from "./json.js";
import { authChain, makeJoin, sendJoin } from "./joins.js";
import { receiveEvent } from "./receive.js";
import type { StoredEvent } from "./room-store.js";
import { type Answer, type Call, addRoutes, authenticateServer, forServers } from "./routes.js";
import { keyDocument } from "./server-keys.js";

/** `PUT /invite`: the event's ID, hash and signatures are the host's to verify, the rest is the library's. */
const invite =
  (server: Homeserver, isVersion2: boolean): Answer =>
  async ({ who: origin, body, param }) => {
    const event = isVersion2 ? at(body, "event") : body;
    const named = isVersion2 ? textAt(body, "room_version") : "1";
    const version = roomVersion(named);
    if (version === undefined)
      return json(400, {
        errcode: "M_INCOMPATIBLE_ROOM_VERSION",
        error: "The room version is not known.",
        room_version: named,
      });
    if (!isJsonObject(event)) return badRequest("There is no event.");
    const shown = objectsAt(isVersion2 ? body : event["unsigned"], "invite_room_state");
    await server.keys.needFor([event], version);
    const checked = checkPdu(nodeCrypto, event, version, server.keys.known);
    if (checked._tag === "Left") return forbidden(`The event is not good: ${checked.left._tag}.`);
    const { eventId, hashMatches, signers, pdu } = checked.right;
    if (eventId !== param("eventId") || !hashMatches || !signers.has(origin))
      return forbidden("The event is another one, or the other server has not signed it.");
    const roomId = param("roomId");
    await server.keys.needFor(shown, version);
    const { keyOf } = server.keys.known;
    const result = await server.invites.receiveInboundInvite({ roomId, origin, body, keyOf });
    if (result._tag === "Left") return matrixResponse(result);
    const signed = signPdu(pdu, version, server.name, server.key);
    if (signed._tag === "Left") return badRequest(signed.left._tag);
    const { target, sender, strippedState } = result.right;
    server.database.rows(
      "INSERT OR REPLACE INTO invite (room_id, user_id, sender, shown) VALUES (?, ?, ?, ?)",
      ...[roomId, target, sender, writeJson(strippedState)],
    );
    const answer = { event: signed.right };
    return json(200, isVersion2 ? answer : [200, answer]);
  };

/** `PUT /send/{txnId}`: one transaction of a server at a time; what has been answered is answered so again. */
const send = (server: Homeserver): Answer => {
  const turns = new Map<string, Promise<unknown>>();
  const take = async ({ who: origin, body, param }: Call): Promise<Response> => {
    const [known] = server.database.rows(
      "SELECT answer FROM incoming WHERE origin = ? AND id = ?",
      ...[origin, param("txnId")],
    );
    if (known !== undefined) return json(200, parseJson(String(known["answer"])));
    const pdus: Record<string, JsonObject> = {};
    for (const event of objectsAt(body, "pdus")) {
      const roomId = textAt(event, "room_id");
      const id = server.eventIdOf(roomId, event);
      const why = await receiveEvent({ server, origin, roomId }, event);
      if (id !== undefined) pdus[id] = why === undefined ? {} : { error: why };
    }
    server.database.rows(
      "INSERT OR REPLACE INTO incoming (origin, id, answer) VALUES (?, ?, ?)",
      ...[origin, param("txnId"), writeJson({ pdus })],
    );
    return json(200, { pdus });
  };
  return (call) => {
    if (listAt(call.body, "pdus").length > 50 || listAt(call.body, "edus").length > 100)
      return badRequest("The transaction has too many events.");
    const turn = (turns.get(call.who) ?? Promise.resolve()).then(() => take(call));
    turns.set(
      call.who,
      turn.catch(() => undefined),
    );
    return turn;
  };
};

/** What only servers in the room may see. */
const inRoom =
  (server: Homeserver, answer: (call: Call, roomId: string) => Promise<Response> | Response): Answer =>
  (call) => {
    const roomId = call.param("roomId");
    const servers = server.store.serversIn(roomId);
    if (!servers.has(server.name)) return notFound("This server is not in the room.");
    return servers.has(call.who) ? answer(call, roomId) : forbidden("Your server is not in the room.");
  };

const pdusOf = (events: readonly StoredEvent[]): readonly JsonObject[] => events.map(({ pdu }) => pdu);

/** The state before an event of the room, and its auth chain. */
const stateAt =
  (
    server: Homeserver,
    write: (state: readonly StoredEvent[], chain: readonly StoredEvent[]) => unknown,
  ): Answer =>
  (call) =>
    inRoom(server, ({ query }, roomId) => {
      const event = server.store.find(query.get("event_id") ?? "");
      if (event?.roomId !== roomId || event.stateAfter === undefined)
        return notFound("The state is not known.");
      const state = server.store.events(server.store.stateBefore(roomId, event.pdu));
      return json(200, write(state, authChain(server, state)));
    })(call);

/** The events between some that the other server has and some that it does not, oldest first. */
const missingEvents = (server: Homeserver): Answer =>
  inRoom(server, ({ body }, roomId) => {
    const earliest = new Set(listAt(body, "earliest_events"));
    const asked = at(body, "limit");
    const limit = Math.min(typeof asked === "number" ? asked : 10, 50);
    const found = new Map<string, StoredEvent>();
    const previous = (ids: readonly unknown[]): readonly StoredEvent[] =>
      ids.flatMap((id) => {
        const event = typeof id === "string" ? server.store.find(id) : undefined;
        return event?.roomId === roomId && event.standing !== "rejected" ? [event] : [];
      });
    const ahead = previous(listAt(body, "latest_events")).flatMap(({ pdu }) => idsAt(pdu, "prev_events"));
    for (let id = ahead.shift(); id !== undefined && found.size < limit; id = ahead.shift()) {
      const [event] = earliest.has(id) || found.has(id) ? [] : previous([id]);
      if (event === undefined) continue;
      found.set(id, event);
      ahead.push(...idsAt(event.pdu, "prev_events"));
    }
    const depthOf = ({ pdu }: StoredEvent): number => Number(pdu["depth"]);
    return json(200, { events: pdusOf([...found.values()].sort((one, two) => depthOf(one) - depthOf(two))) });
  });

const event =
  (server: Homeserver): Answer =>
  ({ who, param }) => {
    const found = server.store.find(param("eventId"));
    if (found === undefined || !server.store.serversIn(found.roomId).has(who))
      return notFound("There is no such event for your server.");
    return json(200, { origin: server.name, origin_server_ts: Date.now(), pdus: [found.pdu] });
  };

const profile =
  (server: Homeserver): Answer =>
  ({ query }) =>
    server.tokenOf(query.get("user_id") ?? "") === undefined
      ? notFound("There is no such user.")
      : json(200, {});

export const addFederationEndpoints = (app: Hono, server: Homeserver): void => {
  const v1 = "/_matrix/federation/v1";
  const v2 = "/_matrix/federation/v2";
  const signed = (answer: Answer) => forServers(server, answer);
  const keys = () => json(200, keyDocument(server.name, server.key, Date.now()));
  const onBind = onBindEndpoint(server.invites, {
    wake: () => {
      server.deliverSoon();
    },
  });
  const exchange = exchangeEndpoint(server.invites, { authenticate: authenticateServer(server) });
  const join = ({ who, body, param }: Call): Promise<Response> =>
    sendJoin(server, who, { roomId: param("roomId"), eventId: param("eventId"), event: body });
  addRoutes(app, {
    "GET /_matrix/key/v2/server": keys,
    "GET /_matrix/key/v2/server/:keyId": keys,
    [`GET ${v1}/version`]: () => json(200, { server: { name: "third-party invites example", version: "1" } }),
    [`ALL ${v1}/3pid/onbind`]: onBind,
    [`ALL ${v1}/exchange_third_party_invite/:roomId`]: exchange,
    [`PUT ${v1}/invite/:roomId/:eventId`]: signed(invite(server, false)),
    [`PUT ${v2}/invite/:roomId/:eventId`]: signed(invite(server, true)),
    [`PUT ${v1}/send/:txnId`]: signed(send(server)),
    [`GET ${v1}/make_join/:roomId/:userId`]: signed(({ who, param, query }) =>
      makeJoin(server, who, {
        roomId: param("roomId"),
        userId: param("userId"),
        versions: query.getAll("ver"),
      }),
    ),
    [`PUT ${v1}/send_join/:roomId/:eventId`]: signed(async (call) => {
      const answer = await join(call);
      return answer.ok ? json(200, [200, parseJson(await answer.text())]) : answer;
    }),
    [`PUT ${v2}/send_join/:roomId/:eventId`]: signed(join),
    [`POST ${v1}/get_missing_events/:roomId`]: signed(missingEvents(server)),
    [`GET ${v1}/event/:eventId`]: signed(event(server)),
    [`GET ${v1}/event_auth/:roomId/:eventId`]: signed(
      inRoom(server, ({ param }) => {
        const found = server.store.find(param("eventId"));
        return found === undefined
          ? notFound("There is no such event.")
          : json(200, { auth_chain: pdusOf(authChain(server, [found])) });
      }),
    ),
    [`GET ${v1}/state/:roomId`]: signed(
      stateAt(server, (state, chain) => ({ pdus: pdusOf(state), auth_chain: pdusOf(chain) })),
    ),
    [`GET ${v1}/state_ids/:roomId`]: signed(
      stateAt(server, (state, chain) => ({
        pdu_ids: state.map(({ eventId }) => eventId),
        auth_chain_ids: chain.map(({ eventId }) => eventId),
      })),
    ),
    [`GET ${v1}/query/profile`]: signed(profile(server)),
    [`GET ${v1}/user/devices/:userId`]: signed(({ param }) =>
      domainOf(param("userId")) === server.name
        ? json(200, { user_id: param("userId"), stream_id: 1, devices: [] })
        : notFound("There is no such user."),
    ),
  });
};
