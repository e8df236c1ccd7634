import { type KnownKeys, checkPdu, roomVersion } from "matrix-third-party-invites/judge";
import {
  type SignedPdu,
  domainOf,
  isJsonObject,
  member,
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

const shown = ["m.room.create", "m.room.join_rules", "m.room.name"];

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

  const answer = await putInvite(invitedServer, roomId, event.eventId, {
    room_version: room.version,
    event: event.pdu,
    invite_room_state: shown.flatMap((one) => room.at(one, "")?.pdu ?? []),
  }).catch(() => undefined);
  if (answer === undefined) return { _tag: "Unavailable" };
  const { status, body } = answer;
  if (status !== 200)
    return { _tag: "Refused", status, errcode: stringMember(body, "errcode") ?? "M_UNKNOWN" };

  const [signed, version] = [member(body, "event"), roomVersion(room.version)];
  if (isJsonObject(signed) && version !== undefined) {
    const checked = checkPdu(nodeCrypto, signed, version, { keyOf, now: now() });
    if (checked._tag === "Right") {
      const { eventId, pdu, hashMatches, signers } = checked.right;
      if (eventId === event.eventId && hashMatches && signers.has(invitedServer))
        return { _tag: "Signed", event: { eventId, pdu } };
    }
  }
  return { _tag: "Refused", status: 502, errcode: "M_UNKNOWN", message: "The invite has come back changed." };
};
