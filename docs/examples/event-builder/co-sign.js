import { checkPdu, domainOf, roomVersion } from "matrix-third-party-invites";
import { nodeCrypto } from "matrix-third-party-invites/node";

const shown = ["m.room.create", "m.room.join_rules", "m.room.name"];

/** An invite as the invitee's server has signed it; any other event as it is; or what `append` answers instead. */
export const coSign = async (roomId, room, event, { serverName, putInvite, keyOf, now }) => {
  const { type, content, state_key: invitee } = event.pdu;
  const isInvite = type === "m.room.member" && content.membership === "invite";
  if (!isInvite || domainOf(invitee) === serverName) return { _tag: "Signed", event };

  const answer = await putInvite(domainOf(invitee), roomId, event.eventId, {
    room_version: room.version,
    event: event.pdu,
    invite_room_state: shown.flatMap((one) => room.at(one, "")?.pdu ?? []),
  }).catch(() => undefined);
  if (answer === undefined) return { _tag: "Unavailable" };
  const { status, body } = answer;
  if (status !== 200) return { _tag: "Refused", status, errcode: body.errcode ?? "M_UNKNOWN" };

  const checked = checkPdu(nodeCrypto, body.event, roomVersion(room.version), { keyOf, now: now() });
  const isOurs = checked._tag === "Right" && checked.right.eventId === event.eventId;
  const isWhole = isOurs && checked.right.hashMatches && checked.right.signers.has(domainOf(invitee));
  return isWhole
    ? { _tag: "Signed", event: { eventId: event.eventId, pdu: checked.right.pdu } }
    : { _tag: "Refused", status: 502, errcode: "M_UNKNOWN", message: "The invite came back otherwise." };
};
