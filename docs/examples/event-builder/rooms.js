/**
 * The `rooms` port. A store, here and below:
 *   room(roomId)                 the room as it is at this moment, or undefined
 *   transaction(roomId, work)    work(room, write), alone in its room; all that it writes or nothing
 * and a room, whose events are `{ eventId, pdu }`:
 *   version, position, heads     "11"; grows with each event; the events that none has followed yet
 *   at(type, stateKey)           the event in that place, with the position `changedAt` at which it came there
 *   stateKeys(type)              of all events of that type
 *   event(eventId)               any event
 */
export const roomsPort = (store) => ({
  snapshot: async (roomId, entries) => {
    const room = store.room(roomId);
    if (room === undefined) return { _tag: "NotResident" };
    const events = new Map();
    for (const { type, stateKey } of entries)
      events.set(JSON.stringify([type, stateKey]), room.at(type, stateKey)?.pdu);
    return {
      _tag: "Snapshot",
      roomVersion: room.version,
      revision: String(room.position),
      get: (type, stateKey) => events.get(JSON.stringify([type, stateKey])),
    };
  },
  tokens: async (roomId) => {
    const room = store.room(roomId);
    return room === undefined
      ? { _tag: "NotResident" }
      : { _tag: "Tokens", tokens: room.stateKeys("m.room.third_party_invite") };
  },
});
