import { isLeft } from "fp-ts/lib/Either.js";
import { encodeBase64 } from "../../matrix/base64.js";
import type { EventTemplate } from "../../matrix/event.js";
import { signJson } from "../../matrix/signed-json.js";
import { portableSigningKey } from "../../portable/crypto.js";
import { fail } from "./expect.js";
import type { InRoom } from "./in-room.js";

const key = portableSigningKey("ed25519:0", new Uint8Array(32).fill(9));

/**
 * An invite of the other server's user, redeemed by ours where that server is out of reach: the one event that we append
 * in a stranger's name. Its token's event is put into the room, and the proof is good: a host that judges takes it.
 */
export const provenInvite = async (at: InRoom): Promise<EventTemplate> => {
  const [token, displayName] = ["proven", "z...@e..."];
  const publicKey = {
    public_key: encodeBase64(key.publicKey),
    key_validity_url: "https://id.example/isvalid",
  };
  await at.change({
    type: "m.room.third_party_invite",
    sender: at.theirs,
    state_key: token,
    content: { display_name: displayName, ...publicKey, public_keys: [publicKey] },
  });
  const signed = signJson({ mxid: at.invitee, token }, "id.example", key);
  if (isLeft(signed)) return fail("The invitee's user ID has no canonical JSON.");
  return {
    type: "m.room.member",
    room_id: at.roomId,
    sender: at.theirs,
    state_key: at.invitee,
    content: {
      membership: "invite",
      third_party_invite: { display_name: displayName, signed: signed.right },
    },
  };
};
