import type { JsonObject } from "matrix-third-party-invites/ports";
import { describe, expect, it } from "vitest";
import { type World, openWorld, pend } from "./ports.js";
import { alice, anna, bob, must, problemOf, room, signedBy, stranger } from "./samples.js";

/** Of this server, with the proof in hand. */
const zoe = anna;

/** Flat, as sign-ed25519 gives it. */
const proof = (sender: string, more: JsonObject = {}): JsonObject =>
  signedBy(zoe, "t1", undefined, { sender, ...more });

const ask = (world: World, thirdPartySigned: unknown, userId: string = zoe) =>
  world.invites.redeemThirdPartySigned({ roomId: room, requester: { userId }, thirdPartySigned });

const openPending = (sender: string): World => {
  const world = openWorld();
  pend(world, "t1", { sender });
  return world;
};

const exchanges = (world: World): number => world.count("federation.exchangeThirdPartyInvite");

describe("a proof that the client holds", () => {
  it("of a local inviter → the invite is made here, with the whole of third_party_signed", async () => {
    const world = openPending(alice);
    expect(must(await ask(world, proof(alice)))).toEqual({ _tag: "Redeemed", via: ["a.example"] });
    expect(world.appended).toMatchObject([
      { sender: alice, state_key: zoe, content: { third_party_invite: { signed: proof(alice) } } },
    ]);
    expect(exchanges(world)).toBe(0);
  });

  it("of a remote inviter → their server makes it, and is the one to join through", async () => {
    for (const world of [openPending(bob), openWorld({ resident: false })]) {
      world.next.exchange.push({ _tag: "Accepted" });
      expect(must(await ask(world, proof(bob)))).toEqual({ _tag: "Exchanged", via: ["b.example"] });
      expect(world.appended).toEqual([]);
    }
  });

  it("of an inviter whom the user blocks: the invite is made all the same", async () => {
    for (const sender of [alice, bob]) {
      const world = openPending(sender);
      world.users.set(zoe, { blocksInvites: true });
      expect(must(await ask(world, proof(sender)))._tag).toBe("Redeemed");
      expect(world.appended).toHaveLength(1);
    }
  });

  it("of a remote inviter whom the user blocks: their server's invite is taken meanwhile, and not later", async () => {
    const world = openWorld({ resident: false });
    world.users.set(zoe, { blocksInvites: true });
    const inviteBy = (token: string) => {
      const proven = { signed: signedBy(zoe, token), display_name: "z" };
      const content = { membership: "invite", third_party_invite: proven };
      const event = { type: "m.room.member", room_id: room, sender: bob, state_key: zoe, content };
      const body = { room_version: "11", event, invite_room_state: [] };
      return world.invites.receiveInboundInvite({ roomId: room, origin: "b.example", body });
    };
    const meanwhile: unknown[] = [];
    world.intercept = async (call, perform) => {
      if (call.name !== "federation.exchangeThirdPartyInvite") return perform();
      meanwhile.push(await inviteBy("t2"), await inviteBy("t1"));
      return { _tag: "Accepted" };
    };
    expect(must(await ask(world, proof(bob)))._tag).toBe("Exchanged");
    const blocked = { left: { code: "InvitesBlocked" } };
    expect(meanwhile).toMatchObject([blocked, { right: { target: zoe, token: "t1" } }]);
    expect(await inviteBy("t1")).toMatchObject(blocked);
  });

  it("of a remote inviter whose server cannot be reached", async () => {
    const inside = openPending(bob);
    expect(must(await ask(inside, proof(bob)))._tag).toBe("Redeemed");
    const outside = openWorld({ resident: false });
    expect(problemOf(await ask(outside, proof(bob)))).toMatchObject({
      code: "ServerBackedOff",
      status: 503,
    });
  });

  it("in a room whose state is not complete here → the inviter's server", async () => {
    const world = openPending(bob);
    world.intercept = (call, perform) =>
      call.name === "rooms.snapshot" ? Promise.resolve({ _tag: "Incomplete" }) : perform();
    world.next.exchange.push({ _tag: "Accepted" });
    expect(must(await ask(world, proof(bob)))._tag).toBe("Exchanged");
  });

  it.each([
    ["join", "AlreadyJoined"],
    ["invite", "AlreadyInvited"],
  ])("of one whose membership is %s → %s, nobody asked", async (membership, tag) => {
    const world = openPending(bob);
    world.join(zoe, membership);
    expect(must(await ask(world, proof(bob)))).toEqual({ _tag: tag, via: ["b.example"] });
    expect(world.names()).toEqual(["rooms.snapshot"]);
  });
});

