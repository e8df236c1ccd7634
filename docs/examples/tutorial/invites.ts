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

import { createThirdPartyInvites } from "matrix-third-party-invites";

const invites = createThirdPartyInvites(ports);
console.log(Object.keys(invites).join(", "));

const roomId = ports.memory.create({ version: "12", creator: alice, powerLevels: { invite: 50 } });

const inviteByMail = (userId: string, address: string) =>
  invites.invite({
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
if (first._tag === "Left") throw new Error(first.left.message);
console.log(first.right._tag);

const [mail] = identity.outbox;
console.log(mail?.kind, "to", mail?.address);

const [event] = first.right.events;
console.log(event);

import type { FlowResult } from "matrix-third-party-invites";

/** The outcome of a method. Throws where the result is `Left`. */
const outcomeOf = async <Outcome>(result: FlowResult<Outcome>): Promise<Outcome> => {
  const answer = await result;
  if (answer._tag === "Left") throw new Error(answer.left.message);
  return answer.right;
};

const second = await outcomeOf(inviteByMail(alice, "Zoe@Example.ORG"));
console.log(second._tag, identity.outbox.length);

const list = () => outcomeOf(invites.listInvites({ roomId, requester: { userId: alice } }));
console.log(await list());

const askIdentityServer = async (path: string, body: object): Promise<Record<string, unknown>> => {
  const request = new Request(`https://id.example/_matrix/identity/v2${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${identity.account(zoe)}` },
    body: JSON.stringify({ client_secret: "zoes-secret", ...body }),
  });
  const response = await identity.handle(request);
  return (await response.json()) as Record<string, unknown>;
};

const { sid } = await askIdentityServer("/validate/email/requestToken", {
  email: "zoe@example.org",
  send_attempt: 1,
});
const token = identity.outbox.at(-1)?.token;
await askIdentityServer("/validate/email/submitToken", { sid, token });
const bound = await askIdentityServer("/3pid/bind", { sid, mxid: zoe });
console.log(bound["mxid"], "has", bound["address"]);

console.log(await outcomeOf(invites.receiveOnBind({ body: bound })));
console.log(ports.memory.state(roomId).get("m.room.member", zoe));

console.log(await outcomeOf(invites.deliverOwed()));
console.dir(ports.memory.state(roomId).get("m.room.member", zoe)?.content, { depth: null });
console.log((await list()).map(({ state }) => state));

await inviteByMail(alice, "yan@example.org");
const body = { id_server: "id.example", medium: "email", address: "yan@example.org" };
const revoked = await outcomeOf(invites.revokeInvite({ roomId, requester: { userId: alice }, body }));
console.log(revoked._tag, revoked.events[0]?.content);
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
if (refused._tag === "Left") console.log(refused.left.code, matrixError(refused.left));
console.log(identity.outbox.length - mails, "mails");

const answerInvite = async (roomId: string, userId: string, body: unknown) => {
  const result = await invites.invite({ roomId, requester: { userId }, body });
  if (result._tag === "Left") return matrixError(result.left);
  return { status: 200, body: {} };
};
console.log(await answerInvite(roomId, alice, { user_id: zoe }));
