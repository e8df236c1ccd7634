import type { SignedPdu } from "matrix-third-party-invites/matrix";
import type { AppendAnswer, AppendRequest, Events } from "matrix-third-party-invites/ports";
import { build } from "./build.js";
import { type Host, coSign } from "./co-sign.js";
import type { Room, Store } from "./rooms.js";

/** Whether one of the entries that the decision read has another event now. */
const hasChanged = (room: Room, { revision, reads }: AppendRequest): boolean =>
  reads.some(({ type, stateKey }) => (room.at(type, stateKey)?.changedAt ?? 0) > Number(revision));

export const eventsPort = (store: Store, host: Host): Events => ({
  append: async (request) => {
    const { roomId, events } = request;
    const room = await store.room(roomId);
    if (room === undefined || hasChanged(room, request)) return { _tag: "Conflict" };

    const isElsewhere = events.some((event) => event.room_id !== roomId);
    const built = isElsewhere ? undefined : build(room, events, host);
    if (built === undefined) return { _tag: "Refused", status: 400, errcode: "M_BAD_JSON" };

    const signed: SignedPdu[] = [];
    for (const event of built) {
      const answer = await coSign(roomId, room, event, host); // may take long: hold no lock
      if (answer._tag !== "Signed") return answer;
      signed.push(answer.event);
    }

    const result = await store.transaction(roomId, (now, write): AppendAnswer => {
      if (now === undefined || hasChanged(now, request)) return { _tag: "Conflict" };
      for (const event of signed) write(event);
      return { _tag: "Appended", eventIds: signed.map(({ eventId }) => eventId) };
    });
    if (result._tag === "Appended") void host.send(roomId, signed); // not awaited: some server is always slow
    return result;
  },
});
