import { getRequestListener } from "@hono/node-server";
import fastify, { type FastifyReply, type FastifyRequest } from "fastify";
import type { Endpoint } from "matrix-third-party-invites/http";
import { exchange, invite, onBind } from "./endpoints.js";

const to = (endpoint: Endpoint) => {
  const listener = getRequestListener(endpoint);
  return (request: FastifyRequest, reply: FastifyReply) => {
    reply.hijack();
    return listener(request.raw, reply.raw);
  };
};

export const app = fastify({ routerOptions: { maxParamLength: 1024 } });
void app.register((scope, _options, done) => {
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser("*", (_request, _stream, parsed) => {
    parsed(null);
  });
  scope.all("/_matrix/client/v3/rooms/:roomId/invite", to(invite));
  scope.all("/_matrix/federation/v1/3pid/onbind", to(onBind));
  scope.all("/_matrix/federation/v1/exchange_third_party_invite/:roomId", to(exchange));
  done();
});
