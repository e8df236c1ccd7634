import assert from "node:assert/strict";
import { test } from "node:test";
import { deliverOwed, invite } from "matrix-third-party-invites";
import { identityServerClient, onBindEndpoint } from "matrix-third-party-invites/http";
import { nodeCrypto, nodeSigningKey } from "matrix-third-party-invites/node";
import { createIdentityServer, memoryPorts } from "matrix-third-party-invites/testing";

const [alice, vic, zoe] = ["@alice:example.org", "@vic:example.org", "@zoe:example.org"];

const identity = createIdentityServer({
  serverName: "id.example",
  baseUrl: "https://id.example",
  fetch: (url, init) => onBind(new Request(url, init)), // what it sends to homeservers
});
const ports = memoryPorts({
  crypto: nodeCrypto,
  serverName: "example.org",
  key: nodeSigningKey("ed25519:1", crypto.getRandomValues(new Uint8Array(32))),
  identityServer: identityServerClient({ fetch: (url, init) => identity.handle(new Request(url, init)) }),
  users: new Map([vic, zoe].map((userId) => [userId, {}])),
});
const onBind = onBindEndpoint(ports);
const roomId = ports.memory.create({ version: "12", creator: alice });

const inviteByMail = (address) =>
  invite(ports)({
    roomId,
    requester: { userId: alice },
    body: { id_server: "id.example", id_access_token: identity.account(alice), medium: "email", address },
  });

test("whoever has not accepted the terms is told so", async () => {
  identity.requireTerms();
  const { left } = await inviteByMail("una@example.org");
  identity.requireTerms(false);
  assert.deepEqual([left.status, left.errcode], [403, "M_TERMS_NOT_SIGNED"]);
  assert.equal(identity.outbox.length, 0);
});

test("whoever is bound gets no mail, though the pepper was rotated since the last lookup", async () => {
  await inviteByMail("una@example.org");
  identity.bindDirectly({ medium: "email", address: "vic@example.org" }, vic);
  identity.rotatePepper();
  const { right } = await inviteByMail("vic@example.org");
  assert.equal(right._tag, "Invite");
  assert.equal(identity.outbox.length, 1);
});

test("an invite that waited comes with the onbind, and is made", async () => {
  await inviteByMail("zoe@example.org");
  identity.bindDirectly({ medium: "email", address: "zoe@example.org" }, zoe);
  assert.equal((await identity.deliverDue()).waiting, 0);
  assert.equal((await deliverOwed(ports)()).right.done, 1);
  assert.equal(ports.memory.state(roomId).get("m.room.member", zoe).content.membership, "invite");
});
