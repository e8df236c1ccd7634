import { type Either, isLeft, map, right } from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import { type RoomId, type UserId, parseRoomId, parseUserId, serverOf } from "../matrix/ids.js";
import { hasMember, isJsonObject, member } from "../matrix/json.js";
import { type Refusal, malformedField, refuse } from "../refusal.js";
import { type Signed, parseSigned } from "./signed.js";

/** One pending invite that an identity server hands over, with all that it says held against itself. */
export interface Delivery {
  readonly roomId: RoomId;
  /** Who invited, by the identity server's word; the room's own event decides. */
  readonly sender: UserId;
  readonly signed: Signed;
}

/** An entry that was not taken: its place in `invites`, and why. */
export interface RefusedEntry {
  readonly index: number;
  readonly refusal: Refusal;
}

/** A delivery, entry by entry: one bad entry never spoils the others. */
export interface OnBind {
  readonly mxid: UserId;
  readonly accepted: readonly (Delivery & { readonly index: number })[];
  readonly refused: readonly RefusedEntry[];
}

/** What is kept of one entry. A real `signed` has some hundred bytes. */
const maxSignedBytes = 8 * 1024;

/** Checks one entry of a delivery for this user. */
export const checkEntry = (value: unknown, mxid: UserId, serverName: string): Either<Refusal, Delivery> => {
  if (!isJsonObject(value)) return malformedField("invites[]");
  const roomId = parseRoomId(member(value, "room_id"));
  if (isLeft(roomId)) return malformedField("invites[].room_id");
  const sender = parseUserId(member(value, "sender"));
  if (isLeft(sender)) return malformedField("invites[].sender");
  // Some identity servers deliver to the server of the inviter, whoever's the user is.
  if (serverOf(mxid) !== serverName && serverOf(sender.right) !== serverName) return refuse("UserNotLocal");
  const signed = parseSigned(member(value, "signed"), maxSignedBytes);
  if (isLeft(signed)) return signed;
  // Three times the same user, else somebody's entries are mixed into another's (D-24).
  if (member(value, "mxid") !== mxid || signed.right.mxid !== mxid) return refuse("MxidMismatch");
  // Real identity servers write the token beside `signed` as well.
  if (hasMember(value, "token") && member(value, "token") !== signed.right.token)
    return malformedField("invites[].token");
  return right({ roomId: roomId.right, sender: sender.right, signed: signed.right });
};

/** A delivery, its entries not looked at yet. */
export interface UncheckedOnBind {
  readonly mxid: UserId;
  readonly invites: readonly unknown[];
}

/** Reads whom a delivery is for, and what it has. */
export const readOnBind = (
  body: unknown,
  { maxEntries }: { readonly maxEntries: number },
): Either<Refusal, UncheckedOnBind> => {
  if (!isJsonObject(body)) return refuse("BodyNotObject");
  if (!hasMember(body, "mxid")) return refuse("FieldMissing", { detail: "mxid" });
  const mxid = parseUserId(member(body, "mxid"));
  if (isLeft(mxid)) return malformedField("mxid");
  const invites: unknown = member(body, "invites") ?? [];
  if (!Array.isArray(invites)) return malformedField("invites");
  if (!(invites.length <= maxEntries)) return refuse("TooManyEntries");
  return right({ mxid: mxid.right, invites });
};

/** Entries in the order of the delivery: those that are taken, and those that are not. */
export const sortEntries = (mxid: UserId, checked: readonly Either<Refusal, Delivery>[]): OnBind => ({
  mxid,
  accepted: checked.flatMap((entry, index) => (isLeft(entry) ? [] : [{ ...entry.right, index }])),
  refused: checked.flatMap((entry, index) => (isLeft(entry) ? [{ index, refusal: entry.left }] : [])),
});

/**
 * Checks what an identity server delivers to `/_matrix/federation/v1/3pid/onbind`, entry by entry.
 * Nothing authenticates the request: it earns trust only later, when `redeem` holds each `signed`
 * against the room. The whole is refused only if it has no readable user or more than `maxEntries`; without
 * `invites` there is nothing to do. `medium` and `address` are not looked at.
 *
 * The identity server sends all pending invites of the address: https://spec.matrix.org/v1.19/server-server-api/#put_matrixfederationv13pidonbind
 *
 * @example
 * checkOnBind(body, { serverName, maxEntries: 5000 }); // right({ mxid, accepted: [{ roomId, sender, signed }], refused: [] })
 */
export const checkOnBind = (
  body: unknown,
  limits: { readonly serverName: string; readonly maxEntries: number },
): Either<Refusal, OnBind> =>
  pipe(
    readOnBind(body, limits),
    map(({ mxid, invites }) =>
      sortEntries(
        mxid,
        invites.map((invite) => checkEntry(invite, mxid, limits.serverName)),
      ),
    ),
  );
