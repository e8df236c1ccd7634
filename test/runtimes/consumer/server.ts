import { type ThirdPartyInvites, createThirdPartyInvites } from "matrix-third-party-invites";
import { applyDecision, inviteUser, parseInviteRequest } from "matrix-third-party-invites/decisions";
import { authorize, roomState, roomVersion } from "matrix-third-party-invites/judge";
import { type Endpoint, identityServerClient, inviteEndpoint } from "matrix-third-party-invites/http";
import { canonicalJson } from "matrix-third-party-invites/matrix";
import { guardedFetch, nodeCrypto, nodeSigningKey } from "matrix-third-party-invites/node";
import type { Ports, Users } from "matrix-third-party-invites/ports";
import { portableCrypto } from "matrix-third-party-invites/portable";
import { type SqlClient, migrate, postgresStorage } from "matrix-third-party-invites/postgres";
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

const users: Users = {
  find: ({ userId, inviter }) =>
    Promise.resolve(
      userId === "@bob:example.org"
        ? { _tag: "User", blocksInvites: inviter === "@eve:example.org" }
        : { _tag: "NoSuchUser" },
    ),
};

/** A part needs the ports of its own flows, and no others. */
export const part = ({ config, rooms, invites }: Ports): Pick<ThirdPartyInvites, "listInvites"> =>
  createThirdPartyInvites({ config, rooms, invites }, ["listInvites"]);

export const endpoints = (storage: SqlClient): readonly Endpoint[] =>
  [overTheNet, within].map((identityServer) => {
    const ports: Ports = memoryPorts({
      crypto: nodeCrypto,
      serverName: "example.org",
      key: nodeSigningKey("ed25519:1", new Uint8Array(32)),
      identityServer,
    });
    const invites = createThirdPartyInvites({ ...ports, ...postgresStorage(storage), users });
    return inviteEndpoint(invites, {
      authenticate: () => ({ _tag: "User", requester: { userId: "@alice:example.org" } }),
    });
  });

export { applyDecision, canonicalJson, inviteUser, migrate, parseInviteRequest, storageContract };
