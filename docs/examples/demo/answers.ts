import { type FlowResult, type JsonObject, matrixError } from "matrix-third-party-invites";
import { json } from "./http.js";

/** What a Matrix endpoint answers for the result of a flow. */
export const reply = (result: Awaited<FlowResult<unknown>>, body: JsonObject = {}): Response => {
  if (result._tag === "Right") return json(200, body);
  const { status, body: error } = matrixError(result.left);
  return json(status, error);
};

export const forbidden = (error: string): Response => json(403, { errcode: "M_FORBIDDEN", error });

export const notInRoom = (): Response =>
  json(404, { errcode: "M_NOT_FOUND", error: "This server is not in the room." });

/** The server that a user ID belongs to. */
export const serverNameOf = (userId: string): string => userId.slice(userId.indexOf(":") + 1);
