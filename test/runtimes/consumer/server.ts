import {
  authorize,
  inviteByThreePid,
  parseInviteRequest,
  roomState,
  roomVersion,
} from "matrix-third-party-invites";
import { type Endpoint, identityServerClient, inviteEndpoint } from "matrix-third-party-invites/http";
import { guardedFetch, nodeCrypto, nodeSigningKey } from "matrix-third-party-invites/node";
import { portableCrypto } from "matrix-third-party-invites/portable";
import { type SqlClient, migrate, postgresInvites } from "matrix-third-party-invites/postgres";
import { createIdentityServer, memoryPorts, storageContract } from "matrix-third-party-invites/testing";

// What a server would write; it is compiled and never run.

const version = roomVersion("12");
if (version === undefined) throw new Error("room version 12 is missing");
const state = roomState("!room", version, []);
const verdict = authorize({ type: "m.room.third_party_invite", room_id: "!room" }, state, portableCrypto);
switch (verdict._tag) {
  case "Allow":
  case "NotOurs":
    break;
  case "Reject":
    console.log(verdict.refusal.code satisfies string);
    break;
  case "TooMuchWork":
    console.log(verdict.pairs.toFixed());
}

const identity = createIdentityServer({ serverName: "id.example", baseUrl: "https://id.example" });
const overTheNet = identityServerClient({ fetch: await guardedFetch() });
const within = identityServerClient({ fetch: (url, init) => identity.handle(new Request(url, init)) });

export const endpoints = (storage: SqlClient): readonly Endpoint[] =>
  [overTheNet, within].map((identityServer) => {
    const ports = memoryPorts({
      crypto: nodeCrypto,
      serverName: "example.org",
      key: nodeSigningKey("ed25519:1", new Uint8Array(32)),
      identityServer,
      invites: postgresInvites(storage),
    });
    return inviteEndpoint(ports, {
      authenticate: () => ({ _tag: "User", requester: { userId: "@alice:example.org" } }),
    });
  });

export { inviteByThreePid, migrate, parseInviteRequest, storageContract };
