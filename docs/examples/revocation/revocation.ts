import {
  alice,
  bob,
  identity,
  inviteByMail,
  invites,
  outcomeOf,
  ports,
  roomId,
  setMembership,
  zoe,
} from "../world.js";

for (const name of ["una", "vic", "wim", "xia", "zoe"]) await inviteByMail(alice, `${name}@example.org`);

const list = (userId: string) => outcomeOf(invites.listInvites({ roomId, requester: { userId } }));
const pending = await list(alice);
for (const { state, sender, displayName } of pending) console.log(state, sender, displayName);

const byToken = async (userId: string, token: string) => {
  const result = await invites.revokeInvite({ roomId, requester: { userId }, token });
  return result._tag === "Left" ? result.left.code : result.right._tag;
};
const [first = "", second = ""] = pending.flatMap(({ token }) => token ?? []);
console.log(await byToken(bob, first));
console.log(await byToken(bob, first));
console.log(await byToken(zoe, second));

const byAddress = async (userId: string, address: string) => {
  const body = { id_server: "id.example", medium: "email", address };
  const result = await invites.revokeInvite({ roomId, requester: { userId }, body });
  return result._tag === "Left" ? result.left.code : result.right._tag;
};
console.log(await byAddress(alice, "Vic@example.org"));
console.log(await byAddress(bob, "wim@example.org"));

const bound = identity.bindDirectly({ medium: "email", address: "zoe@example.org" }, zoe);
await invites.receiveOnBind({ body: bound });
await invites.deliverOwed();
console.log(await byAddress(alice, "zoe@example.org"));

import { authorize } from "matrix-third-party-invites/judge";

const zoesInvite = ports.memory.state(roomId).get("m.room.member", zoe) ?? {};
const isAllowed = () => authorize(zoesInvite, ports.memory.state(roomId), ports.crypto)._tag;
setMembership(zoe, zoe, "join");
setMembership(bob, zoe, "leave");
console.log(isAllowed());

const tidied = await outcomeOf(invites.cleanUpInvites({ roomId }));
console.log(tidied.emptied.length, tidied.advisory.length, isAllowed());

const day = 24 * 3_600_000;
ports.clock.advance(31 * day);
await inviteByMail(alice, "yan@example.org");
const expired = await outcomeOf(invites.expireInvites({ roomId, olderThanMs: 30 * day }));
console.log(expired.emptied.length);
for (const { state, displayName } of await list(alice)) console.log(state, displayName ?? "-");

const isNoted = await outcomeOf(invites.noteRedeemed({ roomId, event: zoesInvite }));
console.log(isNoted); // deliverOwed has noted this one already

const left = await outcomeOf(invites.invitesLeftBehind({ roomId }));
for (const { state, sender, token } of left) console.log(state, sender, typeof token);
