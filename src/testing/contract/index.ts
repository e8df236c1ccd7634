/**
 * The contracts of the ports as checks. Storage has its own here; those of `rooms` and `events` (an append that is torn,
 * a conflict that is not answered) belong beside it, as `roomsContract` over the same `ContractRunner` and `Checks`.
 */
export { ContractBroken, type ContractRunner } from "./runner.js";
export type { OpenStorage, StorageAdapter } from "./storage-adapter.js";
export { storageContract } from "./storage-contract.js";
