import type { Answer } from "./core.js";
import type { IdentityRequest } from "./request.js";

const utf8 = new TextDecoder("utf-8", { fatal: true });

const readJson = async (request: Request): Promise<unknown> => {
  try {
    return JSON.parse(utf8.decode(await request.arrayBuffer()));
  } catch {
    return undefined;
  }
};

const bearer = /^Bearer +(\S+)$/i;

/** A `Request` as the core takes it. The clock is read once the body is here. */
export const readRequest = async (request: Request, now: () => number): Promise<IdentityRequest> => {
  const { pathname, searchParams } = new URL(request.url);
  const body = await readJson(request);
  return {
    method: request.method,
    path: pathname,
    // The last of equal names wins, so the first is put last.
    query: Object.fromEntries([...searchParams].reverse()),
    token: bearer.exec(request.headers.get("authorization") ?? "")?.[1],
    body,
    now: now(),
  };
};

/** Any web page may call an identity server, and its errors have headers, too. */
const headers = {
  "content-type": "application/json",
  "access-control-allow-origin": "*",
  "access-control-allow-methods": "GET, POST, PUT, DELETE, OPTIONS",
  "access-control-allow-headers": "Origin, X-Requested-With, Content-Type, Accept, Authorization",
};

export const toResponse = ({ status, body }: Answer): Response =>
  new Response(JSON.stringify(body), { status, headers });
