import { checkAuthEvents, checkPdu, roomState } from "matrix-third-party-invites/judge";
import type { CheckedPdu, RoomVersion } from "matrix-third-party-invites/judge";
import type { JsonObject } from "matrix-third-party-invites/ports";
import { nodeCrypto } from "matrix-third-party-invites/node";
import { whyNotAllowed } from "./auth-rules.js";
import type { Homeserver } from "./homeserver.js";
import { idsAt, objectsAt } from "./json.js";
import type { Standing, StateMap } from "./room-store.js";

const depthOf = (pdu: JsonObject): number => Number(pdu["depth"]);

const byDepth = (pdus: readonly JsonObject[]): readonly JsonObject[] =>
  [...pdus].sort((one, other) => depthOf(one) - depthOf(other));

/** Why an event is not allowed by the events that it names itself. */
const whyNotAllowedByItself = (
  server: Homeserver,
  roomId: string,
  version: RoomVersion,
  { pdu, signers }: CheckedPdu,
): string | undefined => {
  if (pdu["type"] === "m.room.create") return whyNotAllowed(pdu, roomState(roomId, version, []), signers);
  const named = idsAt(pdu, "auth_events").flatMap((id) => server.store.find(id) ?? []);
  const wrong = checkAuthEvents(
    pdu,
    named.map(({ pdu: event, standing }) => ({ event, rejected: standing === "rejected" })),
    version,
  );
  if (wrong._tag === "Left") return wrong.left.message;
  // From version 12 on the room's ID names the create event in place of `auth_events`.
  const create = version.roomIdIsCreateEvent ? server.store.find(`$${roomId.slice(1)}`) : undefined;
  const state = [...(create === undefined ? [] : [create]), ...named].map((event) => event.pdu);
  return whyNotAllowed(pdu, roomState(roomId, version, state), signers);
};

/** Stores the events of a state and its auth chain, those that are good, without the state around them; gives those. */
export const addOutliers = async (
  server: Homeserver,
  roomId: string,
  version: RoomVersion,
  pdus: readonly JsonObject[],
): Promise<readonly CheckedPdu[]> => {
  await server.keys.needFor(pdus, version);
  const good = byDepth(pdus).flatMap((pdu) => {
    const checked = checkPdu(nodeCrypto, pdu, version, server.keys.known);
    return checked._tag === "Right" ? [checked.right] : [];
  });
  server.database.transaction(() => {
    for (const event of good) {
      if (server.store.find(event.eventId) !== undefined) continue;
      const isRejected = whyNotAllowedByItself(server, roomId, version, event) !== undefined;
      server.store.add(roomId, event, isRejected ? "rejected" : "outlier", new Map());
      if (!isRejected) server.tell(roomId, event);
    }
  });
  return good.filter(({ eventId }) => server.store.find(eventId)?.standing !== "rejected");
};

/** What an event is to a room by all rules: by the events that it names, by the state before it, by the state now. */
export const judge = (
  server: Homeserver,
  roomId: string,
  event: CheckedPdu,
  before: StateMap,
): { readonly standing: Standing; readonly why?: string } => {
  const { store } = server;
  const state = store.view(roomId, before);
  const why =
    whyNotAllowedByItself(server, roomId, state.version, event) ??
    whyNotAllowed(event.pdu, state, event.signers);
  if (why !== undefined) return { standing: "rejected", why };
  const whyNow = whyNotAllowed(event.pdu, store.stateNow(roomId), event.signers);
  return whyNow === undefined ? { standing: "accepted" } : { standing: "soft-failed", why: whyNow };
};

const isMissing = (server: Homeserver, ids: readonly string[]): boolean =>
  ids.some((id) => server.store.find(id) === undefined);

interface From {
  readonly server: Homeserver;
  readonly origin: string;
  readonly roomId: string;
}

/** Asks the sender for what lies between our last events and this one. What it does not have, is done without. */
const fetchPrevious = async (
  { server, origin, roomId }: From,
  { eventId, pdu }: CheckedPdu,
): Promise<void> => {
  if (!isMissing(server, idsAt(pdu, "prev_events"))) return;
  const uri = `/_matrix/federation/v1/get_missing_events/${encodeURIComponent(roomId)}`;
  const question = { earliest_events: server.store.heads(roomId), latest_events: [eventId], limit: 20 };
  const answer = await server.ask(origin, "POST", uri, question).catch(() => undefined);
  for (const event of byDepth(objectsAt(answer?.body, "events")))
    await receiveEvent({ server, origin, roomId }, event, false);
};

const fetchAuthChain = async (
  { server, origin, roomId }: From,
  { eventId, pdu }: CheckedPdu,
  version: RoomVersion,
): Promise<void> => {
  if (!isMissing(server, idsAt(pdu, "auth_events"))) return;
  const uri = `/_matrix/federation/v1/event_auth/${encodeURIComponent(roomId)}/${encodeURIComponent(eventId)}`;
  const answer = await server.ask(origin, "GET", uri).catch(() => undefined);
  await addOutliers(server, roomId, version, objectsAt(answer?.body, "auth_chain"));
};

/** Takes an event of another server into a room, once; why not, if it does not. */
export const receiveEvent = async (
  from: From,
  event: JsonObject,
  fetchesMissing = true,
): Promise<string | undefined> => {
  const { server, roomId } = from;
  const { store } = server;
  const version = store.version(roomId);
  if (version === undefined || !store.isResident(roomId)) return "This server is not in the room.";
  await server.keys.needFor([event], version);
  const checked = checkPdu(nodeCrypto, event, version, server.keys.known);
  if (checked._tag === "Left") return `The event is not good: ${checked.left._tag}.`;
  const { eventId, pdu } = checked.right;
  const isKnown = (): boolean => (store.find(eventId)?.standing ?? "outlier") !== "outlier";
  if (isKnown()) return store.find(eventId)?.standing === "rejected" ? "It was rejected before." : undefined;
  if (fetchesMissing) await fetchPrevious(from, checked.right);
  await fetchAuthChain(from, checked.right, version);
  if (isMissing(server, idsAt(pdu, "auth_events"))) return "It names an event that is not known here.";

  const { standing, why } = server.database.transaction(() => {
    if (isKnown()) return { standing: "accepted", why: undefined };
    const before = store.stateBefore(roomId, pdu);
    const judged = judge(server, roomId, checked.right, before);
    store.add(roomId, checked.right, judged.standing, before);
    return judged;
  });
  if (standing === "accepted" && pdu["type"] === "m.room.member")
    await server.invites.noteRedeemed({ roomId, event: pdu });
  // The sender need not know that an event is kept and not shown.
  return standing === "rejected" ? why : undefined;
};
