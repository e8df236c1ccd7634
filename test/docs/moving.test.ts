import { createThirdPartyInvites } from "matrix-third-party-invites";
import { identityServerClient } from "matrix-third-party-invites/http";
import { nodeCrypto, nodeSigningKey } from "matrix-third-party-invites/node";
import { createIdentityServer, memoryInvites, memoryPorts } from "matrix-third-party-invites/testing";
import { describe, expect, it } from "vitest";
import { type PendingRow, importPending } from "../../docs/examples/moving/import-pending.js";
import { contentOf } from "../../src/matrix/event.js";
import { must, present } from "../testing/memory/samples.js";

const [alice, zoe] = ["@alice:example.org", "@zoe:example.org"];
const address = { medium: "email", address: "zoe@mail.example" };

/** A room with an invite that this library's storage does not know; `row` is what another implementation has of it. */
const open = async (config: { readonly storeAddresses?: boolean } = {}) => {
  const identity = createIdentityServer({ serverName: "id.example", baseUrl: "https://id.example" });
  const ports = memoryPorts({
    crypto: nodeCrypto,
    serverName: "example.org",
    key: nodeSigningKey("ed25519:1", new Uint8Array(32).fill(1)),
    identityServer: identityServerClient({ fetch: (url, init) => identity.handle(new Request(url, init)) }),
    users: new Map([[zoe, {}]]),
    config,
  });
  const invites = createThirdPartyInvites(ports);
  const roomId = ports.memory.create({ version: "12", creator: alice });
  const of = { roomId, requester: { userId: alice } };
  const inviteBy = ({ invite }: Pick<typeof invites, "invite">) => {
    const body = { id_server: "id.example", id_access_token: identity.account(alice), ...address };
    return invite({ ...of, body });
  };
  await inviteBy(createThirdPartyInvites({ ...ports, invites: memoryInvites() }));
  const list = async () => must(await invites.listInvites(of));
  const token = present((await list())[0]?.token);
  const eventNow = () => present(ports.memory.state(roomId).get("m.room.third_party_invite", token));
  const row: PendingRow = { event: eventNow(), idServer: "id.example", ...address, askedAt: 5 };
  const redeem = async () => {
    await invites.receiveOnBind({ body: identity.bindDirectly(address, zoe) });
    return must(await invites.deliverOwed()).done;
  };
  const becomes = (membership: string) =>
    ports.memory.append(roomId, {
      type: "m.room.member",
      sender: zoe,
      state_key: zoe,
      content: { membership },
    });
  return {
    identity,
    ports,
    invites,
    of,
    list,
    token,
    row,
    eventNow,
    redeem,
    becomes,
    again: () => inviteBy(invites),
  };
};

const body = { id_server: "id.example", ...address };

describe("what docs/how-to/moving.md says of an invite without a record", () => {
  it("its proof is redeemed, and cleaning up leaves it", async () => {
    const { invites, of, redeem, becomes, eventNow } = await open();
    expect(await redeem()).toBe(1);
    becomes("join");
    becomes("leave");
    expect(must(await invites.cleanUpInvites(of))).toEqual({ emptied: [], advisory: [] });
    expect(eventNow().content).toHaveProperty("public_keys");
  });

  it("it is revoked by token, not by address", async () => {
    const { invites, of, token } = await open();
    expect(await invites.revokeInvite({ ...of, body })).toMatchObject({
      left: { code: "InviteNotFound" },
    });
    expect(await invites.revokeInvite({ ...of, token })).toMatchObject({ right: { _tag: "Revoke" } });
  });

  it("it is listed as pending, with its event's time and no identity server", async () => {
    const { ports, list, token } = await open();
    const displayName = "z...@mai...";
    expect(await list()).toEqual([
      { state: "Pending", sender: alice, token, displayName, since: ports.clock.now() },
    ]);
  });

  it("it expires by its event's time", async () => {
    const { invites, ports, of, token } = await open();
    ports.clock.advance(1_001);
    expect(must(await invites.expireInvites({ ...of, olderThanMs: 1_001 })).emptied).toEqual([]);
    expect(must(await invites.expireInvites({ ...of, olderThanMs: 1_000 })).emptied).toEqual([token]);
  });

  it("the same address is mailed again", async () => {
    const { again, identity, list } = await open();
    expect(await again()).toMatchObject({ right: { _tag: "ThirdPartyInvite" } });
    expect([identity.outbox.length, (await list()).length]).toEqual([2, 2]);
  });
});

describe("the import of docs/how-to/moving.md", () => {
  it("makes the invite one of ours: no second mail, revoked by address, cleaned up", async () => {
    const { invites, ports, of, row, again, identity, redeem, becomes, token } = await open();
    expect(await importPending(ports, row)).toBe("Pending");
    expect(await again()).toMatchObject({ right: { _tag: "AlreadyPending", token } });
    expect(identity.outbox).toHaveLength(1);
    expect(await redeem()).toBe(1);
    becomes("join");
    expect(must(await invites.cleanUpInvites(of)).emptied).toEqual([token]);
    const other = await open();
    await importPending(other.ports, other.row);
    expect(await other.invites.revokeInvite({ ...other.of, body })).toMatchObject({
      right: { _tag: "Revoke" },
    });
  });

  it("is done twice as well as once, and undoes nothing", async () => {
    const { invites, ports, of, row, list } = await open();
    await importPending(ports, row);
    expect(await importPending(ports, { ...row, askedAt: 6 })).toBe("Pending");
    expect(await list()).toMatchObject([{ since: 5 }]);
    await invites.revokeInvite({ ...of, body });
    expect(await importPending(ports, row)).toBe("Revoked");
  });

  it("stores the address only where that is asked for", async () => {
    for (const storeAddresses of [false, true]) {
      const { ports, row, list } = await open({ storeAddresses });
      await importPending(ports, row);
      expect((await list())[0]?.threepid).toEqual(storeAddresses ? address : undefined);
    }
  });

  it("takes an event with one key", async () => {
    const { ports, row } = await open();
    const { public_keys: _, ...content } = contentOf(row.event);
    expect(await importPending(ports, { ...row, event: { ...row.event, content } })).toBe("Pending");
  });

  it("leaves out what is no invite any more, or no address", async () => {
    const { invites, ports, of, row, token, eventNow, list } = await open();
    await invites.revokeInvite({ ...of, token });
    expect(await importPending(ports, { ...row, event: eventNow() })).toBe("KeysMalformed");
    expect(await importPending(ports, { ...row, address: "zoe" })).toBe("AddressMalformed");
    expect(await list()).toEqual([]);
  });
});
