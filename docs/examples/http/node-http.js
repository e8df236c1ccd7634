import { createServer } from "node:http";
import { getRequestListener } from "@hono/node-server";
import { exchange, invite, onBind } from "./endpoints.js";

const endpointAt = (path) =>
  path.startsWith("/_matrix/client/") ? invite : path.endsWith("/3pid/onbind") ? onBind : exchange;

export const server = createServer(
  getRequestListener((request) => endpointAt(new URL(request.url).pathname)(request)),
);
