import type { JsonObject } from "matrix-third-party-invites/ports";
import { describe, expect, it } from "vitest";
import { type World, openWorld, pend } from "./ports.js";
import { bob, longTerm, must, problemOf, room, signedBy, stranger, urlFor, validityUrl } from "./samples.js";

const inviteBob = (world: World, signed: JsonObject = signedBy(bob, "t1")): void => {
  world.put({
    type: "m.room.member",
    key: bob,
    content: { membership: "invite", third_party_invite: { display_name: "z", signed } },
  });
};

const openInvited = (): World => {
  const world = openWorld();
  pend(world, "t1");
  inviteBob(world);
  return world;
};

const ask = (world: World, serverInRoom = false) =>
  world.invites.checkFirstJoin({ roomId: room, userId: bob, serverInRoom });

it("a first join by a third-party invite → the key is asked after", async () => {
  const world = openInvited();
  expect(must(await ask(world))).toBe("CheckKeys");
  const asked = world.calls.filter(({ name }) => name === "identityServer.keyValidity");
  expect(asked.map(({ args }) => args[0])).toEqual([urlFor(validityUrl, longTerm.publicKey)]);
});

it.each([
  ["revoked", { _tag: "Validity", valid: false }, "KeyRevoked", 403],
  ["unknown now", { _tag: "Unreachable", sent: false }, "KeyValidityUnknown", 400],
] as const)("a key that is %s", async (_, answer, code, status) => {
  const world = openInvited();
  world.validity.set(urlFor(validityUrl, longTerm.publicKey), answer);
  expect(problemOf(await ask(world))).toMatchObject({ code, status });
});

it("without the whole state nobody knows: the joining server asks another", async () => {
  const world = openInvited();
  world.intercept = ({ name }, perform) =>
    name === "rooms.snapshot" ? Promise.resolve({ _tag: "Incomplete" }) : perform();
  expect(problemOf(await ask(world))).toMatchObject({
    code: "RoomIncomplete",
    status: 400,
    errcode: "M_UNABLE_TO_AUTHORISE_JOIN",
  });
});

describe("nothing to check", () => {
  it("where the server is in the room already, and then nobody is asked anything", async () => {
    const world = openInvited();
    expect(must(await ask(world, true))).toBe("NothingToCheck");
    expect(world.calls).toEqual([]);
  });

  it.each([
    [
      "the invite is an ordinary one",
      (w: World) => {
        w.join(bob, "invite");
      },
    ],
    [
      "there is no member event",
      (w: World) => w.rooms.get(room)?.state.delete(JSON.stringify(["m.room.member", bob])),
    ],
    [
      "the user is joined",
      (w: World) => {
        w.join(bob);
      },
    ],
    [
      "the token has been emptied since",
      (w: World) => {
        pend(w, "t1", { content: {} });
      },
    ],
    [
      "the token is not there",
      (w: World) => {
        inviteBob(w, signedBy(bob, "t2"));
      },
    ],
    [
      "the token's event has been replaced by one with other keys",
      (w: World) => {
        pend(w, "t1", { content: { public_key: stranger.publicKey } });
      },
    ],
    [
      "third_party_invite is malformed",
      (w: World) => {
        inviteBob(w, { token: 7 });
      },
    ],
  ])("where %s", async (_, prepare) => {
    const world = openInvited();
    prepare(world);
    expect(must(await ask(world))).toBe("NothingToCheck");
    expect(world.count("identityServer.keyValidity")).toBe(0);
  });
});

it.each([
  ["a room that we are not in", openWorld({ resident: false }), "NotInRoom", 404],
  ["a room of an unknown version", openWorld({ version: "99" }), "RoomVersionUnknown", 400],
])("%s", async (_, world, code, status) => {
  expect(problemOf(await ask(world))).toMatchObject({ code, status });
});

it("more pairs than the budget are refused, not waved through", async () => {
  const world = openWorld({ config: { maxPairs: 1 } });
  pend(world, "t1");
  inviteBob(world);
  expect(problemOf(await ask(world)).code).toBe("TooManyPairs");
});
