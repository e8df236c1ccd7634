import { type Either, flatMap, left, right } from "fp-ts/lib/Either.js";
import { type Malformed, type ServerName, parseServerName } from "../matrix/ids.js";

/**
 * The one name of an identity server, as URLs write it: in lower case, without the port of https and without leading zeros
 * in another, and without a dot at its end. So `id.example`, `ID.example:443` and `id.example.:0443` are one, for keys, pins
 * and lists, and an IP address has one spelling. Never for a homeserver, whose port is 8448 where none is given.
 *
 * An identity server is reached by https: https://spec.matrix.org/v1.19/identity-service-api/#api-standards
 *
 * @example
 * parseIdentityServerName("ID.example:0443"); // right("id.example")
 */
export const parseIdentityServerName = (value: unknown): Either<Malformed, ServerName> =>
  flatMap((name: ServerName): Either<Malformed, ServerName> => {
    const url = `https://${name.replace(/\.(?=$|:)/, "")}`;
    return URL.canParse(url)
      ? right(new URL(url).host as ServerName)
      : left({ _tag: "Malformed", what: "server name", why: "It must be a host or an IP address of https." });
  })(parseServerName(value));

/** Whether a name in the host's configuration, in whichever spelling, is this identity server's. */
const isNameOf = (name: string, idServer: ServerName): boolean => {
  const parsed = parseIdentityServerName(name);
  return parsed._tag === "Right" && parsed.right === idServer;
};

/** The keys that the host has pinned for an identity server, under whichever spelling of its name. */
export const pinnedKeysOf = (
  pinned: ReadonlyMap<string, readonly string[]> | undefined,
  idServer: ServerName,
): readonly string[] | undefined => {
  const found = [...(pinned ?? [])].filter(([name]) => isNameOf(name, idServer));
  return found.length === 0 ? undefined : found.flatMap(([, keys]) => keys);
};

/** Which identity servers users of this server may name, each in any spelling. */
export interface IdentityServerLists {
  /** Only these; without a list all may be named. */
  readonly allow?: readonly string[];
  /** Not these, allowed or not. */
  readonly deny?: readonly string[];
}

export const mayBeNamed = ({ allow, deny = [] }: IdentityServerLists, idServer: ServerName): boolean => {
  const isListed = (names: readonly string[]): boolean => names.some((name) => isNameOf(name, idServer));
  return (allow === undefined || isListed(allow)) && !isListed(deny);
};
