/**
 * For tests, and for a first run without a server: in-memory ports, and an embedded identity server; and the contracts
 * of the ports, to check adapters of your own.
 *
 * @module
 */
export * from "./contract/index.js";
export * from "./identity-server/index.js";
export * from "./memory/index.js";
