import { getRequestListener } from "@hono/node-server";
import fastify from "fastify";
import { exchange, invite, onBind } from "./endpoints.js";

const to = (endpoint) => {
  const listener = getRequestListener(endpoint);
  return (request, reply) => {
    reply.hijack();
    return listener(request.raw, reply.raw);
  };
};

export const app = fastify({ routerOptions: { maxParamLength: 1024 } });
app.register(async (scope) => {
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser("*", (_request, _stream, done) => done(null));
  scope.all("/_matrix/client/v3/rooms/:roomId/invite", to(invite));
  scope.all("/_matrix/federation/v1/3pid/onbind", to(onBind));
  scope.all("/_matrix/federation/v1/exchange_third_party_invite/:roomId", to(exchange));
});
