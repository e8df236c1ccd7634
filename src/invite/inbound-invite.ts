import { type Either, isLeft, right } from "fp-ts/lib/Either.js";
import type { CryptoEngine } from "../matrix/crypto-engine.js";
import { type RoomId, type UserId, parseUserId, serverOf } from "../matrix/ids.js";
import { hasMember, isJsonObject, member, stringMember } from "../matrix/json.js";
import { roomVersion } from "../matrix/room-version.js";
import { type Refusal, malformedField, refuse } from "../refusal.js";
import { type InvitedRoom, type StrippedEvent, checkInviteRoomState } from "./invite-room-state.js";
import { parseSigned } from "./signed.js";

/** An invite that another server asks us to sign, without our having the room. */
export interface InboundInvite {
  readonly roomId: RoomId;
  readonly sender: UserId;
  readonly target: UserId;
  /** The token whose proof it carries; whatever we still owed for it is settled by this invite. */
  readonly token: string | undefined;
  /** What clients may be shown of `invite_room_state`. */
  readonly strippedState: readonly StrippedEvent[];
}

/** Who asks, and what this server knows. */
export interface InboundRequest extends Pick<InvitedRoom, "keys" | "strict"> {
  readonly roomId: RoomId;
  readonly origin: string;
  readonly serverName: string;
}

/**
 * The body of version 1 of the request, which is the event itself, as one of version 2. The room is of version 1 or 2, whose
 * rules are the same.
 *
 * A server that receives it assumes room version 1 or 2: https://spec.matrix.org/v1.19/server-server-api/#put_matrixfederationv1inviteroomideventid
 */
const inVersion2 = (body: unknown): unknown =>
  hasMember(body, "type") && !hasMember(body, "event")
    ? {
        room_version: "1",
        event: body,
        invite_room_state: member(member(body, "unsigned"), "invite_room_state"),
      }
    : body;

/**
 * What the invitee's server checks of `PUT /_matrix/federation/v2/invite/{roomId}/{eventId}` beyond the event's
 * format and signatures, which the host verifies as it does for every PDU: the sender is of
 * the origin, the target is ours, a proof names that target, and `invite_room_state` passes `checkInviteRoomState`. The
 * body of `/v1/invite`, which is the event itself, is taken as well. The proof's signature cannot be checked without the
 * room.
 *
 * The invited server checks the event and signs it: https://spec.matrix.org/v1.19/server-server-api/#put_matrixfederationv2inviteroomideventid
 * The stripped state has the create event: https://spec.matrix.org/v1.19/client-server-api/#stripped-state
 *
 * @example
 * checkInboundInvite(body, { roomId, origin, serverName }, nodeCrypto); // right({ roomId, sender, target, token, strippedState })
 */
export const checkInboundInvite = (
  given: unknown,
  request: InboundRequest,
  crypto: CryptoEngine,
): Either<Refusal, InboundInvite> => {
  const body = inVersion2(given);
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
  const shown = checkInviteRoomState(crypto, member(body, "invite_room_state"), { ...request, version });
  if (isLeft(shown)) return shown;

  const { roomId } = request;
  const invited = { roomId, sender: sender.right, target: target.right, strippedState: shown.right };
  if (!hasMember(content, "third_party_invite")) return right({ ...invited, token: undefined });
  const signed = parseSigned(member(member(content, "third_party_invite"), "signed"));
  if (isLeft(signed)) return signed;
  if (signed.right.mxid !== target.right) return refuse("MxidMismatch");
  return right({ ...invited, token: signed.right.token });
};
