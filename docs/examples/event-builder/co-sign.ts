import { inviteRoomState } from "matrix-third-party-invites/decisions";
import { type KnownKeys, roomVersion } from "matrix-third-party-invites/judge";
import {
  type SignedPdu,
  domainOf,
  isJsonObject,
  member,
  mergeCoSigned,
  stringMember,
} from "matrix-third-party-invites/matrix";
import { nodeCrypto } from "matrix-third-party-invites/node";
import type { AppendAnswer, JsonObject } from "matrix-third-party-invites/ports";
import type { Signer } from "./build.js";
import type { Room } from "./rooms.js";

/** This server, and its requests to other servers. */
export interface Host extends Signer {
  /** `PUT /_matrix/federation/v2/invite/{roomId}/{eventId}` at `destination`, signed by this server. */
  readonly putInvite: (
    destination: string,
    roomId: string,
    eventId: string,
    body: JsonObject,
  ) => Promise<{ readonly status: number; readonly body: unknown }>;
  readonly keyOf: KnownKeys["keyOf"];
  /** Sends events to the other servers of the room. */
  readonly send: (roomId: string, events: readonly SignedPdu[]) => unknown;
}

type CoSigned = { readonly _tag: "Signed"; readonly event: SignedPdu } | AppendAnswer;

/** An invite with the signature of the invitee's server; any other event unchanged; or what `append` answers instead. */
export const coSign = async (
  roomId: string,
  room: Room,
  event: SignedPdu,
  { serverName, putInvite, keyOf, now }: Host,
): Promise<CoSigned> => {
  const { type, content } = event.pdu;
  const invitedServer = domainOf(stringMember(event.pdu, "state_key") ?? "");
  const isInvite = type === "m.room.member" && member(content, "membership") === "invite";
  if (!isInvite || invitedServer === serverName) return { _tag: "Signed", event };

  const version = roomVersion(room.version);
  if (version === undefined) return { _tag: "Unavailable" };
  const state = { roomId, version, get: (at: string, key: string) => room.at(at, key)?.pdu };
  const answer = await putInvite(invitedServer, roomId, event.eventId, {
    room_version: room.version,
    event: event.pdu,
    invite_room_state: inviteRoomState(state, stringMember(event.pdu, "sender") ?? ""),
  }).catch(() => undefined);
  if (answer === undefined) return { _tag: "Unavailable" };
  const { status, body } = answer;
  if (status !== 200) {
    const errcode = stringMember(body, "errcode") ?? "M_UNKNOWN";
    const message = stringMember(body, "error") ?? "The invitee's server has refused the invite.";
    // What else its error has, such as `harms`, goes to the client.
    return { _tag: "Refused", status, errcode, message, ...(isJsonObject(body) ? { members: body } : {}) };
  }

  const keys = { keyOf, now: now() };
  const signed = mergeCoSigned(nodeCrypto, event.pdu, body, { version, server: invitedServer, keys });
  return signed._tag === "Right"
    ? { _tag: "Signed", event: { ...event, pdu: signed.right } }
    : { _tag: "Refused", status: 502, errcode: "M_UNKNOWN", message: "The invite has come back changed." };
};
