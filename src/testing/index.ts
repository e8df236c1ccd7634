/**
 * For tests, and for a first run without a server: in-memory ports, and an embedded identity server.
 *
 * @module
 */
export * from "./identity-server/index.js";
export * from "./memory/index.js";
