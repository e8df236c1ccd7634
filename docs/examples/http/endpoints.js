import { deliverOwed } from "matrix-third-party-invites";
import { exchangeEndpoint, inviteEndpoint, onBindEndpoint } from "matrix-third-party-invites/http";
import { authenticateServer, authenticateUser } from "./authenticate.js";
import { ports } from "./ports.js";

export const invite = inviteEndpoint(ports, { authenticate: authenticateUser });
export const onBind = onBindEndpoint(ports, { wake: () => deliverOwed(ports)() });
export const exchange = exchangeEndpoint(ports, { authenticate: authenticateServer });
