import { listInvites } from "matrix-third-party-invites";
import { alice, bob, identity, inviteByMail, ports, roomId, setMembership, zoe } from "../world.js";

for (const name of ["una", "vic", "wim", "xia", "zoe"]) await inviteByMail(alice, `${name}@example.org`);

const list = async (userId) => (await listInvites(ports)({ roomId, requester: { userId } })).right;
const pending = await list(alice);
for (const { state, sender, displayName } of pending) console.log(state, sender, displayName);

import { revokeInvite } from "matrix-third-party-invites";

const byToken = async (userId, { token }) => {
  const result = await revokeInvite(ports)({ roomId, requester: { userId }, token });
  return result._tag === "Left" ? result.left.code : result.right._tag;
};
console.log(await byToken(bob, pending[0]));
console.log(await byToken(bob, pending[0]));
console.log(await byToken(zoe, pending[1]));

import { parseAddressee } from "matrix-third-party-invites";

const byAddress = async (userId, address) => {
  const addressee = parseAddressee({ id_server: "id.example", medium: "email", address });
  if (addressee._tag === "Left") return addressee.left.code;
  const command = { roomId, requester: { userId }, addressee: addressee.right };
  const result = await revokeInvite(ports)(command);
  return result._tag === "Left" ? result.left.code : result.right._tag;
};
console.log(await byAddress(alice, "Vic@example.org"));
console.log(await byAddress(bob, "wim@example.org"));

import { deliverOwed, receiveOnBind } from "matrix-third-party-invites";

const bound = identity.bindDirectly({ medium: "email", address: "zoe@example.org" }, zoe);
await receiveOnBind(ports)(bound);
await deliverOwed(ports)();
console.log(await byAddress(alice, "zoe@example.org"));

import { authorize } from "matrix-third-party-invites";

const herInvite = ports.memory.state(roomId).get("m.room.member", zoe);
const isAllowed = () => authorize(herInvite, ports.memory.state(roomId), ports.crypto)._tag;
setMembership(zoe, zoe, "join");
setMembership(bob, zoe, "leave");
console.log(isAllowed());

import { cleanUpInvites } from "matrix-third-party-invites";

const tidied = await cleanUpInvites(ports)({ roomId });
console.log(tidied.right.emptied.length, tidied.right.advisory.length, isAllowed());

import { expireInvites } from "matrix-third-party-invites";

const day = 24 * 3_600_000;
ports.clock.advance(31 * day);
await inviteByMail(alice, "yan@example.org");
const expired = await expireInvites(ports)({ roomId, olderThanMs: 30 * day });
console.log(expired.right.emptied.length);
for (const { state, displayName } of await list(alice)) console.log(state, displayName ?? "-");

import { noteRedeemed } from "matrix-third-party-invites";

const noted = await noteRedeemed(ports)({ roomId, event: herInvite });
console.log(noted.right); // hers was noted when deliverOwed made it

import { invitesLeftBehind } from "matrix-third-party-invites";

const left = await invitesLeftBehind(ports)({ roomId });
for (const { state, sender, token } of left.right) console.log(state, sender, typeof token);
