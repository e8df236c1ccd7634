/** The contracts of the ports as checks. */
export type { ContractRoom, OpenRooms, RoomChange, RoomsAdapter, SentEvents } from "./rooms-adapter.js";
export { roomsContract } from "./rooms-contract.js";
export { ContractBroken, type ContractRunner } from "./runner.js";
export type { OpenStorage, StorageAdapter } from "./storage-adapter.js";
export { storageContract } from "./storage-contract.js";
export type { Closable, Sessions } from "./sessions.js";
