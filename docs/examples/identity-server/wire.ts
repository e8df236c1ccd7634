import type { Config } from "matrix-third-party-invites";
import { identityServerClient } from "matrix-third-party-invites/http";
import { guardedFetch } from "matrix-third-party-invites/node";
import type { Policy } from "matrix-third-party-invites/ports";

const variable = (name: string): string => {
  const value = process.env[name];
  if (value === undefined) throw new Error(`The environment has no ${name}.`);
  return value;
};

/** As clients name it in `id_server`: a host, or host:port. Its address is in our own network. */
const ourIdServer = variable("IDENTITY_SERVER");
const fetch = await guardedFetch({ allow: { hosts: [ourIdServer] } });
export const identityServer = identityServerClient({ fetch, userAgent: "my-server/1.0" });

/** Which users may invite, and by which identity server: here all users, by ours only. */
export const policy: Policy = {
  mayInvite: ({ target }) =>
    Promise.resolve(
      target._tag === "ByUserId" || target.idServer === ourIdServer
        ? { _tag: "Allow" }
        : {
            _tag: "Refuse",
            status: 403,
            errcode: "M_SERVER_NOT_TRUSTED",
            message: `This server takes invites by ${ourIdServer} only.`,
          },
    ),
};

export const config: Config = {
  serverName: variable("SERVER_NAME"),
  addressKey: Buffer.from(variable("ADDRESS_KEY"), "base64"), // 32 secret bytes, which never change
  pinnedKeys: new Map([[ourIdServer, [variable("IDENTITY_KEY")]]]),
};
