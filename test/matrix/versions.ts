import { type RoomVersion, roomVersion } from "../../src/matrix/room-version.js";

/** A room version that the library knows; a test that names another one is wrong. */
export const version = (id: string): RoomVersion => {
  const found = roomVersion(id);
  if (found === undefined) throw new Error(`There is no room version ${id}.`);
  return found;
};
