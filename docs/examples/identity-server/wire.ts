import type { Config } from "matrix-third-party-invites";
import { identityServerClient } from "matrix-third-party-invites/http";
import { guardedFetch } from "matrix-third-party-invites/node";

const variable = (name: string): string => {
  const value = process.env[name];
  if (value === undefined) throw new Error(`The environment has no ${name}.`);
  return value;
};

/** As clients name it in `id_server`: a host, or host:port. Its address is in our own network. */
const ourIdServer = variable("IDENTITY_SERVER");
const fetch = await guardedFetch({ allow: { hosts: [ourIdServer] } });
export const identityServer = identityServerClient({ fetch, userAgent: "my-server/1.0" });

export const config: Config = {
  serverName: variable("SERVER_NAME"),
  addressKey: Buffer.from(variable("ADDRESS_KEY"), "base64"), // 32 secret bytes, which never change
  identityServers: { allow: [ourIdServer] },
  pinnedKeys: new Map([[ourIdServer, [variable("IDENTITY_KEY")]]]),
};
