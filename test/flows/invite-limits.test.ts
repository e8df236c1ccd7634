import { isLeft, isRight } from "fp-ts/lib/Either.js";
import type { Config } from "matrix-third-party-invites";
import { memoryLimits } from "matrix-third-party-invites/testing";
import { describe, expect, it } from "vitest";
import { type World, type WorldOptions, openWorld } from "./ports.js";
import { address, alice, anna, bob, idServer, invite, must, problemOf, room } from "./samples.js";

const interval = 400_000;

const openLimited = (options: WorldOptions = {}): World => openWorld({ limits: memoryLimits(), ...options });

/** Buckets of two, so that little is needed. */
const openSmall = (identityServers: Config["identityServers"] = {}): World => {
  const two = { burst: 2, intervalMs: 1_000 };
  return openLimited({ config: { inviteLimits: { sender: two, address: two }, identityServers } });
};

const ask = (world: World, more: object = {}, resend = false) =>
  world.invites.invite({ roomId: room, requester: { userId: alice }, body: invite({ ...more }), resend });

const mail = (index: number) => ({ address: `guest${index}@example.org` });

const used = { code: "InviteLimit", status: 429, errcode: "M_LIMIT_EXCEEDED" };

describe("an invite by mail is charged", () => {
  it("ten at once, and then one in 400 s", async () => {
    const world = openLimited();
    for (let index = 0; index < 10; index += 1) must(await ask(world, mail(index)));
    expect(problemOf(await ask(world, mail(10)))).toMatchObject({ ...used, retryAfterMs: interval });
    world.now += interval - 1;
    expect(problemOf(await ask(world, mail(10)))).toMatchObject({ ...used, retryAfterMs: 1 });
    world.now += 1;
    must(await ask(world, mail(10)));
  });

  it("after permission and policy, and before the identity server is asked anything", async () => {
    const world = openSmall();
    must(await ask(world));
    expect(world.names().slice(0, 6)).toEqual([
      "rooms.snapshot",
      "policy.mayInvite",
      "invites.find",
      "limits.take",
      "limits.take",
      "identityServer.hashDetails",
    ]);
    for (const index of [1, 2]) await ask(world, mail(index));
    world.calls.length = 0;
    expect(problemOf(await ask(world, mail(3)))).toMatchObject(used);
    expect(world.names().filter((name) => name.startsWith("identityServer."))).toEqual([]);
  });

  it.each([
    [
      "no permission",
      (world: World) => {
        world.join(alice, "leave");
      },
    ],
    [
      "a policy that refuses",
      (world: World) =>
        void world.next.mayInvite.push({ _tag: "Refuse", status: 403, errcode: "M_FORBIDDEN" }),
    ],
  ])("%s costs nothing", async (_, prepare) => {
    const world = openSmall();
    prepare(world);
    expect(isLeft(await ask(world))).toBe(true);
    expect(world.count("limits.take")).toBe(0);
  });

  it("an identity server that may not be named costs nothing", async () => {
    const world = openSmall({ deny: [idServer] });
    expect(problemOf(await ask(world)).code).toBe("IdentityServerNotAllowed");
    expect(world.count("limits.take")).toBe(0);
  });

  it("while an answer may come, and when it is lost, nothing; asking again, one", async () => {
    const world = openSmall();
    const hour = 3_600_000;
    for (const [code, wait] of [
      ["IdentityServerUnreachable", 0],
      ["InviteInProgress", 60_000],
      ["InviteUnknown", hour],
      ["IdentityServerUnreachable", 0],
    ] as const) {
      world.next.storeInvite.push({ _tag: "Unreachable", sent: true });
      expect(problemOf(await ask(world)).code).toBe(code);
      world.now += wait;
    }
    expect(world.count("limits.take")).toBe(4);
  });

  it("an answer that is stored costs nothing, also where the room has its event emptied", async () => {
    const world = openSmall();
    world.next.append.push({ _tag: "Unavailable" });
    await ask(world);
    world.put({ type: "m.room.third_party_invite", key: "token1", sender: alice, content: {} });
    expect(must(await ask(world))).toMatchObject({ _tag: "ThirdPartyInvite", token: "token1" });
    expect([world.count("limits.take"), world.mails.length]).toEqual([2, 1]);
  });

  it("what the storage can answer costs nothing", async () => {
    const world = openSmall();
    for (let time = 0; time < 5; time += 1) must(await ask(world));
    expect(world.count("limits.take")).toBe(2);
    expect(world.mails).toHaveLength(1);
  });

  it("a resend costs one, and so does inviting anew after a revocation", async () => {
    const world = openSmall();
    must(await ask(world));
    must(await ask(world, {}, true));
    expect(problemOf(await ask(world, {}, true))).toMatchObject(used);
    world.now += 10_000;
    must(await world.invites.revokeInvite({ roomId: room, requester: { userId: alice }, body: invite() }));
    must(await ask(world));
    expect(world.mails).toHaveLength(3);
  });

  it("an address that is bound costs one", async () => {
    const world = openSmall();
    for (const index of [1, 2]) world.bound.set(`guest${index}@example.org`, index === 1 ? bob : anna);
    world.users.set(anna, {});
    for (const index of [1, 2]) must(await ask(world, mail(index)));
    expect(problemOf(await ask(world, mail(3)))).toMatchObject(used);
  });

  it("for its address too, whoever invites and into whichever room; then its sender is not charged", async () => {
    const two = { burst: 2, intervalMs: 1_000 };
    const world = openLimited({ config: { inviteLimits: { address: { ...two, burst: 1 }, sender: two } } });
    must(await ask(world));
    expect(problemOf(await ask(world, {}, true))).toMatchObject(used);
    // The second one of its sender's two is still there.
    must(await ask(world, mail(1)));
  });

  it.each([
    [
      "its event was emptied in the room, past this library",
      (world: World) => {
        world.put({
          type: "m.room.third_party_invite",
          key: `token${world.mails.length}`,
          sender: alice,
          content: {},
        });
      },
    ],
    [
      "it is revoked after the look into the storage",
      (world: World) => {
        let isRevoked = false;
        world.intercept = async ({ name }, perform) => {
          if (name !== "identityServer.lookup" || isRevoked) return perform();
          isRevoked = true;
          const command = { roomId: room, requester: { userId: alice }, body: invite() };
          must(await world.invites.revokeInvite(command));
          return perform();
        };
      },
    ],
  ])("for another mail although the storage had the invite: %s", async (_, endInvite) => {
    const world = openSmall();
    for (let time = 0; time < 2; time += 1) {
      must(await ask(world));
      endInvite(world);
    }
    expect(problemOf(await ask(world))).toMatchObject(used);
    expect(world.mails).toHaveLength(2);
  });

  it("once, although the address turns out to be bound only when it is stored", async () => {
    const world = openSmall();
    world.next.storeInvite.push({ _tag: "AlreadyBound", userId: bob });
    must(await ask(world));
    expect(world.count("limits.take")).toBe(2);
    must(await ask(world, mail(1)));
    expect(problemOf(await ask(world, mail(2)))).toMatchObject(used);
  });

  it.each([
    [
      "it is cancelled after it was charged",
      async (perform: () => unknown, stop: () => void) => {
        const answer = await perform();
        stop();
        return answer;
      },
    ],
    ["the limits fail when the address is charged", () => Promise.reject(new Error("down"))],
  ])("is given back to its sender where %s", async (_, second) => {
    const world = openSmall();
    const stop = new AbortController();
    let takes = 0;
    world.intercept = ({ name }, perform) => {
      if (name === "limits.take") takes += 1;
      return name === "limits.take" && takes === 2
        ? second(perform, () => {
            stop.abort();
          })
        : perform();
    };
    const command = { roomId: room, requester: { userId: alice }, body: invite() };
    expect(isLeft(await world.invites.invite(command, { signal: stop.signal }))).toBe(true);
    expect(world.count("identityServer.hashDetails")).toBe(0);
    expect(must(await world.invites.checkInviteLimit({ userId: alice, count: 2 }))).toEqual({ _tag: "Fits" });
  });

  it("is given back where the first request has surely not left, and only there", async () => {
    const world = openSmall();
    for (let time = 0; time < 5; time += 1) {
      world.next.hashDetails.push({ _tag: "Unreachable", sent: false });
      expect(problemOf(await ask(world)).code).toBe("IdentityServerUnreachable");
    }
    must(await ask(world));
    world.next.hashDetails.push({ _tag: "Unreachable", sent: true });
    expect(problemOf(await ask(world, mail(1))).code).toBe("IdentityServerUnreachable");
    expect(problemOf(await ask(world, mail(1)))).toMatchObject(used);
  });

  it.each(["lookup", "storeInvite"] as const)(
    "not where %s has not left: one before it has",
    async (name) => {
      const world = openSmall();
      for (let time = 0; time < 2; time += 1) {
        world.next[name].push({ _tag: "Unreachable", sent: false });
        expect(problemOf(await ask(world)).code).toBe("IdentityServerUnreachable");
      }
      expect(problemOf(await ask(world))).toMatchObject(used);
    },
  );

  it("by a key that has no address in it", async () => {
    const world = openSmall();
    must(await ask(world));
    const keys = world.calls.filter(({ name }) => name === "limits.take").map(({ args }) => args[0]);
    expect(JSON.stringify(keys)).not.toContain(address);
    expect(keys).toMatchObject([
      { key: `sender ${alice}` },
      { key: expect.stringMatching(/^address [\w-]{43}$/) as unknown },
    ]);
  });

  it("limits that fail are a failure: nobody is asked", async () => {
    const world = openSmall();
    world.intercept = ({ name }, perform) =>
      name === "limits.take" ? Promise.reject(new Error("down")) : perform();
    expect(problemOf(await ask(world))).toMatchObject({ code: "PortBroken", port: "limits.take" });
    expect(world.count("identityServer.hashDetails")).toBe(0);
  });

  it("buckets that are full again are forgotten now and then", async () => {
    const one = { burst: 1_000, intervalMs: 1 };
    const world = openLimited({ config: { inviteLimits: { sender: one, address: one } } });
    for (let index = 0; index < 500; index += 1) must(await ask(world, mail(index)));
    expect(world.count("limits.forget")).toBe(1);
  });

  it("off by choice: nothing is asked of the limits", async () => {
    const world = openWorld();
    for (let index = 0; index < 12; index += 1) must(await ask(world, mail(index)));
    expect(world.names().filter((name) => name.startsWith("limits."))).toEqual([]);
  });

  it("an invite by user ID is not", async () => {
    const world = openSmall();
    must(await world.invites.invite({ roomId: room, requester: { userId: alice }, body: { user_id: bob } }));
    expect(world.count("limits.take")).toBe(0);
  });
});