describe("a proof that is refused", () => {
  const table: readonly (readonly [string, unknown, string, number, string])[] = [
    ["another user's", proof(alice), "MxidMismatch", 403, "@yan:a.example"],
    ["nothing", undefined, "NoSigned", 403, zoe],
    ["nested in signed", { signed: proof(alice) }, "NoMxidOrToken", 403, zoe],
    ["without sender", signedBy(zoe, "t1"), "FieldMalformed", 400, zoe],
    ["with a sender that is no user", proof("alice"), "FieldMalformed", 400, zoe],
    ["without signatures", { mxid: zoe, token: "t1", sender: alice }, "NotProven", 403, zoe],
    ["with another sender than the room's", proof(bob), "TokenSenderMismatch", 403, zoe],
    ["signed by a stranger", signedBy(zoe, "t1", stranger, { sender: alice }), "NotProven", 403, zoe],
    ["with its sender changed after it was signed", { ...proof(bob), sender: alice }, "NotProven", 403, zoe],
  ];

  it.each(table)("%s", async (_, thirdPartySigned, code, status, userId) => {
    const world = openPending(alice);
    expect(problemOf(await ask(world, thirdPartySigned, userId))).toMatchObject({ code, status });
    expect(world.appended).toEqual([]);
    expect(exchanges(world)).toBe(0);
  });

  it("of one who is invited already is checked all the same", async () => {
    const world = openPending(alice);
    world.join(zoe, "invite");
    const nonsense = { ...proof(alice), signatures: { "id.example": { "ed25519:0": "AAAA" } } };
    expect(problemOf(await ask(world, nonsense))).toMatchObject({ code: "NotProven", status: 403 });
    expect(must(await ask(world, proof(alice)))._tag).toBe("AlreadyInvited");
    expect(world.names()).toEqual(["rooms.snapshot", "rooms.snapshot"]);
  });

  it.each([
    [
      "revoked",
      "InviteRevoked",
      (w: World) => {
        pend(w, "t1", { content: {} });
      },
    ],
    [
      "banned",
      "TargetBanned",
      (w: World) => {
        w.join(zoe, "ban");
      },
    ],
  ])("%s → 403", async (_, code, prepare) => {
    const world = openPending(alice);
    prepare(world);
    expect(problemOf(await ask(world, proof(alice)))).toMatchObject({ code, status: 403 });
  });

  it("of a local inviter's room that we are not in → 404", async () => {
    expect(problemOf(await ask(openWorld({ resident: false }), proof(alice)))).toMatchObject({
      code: "NotInRoom",
      status: 404,
    });
  });

  it("whose key was revoked", async () => {
    const world = openPending(alice);
    world.intercept = (call, perform) =>
      call.name === "identityServer.keyValidity"
        ? Promise.resolve({ _tag: "Validity", valid: false })
        : perform();
    expect(problemOf(await ask(world, proof(alice)))).toMatchObject({ code: "KeyRevoked", status: 403 });
  });

  it("by the inviter's server", async () => {
    const world = openWorld({ resident: false });
    world.next.exchange.push({ _tag: "Refused", status: 403, errcode: "M_FORBIDDEN", message: "No." });
    expect(problemOf(await ask(world, proof(bob)))).toMatchObject({
      code: "ExchangeRefused",
      status: 403,
      errcode: "M_FORBIDDEN",
      message: "No.",
    });
  });
});
