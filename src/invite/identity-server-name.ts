import { type Either, map } from "fp-ts/lib/Either.js";
import { type Malformed, type ServerName, parseServerName } from "../matrix/ids.js";

/**
 * The one name of an identity server: in lower case, without leading zeros in its port and without the port of https, so
 * that `id.example`, `ID.example:443` and `id.example:0443` are one, for keys, pins and lists. Never for a homeserver,
 * whose port is 8448 where none is given.
 *
 * An identity server is reached by https: https://spec.matrix.org/v1.19/identity-service-api/#api-standards
 *
 * @example
 * parseIdentityServerName("ID.example:0443"); // right("id.example")
 */
export const parseIdentityServerName = (value: unknown): Either<Malformed, ServerName> =>
  map((name: ServerName) => {
    const [, host = "", port] = /^(.*?)(?::0*([0-9]+))?$/.exec(name.toLowerCase()) ?? [];
    return (port === undefined || port === "443" ? host : `${host}:${port}`) as ServerName;
  })(parseServerName(value));

/** The keys that the host has pinned for an identity server, under whichever spelling of its name. */
export const pinnedKeysOf = (
  pinned: ReadonlyMap<string, readonly string[]> | undefined,
  idServer: ServerName,
): readonly string[] | undefined => {
  const found = [...(pinned ?? [])].filter(([name]) => {
    const parsed = parseIdentityServerName(name);
    return parsed._tag === "Right" && parsed.right === idServer;
  });
  return found.length === 0 ? undefined : found.flatMap(([, keys]) => keys);
};
