import { roomVersion, selectAuthEvents } from "matrix-third-party-invites/judge";
import { type SignedPdu, completePdu, eventReference } from "matrix-third-party-invites/matrix";
import { nodeCrypto } from "matrix-third-party-invites/node";
import type { EventTemplate, JsonObject, SigningKey } from "matrix-third-party-invites/ports";
import type { Room } from "./rooms.js";

/** Who signs, and when. */
export interface Signer {
  readonly serverName: string;
  readonly key: SigningKey;
  readonly now: () => number;
}

/** Signed events on top of a room and of each other; `undefined` where a template cannot become an event. */
export const build = (
  room: Room,
  templates: readonly (EventTemplate | JsonObject)[],
  { serverName, key, now }: Signer,
): readonly SignedPdu[] | undefined => {
  const version = roomVersion(room.version);
  if (version === undefined) return undefined;
  const references = (events: readonly SignedPdu[]) =>
    events.flatMap(({ pdu }) => {
      const reference = eventReference(nodeCrypto, pdu, version);
      return reference._tag === "Right" ? [reference.right] : [];
    });
  const made: SignedPdu[] = [];
  for (const template of templates) {
    const authEvents = selectAuthEvents(template, version).flatMap(
      ({ type, stateKey }) =>
        made.findLast(({ pdu }) => pdu["type"] === type && pdu["state_key"] === stateKey) ??
        room.at(type, stateKey) ??
        [],
    );
    const previous = made.length > 0 ? made.slice(-1) : room.heads;
    const event = completePdu(nodeCrypto, template, {
      version,
      authEvents: references(authEvents),
      prevEvents: references(previous),
      depth: 1 + Math.max(0, ...previous.map(({ pdu }) => Number(pdu["depth"]))),
      originServerTs: now(),
      eventId: `$${crypto.randomUUID()}:${serverName}`, // of versions 1 and 2; the others have a hash
      serverName,
      key,
    });
    if (event._tag === "Left") return undefined;
    made.push(event.right);
  }
  return made;
};
