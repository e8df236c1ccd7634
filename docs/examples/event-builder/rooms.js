/** The `rooms` port. */
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
