import { writeJson } from "./json.js";

export const json = (status: number, body: unknown): Response =>
  new Response(writeJson(body), { status, headers: { "content-type": "application/json" } });

export const badRequest = (error: string): Response => json(400, { errcode: "M_INVALID_PARAM", error });

export const forbidden = (error: string): Response => json(403, { errcode: "M_FORBIDDEN", error });

export const notFound = (error: string): Response => json(404, { errcode: "M_NOT_FOUND", error });

export const notInRoom = (): Response => notFound("This server is not in the room.");
