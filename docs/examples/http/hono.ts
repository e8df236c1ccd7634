import { Hono } from "hono";
import { exchange, invite, onBind } from "./endpoints.js";

export const app = new Hono();
app.all("/_matrix/client/v3/rooms/:roomId/invite", (c) => invite(c.req.raw));
app.all("/_matrix/federation/v1/3pid/onbind", (c) => onBind(c.req.raw));
app.all("/_matrix/federation/v1/exchange_third_party_invite/:roomId", (c) => exchange(c.req.raw));
