import { identityServerClient } from "matrix-third-party-invites/http";
import { nodeCrypto, nodeSigningKey } from "matrix-third-party-invites/node";
import { createIdentityServer, memoryPorts } from "matrix-third-party-invites/testing";

const [alice, mallory, zoe] = ["@alice:example.org", "@mallory:example.org", "@zoe:example.org"];

const identity = createIdentityServer({ serverName: "id.example", baseUrl: "https://id.example" });
const ports = memoryPorts({
  crypto: nodeCrypto,
  serverName: "example.org",
  key: nodeSigningKey("ed25519:1", crypto.getRandomValues(new Uint8Array(32))),
  identityServer: identityServerClient({ fetch: (url, init) => identity.handle(new Request(url, init)) }),
  users: new Map([alice, mallory, zoe].map((userId) => [userId, {}])),
});
console.log(Object.keys(ports).join(", "));

import { invite } from "matrix-third-party-invites";

const roomId = ports.memory.create({ version: "12", creator: alice, powerLevels: { invite: 50 } });

const inviteByMail = (userId, address) =>
  invite(ports)({
    roomId,
    requester: { userId },
    body: {
      id_server: "id.example",
      id_access_token: identity.account(userId),
      medium: "email",
      address,
    },
  });

const first = await inviteByMail(alice, "zoe@example.org");
console.log(first._tag, first.right._tag);

const [mail] = identity.outbox;
console.log(mail.kind, "to", mail.address);

const { tokens } = await ports.rooms.tokens(roomId, {});
const event = ports.memory.state(roomId).get("m.room.third_party_invite", tokens[0]);
console.log(event.sender, event.content);

const second = await inviteByMail(alice, "Zoe@Example.ORG");
console.log(second.right._tag, identity.outbox.length);

import { listInvites } from "matrix-third-party-invites";

const list = async () => (await listInvites(ports)({ roomId, requester: { userId: alice } })).right;
console.log(await list());

const askIdentityServer = async (path, body) => {
  const request = new Request(`https://id.example/_matrix/identity/v2${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${identity.account(zoe)}` },
    body: JSON.stringify({ client_secret: "zoes-secret", ...body }),
  });
  return (await identity.handle(request)).json();
};

const { sid } = await askIdentityServer("/validate/email/requestToken", {
  email: "zoe@example.org",
  send_attempt: 1,
});
const { token } = identity.outbox.at(-1);
await askIdentityServer("/validate/email/submitToken", { sid, token });
const bound = await askIdentityServer("/3pid/bind", { sid, mxid: zoe });
console.log(bound.mxid, "has", bound.address, "and", bound.invites.length, "invite");

import { receiveOnBind } from "matrix-third-party-invites";

const received = await receiveOnBind(ports)(bound);
console.log(received.right);
console.log(ports.memory.state(roomId).get("m.room.member", zoe));

import { deliverOwed } from "matrix-third-party-invites";

const delivered = await deliverOwed(ports)();
console.log(delivered.right);

const { content } = ports.memory.state(roomId).get("m.room.member", zoe);
console.dir(content, { depth: null });
console.log((await list())[0].state);

import { revokeInvite } from "matrix-third-party-invites";

await inviteByMail(alice, "yan@example.org");
const [, pending] = await list();
const revoked = await revokeInvite(ports)({ roomId, requester: { userId: alice }, token: pending.token });
console.log(revoked.right._tag);
console.log(ports.memory.state(roomId).get("m.room.third_party_invite", pending.token).content);
console.log((await list()).map(({ state }) => state));

import { matrixError } from "matrix-third-party-invites";

ports.memory.append(roomId, {
  type: "m.room.member",
  sender: mallory,
  state_key: mallory,
  content: { membership: "join" },
});
const mails = identity.outbox.length;
const refused = await inviteByMail(mallory, "una@example.org");
console.log(refused._tag, refused.left.code);
console.log(matrixError(refused.left));
console.log(identity.outbox.length - mails, "mails");
