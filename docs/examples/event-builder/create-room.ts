import type { JsonObject } from "matrix-third-party-invites/ports";
import { type Signer, build } from "./build.js";
import type { Room, Store } from "./rooms.js";
import type { MemoryStore } from "./store.js";

/** Puts an event into a room without the ports, as your server does with the events of its clients. */
export const put = (store: Store, signer: Signer, roomId: string, event: object): Promise<void> =>
  store.transaction(roomId, (room: Room | undefined, write) => {
    const built = room === undefined ? undefined : build(room, [{ ...event, room_id: roomId }], signer);
    if (built === undefined) throw new Error("The event cannot be made.");
    for (const one of built) write(one);
  });

/** Makes a room that anybody may join; its creator has power level 100. */
export const createRoom = async (
  store: MemoryStore,
  signer: Signer,
  roomId: string,
  creator: string,
  powerLevels: JsonObject = {},
): Promise<void> => {
  store.create(roomId, "11");
  const state = (type: string, state_key: string, content: JsonObject) =>
    put(store, signer, roomId, { type, sender: creator, state_key, content });
  await state("m.room.create", "", { room_version: "11" });
  await state("m.room.member", creator, { membership: "join" });
  await state("m.room.power_levels", "", { users: { [creator]: 100 }, ...powerLevels });
  await state("m.room.join_rules", "", { join_rule: "public" });
};
