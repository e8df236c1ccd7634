import { identityServerClient } from "matrix-third-party-invites/http";

/** For development only. The library asks for an https URL, and the request is sent to it over plain HTTP. */
const fetch = (url: string, init: RequestInit) => globalThis.fetch(url.replace(/^https:/, "http:"), init);
export const identityServer = identityServerClient({ fetch });
