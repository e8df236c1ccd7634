import { completePdu, eventReference, roomVersion, selectAuthEvents } from "matrix-third-party-invites";
import { nodeCrypto } from "matrix-third-party-invites/node";

/** Signed events on top of a room and of each other; `undefined` where a template cannot become an event. */
export const build = (room, templates, { serverName, key, now }) => {
  const version = roomVersion(room.version);
  const references = (events) => events.map(({ pdu }) => eventReference(nodeCrypto, pdu, version).right);
  const made = [];
  for (const template of templates) {
    const at = ({ type, stateKey }) =>
      made.findLast(({ pdu }) => pdu.type === type && pdu.state_key === stateKey) ?? room.at(type, stateKey);
    const previous = made.length > 0 ? made.slice(-1) : room.heads;
    const event = completePdu(nodeCrypto, template, {
      version,
      authEvents: references(selectAuthEvents(template, version).flatMap((place) => at(place) ?? [])),
      prevEvents: references(previous),
      depth: 1 + Math.max(0, ...previous.map(({ pdu }) => pdu.depth)),
      originServerTs: now(),
      serverName,
      key,
    });
    if (event._tag === "Left") return undefined;
    made.push(event.right);
  }
  return made;
};
