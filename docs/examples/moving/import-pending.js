import {
  inviteKey,
  parseAddressee,
  parseMintedInvite,
  parseRoomId,
  parseUserId,
} from "matrix-third-party-invites";

/** The answer to store-invite, as the room's event keeps it. Old events have one key, at the top. */
const answerIn = ({ state_key: token, content }) => {
  const { display_name, public_key, key_validity_url } = content;
  const public_keys = content.public_keys ?? [{ public_key, key_validity_url }];
  return { token, display_name, public_keys };
};

/** Makes a record of a pending invite that another implementation has made. Twice is as good as once. */
export const importPending = async (ports, { event, idServer, medium, address, askedAt }) => {
  const addressee = parseAddressee({ id_server: idServer, medium, address });
  if (addressee._tag === "Left") return addressee.left.code;
  const { threepid } = addressee.right;
  const minted = parseMintedInvite(answerIn(event), threepid);
  if (minted._tag === "Left") return minted.left.code;

  const roomId = parseRoomId(event.room_id).right;
  const sender = parseUserId(event.sender).right;
  const of = { roomId, sender, idServer: addressee.right.idServer, threepid };
  const record = {
    key: inviteKey(ports.crypto, ports.config.addressKey, of),
    roomId,
    sender,
    idServer: of.idServer,
    createdAt: askedAt,
    details: {}, // is_direct and reason, if you have them
    ...(ports.config.storeAddresses === true ? { threepid } : {}),
    life: { _tag: "Pending", minted: minted.right, askedAt, standing: [] },
  };
  const stored = await ports.invites.putIfAbsent(record, {});
  return stored.value.life._tag;
};
