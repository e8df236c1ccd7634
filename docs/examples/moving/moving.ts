import { createThirdPartyInvites } from "matrix-third-party-invites";
import { memoryInvites } from "matrix-third-party-invites/testing";
import { alice, identity, inviteByMail, invites, outcomeOf, ports, roomId, zoe } from "../world.js";

// In place of your own implementation, which has its own table.
const yours = createThirdPartyInvites({ ...ports, invites: memoryInvites() });
for (const name of ["una", "vic", "zoe"]) await inviteByMail(alice, `${name}@example.org`, yours);

const list = () => outcomeOf(invites.listInvites({ roomId, requester: { userId: alice } }));
for (const { state, displayName, idServer } of await list()) console.log(state, displayName, idServer);

const [una, vic] = await list();
const command = { roomId, requester: { userId: alice }, token: una?.token ?? "" };
console.log((await outcomeOf(invites.revokeInvite(command)))._tag);

const bound = identity.bindDirectly({ medium: "email", address: "zoe@example.org" }, zoe);
await invites.receiveOnBind({ body: bound });
console.log((await outcomeOf(invites.deliverOwed())).done);

import { importPending } from "./import-pending.js";

const event = ports.memory.state(roomId).get("m.room.third_party_invite", vic?.token ?? "") ?? {};
const row = { idServer: "id.example", medium: "email", address: "vic@example.org", askedAt: vic?.since ?? 0 };
console.log(await importPending(ports, { event, ...row }));

const mails = identity.outbox.length;
const again = await outcomeOf(inviteByMail(alice, "Vic@example.org"));
console.log(again._tag, identity.outbox.length - mails, "mails");
