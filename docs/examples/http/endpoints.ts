import { createThirdPartyInvites } from "matrix-third-party-invites";
import { exchangeEndpoint, inviteEndpoint, onBindEndpoint } from "matrix-third-party-invites/http";
import { authenticateServer, authenticateUser } from "./authenticate.js";
import { ports } from "./ports.js";

export const invites = createThirdPartyInvites(ports);
export const invite = inviteEndpoint(invites, { authenticate: authenticateUser });
export const onBind = onBindEndpoint(invites, { wake: () => invites.deliverOwed() });
export const exchange = exchangeEndpoint(invites, { authenticate: authenticateServer });
