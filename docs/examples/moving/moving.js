import { deliverOwed, listInvites, receiveOnBind, revokeInvite } from "matrix-third-party-invites";
import { memoryInvites } from "matrix-third-party-invites/testing";
import { alice, identity, inviteByMail, ports, roomId, zoe } from "../world.js";

const yours = { ...ports, invites: memoryInvites() }; // stands for what you have, with its own table
for (const name of ["una", "vic", "zoe"]) await inviteByMail(alice, `${name}@example.org`, yours);

const list = async () => (await listInvites(ports)({ roomId, requester: { userId: alice } })).right;
for (const { state, displayName, idServer } of await list()) console.log(state, displayName, idServer);

const [{ token }, vics] = await list();
const revoked = await revokeInvite(ports)({ roomId, requester: { userId: alice }, token });
console.log(revoked.right._tag);

const bound = identity.bindDirectly({ medium: "email", address: "zoe@example.org" }, zoe);
await receiveOnBind(ports)(bound);
console.log((await deliverOwed(ports)()).right.done);

import { importPending } from "./import-pending.js";

const event = ports.memory.state(roomId).get("m.room.third_party_invite", vics.token);
const row = { idServer: "id.example", medium: "email", address: "vic@example.org", askedAt: vics.since };
console.log(await importPending(ports, { event, ...row }));

const mails = identity.outbox.length;
const again = await inviteByMail(alice, "Vic@example.org");
console.log(again.right._tag, identity.outbox.length - mails, "mails");
