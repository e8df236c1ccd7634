import { execFile } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:https";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { type ThirdPartyInvites, createThirdPartyInvites } from "matrix-third-party-invites";
import {
  type EmbeddedIdentityServer,
  createIdentityServer,
  memoryPorts,
} from "matrix-third-party-invites/testing";
import { afterEach, describe, expect, it, vi } from "vitest";
import { nodeCrypto, nodeSigningKey } from "../../src/node/index.js";
import type * as Node from "../../src/node/index.js";
import { makeCertificate } from "../certificate.js";
import { listener } from "../http/socket.js";

const [alice, zoe] = ["@alice:example.org", "@zoe:example.org"];
const address = { medium: "email", address: "zoe@mail.example" };

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
  vi.unstubAllEnvs();
  vi.doUnmock("matrix-third-party-invites/node");
  vi.resetModules();
});

/** An identity server on loopback, with a certificate of an authority that nobody else trusts. */
const openIdentityServer = async (): Promise<EmbeddedIdentityServer & { readonly ca: string }> => {
  const { key, cert } = await makeCertificate(["localhost"]);
  const server = createServer(
    { key, cert },
    listener((request) => identity.handle(request)),
  );
  server.listen(0, "localhost");
  await once(server, "listening");
  const bound = server.address();
  if (bound === null || typeof bound === "string") throw new Error("There is no port.");
  const serverName = `localhost:${bound.port}`;
  const identity = createIdentityServer({ serverName, baseUrl: `https://${serverName}` });
  closing.push(async () => {
    const closed = once(server, "close");
    server.close();
    server.closeAllConnections();
    await closed;
  });
  return { ...identity, publicKey: identity.publicKey, ca: cert };
};

/** The wiring of the page, which trusts `ca` as NODE_EXTRA_CA_CERTS would have it. */
const wired = async (
  environment: Readonly<Record<string, string>>,
  ca: string,
): Promise<ThirdPartyInvites> => {
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
  vi.doMock("matrix-third-party-invites/node", async (original) => {
    const real = await original<typeof Node>();
    return { ...real, guardedFetch: (options: object) => real.guardedFetch({ ...options, ca }) };
  });
  const { identityServer, config } = await import("../../docs/examples/identity-server/wire.js");
  const memory = memoryPorts({
    crypto: nodeCrypto,
    serverName: "example.org",
    key: nodeSigningKey("ed25519:1", new Uint8Array(32).fill(1)),
    identityServer,
    users: new Map([[zoe, {}]]),
  });
  memory.memory.create({ version: "11", creator: alice, roomId });
  return createThirdPartyInvites({ ...memory, identityServer, config });
};

const roomId = "!room:example.org";

const inviteBy = ({ invite }: ThirdPartyInvites, idServer: string, token: string) =>
  invite({
    roomId,
    requester: { userId: alice },
    body: { id_server: idServer, id_access_token: token, ...address },
  });

const environmentOf = ({ serverName, publicKey }: EmbeddedIdentityServer) => ({
  IDENTITY_SERVER: serverName,
  IDENTITY_KEY: publicKey,
  ADDRESS_KEY: Buffer.alloc(32, 1).toString("base64"),
  SERVER_NAME: "example.org",
});

describe("the wiring of docs/how-to/identity-server.md", () => {
  it("reaches an identity server on a private address, and redeems its proofs", async () => {
    const identity = await openIdentityServer();
    const invites = await wired(environmentOf(identity), identity.ca);
    const made = await inviteBy(invites, identity.serverName, identity.account(alice));
    expect(made).toMatchObject({ right: { _tag: "ThirdPartyInvite" } });
    await invites.receiveOnBind({ body: identity.bindDirectly(address, zoe) });
    expect(await invites.deliverOwed()).toMatchObject({ right: { done: 1 } });
  });

  it("takes no other identity server", async () => {
    const identity = await openIdentityServer();
    const invites = await wired(environmentOf(identity), identity.ca);
    expect(await inviteBy(invites, "id.example", "token")).toMatchObject({
      left: { code: "IdentityServerNotAllowed", status: 403, errcode: "M_SERVER_NOT_TRUSTED" },
    });
    const upper = identity.serverName.toUpperCase();
    const made = await inviteBy(invites, upper, identity.account(alice));
    expect(made).toMatchObject({ right: { _tag: "ThirdPartyInvite" } });
  });

  it("takes no answer without the pinned key", async () => {
    const identity = await openIdentityServer();
    const invites = await wired(environmentOf(identity), identity.ca);
    identity.rotateKey();
    const made = await inviteBy(invites, identity.serverName, identity.account(alice));
    expect(made).toMatchObject({ left: { code: "KeyNotPinned", errcode: "M_SERVER_NOT_TRUSTED" } });
  });

  it("has tests that pass, with the runner of Node", async () => {
    const root = resolve(import.meta.dirname, "../..");
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [
        ...["--import", "tsx", "--test", "--test-reporter", "tap"],
        join(root, "docs/examples/identity-server/embedded.ts"),
      ],
      { cwd: root, env: { ...process.env, NODE_TEST_CONTEXT: undefined } },
    );
    expect(stdout).toMatch(/^# pass 3$/m);
    expect(stdout).toMatch(/^# fail 0$/m);
  });
});
