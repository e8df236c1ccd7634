export { type MemoryClock, memoryClock } from "./clock.js";
export type { NewRoom } from "./founding.js";
export { memoryInvites } from "./invites.js";
export { type MemoryPorts, type MemoryPortsOptions, memoryPorts } from "./ports.js";
export { type MemoryRedemptions, type RedemptionState, memoryRedemptions } from "./redemptions.js";
export type { AppendHooks, AppendRefused, Go } from "./room-ports.js";
export type { Signer } from "./room-store.js";
export { type AnyEvent, type MemoryRooms, type MemoryRoomsOptions, memoryRooms } from "./rooms.js";
export { type MemoryUser, memoryUsers } from "./users.js";
