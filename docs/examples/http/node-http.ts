import { createServer } from "node:http";
import { getRequestListener } from "@hono/node-server";
import type { Endpoint } from "matrix-third-party-invites/http";
import { exchange, invite, onBind } from "./endpoints.js";
import { yourHandler } from "./ports.js";

const to = (endpoint: Endpoint) => getRequestListener(endpoint, { overrideGlobalObjects: false });
const routes = [
  { pattern: /^\/_matrix\/client\/v3\/rooms\/[^/]+\/invite$/, handle: to(invite) },
  { pattern: /^\/_matrix\/federation\/v1\/3pid\/onbind$/, handle: to(onBind) },
  { pattern: /^\/_matrix\/federation\/v1\/exchange_third_party_invite\/[^/]+$/, handle: to(exchange) },
];

export const server = createServer((request, response) => {
  const path = request.url?.replace(/\?.*/, "") ?? "";
  const route = routes.find(({ pattern }) => pattern.test(path));
  if (route === undefined) yourHandler(request, response);
  else void route.handle(request, response);
});
