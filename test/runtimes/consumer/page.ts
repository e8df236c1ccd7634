import { authorize, roomState, roomVersion } from "matrix-third-party-invites/judge";
import { decodeBase64 } from "matrix-third-party-invites/matrix";
import { identityServerClient } from "matrix-third-party-invites/http";
import { type Libsodium, libsodiumCrypto } from "matrix-third-party-invites/libsodium";
import { portableCrypto, portableSigningKey } from "matrix-third-party-invites/portable";
import { createIdentityServer, memoryPorts } from "matrix-third-party-invites/testing";

// What a page would write, whose types are those of a browser; it is compiled and never run.

const identity = createIdentityServer({ serverName: "id.example", baseUrl: "https://id.example" });
const ports = memoryPorts({
  crypto: portableCrypto,
  serverName: "example.org",
  key: portableSigningKey("ed25519:1", decodeBase64("") ?? new Uint8Array(32)),
  identityServer: identityServerClient({ fetch: (url, init) => identity.handle(new Request(url, init)) }),
});
export const engine = (sodium: Libsodium): typeof portableCrypto => libsodiumCrypto(sodium);
const version = roomVersion("12");
export const verdict =
  version && authorize({ type: "m.room.member" }, roomState("!room", version, []), ports.crypto);
