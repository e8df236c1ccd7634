import { getRequestListener } from "@hono/node-server";
import express from "express";
import { exchange, invite, onBind } from "./endpoints.js";

export const app = express();
app.use(
  express.json({
    limit: "4mb",
    strict: false,
    verify: (request, _response, bytes) => {
      Object.assign(request, { rawBody: bytes });
    },
  }),
);
app.all("/_matrix/client/v3/rooms/:roomId/invite", getRequestListener(invite));
app.all("/_matrix/federation/v1/3pid/onbind", getRequestListener(onBind));
app.all("/_matrix/federation/v1/exchange_third_party_invite/:roomId", getRequestListener(exchange));
