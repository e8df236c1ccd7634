import { describe, expect, it } from "vitest";
import { nodeCrypto } from "../../../src/node/index.js";
import type { IdentityServer } from "../../../src/ports.js";
import { memoryClock, memoryPorts } from "../../../src/testing/memory/index.js";
import { aExample, alice, bob, key, room1 } from "./samples.js";

const silent = () => Promise.resolve({ _tag: "Unreachable", sent: false } as const);
const identityServer: IdentityServer = {
  hashDetails: silent,
  lookup: silent,
  storeInvite: silent,
  keyValidity: silent,
};
const given = { crypto: nodeCrypto, serverName: "a.example", key, identityServer };

describe("memoryPorts", () => {
  it("is a whole server out of a name, a key, an engine and an identity server", async () => {
    const ports = memoryPorts(given);
    const roomId = ports.memory.create({ version: "12", creator: alice });
    expect(await ports.rooms.snapshot(roomId, [], {})).toMatchObject({ _tag: "Snapshot", roomVersion: "12" });
    expect(ports.config).toEqual({ serverName: "a.example", addressKey: new Uint8Array(32).fill(7) });
    expect(ports.random.fraction()).toBe(0.5);
    expect(await ports.users.find({ userId: alice }, {})).toEqual({ _tag: "NoSuchUser" });
    const exchange = { destination: aExample, roomId: room1, body: {}, timeoutMs: 1_000 };
    expect(ports.limits).toBe("off");
    expect(await ports.federation.exchangeThirdPartyInvite(exchange, {})).toEqual({ _tag: "Unreachable" });
    expect(ports.identityServer).toBe(identityServer);
    expect("policy" in ports || "observe" in ports).toBe(false);
  });

  it("takes the configuration and the ports that it is given", () => {
    const observe = () => undefined;
    const policy = { mayInvite: () => Promise.resolve({ _tag: "Allow" } as const) };
    const addressKey = new Uint8Array(32).fill(9);
    const ports = memoryPorts({
      ...given,
      addressKey,
      config: { maxPairs: 5 },
      random: () => 0.25,
      observe,
      policy,
    });
    expect(ports.config).toEqual({ serverName: "a.example", addressKey, maxPairs: 5 });
    expect(ports.random.fraction()).toBe(0.25);
    expect(ports).toMatchObject({ observe, policy });
  });

  it("knows the users of the map, as it is at the time", async () => {
    const users = new Map([[String(alice), { profile: { displayname: "Alice" } }]]);
    const ports = memoryPorts({ ...given, users });
    expect(await ports.users.find({ userId: alice }, {})).toEqual({
      _tag: "User",
      profile: { displayname: "Alice" },
    });
    expect(await ports.users.find({ userId: bob }, {})).toEqual({ _tag: "NoSuchUser" });
    users.set(bob, { profile: { displayname: "Bob" } });
    expect(await ports.users.find({ userId: bob }, {})).toEqual({
      _tag: "User",
      profile: { displayname: "Bob" },
    });
  });

  it("dates events by a clock that moves only when told to", () => {
    const clock = memoryClock(1000);
    const ports = memoryPorts({ ...given, clock });
    const roomId = ports.memory.create({ version: "12", creator: alice });
    const time = () =>
      ports.memory.append(roomId, { type: "m.room.message", sender: alice, content: {} }).pdu[
        "origin_server_ts"
      ];
    expect(time()).toBe(1000);
    clock.advance(50);
    expect(time()).toBe(1050);
    ports.clock.set(7);
    expect(time()).toBe(7);
    expect(ports.clock.now()).toBe(7);
  });
});