describe("inviteAll", () => {
  it("invites the first that fit, and answers 429 for the others", async () => {
    const world = openSmall();
    const entries = [1, 2, 3, 4].map((index) => invite(mail(index)));
    const command = { roomId: room, requester: { userId: alice }, invites: entries };
    const results = must(await world.invites.inviteAll(command));
    expect(results.map(isRight)).toEqual([true, true, false, false]);
    expect(results.filter(isLeft).map(({ left }) => left)).toMatchObject([used, used]);
    expect(world.mails).toEqual(["guest1@example.org", "guest2@example.org"]);
  });
});

describe("inviteAll where entries take different time", () => {
  it("invites the first that fit, whichever entry is ready first", async () => {
    const world = openSmall();
    let snapshots = 0;
    world.intercept = async ({ name }, perform) => {
      if (name === "rooms.snapshot") snapshots += 1;
      if (snapshots === 1) for (let turn = 0; turn < 100; turn += 1) await Promise.resolve();
      return perform();
    };
    const entries = [{ medium: "fax" }, ...[1, 2, 3, 4].map((index) => invite(mail(index)))];
    const command = { roomId: room, requester: { userId: alice }, invites: entries };
    const results = must(await world.invites.inviteAll(command));
    expect(results.map(isRight)).toEqual([false, true, true, false, false]);
  });

  it("asks identity servers for several at a time, as without limits", async () => {
    const world = openLimited();
    let running = 0;
    let most = 0;
    world.intercept = async ({ name }, perform) => {
      if (name !== "identityServer.storeInvite") return perform();
      running += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => setTimeout(resolve, 5));
      running -= 1;
      return perform();
    };
    const invites = [1, 2, 3, 4, 5, 6].map((index) => invite(mail(index)));
    must(await world.invites.inviteAll({ roomId: room, requester: { userId: alice }, invites }));
    expect(most).toBe(4);
  });

  it("an entry whose ports fail holds up no other", async () => {
    const world = openLimited();
    let snapshots = 0;
    world.intercept = ({ name }, perform) => {
      if (name === "rooms.snapshot") snapshots += 1;
      return snapshots === 1 && name === "rooms.snapshot" ? Promise.reject(new Error("down")) : perform();
    };
    const invites = [1, 2, 3].map((index) => invite(mail(index)));
    const results = must(
      await world.invites.inviteAll({ roomId: room, requester: { userId: alice }, invites }),
    );
    expect(results.map(isRight)).toEqual([false, true, true]);
  });
});

