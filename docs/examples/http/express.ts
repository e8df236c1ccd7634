import { getRequestListener } from "@hono/node-server";
import express from "express";
import { exchange, invite, onBind } from "./endpoints.js";

export const app = express();
app.all("/_matrix/client/v3/rooms/:roomId/invite", getRequestListener(invite));
app.all("/_matrix/federation/v1/3pid/onbind", getRequestListener(onBind));
app.all("/_matrix/federation/v1/exchange_third_party_invite/:roomId", getRequestListener(exchange));
app.use(express.json()); // for your own routes, below this line
