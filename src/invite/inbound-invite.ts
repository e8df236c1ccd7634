import { type Either, isLeft, isRight, right } from "fp-ts/lib/Either.js";
import type { CryptoEngine } from "../matrix/crypto-engine.js";
import { type RoomId, type UserId, parseUserId, serverOf } from "../matrix/ids.js";
import { hasMember, isJsonObject, member, stringMember } from "../matrix/json.js";
import { roomIdOfCreate } from "../matrix/pdu.js";
import { type RoomVersion, roomVersion } from "../matrix/room-version.js";
import { type Refusal, malformedField, refuse } from "../refusal.js";
import { parseSigned } from "./signed.js";

/** An invite that another server asks us to sign, without our having the room. */
export interface InboundInvite {
  readonly roomId: RoomId;
  readonly sender: UserId;
  readonly target: UserId;
  /** The token whose proof it carries; whatever we still owed for it is settled by this invite. */
  readonly token: string | undefined;
}

/** The entries of `invite_room_state` that are this room's create event. */
const hasOwnCreate = (
  crypto: CryptoEngine,
  version: RoomVersion,
  roomId: RoomId,
  entries: readonly unknown[],
): boolean =>
  entries.some((item) => {
    if (!isJsonObject(item) || item["type"] !== "m.room.create" || item["state_key"] !== "") return false;
    const made = roomIdOfCreate(crypto, item, version);
    return isRight(made) && made.right === roomId;
  });

/**
 * What the invitee's server checks of `PUT /_matrix/federation/v2/invite/{roomId}/{eventId}` beyond the event's
 * format and signatures, which the host verifies as it does for every PDU: the sender is of
 * the origin, the target is ours, a proof names that target, and from version 12 on the stripped state holds the
 * room's own create event (before, older servers leave it out, and nothing is refused for it). The proof's signature
 * cannot be checked without the room.
 *
 * The invited server checks the event and signs it: https://spec.matrix.org/v1.19/server-server-api/#put_matrixfederationv2inviteroomideventid
 * The stripped state has the create event: https://spec.matrix.org/v1.19/client-server-api/#stripped-state
 *
 * @example
 * checkInboundInvite(body, { roomId, origin, serverName }, nodeCrypto); // right({ roomId, sender, target, token })
 */
export const checkInboundInvite = (
  body: unknown,
  request: { readonly roomId: RoomId; readonly origin: string; readonly serverName: string },
  crypto: CryptoEngine,
): Either<Refusal, InboundInvite> => {
  const event = member(body, "event");
  if (!isJsonObject(event)) return malformedField("event");
  const named = stringMember(body, "room_version") ?? "";
  const version = roomVersion(named);
  if (version === undefined)
    return refuse("RoomVersionUnknown", {
      answer: { errcode: "M_INCOMPATIBLE_ROOM_VERSION", status: 400, members: { room_version: named } },
    });
  const content = member(event, "content");
  if (event["type"] !== "m.room.member") return malformedField("event.type");
  if (stringMember(content, "membership") !== "invite") return malformedField("event.content.membership");
  if (event["room_id"] !== request.roomId) return malformedField("event.room_id");
  const sender = parseUserId(event["sender"]);
  if (isLeft(sender)) return malformedField("event.sender");
  if (serverOf(sender.right) !== request.origin)
    return refuse("OriginMismatch", { answer: { errcode: "M_INVALID_PARAM", status: 400 } });
  const target = parseUserId(event["state_key"]);
  if (isLeft(target)) return malformedField("event.state_key");
  if (serverOf(target.right) !== request.serverName)
    return refuse("UserNotLocal", { answer: { errcode: "M_INVALID_PARAM", status: 400 } });
  const strippedState = member(body, "invite_room_state");
  const create = hasOwnCreate(
    crypto,
    version,
    request.roomId,
    Array.isArray(strippedState) ? strippedState : [],
  );
  if (version.roomIdIsCreateEvent && !create) return refuse("InviteStateMalformed");

  const invited = { roomId: request.roomId, sender: sender.right, target: target.right };
  if (!hasMember(content, "third_party_invite")) return right({ ...invited, token: undefined });
  const signed = parseSigned(member(member(content, "third_party_invite"), "signed"));
  if (isLeft(signed)) return signed;
  if (signed.right.mxid !== target.right) return refuse("MxidMismatch");
  return right({ ...invited, token: signed.right.token });
};
