import type { Ports } from "matrix-third-party-invites";
import {
  addressHash,
  inviteKey,
  parseAddressee,
  parseStoredInvite,
} from "matrix-third-party-invites/decisions";
import { isJsonObject } from "matrix-third-party-invites/matrix";
import type { EventLike, InviteRecord, JsonObject, RoomId, UserId } from "matrix-third-party-invites/ports";

/** A row of your table, and the event of the invite in the room's state. */
export interface PendingRow {
  readonly event: EventLike;
  readonly idServer: string;
  readonly medium: string;
  readonly address: string;
  readonly askedAt: number;
}

/** The answer to store-invite, as the room's event keeps it. Old events have one key, at the top level. */
const answerIn = ({ state_key: token, content }: EventLike) => {
  const found: JsonObject = isJsonObject(content) ? content : {};
  const { display_name, public_key, key_validity_url } = found;
  const public_keys = found["public_keys"] ?? [{ public_key, key_validity_url }];
  return { token, display_name, public_keys };
};

/** Stores a record of a pending invite that another implementation has made. A second call changes nothing. */
export const importPending = async (
  ports: Pick<Ports, "config" | "crypto" | "invites">,
  { event, idServer, medium, address, askedAt }: PendingRow,
): Promise<string> => {
  const addressee = parseAddressee({ id_server: idServer, medium, address });
  if (addressee._tag === "Left") return addressee.left.code;
  const { threepid } = addressee.right;
  const storedInvite = parseStoredInvite(answerIn(event), threepid);
  if (storedInvite._tag === "Left") return storedInvite.left.code;

  // The event is in a room of yours: its IDs have been checked.
  const [roomId, sender] = [event.room_id as RoomId, event.sender as UserId];
  const of = { roomId, sender, idServer: addressee.right.idServer, threepid };
  const record: InviteRecord = {
    key: inviteKey(ports.crypto, ports.config.addressKey, of),
    addressHash: addressHash(ports.crypto, ports.config.addressKey, threepid),
    roomId,
    sender,
    idServer: of.idServer,
    createdAt: askedAt,
    details: {}, // isDirect and reason, if you have them
    ...(ports.config.storeAddresses === true ? { threepid } : {}),
    life: { _tag: "Pending", storedInvite: storedInvite.right, askedAt, earlierTokens: [] },
  };
  const stored = await ports.invites.putIfAbsent(record, {});
  return stored.value.life._tag;
};
