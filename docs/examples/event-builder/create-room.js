import { build } from "./build.js";

/** Puts an event into a room past the ports, as your server does with what its clients send. */
export const put = (store, host, roomId, event) =>
  store.transaction(roomId, (room, write) => {
    for (const one of build(room, [{ room_id: roomId, ...event }], host)) write(one);
  });

/** A room with its creator in it, who may do everything, and whose door is open. */
export const createRoom = async (store, host, roomId, creator, powerLevels = {}) => {
  store.create(roomId, "11");
  const state = (type, state_key, content) =>
    put(store, host, roomId, { type, sender: creator, state_key, content });
  await state("m.room.create", "", { room_version: "11" });
  await state("m.room.member", creator, { membership: "join" });
  await state("m.room.power_levels", "", { users: { [creator]: 100 }, ...powerLevels });
  await state("m.room.join_rules", "", { join_rule: "public" });
};
