import { type Either, flatMap, isLeft, right } from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import { type RoomId, type UserId, domainOf, parseUserId, serverOf } from "../matrix/ids.js";
import { type JsonObject, isJsonObject, member, stringMember } from "../matrix/json.js";
import { type RoomState, stateEvent } from "../matrix/room-state.js";
import { type Refusal, malformedField, refuse } from "../refusal.js";
import type { Decision } from "./decision.js";
import { type RedeemCommand, type RedeemOutcome, redeem } from "./redeem.js";
import { type Signed, parseSigned } from "./signed.js";

/** Another server's request to invite its user, reduced to what may be believed of it. */
export interface ExchangeRequest {
  readonly roomId: RoomId;
  /** The sender of the third-party invite, by the other server's word; the room's own event decides. */
  readonly sender: UserId;
  readonly signed: Signed;
}

/**
 * Checks the body of `PUT /_matrix/federation/v1/exchange_third_party_invite/{roomId}` before anything is
 * looked up: the fixed fields, that body and path name one room, and that the request was signed by the server
 * of the user it is for (D-21). `display_name` is not asked for: the other server cannot know it (D-22).
 */
export const checkExchange = (
  body: unknown,
  request: { readonly roomId: RoomId; readonly origin: string },
): Either<Refusal, ExchangeRequest> => {
  if (!isJsonObject(body)) return refuse("BodyNotObject");
  const content = member(body, "content");
  if (member(body, "type") !== "m.room.member") return malformedField("type");
  if (member(body, "room_id") !== request.roomId) return malformedField("room_id");
  if (stringMember(content, "membership") !== "invite") return malformedField("content.membership");
  const sender = parseUserId(member(body, "sender"));
  if (isLeft(sender)) return malformedField("sender");
  const signed = parseSigned(member(member(content, "third_party_invite"), "signed"));
  if (isLeft(signed)) return signed;
  if (member(body, "state_key") !== signed.right.mxid) return refuse("MxidMismatch");
  if (serverOf(signed.right.mxid) !== request.origin) return refuse("OriginMismatch");
  return right({ roomId: request.roomId, sender: sender.right, signed: signed.right });
};

/** Whether the room's own third-party invite is one of ours to honour, and the one that the request speaks of. */
const senderIsOurs = (
  state: RoomState,
  request: ExchangeRequest,
  serverName: string,
): Either<Refusal, void> => {
  const tokenEvent = stateEvent(state, "m.room.third_party_invite", request.signed.token);
  if (tokenEvent === undefined) return right(undefined);
  if (typeof tokenEvent.sender !== "string" || domainOf(tokenEvent.sender) !== serverName)
    return refuse("SenderNotLocal");
  return tokenEvent.sender === request.sender
    ? right(undefined)
    : refuse("TokenSenderMismatch", { rule: `${state.version.rules.invite}.1.6` });
};

/**
 * What to do with an exchange that `checkExchange` let through: as `redeem`, but only where the room's third-party invite
 * was sent by a user of this server, whom the request names.
 *
 * The inviter's server verifies the proof and sends the invite:
 * https://spec.matrix.org/v1.19/server-server-api/#put_matrixfederationv1exchange_third_party_inviteroomid
 */
export const exchange: Decision<ExchangeRequest & RedeemCommand, RedeemOutcome> = {
  reads: redeem.reads,
  decide: (state, request, context) =>
    pipe(
      senderIsOurs(state, request, context.serverName),
      flatMap(() => redeem.decide(state, request, context)),
    ),
};

/** The body that asks another server for the exchange. */
export const exchangeBody = ({ roomId, sender, signed }: ExchangeRequest): JsonObject => ({
  type: "m.room.member",
  room_id: roomId,
  sender,
  state_key: signed.mxid,
  content: {
    membership: "invite",
    // The schema wants a display_name that only the room's own event has; real servers leave it out (D-22).
    third_party_invite: { signed: signed.json },
  },
});
