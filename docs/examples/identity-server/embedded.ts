import { strict as assert } from "node:assert";
import { test } from "node:test";
import { createThirdPartyInvites } from "matrix-third-party-invites";
import { identityServerClient, onBindEndpoint } from "matrix-third-party-invites/http";
import { membershipOf } from "matrix-third-party-invites/judge";
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
const invites = createThirdPartyInvites(ports);
const onBind = onBindEndpoint(invites);
const roomId = ports.memory.create({ version: "12", creator: alice });

const inviteByMail = (address: string) =>
  invites.invite({
    roomId,
    requester: { userId: alice },
    body: { id_server: "id.example", id_access_token: identity.account(alice), medium: "email", address },
  });

await test("a user who has not accepted the terms gets M_TERMS_NOT_SIGNED", async () => {
  identity.requireTerms();
  const result = await inviteByMail("una@example.org");
  identity.requireTerms(false);
  assert.ok(result._tag === "Left");
  assert.deepEqual([result.left.status, result.left.errcode], [403, "M_TERMS_NOT_SIGNED"]);
  assert.equal(identity.outbox.length, 0);
});

await test("a bound address gets no mail, even though the pepper has changed since the last lookup", async () => {
  await inviteByMail("una@example.org");
  identity.bindDirectly({ medium: "email", address: "vic@example.org" }, vic);
  identity.rotatePepper();
  const result = await inviteByMail("vic@example.org");
  assert.ok(result._tag === "Right");
  assert.equal(result.right._tag, "Invite");
  assert.equal(identity.outbox.length, 1);
});

await test("an onbind turns a pending invite into an invite of the user", async () => {
  await inviteByMail("zoe@example.org");
  identity.bindDirectly({ medium: "email", address: "zoe@example.org" }, zoe);
  assert.equal((await identity.deliverDue()).waiting, 0);
  await invites.deliverOwed();
  assert.equal(membershipOf(ports.memory.state(roomId), zoe), "invite");
});
