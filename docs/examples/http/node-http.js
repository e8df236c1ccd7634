import { createServer } from "node:http";
import { getRequestListener } from "@hono/node-server";
import { exchange, invite, onBind } from "./endpoints.js";
import { yourHandler } from "./ports.js";

const to = (endpoint) => getRequestListener(endpoint, { overrideGlobalObjects: false });
const routes = [
  [/^\/_matrix\/client\/v3\/rooms\/[^/]+\/invite$/, to(invite)],
  [/^\/_matrix\/federation\/v1\/3pid\/onbind$/, to(onBind)],
  [/^\/_matrix\/federation\/v1\/exchange_third_party_invite\/[^/]+$/, to(exchange)],
];

export const server = createServer((request, response) => {
  const path = request.url.replace(/\?.*/, "");
  const [, handle = yourHandler] = routes.find(([pattern]) => pattern.test(path)) ?? [];
  return handle(request, response);
});
