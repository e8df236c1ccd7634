import { type FindBy, createThirdPartyInvites } from "matrix-third-party-invites";
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

console.log(await outcomeOf(invites.checkAddressKey()));
console.log(await outcomeOf(invites.checkAddressKey()));

const config = { ...ports.config, addressKey: new Uint8Array(32) };
const withAnotherKey = await createThirdPartyInvites({ ...ports, config }).checkAddressKey();
console.log(withAnotherKey._tag === "Left" && withAnotherKey.left.code);

for (const name of ["una", "vic", "wim"]) await inviteByMail(bob, `${name}@example.org`);

let page = await outcomeOf(invites.findInvites({ by: { sender: bob }, limit: 2 }));
for (;;) {
  for (const { sender, idServer, state } of page.invites) console.log(sender, idServer, state);
  if (page.next === undefined) break;
  page = await outcomeOf(invites.findInvites({ by: { sender: bob }, limit: 2, after: page.next }));
}

for (const address of ["Una@example.org", "yan@example.org"])
  console.log(await outcomeOf(invites.isInvited({ medium: "email", address })));

const revoke = async (by: FindBy) => {
  const { revoked, refused } = await outcomeOf(invites.revokeAllInvites({ by }));
  console.log(revoked, "refused:", ...refused.map(({ because }) => because));
};
await revoke({ medium: "email", address: "wim@example.org" });
setMembership(alice, bob, "leave");
await revoke({ sender: bob });

const requester = { userId: alice };
const inRoom = await outcomeOf(invites.listInvites({ roomId, requester }));
for (const { sender, token } of inRoom)
  if (sender === bob && token !== undefined)
    await outcomeOf(invites.revokeInvite({ roomId, requester, token }));
await revoke({ sender: bob });

const una = { medium: "email", address: "una@example.org" };
console.log(await outcomeOf(invites.eraseAddress(una)));
console.log((await outcomeOf(invites.findInvites({ by: una }))).invites.length);

await inviteByMail(alice, "zoe@example.org");
const [invited] = await outcomeOf(invites.listInvites({ roomId, requester }));
await outcomeOf(invites.revokeInvite({ roomId, requester, token: invited?.token ?? "" }));
const proof = identity.bindDirectly({ medium: "email", address: "zoe@example.org" }, zoe);
await invites.receiveOnBind({ body: proof });
const measure = async () => {
  for (const { lane, rows } of await outcomeOf(invites.measureQueue())) console.log(lane, rows);
};
await measure();
await invites.deliverOwed();
await measure();

const dead = await outcomeOf(invites.listRedemptions({ lane: "dead" }));
for (const { mxid, sender, last } of dead) console.log(mxid, sender, last?.reason);

for (const { id } of dead) await outcomeOf(invites.retryRedemption({ id }));
await measure();
