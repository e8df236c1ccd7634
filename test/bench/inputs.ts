import { type RoomState, type RoomVersion, roomState } from "matrix-third-party-invites/judge";
import {
  canonicalJson,
  decodeBase64,
  encodeBase64,
  member,
  signJson,
  stringMember,
} from "matrix-third-party-invites/matrix";
import type { JsonObject } from "matrix-third-party-invites/ports";
import { digest, got, keyOf, newRoom, parse, serverName, versionOf } from "./room.js";

export { parse };

/** One room with one third-party invite, and events for it, all as the texts that came over the wire. */
export interface Sample {
  readonly version: RoomVersion;
  readonly roomId: string;
  readonly state: readonly string[];
  /** The member event that redeems the invite. */
  readonly proven: string;
  readonly plainInvite: string;
  readonly join: string;
  readonly message: string;
  /** What one verification of the proof takes. */
  readonly proof: {
    readonly publicKey: Uint8Array;
    readonly message: Uint8Array;
    readonly signature: Uint8Array;
  };
}

const membersInRoom = 12;

const sample = (n: number): Sample => {
  const version = versionOf(n % 2 === 0 ? "10" : "12");
  const creator = `@alice-${n}:${serverName}`;
  const invitee = `@zoe-${n}:other.example.net`;
  const room = newRoom(version, creator, `!room${n}abcdefghijkl:${serverName}`);

  room.append("m.room.member", creator, { membership: "join", displayname: "Alice" });
  room.append("m.room.power_levels", "", {
    users: version.creators === "sender and additional" ? {} : { [creator]: 100 },
    users_default: 0,
    events: { "m.room.name": 50, "m.room.power_levels": 100, "m.room.encryption": 100 },
    events_default: 0,
    state_default: 50,
    ban: 50,
    kick: 50,
    redact: 50,
    invite: 0,
    historical: 100,
  });
  room.append("m.room.join_rules", "", { join_rule: "invite" });
  for (let i = 0; i < membersInRoom; i += 1) {
    const user = `@member-${i}:${i % 2 === 0 ? serverName : "other.example.net"}`;
    room.append("m.room.member", user, { membership: "join", displayname: `Member ${i}` }, user);
  }

  // As an identity server in the field makes them: a long token, its long-term key and one made for this invite, in
  // the other alphabet, with the URLs of the old API. It signs with the long-term key.
  const idServer = `id${n % 4}.example.com`;
  const token = digest(`token ${n}`).toString("hex").repeat(2);
  const idKey = keyOf(idServer, "ed25519:0");
  const publicKey = encodeBase64(idKey.publicKey);
  const ephemeralKey = encodeBase64(keyOf(token, "ed25519:0").publicKey, "urlsafe");
  const validity = `https://${idServer}/_matrix/identity/api/v1/pubkey`;
  room.append("m.room.third_party_invite", token, {
    display_name: "zoe...@mai...",
    key_validity_url: `${validity}/isvalid`,
    public_key: publicKey,
    public_keys: [
      { public_key: publicKey, key_validity_url: `${validity}/isvalid` },
      { public_key: ephemeralKey, key_validity_url: `${validity}/ephemeral/isvalid` },
    ],
  });
  const toSign = { mxid: invitee, sender: creator, token };
  const signed = got(signJson(toSign, idServer, idKey));
  const signature = stringMember(member(member(signed, "signatures"), idServer), "ed25519:0") ?? "";

  const profile = { avatar_url: "mxc://example.org/abcdefghijklmnop", displayname: "Zoë" };
  const invite = (content: JsonObject): string =>
    JSON.stringify(room.event("m.room.member", { membership: "invite", ...content }, { state_key: invitee }));
  const { texts: state, roomId } = room;
  return {
    version,
    roomId,
    state,
    proven: invite({ ...profile, third_party_invite: { display_name: "zoe...@mai...", signed } }),
    plainInvite: invite(profile),
    join: JSON.stringify(
      room.event(
        "m.room.member",
        { membership: "join", ...profile },
        { sender: invitee, state_key: invitee },
      ),
    ),
    message: JSON.stringify(room.event("m.room.message", { msgtype: "m.text", body: `Hello ${n}` })),
    proof: {
      publicKey: idKey.publicKey,
      message: new TextEncoder().encode(got(canonicalJson(toSign))),
      signature: decodeBase64(signature) ?? new Uint8Array(),
    },
  };
};

/** Rooms of versions 10 and 12 in turn, of four identity servers. */
export const samples = (count: number): readonly Sample[] =>
  Array.from({ length: count }, (_, n) => sample(n));

/** Parses the state of a sample's room; each call makes a new one. */
export const stateOf = ({ roomId, version, state }: Sample): RoomState =>
  roomState(roomId, version, state.map(parse));

/** A member event of about 1 KB in a room of version 10. */
export const memberEvents = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, n) => {
    const room = newRoom(versionOf("10"), `@alice-${n}:${serverName}`, `!room${n}:${serverName}`);
    for (const user of ["bob", "carol", "dave"])
      room.append("m.room.member", `@${user}:${serverName}`, { membership: "join" });
    const event = room.event(
      "m.room.member",
      {
        membership: "join",
        displayname: `Zoë ${n}`,
        avatar_url: `mxc://example.org/${digest(`avatar ${n}`).toString("hex").slice(0, 24)}`,
        "org.example.profile": { pronouns: "they/them", timezone: "Europe/London", lines: [1, 2, 3] },
      },
      { state_key: `@alice-${n}:${serverName}` },
    );
    return JSON.stringify(event);
  });

/** Power levels with so many users, in the order of a hash; 25 are about 1 KB. */
export const powerLevels = (count: number, usersInLevels: number): readonly string[] =>
  Array.from({ length: count }, (_, n) => {
    const users = Array.from(
      { length: usersInLevels },
      (_, i) => `@user-${n}-${i}:server-${i % 50}.example.org`,
    )
      .map((user) => ({ user, rank: digest(user).toString("hex") }))
      .toSorted((a, b) => (a.rank < b.rank ? -1 : 1))
      .map(({ user }, i): [string, number] => [user, i % 3 === 0 ? 50 : 100]);
    const room = newRoom(versionOf("10"), `@alice:${serverName}`, `!room${n}:${serverName}`);
    return JSON.stringify(
      room.event(
        "m.room.power_levels",
        { users: Object.fromEntries(users), users_default: 0, ban: 50, invite: 50, kick: 50 },
        { state_key: "" },
      ),
    );
  });

/** Power levels of about 60 KB. */
export const largePowerLevels = (count: number): readonly string[] => powerLevels(count, 1500);
