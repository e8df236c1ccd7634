import { type Either, left, right } from "fp-ts/lib/Either.js";
import { utf8Length } from "./utf8.js";

declare const brand: unique symbol;

/** A `T` that a parser has looked at. Only the parsers of this library make one. */
export type Branded<T, Name extends string> = T & { readonly [brand]: Name };

export type ServerName = Branded<string, "ServerName">;
export type UserId = Branded<string, "UserId">;
export type RoomId = Branded<string, "RoomId">;

/** Why a text is not the identifier that was asked for. The text itself is not repeated. */
export interface Malformed {
  readonly _tag: "Malformed";
  readonly what: "server name" | "user ID" | "room ID";
  readonly why: string;
}

const malformed = (what: Malformed["what"], why: string): Either<Malformed, never> =>
  left({ _tag: "Malformed", what, why });

/**
 * The longest user ID, room ID, event ID, `type` or `state_key`, in bytes.
 *
 * The limits count bytes: https://spec.matrix.org/v1.19/client-server-api/#size-limits
 */
export const maxIdentifierBytes = 255;

const serverName = /^(?:\[[0-9A-Fa-f:.]{2,45}\]|[0-9A-Za-z.-]{1,255})(?::[0-9]{1,5})?$/;

/**
 * A server name: a host name, an IPv4 or a bracketed IPv6 literal, with an optional port; compared with case.
 * Nothing else: no scheme, no path, no credentials.
 *
 * A server name is a host and an optional port: https://spec.matrix.org/v1.19/appendices/#server-name
 *
 * @example
 * parseServerName("matrix.org:8448"); // right("matrix.org:8448")
 * parseServerName("https://matrix.org"); // left({ _tag: "Malformed", … })
 */
export const parseServerName = (value: unknown): Either<Malformed, ServerName> =>
  typeof value === "string" && serverName.test(value)
    ? right(value as ServerName)
    : malformed("server name", "It must be a host name or an IP literal, with an optional port.");

/**
 * A user ID. Historical ones are accepted as they must be: any code point but NUL and `:` may stand in the
 * localpart, which may be empty; 255 bytes at most.
 *
 * Servers accept the user IDs that older servers made: https://spec.matrix.org/v1.19/appendices/#historical-user-ids
 */
export const parseUserId = (value: unknown): Either<Malformed, UserId> => {
  if (typeof value !== "string" || !value.startsWith("@"))
    return malformed("user ID", "It must be a text that begins with @.");
  if (value.length > maxIdentifierBytes || utf8Length(value) > maxIdentifierBytes)
    return malformed("user ID", "It is longer than 255 bytes.");
  if (!serverName.test(domainOf(value)))
    return malformed("user ID", "It must end in a colon and a server name.");
  if (value.includes("\0") || !value.isWellFormed())
    return malformed("user ID", "It has a NUL or a lone surrogate.");
  return right(value as UserId);
};

/**
 * A room ID: `!` and anything more, up to 255 bytes. From room version 12 on it has no server name, so nothing
 * in this library ever reads one out of it.
 *
 * A room ID is opaque: https://spec.matrix.org/v1.19/appendices/#room-ids
 */
export const parseRoomId = (value: unknown): Either<Malformed, RoomId> => {
  if (typeof value !== "string" || !value.startsWith("!") || value.length < 2)
    return malformed("room ID", "It must be a text that begins with ! (an alias is no room ID).");
  if (value.length > maxIdentifierBytes || utf8Length(value) > maxIdentifierBytes)
    return malformed("room ID", "It is longer than 255 bytes.");
  if (value.includes("\0") || !value.isWellFormed())
    return malformed("room ID", "It has a NUL or a lone surrogate.");
  return right(value as RoomId);
};

/**
 * The server that a user ID belongs to: what stands behind its first colon.
 *
 * The domain of a user ID is the homeserver that the user is on: https://spec.matrix.org/v1.19/appendices/#user-identifiers
 */
export const serverOf = (userId: UserId): ServerName => domainOf(userId) as ServerName;

/**
 * What stands behind the first colon of an unchecked identifier, or the empty text: how the authorisation rules
 * compare domains, which never parse them.
 */
export const domainOf = (id: string): string => {
  const colon = id.indexOf(":");
  return colon < 0 ? "" : id.slice(colon + 1);
};
