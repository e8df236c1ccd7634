/**
 * The edge in web-standard terms: a client of identity servers over an injected `fetch`, and the endpoints as
 * `(Request) => Promise<Response>`.
 *
 * @module
 */
export type { BodyLimits } from "./read-body.js";
export type { Fetch, FetchLimits } from "./fetch-json.js";
export { type IdentityServerClientOptions, identityServerClient } from "./identity-server-client.js";
export { type Denied, type Endpoint, type EndpointHost, type RoomHost, matrixResponse } from "./route.js";
export {
  type AuthenticatedServer,
  type AuthenticatedUser,
  type ExchangeHost,
  type InviteHost,
  type OnBindHost,
  exchangeEndpoint,
  inviteEndpoint,
  onBindEndpoint,
} from "./endpoints.js";
