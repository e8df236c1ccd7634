import { type Either, isLeft } from "fp-ts/lib/Either.js";
import {
  type InviteKey,
  type InviteRecord,
  addressHash,
  inviteKey,
} from "../../../src/invite/invite-life.js";
import { type StoredInvite, parseStoredInvite } from "../../../src/invite/stored-invite.js";
import { encodeBase64 } from "../../../src/matrix/base64.js";
import {
  type RoomId,
  type UserId,
  parseRoomId,
  parseServerName,
  parseUserId,
} from "../../../src/matrix/ids.js";
import { nodeCrypto, nodeSigningKey } from "../../../src/node/index.js";
import type { RedemptionId, RedemptionRecord, WaitingRedemption } from "../../../src/ports.js";
import { parseThreepid } from "../../../src/threepid/threepid.js";

export const must = <A>(made: Either<unknown, A>): A => {
  if (isLeft(made)) throw new Error(`The sample is wrong: ${JSON.stringify(made.left)}`);
  return made.right;
};

export const present = <A>(value: A | undefined): A => {
  if (value === undefined) throw new Error("Something is missing.");
  return value;
};

export const alice = must(parseUserId("@alice:a.example"));
export const bob = must(parseUserId("@bob:b.example"));
export const carol = must(parseUserId("@carol:c.example"));
export const room1 = must(parseRoomId("!1:a.example"));
export const room2 = must(parseRoomId("!2:a.example"));
export const aExample = must(parseServerName("a.example"));
export const idServer = must(parseServerName("id.example"));

export const key = nodeSigningKey("ed25519:1", new Uint8Array(32).fill(1));
export const otherKey = nodeSigningKey("ed25519:1", new Uint8Array(32).fill(2));

const threepid = (address: string) => must(parseThreepid("email", address));

export const storedInvite = (token: string): StoredInvite =>
  must(
    parseStoredInvite(
      {
        token,
        display_name: "d...",
        public_keys: [
          { public_key: encodeBase64(key.publicKey), key_validity_url: "https://id.example/valid" },
        ],
      },
      threepid("dora@mail.example"),
    ),
  );

export const keyFor = (address: string, roomId: RoomId = room1): InviteKey =>
  inviteKey(nodeCrypto, new Uint8Array(32), { roomId, sender: alice, idServer, threepid: threepid(address) });

export const record = (address: string, more: Partial<InviteRecord> = {}): InviteRecord => ({
  key: keyFor(address, more.roomId),
  addressHash: addressHash(nodeCrypto, new Uint8Array(32), threepid(address)),
  roomId: room1,
  sender: alice,
  idServer,
  createdAt: 1,
  details: {},
  life: { _tag: "Intended" },
  ...more,
});

/** A redemption that waits, of a token and its user. */
export const owed = (
  token: string,
  mxid: UserId = bob,
  state: Partial<WaitingRedemption> = {},
): RedemptionRecord => ({
  id: `${token} ${mxid}` as RedemptionId,
  roomId: room1,
  token,
  mxid,
  sender: alice,
  owedAt: 100,
  state: {
    _tag: "Waiting",
    signed: { mxid, token },
    isVouched: false,
    turn: 0,
    depth: 0,
    dueAt: 100,
    attempts: 0,
    ...state,
  },
});
