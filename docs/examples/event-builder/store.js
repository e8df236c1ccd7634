/**
 * Stands for your database: events as text, the state of each room with the position at which each of its places last
 * changed, and transactions, each alone in its room, which leave all of their writes or none.
 */
export const openStore = () => {
  const rooms = new Map();
  const lastTurn = new Map();
  let position = 0;

  const placeOf = (type, stateKey) => JSON.stringify([type, stateKey]);

  /** A room as it is at this moment. */
  const roomOf = (roomId) => {
    const room = rooms.get(roomId);
    if (room === undefined) return undefined;
    const { version, texts, heads } = room;
    const places = new Map(room.places); // what comes later does not show
    const event = (eventId) => {
      const text = texts.get(eventId);
      return text === undefined ? undefined : { eventId, pdu: JSON.parse(text) };
    };
    return {
      version,
      position,
      event,
      heads: heads.map(event),
      at: (type, stateKey) => {
        const found = places.get(placeOf(type, stateKey));
        return found && { ...event(found.eventId), changedAt: found.changedAt };
      },
      stateKeys: (type) =>
        [...places.keys()]
          .map((place) => JSON.parse(place))
          .flatMap(([of, key]) => (of === type ? [key] : [])),
    };
  };

  const write = (roomId, { eventId, pdu }) => {
    const room = rooms.get(roomId);
    position += 1;
    room.texts.set(eventId, JSON.stringify(pdu));
    room.heads = [...room.heads.filter((head) => !pdu.prev_events.includes(head)), eventId];
    if (typeof pdu.state_key === "string")
      room.places.set(placeOf(pdu.type, pdu.state_key), { eventId, changedAt: position });
  };

  return {
    room: roomOf,
    create: (roomId, version) => {
      rooms.set(roomId, { version, texts: new Map(), places: new Map(), heads: [] });
    },
    leave: (roomId) => {
      rooms.delete(roomId);
    },
    /** `work` is given the room, and a function that writes an event when all is done. */
    transaction: (roomId, work) => {
      const turn = (lastTurn.get(roomId) ?? Promise.resolve()).then(async () => {
        const events = [];
        const result = await work(roomOf(roomId), (event) => events.push(event));
        for (const event of events) write(roomId, event);
        return result;
      });
      lastTurn.set(
        roomId,
        turn.catch(() => undefined),
      );
      return turn;
    },
  };
};
