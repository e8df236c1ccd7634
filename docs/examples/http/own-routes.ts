import { Hono } from "hono";
import { matrixResponse } from "matrix-third-party-invites/http";
import { authenticateUser } from "./authenticate.js";
import { invites } from "./endpoints.js";

export const app = new Hono();

app.get("/_example/rooms/:roomId/invites", async (c) => {
  const user = authenticateUser(c.req.raw);
  if (user._tag === "Denied") return Response.json(user.body, { status: user.status });
  const { roomId } = c.req.param();
  const result = await invites.listInvites({ roomId, requester: user.requester });
  return matrixResponse(result, result._tag === "Right" ? { invites: result.right } : {});
});

app.delete("/_example/rooms/:roomId/invites/:token", async (c) => {
  const user = authenticateUser(c.req.raw);
  if (user._tag === "Denied") return Response.json(user.body, { status: user.status });
  const { roomId, token } = c.req.param();
  return matrixResponse(await invites.revokeInvite({ roomId, token, requester: user.requester }));
});
