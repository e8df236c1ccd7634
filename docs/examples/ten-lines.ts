import { createThirdPartyInvites } from "matrix-third-party-invites";
import { identityServerClient } from "matrix-third-party-invites/http";
import { nodeCrypto, nodeSigningKey } from "matrix-third-party-invites/node";
import { createIdentityServer, memoryPorts } from "matrix-third-party-invites/testing";

const identity = createIdentityServer({ serverName: "id.example", baseUrl: "https://id.example" });
const fetch = (url: string, init: RequestInit) => identity.handle(new Request(url, init));
const identityServer = identityServerClient({ fetch });
const key = nodeSigningKey("ed25519:1", crypto.getRandomValues(new Uint8Array(32)));
const ports = memoryPorts({ crypto: nodeCrypto, serverName: "example.org", key, identityServer });
const invites = createThirdPartyInvites(ports);

const alice = "@alice:example.org";
const roomId = ports.memory.create({ version: "12", creator: alice });
const body = {
  id_server: "id.example",
  id_access_token: identity.account(alice),
  medium: "email",
  address: "zoe@mail.example",
};
const result = await invites.invite({ roomId, requester: { userId: alice }, body });
console.log(result._tag === "Right" ? result.right.events[0] : result.left);