describe("checkInviteLimit", () => {
  it("says whether so many fit, and when they will; it takes nothing", async () => {
    const world = openLimited();
    for (let index = 0; index < 6; index += 1) must(await ask(world, mail(index)));
    const check = async (count: number) =>
      must(await world.invites.checkInviteLimit({ userId: alice, count }));
    for (let time = 0; time < 3; time += 1) expect(await check(4)).toEqual({ _tag: "Fits" });
    expect(await check(6)).toEqual({ _tag: "TooMany", free: 4, retryAfterMs: 2 * interval });
    world.now += 2 * interval;
    expect(await check(6)).toEqual({ _tag: "Fits" });
    expect(await check(0)).toEqual({ _tag: "Fits" });
  });

  it("says no time where there are more than ever fit at once", async () => {
    expect(must(await openLimited().invites.checkInviteLimit({ userId: alice, count: 11 }))).toEqual({
      _tag: "TooMany",
      free: 10,
    });
  });

  it("everything fits where limits are off", async () => {
    expect(must(await openWorld().invites.checkInviteLimit({ userId: alice, count: 1e6 }))).toEqual({
      _tag: "Fits",
    });
  });

  it.each([NaN, -1, 1.5, Infinity, "5"])("a count of %o is malformed", async (count) => {
    const command = { userId: alice, count: count as number };
    expect(problemOf(await openLimited().invites.checkInviteLimit(command))).toMatchObject({
      code: "FieldMalformed",
    });
  });
});

it("the same address at another identity server is one address", async () => {
  const one = { burst: 1, intervalMs: 1_000 };
  const world = openLimited({ config: { inviteLimits: { address: one } } });
  must(await ask(world, { id_server: idServer }));
  expect(problemOf(await ask(world, { id_server: "other.example" }))).toMatchObject(used);
});
