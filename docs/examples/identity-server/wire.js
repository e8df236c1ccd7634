import { identityServerClient } from "matrix-third-party-invites/http";
import { guardedFetch } from "matrix-third-party-invites/node";

const { IDENTITY_SERVER, IDENTITY_KEY, ADDRESS_KEY, SERVER_NAME } = process.env;

/** As clients name it in `id_server`: a host, or host:port. Its address is one of our own network. */
const fetch = await guardedFetch({ allow: { hosts: [IDENTITY_SERVER] } });
export const identityServer = identityServerClient({ fetch, userAgent: "my-server/1.0" });

/** Who may invite by which identity server: here all, by ours. */
export const policy = {
  mayInvite: async ({ target }) =>
    target._tag === "ByUserId" || target.idServer.toLowerCase() === IDENTITY_SERVER
      ? { _tag: "Allow" }
      : {
          _tag: "Refuse",
          status: 403,
          errcode: "M_SERVER_NOT_TRUSTED",
          message: `Invites from here go by way of ${IDENTITY_SERVER}.`,
        },
};

export const config = {
  serverName: SERVER_NAME,
  addressKey: Buffer.from(ADDRESS_KEY, "base64"), // 32 bytes, secret, for ever
  pinnedKeys: new Map([[IDENTITY_SERVER, [IDENTITY_KEY]]]),
};
