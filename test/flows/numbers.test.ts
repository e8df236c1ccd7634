import { type Config, type FlowName, createThirdPartyInvites } from "matrix-third-party-invites";
import { describe, expect, it } from "vitest";
import { bringTo, lifeOf } from "./lives.js";
import { openWorld, pend, waitingIn } from "./ports.js";
import { alice, anna, bob, codeOf, must, problemOf, room, signedBy } from "./samples.js";

const fields: readonly (keyof Config)[] = [
  "maxPairs",
  "maxOnBindEntries",
  "askedForMs",
  "redemptionAgeMs",
  "leaseMs",
  "maxInFlight",
];

/** The least that a number may be, where it is not 0. */
const leastOf = (field: keyof Config): number => (field === "leaseMs" || field === "maxInFlight" ? 1 : 0);

/** What a host in JavaScript, or a file, may hold where a number should be. */
const noNumbers = [NaN, Infinity, -1, 1.5, "5", null, 5n];

const flows: readonly FlowName[] = [
  "deliverOwed",
  "receiveOnBind",
  "receiveExchange",
  "receiveInboundInvite",
  "invite",
  "redeemThirdPartySigned",
  "checkFirstJoin",
];

describe("a number of the configuration that is none", () => {
  it.each(fields.flatMap((field) => noNumbers.map((value) => [field, value] as const)))(
    "%s: %s → the constructor throws a TypeError, and no port is asked",
    (field, value) => {
      const world = openWorld({ config: { [field]: value } });
      const least = leastOf(field);
      const error = new TypeError(`config.${field} must be a whole number, ${least} or more.`);
      expect(() => world.invites).toThrow(error);
      for (const flow of flows) expect(() => createThirdPartyInvites(world.ports, [flow])).toThrow(error);
      expect(world.calls).toEqual([]);
    },
  );

  it.each(fields)("%s may be its least, and undefined is the default", async (field) => {
    for (const value of [leastOf(field), undefined]) {
      const world = openWorld({ config: { [field]: value } });
      must(await world.invites.deliverOwed());
    }
  });

  it("a lease of no time is none", () => {
    expect(() => openWorld({ config: { leaseMs: 0 } }).invites).toThrow(TypeError);
  });
});

describe("the limit of deliverOwed", () => {
  it.each([NaN, -1, "5", null])("%s is a malformed field, and nothing is leased", async (value) => {
    const world = openWorld();
    const limit = value as number;
    expect(problemOf(await world.invites.deliverOwed({ limit }))).toMatchObject({
      code: "FieldMalformed",
      message: expect.stringContaining("limit") as string,
    });
    expect(world.calls).toEqual([]);
  });

  it.each([0, 0.5, 5, Infinity])("%s is one", async (limit) => {
    must(await openWorld().invites.deliverOwed({ limit }));
  });
});

describe("the age of expireInvites", () => {
  it.each([NaN, -1, "", "old", null, undefined])(
    "%o is a malformed field, and ends nothing",
    async (value) => {
      const world = openWorld();
      await bringTo.Pending(world);
      const olderThanMs = value as number;
      expect(problemOf(await world.invites.expireInvites({ roomId: room, olderThanMs }))).toMatchObject({
        code: "FieldMalformed",
        message: expect.stringContaining("olderThanMs") as string,
      });
      expect(lifeOf(world)).toBe("Pending");
    },
  );

  it("Infinity ends nothing", async () => {
    const world = openWorld();
    await bringTo.Pending(world);
    const command = { roomId: room, olderThanMs: Infinity };
    expect(must(await world.invites.expireInvites(command)).emptied).toEqual([]);
    expect(lifeOf(world)).toBe("Pending");
  });
});

describe("a wait that another server asks for", () => {
  it.each([NaN, Infinity, -Infinity])("of %s ms is none: the proof is tried again", async (retryAfterMs) => {
    const world = openWorld({ resident: false });
    world.users.set(anna, {});
    const body = {
      mxid: anna,
      invites: [{ mxid: anna, room_id: room, sender: bob, signed: signedBy(anna, "t1") }],
    };
    must(await world.invites.receiveOnBind({ body }));
    world.next.exchange.push({ _tag: "Unreachable", retryAfterMs });
    expect(must(await world.invites.deliverOwed())).toMatchObject({ again: 1 });
    const [row] = waitingIn(world);
    expect(row?.dueAt).toBeGreaterThan(world.now);
    expect(row?.dueAt).toBeLessThan(world.now + 3_600_000);
  });
});

describe("a signed that no event can hold", () => {
  const large = signedBy(anna, "t1", undefined, { sender: bob, more: "x".repeat(70_000) });

  it("of an onbind is refused, and not stored; the others are", async () => {
    const world = openWorld();
    world.users.set(anna, {});
    const entry = (signed: object) => ({ mxid: anna, room_id: room, sender: bob, signed });
    const body = { mxid: anna, invites: [entry(large), entry(signedBy(anna, "t2"))] };
    const { accepted, refused } = must(await world.invites.receiveOnBind({ body }));
    expect([accepted, refused.map(({ index, refusal }) => [index, refusal.code])]).toEqual([
      1,
      [[0, "SignedTooLarge"]],
    ]);
    expect(world.rows().map(({ token }) => token)).toEqual(["t2"]);
  });

  it("of a join is refused, and nobody is asked", async () => {
    const world = openWorld();
    pend(world, "t1", { sender: bob });
    const command = { roomId: room, requester: { userId: anna }, thirdPartySigned: large };
    expect(codeOf(await world.invites.redeemThirdPartySigned(command))).toBe("SignedTooLarge");
    expect(world.calls).toEqual([]);
  });

  it("of an exchange is refused, and nobody is asked", async () => {
    const world = openWorld();
    const signed = signedBy(bob, "t1", undefined, { more: "x".repeat(70_000) });
    const body = {
      type: "m.room.member",
      room_id: room,
      sender: alice,
      state_key: bob,
      content: { membership: "invite", third_party_invite: { signed } },
    };
    const result = await world.invites.receiveExchange({ roomId: room, origin: "b.example", body });
    expect(codeOf(result)).toBe("SignedTooLarge");
    expect(world.calls).toEqual([]);
  });
});
