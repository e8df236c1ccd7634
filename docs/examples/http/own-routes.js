import { Hono } from "hono";
import { listInvites, revokeInvite } from "matrix-third-party-invites";
import { matrixResponse } from "matrix-third-party-invites/http";
import { authenticateUser } from "./authenticate.js";
import { ports } from "./ports.js";

export const app = new Hono();

/** A route for whoever has an access token: `answer` gets the flow's command. */
const forUsers = (answer) => async (c) => {
  const user = await authenticateUser(c.req.raw);
  if (user._tag === "Denied") return Response.json(user.body, { status: user.status });
  return answer({ ...c.req.param(), requester: user.requester });
};

app.get(
  "/_example/rooms/:roomId/invites",
  forUsers(async (command) => {
    const result = await listInvites(ports)(command);
    return matrixResponse(result, result._tag === "Right" ? { invites: result.right } : {});
  }),
);
app.delete(
  "/_example/rooms/:roomId/invites/:token",
  forUsers(async (command) => matrixResponse(await revokeInvite(ports)(command))),
);
