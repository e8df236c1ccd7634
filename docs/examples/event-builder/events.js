import { build } from "./build.js";
import { coSign } from "./co-sign.js";

/** Whether one of the places that the decision read has another event now, or this server has left. */
const isConflict = (room, { revision, reads }) =>
  room === undefined ||
  reads.some(({ type, stateKey }) => (room.at(type, stateKey)?.changedAt ?? 0) > Number(revision));

/** The `events` port. `host` is this server: its name and key, its clock, its way to other servers. */
export const eventsPort = (store, host) => ({
  append: async (request) => {
    const { roomId, events } = request;
    const room = store.room(roomId);
    if (isConflict(room, request)) return { _tag: "Conflict" };

    const isElsewhere = events.some((event) => event.room_id !== roomId);
    const built = isElsewhere ? undefined : build(room, events, host);
    if (built === undefined) return { _tag: "Refused", status: 400, errcode: "M_BAD_JSON" };

    const signed = [];
    for (const event of built) {
      const answer = await coSign(roomId, room, event, host); // may take its time: nothing is locked
      if (answer._tag !== "Signed") return answer;
      signed.push(answer.event);
    }

    const result = await store.transaction(roomId, (now, write) => {
      if (isConflict(now, request)) return { _tag: "Conflict" };
      for (const event of signed) write(event);
      return { _tag: "Appended", eventIds: signed.map(({ eventId }) => eventId) };
    });
    if (result._tag === "Appended") void host.send(roomId, signed); // not awaited: some server is always slow
    return result;
  },
});
