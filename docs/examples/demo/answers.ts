import { type FlowResult, matrixError } from "matrix-third-party-invites";
import type { JsonObject } from "matrix-third-party-invites/ports";

export const json = (status: number, body: unknown): Response => Response.json(body, { status });

/** What a Matrix endpoint answers for the result of a flow. */
export const reply = (result: Awaited<FlowResult<unknown>>, body: JsonObject = {}): Response => {
  if (result._tag === "Right") return json(200, body);
  const { status, body: error } = matrixError(result.left);
  return json(status, error);
};

export const badRequest = (error: string): Response => json(400, { errcode: "M_INVALID_PARAM", error });

export const forbidden = (error: string): Response => json(403, { errcode: "M_FORBIDDEN", error });

export const notInRoom = (): Response =>
  json(404, { errcode: "M_NOT_FOUND", error: "This server is not in the room." });
