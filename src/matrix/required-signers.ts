import { domainOf } from "./ids.js";
import { type JsonObject, hasMember, isJsonObject, member, stringMember } from "./json.js";
import { redact } from "./redaction.js";
import type { RoomVersion } from "./room-version.js";

/**
 * The servers whose signature a received event needs: the sender's; in versions 1
 * and 2 also that of its `event_id`; and the authoriser's of a restricted join.
 *
 * A member invite with a proof is exempt from the sender's: whoever holds the proof may send it. That is decided on
 * the event **as it will be used**: where the content hash does not match, on its redacted copy, which before version
 * 11 has no proof left. So say with `contentHashMatches` whether it did.
 *
 * The sender's server signs, unless the event is an invite made from a third-party invite: https://spec.matrix.org/v1.19/server-server-api/#validating-hashes-and-signatures-on-received-events
 *
 * @example
 * requiredSigners(pdu, version, contentHashMatches(nodeCrypto, pdu, version)); // ["example.org"]
 */
export const requiredSigners = (
  pdu: JsonObject,
  version: RoomVersion,
  hashMatches: boolean,
): readonly string[] => {
  const used = hashMatches ? pdu : redact(pdu, version);
  const content = member(used, "content");
  const isInvite =
    member(used, "type") === "m.room.member" && stringMember(content, "membership") === "invite";
  const isProven = isInvite && isJsonObject(member(member(content, "third_party_invite"), "signed"));

  const servers = new Set<string>();
  if (!isProven) servers.add(domainOf(stringMember(used, "sender") ?? ""));
  if (version.eventId === "field") servers.add(domainOf(stringMember(used, "event_id") ?? ""));
  const authoriser = stringMember(content, "join_authorised_via_users_server");
  if (version.restrictedJoins && hasMember(content, "join_authorised_via_users_server"))
    servers.add(domainOf(authoriser ?? ""));
  return [...servers].sort();
};
