import {
  type Problem,
  deliverOwed,
  inviteByThreePid,
  receiveExchange,
  receiveInboundInvite,
  receiveOnBind,
  revokeInvite,
} from "matrix-third-party-invites";
import type { Either } from "fp-ts/lib/Either.js";
import { describe, expect, it } from "vitest";
import { type World, openWorld, pend } from "./ports.js";
import { alice, anna, bob, invite, must, problemOf, room, signedBy } from "./samples.js";

const requester = { userId: alice };
const toRoom = { roomId: room, origin: "b.example", body: {} };

const flows: readonly (readonly [string, (world: World) => Promise<Either<Problem, unknown>>])[] = [
  [
    "receiveOnBind",
    ({ ports }) =>
      receiveOnBind(ports)({
        mxid: anna,
        invites: [{ mxid: anna, room_id: room, sender: bob, signed: signedBy(anna, "t1") }],
      }),
  ],
  ["inviteByThreePid", ({ ports }) => inviteByThreePid(ports)({ roomId: room, requester, invite: invite() })],
  ["revokeInvite", ({ ports }) => revokeInvite(ports)({ roomId: room, requester, addressee: invite() })],
  ["receiveExchange", ({ ports }) => receiveExchange(ports)(toRoom)],
  ["receiveInboundInvite", ({ ports }) => receiveInboundInvite(ports)(toRoom)],
  ["deliverOwed", ({ ports }) => deliverOwed(ports)()],
];

const serverName = "config.serverName must be a server name.";
const addressKey = "config.addressKey must be a Uint8Array of at least 32 bytes.";

/** As a host in JavaScript, or one that reads its configuration from a file, may have it. */
const wrong: readonly (readonly [string, object, string])[] = [
  ["no serverName", { serverName: undefined }, serverName],
  ["an empty serverName", { serverName: "" }, serverName],
  ["a URL for serverName", { serverName: "https://a.example" }, serverName],
  ["no addressKey", { addressKey: undefined }, addressKey],
  ["a text for addressKey", { addressKey: "k".repeat(44) }, addressKey],
  ["an array for addressKey", { addressKey: Array.from({ length: 32 }, () => 7) }, addressKey],
  ["a short addressKey", { addressKey: new Uint8Array(31) }, addressKey],
];

describe("a configuration that cannot be right", () => {
  const cases = flows.flatMap(([flow, start]) => wrong.map((row) => [flow, ...row, start] as const));

  it.each(cases)("%s, %s: ConfigBroken, and no port is asked", async (flow, _, config, message, start) => {
    const world = openWorld({ config });
    const problem = problemOf(await start(world));
    expect(problem).toEqual({
      _tag: "PortFailure",
      code: "ConfigBroken",
      message,
      status: 500,
      errcode: "M_UNKNOWN",
    });
    expect(world.calls).toEqual([]);
    expect(world.observed).toEqual([{ _tag: "PortFailed", code: "ConfigBroken", flow }]);
  });
});

it("the key may be a Buffer", async () => {
  const world = openWorld({ config: { addressKey: Buffer.alloc(32, 7) } });
  must(await inviteByThreePid(world.ports)({ roomId: room, requester, invite: invite() }));
});

it("a revocation by token needs no key", async () => {
  const world = openWorld({ config: { addressKey: new Uint8Array(1) } });
  pend(world, "t1");
  must(await revokeInvite(world.ports)({ roomId: room, requester, token: "t1" }));
});
