import type { InviteCommand } from "matrix-third-party-invites";
import { tokensOf } from "matrix-third-party-invites/decisions";
import { encodeBase64 } from "matrix-third-party-invites/matrix";
import { isRight } from "fp-ts/lib/Either.js";
import { describe, expect, it } from "vitest";
import {
  ask,
  bothMayInvite,
  bringTo,
  during,
  lifeOf,
  once,
  pendingTokens,
  redeem,
  revokeZoe,
} from "./lives.js";
import {
  type World,
  callsBeforeStoring,
  callsFromStoring,
  dieAtNth,
  failNth,
  openWorld,
  storedAnswer,
} from "./ports.js";
import {
  addressee,
  alice,
  anna,
  bob,
  codeOf,
  invite,
  longTerm,
  must,
  pendingContent,
  problemOf,
  room,
  signedBy,
  stranger,
  validityUrl,
} from "./samples.js";

const contentAt = (world: World, token: string): unknown =>
  world.stateAt("m.room.third_party_invite", token)?.content;

const minute = 60_000;

describe("one pending invite for each room, sender, identity server and address", () => {
  it("the same invite twice → one store-invite, and AlreadyPending", async () => {
    const world = openWorld();
    must(await ask(world));
    expect(must(await ask(world))).toEqual({ _tag: "AlreadyPending", token: "token1", events: [] });
    expect(must(await ask(world, { body: invite({ address: "Zoe@EXAMPLE.org" }) }))).toEqual({
      _tag: "AlreadyPending",
      token: "token1",
      events: [],
    });
    expect(world.mails).toHaveLength(1);
    expect(world.appended).toHaveLength(1);
  });

  it.each<readonly [string, Partial<InviteCommand>]>([
    ["another address", { body: invite({ address: "yan@example.org" }) }],
    ["another identity server", { body: invite({ id_server: "other.example" }) }],
    ["another sender", { requester: { userId: anna } }],
  ])("%s is another invite", async (_, more) => {
    const world = openWorld({ powerLevels: { users: { [alice]: 100, [anna]: 50 }, invite: 50 } });
    world.join(anna);
    must(await ask(world));
    expect(must(await ask(world, more))).toMatchObject({ _tag: "ThirdPartyInvite", token: "token2" });
    expect(world.mails).toHaveLength(2);
  });

  it("one that somebody emptied is asked for anew", async () => {
    const world = openWorld();
    must(await ask(world));
    world.put({ type: "m.room.third_party_invite", key: "token1", content: {} });
    expect(must(await ask(world))).toMatchObject({ _tag: "ThirdPartyInvite", token: "token2" });
    expect(contentAt(world, "token1")).toEqual({});
    expect(world.mails).toHaveLength(2);
  });

  it("one that was revoked is asked for anew", async () => {
    const world = openWorld();
    must(await ask(world));
    must(await world.invites.revokeInvite({ roomId: room, requester: { userId: alice }, token: "token1" }));
    expect(lifeOf(world)).toBe("Revoked");
    expect(must(await ask(world))).toMatchObject({ _tag: "ThirdPartyInvite", token: "token2" });
  });

  it("one that another sender overwrote is asked for anew", async () => {
    const world = openWorld();
    must(await ask(world));
    world.put({ type: "m.room.third_party_invite", key: "token1", sender: anna, content: pendingContent() });
    expect(must(await ask(world))).toMatchObject({ token: "token2" });
  });

  it.each([2, 3, 10])("%i at the same time → one mail, one event", async (many) => {
    const world = openWorld();
    const results = await Promise.all(Array.from({ length: many }, () => ask(world)));
    expect(world.mails).toHaveLength(1);
    expect(world.appended).toHaveLength(1);
    expect(results.filter(isRight)).toHaveLength(1);
    for (const result of results.filter((one) => !isRight(one)))
      expect(problemOf(result)).toMatchObject({ code: "InviteInProgress", status: 429 });
    expect(must(await ask(world))).toEqual({ _tag: "AlreadyPending", token: "token1", events: [] });
  });
});

describe("resend", () => {
  it("brings a new token, and empties the old event in the same append", async () => {
    const world = openWorld();
    must(await ask(world));
    expect(must(await ask(world, { resend: true }))).toMatchObject({
      _tag: "ThirdPartyInvite",
      token: "token2",
    });
    expect(world.count("events.append")).toBe(2);
    expect(contentAt(world, "token1")).toEqual({});
    expect(contentAt(world, "token2")).toEqual(pendingContent());
    expect(world.mails).toHaveLength(2);
    expect(must(await ask(world))).toEqual({ _tag: "AlreadyPending", token: "token2", events: [] });
  });

  it("leaves the old one pending where the identity server refused", async () => {
    const world = openWorld();
    must(await ask(world));
    world.next.storeInvite.push({ _tag: "RateLimited" });
    expect(codeOf(await ask(world, { resend: true }))).toBe("IdentityServerLimit");
    expect(must(await ask(world))).toEqual({ _tag: "AlreadyPending", token: "token1", events: [] });
    expect(contentAt(world, "token1")).toEqual(pendingContent());
  });

  it("still empties the old one when the first append of the new one fails", async () => {
    const world = openWorld();
    must(await ask(world));
    world.next.append.push({ _tag: "Unavailable" });
    expect(codeOf(await ask(world, { resend: true }))).toBe("AppendUnavailable");
    expect(must(await ask(world))).toMatchObject({ token: "token2" });
    expect([contentAt(world, "token1"), contentAt(world, "token2")]).toEqual([{}, pendingContent()]);
    expect(world.mails).toHaveLength(2);
  });

  it("does not touch an old event that somebody else has overwritten", async () => {
    const world = openWorld();
    must(await ask(world));
    world.put({ type: "m.room.third_party_invite", key: "token1", sender: anna, content: pendingContent() });
    must(await ask(world, { resend: true }));
    expect(contentAt(world, "token1")).toEqual(pendingContent());
  });

  it("empties the old event also where a crash came between its append and the note of it", async () => {
    const world = openWorld();
    // The last of the calls notes that the room has the event.
    must(await ask(openWorldThatDiesAtTheNote(world)));
    world.intercept = undefined;
    expect(lifeOf(world)).toBe("TokenStored");
    expect(must(await ask(world, { resend: true }))).toMatchObject({ token: "token2" });
    expect(contentAt(world, "token1")).toEqual({});
  });

  it("does not lose a stored token where the identity server refused to make another", async () => {
    const world = openWorld();
    world.next.append.push({ _tag: "Unavailable" });
    expect(codeOf(await ask(world))).toBe("AppendUnavailable");
    world.next.storeInvite.push({ _tag: "RateLimited" });
    expect(codeOf(await ask(world, { resend: true }))).toBe("IdentityServerLimit");
    expect(must(await ask(world))).toMatchObject({ _tag: "ThirdPartyInvite", token: "token1" });
    expect(world.mails).toHaveLength(1);
  });
});

const openWorldThatDiesAtTheNote = (world: World): World => {
  world.intercept = (call, perform) =>
    call.name === "invites.replace" && world.appended.length > 0
      ? Promise.reject(new Error("The storage is down."))
      : perform();
  return world;
};

describe("asked, and the answer lost", () => {
  it("is in progress for a while, then unknown; only resend asks again", async () => {
    const world = openWorld({ config: { askedForMs: minute } });
    world.next.storeInvite.push({ _tag: "Unreachable", sent: true, timedOut: true });
    expect(codeOf(await ask(world))).toBe("IdentityServerTimeout");
    world.now += minute - 1;
    expect(problemOf(await ask(world))).toMatchObject({
      code: "InviteInProgress",
      status: 429,
      errcode: "M_LIMIT_EXCEEDED",
      retryAfterMs: 5_000,
    });
    world.now += 1;
    expect(problemOf(await ask(world))).toMatchObject({ code: "InviteUnknown", status: 409 });
    expect(world.count("identityServer.storeInvite")).toBe(1);
    expect(must(await ask(world, { resend: true }))._tag).toBe("ThirdPartyInvite");
    expect(world.count("identityServer.storeInvite")).toBe(2);
  });

  it.each([
    ["Unreachable before anything was sent", { _tag: "Unreachable", sent: false }],
    ["Unauthorized", { _tag: "Unauthorized" }],
    ["TermsNotSigned", { _tag: "TermsNotSigned" }],
    ["RateLimited", { _tag: "RateLimited" }],
    ["400", { _tag: "Rejected", errcode: "M_UNRECOGNIZED", status: 400 }],
    ["401", { _tag: "Rejected", errcode: "M_FORBIDDEN", status: 401 }],
    ["403", { _tag: "Rejected", errcode: "M_UNAUTHORIZED", status: 403 }],
    ["404", { _tag: "Rejected", errcode: "M_NOT_FOUND", status: 404 }],
    ["413", { _tag: "Rejected", errcode: "M_TOO_LARGE", status: 413 }],
  ] as const)("%s: nothing went out, so it may be asked again", async (_, error) => {
    const world = openWorld();
    world.next.storeInvite.push(error);
    expect(codeOf(await ask(world))).not.toBe("right");
    expect(lifeOf(world)).toBe("Intended");
    expect(must(await ask(world))._tag).toBe("ThirdPartyInvite");
    expect(world.mails).toHaveLength(1);
  });

  it.each([
    ["Malformed", { _tag: "Malformed" }],
    ["400 M_UNKNOWN", { _tag: "Rejected", errcode: "M_UNKNOWN", status: 400 }],
    ...[200, 408, 409, 500, 502, 503, 504].map(
      (status) => [`${status}`, { _tag: "Rejected", errcode: "M_EMAIL_SEND_ERROR", status }] as const,
    ),
  ] as const)("%s: the mail may be out, so it is not asked again", async (_, error) => {
    const world = openWorld();
    world.next.storeInvite.push(error);
    expect(codeOf(await ask(world))).not.toBe("right");
    expect(lifeOf(world)).toBe("Asked");
    world.now += minute;
    expect(codeOf(await ask(world))).toBe("InviteUnknown");
    expect(world.count("identityServer.storeInvite")).toBe(1);
  });

  it("an adapter that does not say who has put the record: a failure of the port, and no request", async () => {
    const world = openWorld();
    world.intercept = async ({ name }, perform) => {
      const answer = await perform();
      return name === "invites.putIfAbsent" ? { ...(answer as object), isNew: undefined } : answer;
    };
    expect(problemOf(await ask(world))).toMatchObject({ code: "PortBroken", port: "invites.putIfAbsent" });
    expect(world.count("identityServer.storeInvite")).toBe(0);
  });

  it("stays unknown when a resend of it could not be sent", async () => {
    const world = openWorld();
    world.next.storeInvite.push({ _tag: "Unreachable", sent: true }, { _tag: "Unreachable", sent: false });
    expect(codeOf(await ask(world))).toBe("IdentityServerUnreachable");
    expect(codeOf(await ask(world, { resend: true }))).toBe("IdentityServerUnreachable");
    world.now += minute;
    // The mail of the first request may be out as much as before.
    expect(codeOf(await ask(world))).toBe("InviteUnknown");
    expect(world.count("identityServer.storeInvite")).toBe(2);
  });
});

/** The calls of a whole invite, in order. */
const wholeInvite = [...callsBeforeStoring, ...callsFromStoring];

const nthOf = (name: (typeof wholeInvite)[number]): number => wholeInvite.indexOf(name) + 1;

/** The record says *Asked* from this call on, and has the token from that one on. */
const [storing, answering] = [nthOf("invites.putIfAbsent"), nthOf("invites.replace")];

/** The look whether another invite has the token, without which it goes on; and the note that can be made up for. */
const dispensable = new Set([nthOf("invites.findByToken"), wholeInvite.length]);

describe("a crash at any await (field case 12)", () => {
  const times = wholeInvite.flatMap((name, index) =>
    (["before", "after"] as const).map((how) => [index + 1, name, how] as const),
  );
  /** The answer of store-invite, or that it was asked at all, is lost: only resend goes on from there. */
  const isLost = (nth: number, how: "before" | "after"): boolean =>
    (nth > storing && nth < answering) || nth === (how === "after" ? storing : answering);

  const finish = async (world: World, isLostNow: boolean): Promise<void> => {
    world.intercept = undefined;
    const asked = world.count("identityServer.storeInvite");
    if (isLostNow) {
      world.now += 2 * minute;
      expect(codeOf(await ask(world))).toBe("InviteUnknown");
      expect(world.count("identityServer.storeInvite")).toBe(asked);
      must(await ask(world, { resend: true }));
    } else {
      must(await ask(world));
      expect(world.count("identityServer.storeInvite")).toBe(1);
      expect(world.mails).toHaveLength(1);
    }
    expect(must(await ask(world))._tag).toBe("AlreadyPending");
    expect(world.appended).toHaveLength(1);
  };

  it("has these awaits", async () => {
    const world = openWorld();
    must(await ask(world));
    expect(world.names()).toEqual(wholeInvite);
  });

  it.each(times)("the process dies at call %i, %s, %s it was carried out", async (nth, name, how) => {
    const world = openWorld();
    const died = dieAtNth(world, nth, how);
    void ask(world);
    expect(await died).toBe(name);
    await finish(world, isLost(nth, how));
  });

  it.each(times)("call %i, %s, is rejected %s it was carried out", async (nth, _, how) => {
    const world = openWorld();
    failNth(world, nth, how);
    const result = await ask(world);
    if (dispensable.has(nth)) must(result);
    else expect(problemOf(result)).toMatchObject({ _tag: "PortFailure", code: "PortBroken" });
    await finish(world, !dispensable.has(nth) && isLost(nth, how));
  });

  it("an event that was appended, not noted, and emptied since is appended again, for the mail that is out", async () => {
    const world = openWorld();
    must(await ask(openWorldThatDiesAtTheNote(world)));
    world.intercept = undefined;
    world.put({ type: "m.room.third_party_invite", key: "token1", content: {} });
    expect(must(await ask(world))).toMatchObject({ _tag: "ThirdPartyInvite", token: "token1" });
    expect([world.mails.length, lifeOf(world), pendingTokens(world)]).toEqual([1, "Pending", ["token1"]]);
  });

  it("an event that was appended, not noted, and overwritten by another sender since is asked for anew", async () => {
    const world = openWorld();
    must(await ask(openWorldThatDiesAtTheNote(world)));
    world.intercept = undefined;
    world.put({ type: "m.room.third_party_invite", key: "token1", sender: anna, content: {} });
    expect(must(await ask(world))).toMatchObject({ _tag: "ThirdPartyInvite", token: "token2" });
  });

  it("a resend that dies at any await never leaves two tokens pending once it is done", async () => {
    for (let nth = 1; nth <= wholeInvite.length; nth += 1) {
      const world = openWorld();
      must(await ask(world));
      const died = dieAtNth(world, nth, "after");
      void ask(world, { resend: true });
      await died;
      world.intercept = undefined;
      world.now += 2 * minute;
      must(await ask(world, { resend: true }));
      const pending = ["token1", "token2", "token3"].filter((token) => {
        const content = contentAt(world, token);
        return content !== undefined && JSON.stringify(content) !== "{}";
      });
      expect([nth, pending.length]).toEqual([nth, 1]);
    }
  });
});

it("a resend that overtakes a slow append leaves its own token pending, and no other", async () => {
  const world = openWorld();
  world.intercept = async (call, perform) => {
    if (call.name !== "events.append") return perform();
    world.intercept = undefined;
    must(await ask(world, { resend: true }));
    return perform();
  };
  must(await ask(world));
  expect([contentAt(world, "token1"), contentAt(world, "token2")]).toEqual([{}, pendingContent()]);
  expect(must(await ask(world))).toEqual({ _tag: "AlreadyPending", token: "token2", events: [] });
});

it("a resend that overtakes another whose answer is on its way: the earlier is in progress, the later is pending", async () => {
  const world = openWorld();
  must(await ask(world));
  during(world, "identityServer.storeInvite", "after", async () => must(await ask(world, { resend: true })));
  expect(problemOf(await ask(world, { resend: true }))).toMatchObject({
    code: "InviteInProgress",
    status: 429,
  });
  expect([lifeOf(world), pendingTokens(world)]).toEqual(["Pending", ["token3"]]);
});

describe("an append whose note comes too late leaves the event pending, where it may be pending", () => {
  it("somebody else has noted the same", async () => {
    const world = openWorld();
    await bringTo["TokenStored, its note lost"](world);
    for (const result of await Promise.all([ask(world), ask(world)]))
      expect(must(result)).toEqual({ _tag: "AlreadyPending", token: "token1", events: [] });
    expect([lifeOf(world), pendingTokens(world)]).toEqual(["Pending", ["token1"]]);
  });

  it("it was redeemed", async () => {
    const world = openWorld();
    during(world, "invites.replace", "before", () => redeem(world), 2);
    must(await ask(world));
    expect([lifeOf(world), pendingTokens(world)]).toEqual(["Redeemed", ["token1"]]);
  });

  it("another mail was asked for, and no answer is there yet", async () => {
    const world = openWorld();
    during(world, "events.append", "after", async () => {
      world.next.storeInvite.push({ _tag: "Unreachable", sent: true });
      await ask(world, { resend: true });
    });
    must(await ask(world));
    expect([lifeOf(world), pendingTokens(world)]).toEqual(["Asked", ["token1"]]);
  });
});

it("a token that the identity server gives twice is no second event", async () => {
  const world = openWorld();
  must(await ask(world));
  world.next.storeInvite.push({ _tag: "Stored", answer: storedAnswer("token1") });
  expect(must(await ask(world, { resend: true }))).toEqual({
    _tag: "AlreadyPending",
    token: "token1",
    events: [],
  });
  expect(world.appended).toHaveLength(1);
});

describe("keys that the host expects of an identity server", () => {
  const pinnedTo = (...keys: readonly string[]): World =>
    openWorld({ config: { pinnedKeys: new Map([["id.example", keys]]), askedForMs: minute } });
  const standard = longTerm.publicKey;
  const urlSafe = encodeBase64(longTerm.key.publicKey, "urlsafe");

  it.each([
    ["standard", standard, "the same", standard],
    ["standard", standard, "the URL-safe one", urlSafe],
    ["URL-safe", urlSafe, "the same", urlSafe],
    ["URL-safe", urlSafe, "the standard one", standard],
  ])("one in the %s alphabet (%s); the answer writes it in %s", async (_, key, __, written) => {
    expect(standard).not.toBe(urlSafe);
    const world = pinnedTo(stranger.publicKey, key);
    const public_keys = [{ public_key: written, key_validity_url: validityUrl }];
    world.next.storeInvite.push({ _tag: "Stored", answer: storedAnswer("token9", { public_keys }) });
    expect(must(await ask(world))._tag).toBe("ThirdPartyInvite");
    // It comes into the room as the identity server wrote it.
    expect(contentAt(world, "token9")).toMatchObject({ public_key: written });
  });

  it("none of the answer's → KeyNotPinned; the mail is out, so it stays Asked, and nothing is appended", async () => {
    const world = pinnedTo(stranger.publicKey);
    expect(problemOf(await ask(world))).toMatchObject({
      code: "KeyNotPinned",
      errcode: "M_SERVER_NOT_TRUSTED",
      status: 403,
    });
    expect([lifeOf(world), world.appended, world.mails.length]).toEqual(["Asked", [], 1]);
    expect(codeOf(await ask(world))).toBe("InviteInProgress");
    world.now += minute;
    expect(codeOf(await ask(world))).toBe("InviteUnknown");
    expect(world.mails).toHaveLength(1);
  });

  it("a resend whose answer has none leaves the token before it pending", async () => {
    const world = pinnedTo(longTerm.publicKey);
    must(await ask(world));
    const public_keys = [{ public_key: stranger.publicKey, key_validity_url: validityUrl }];
    world.next.storeInvite.push({ _tag: "Stored", answer: storedAnswer("token9", { public_keys }) });
    expect(codeOf(await ask(world, { resend: true }))).toBe("KeyNotPinned");
    expect(contentAt(world, "token1")).toEqual(pendingContent());
    expect(contentAt(world, "token9")).toBeUndefined();
  });

  it("another identity server is free in its keys", async () => {
    const world = pinnedTo(stranger.publicKey);
    const other = invite({ id_server: "other.example" });
    expect(must(await ask(world, { body: other }))._tag).toBe("ThirdPartyInvite");
  });

  it("the same server in another spelling is not", async () => {
    const world = pinnedTo(stranger.publicKey);
    expect(codeOf(await ask(world, { body: invite({ id_server: "ID.Example" }) }))).toBe("KeyNotPinned");
  });
});

describe("the address is stored only where the host wants it", () => {
  it.each([true, false, undefined])("storeAddresses: %s", async (storeAddresses) => {
    const world = openWorld({ config: storeAddresses === undefined ? {} : { storeAddresses } });
    must(await ask(world, { body: invite({ address: "ZOE@example.org" }) }));
    must(await ask(world, { resend: true }));
    const [stored] = world.records.values();
    expect(stored?.value.threepid).toEqual(
      storeAddresses === true ? { medium: "email", address: "zoe@example.org" } : undefined,
    );
    if (storeAddresses !== true) expect(JSON.stringify([...world.records])).not.toContain("zoe@");
  });
});

it("inviting and revoking time and again does not let the record grow", async () => {
  const world = openWorld();
  const sizes: number[] = [];
  for (let nth = 1; nth <= 5; nth += 1) {
    must(await ask(world));
    must(await world.invites.revokeInvite({ roomId: room, requester: { userId: alice }, body: addressee() }));
    const [stored] = world.records.values();
    sizes.push(stored === undefined ? -1 : tokensOf(stored.value.life).length);
  }
  expect(sizes).toEqual([1, 1, 1, 1, 1]);
});

describe("an identity server that gives one token for an address until it is bound", () => {
  const repeats = (world: World): void => {
    world.next.storeInvite.push({ _tag: "Stored", answer: storedAnswer("token1") });
  };
  const anew = async (world: World) => {
    repeats(world);
    return ask(world);
  };

  it.each(["Revoked", "Expired"] as const)(
    "%s: the invite is made anew, under the same token",
    async (place) => {
      const world = openWorld();
      await bringTo[place](world);
      expect(pendingTokens(world)).toEqual([]);
      expect(must(await anew(world))).toMatchObject({ _tag: "ThirdPartyInvite", token: "token1" });
      expect([lifeOf(world), contentAt(world, "token1")]).toEqual(["Pending", pendingContent()]);
      expect(must(await ask(world))).toEqual({ _tag: "AlreadyPending", token: "token1", events: [] });
      // It can be revoked again, and redeemed.
      must(await revokeZoe(world));
      expect(pendingTokens(world)).toEqual([]);
      must(await anew(world));
      expect(await redeem(world)).toBe(true);
      expect(lifeOf(world)).toBe("Redeemed");
    },
  );

  it("emptied by somebody else, past us", async () => {
    const world = openWorld();
    must(await ask(world));
    world.put({ type: "m.room.third_party_invite", key: "token1", content: {} });
    expect(must(await anew(world))).toMatchObject({ _tag: "ThirdPartyInvite", token: "token1" });
  });

  it("a token that others have appended and replaced meanwhile is not written anew", async () => {
    const world = openWorld();
    once(world, "events.append", async () => {
      must(await ask(world));
      must(await ask(world, { resend: true }));
      return { _tag: "Conflict" };
    });
    expect(codeOf(await ask(world))).toBe("TokenTaken");
    expect([lifeOf(world), pendingTokens(world)]).toEqual(["Pending", ["token2"]]);
  });

  it.each(["before", "after"] as const)("a crash %s it is appended: no second mail", async (how) => {
    const world = openWorld();
    await bringTo.Revoked(world);
    repeats(world);
    once(world, "events.append", async (perform) => {
      if (how === "after") await perform();
      throw new Error("The process dies.");
    });
    expect(codeOf(await ask(world))).toBe("PortBroken");
    must(await ask(world));
    expect([world.count("identityServer.storeInvite"), pendingTokens(world)]).toEqual([2, ["token1"]]);
  });

  it("another inviter is told that somebody has invited them already", async () => {
    const world = openWorld(bothMayInvite);
    world.join(anna);
    must(await ask(world));
    for (const prepare of [() => Promise.resolve(), () => revokeZoe(world)]) {
      await prepare();
      repeats(world);
      world.now += 4 * 60 * minute;
      expect(problemOf(await ask(world, { requester: { userId: anna } }))).toMatchObject({
        code: "InvitedAlready",
        errcode: "M_UNKNOWN",
        status: 409,
      });
    }
    expect(world.appended.every(({ sender }) => sender === alice)).toBe(true);
  });

  it("a token that was redeemed is not given to the next invite: its user could use the same proof again", async () => {
    const world = openWorld();
    await bringTo.Redeemed(world);
    world.join(bob, "leave");
    must(await world.invites.cleanUpInvites({ roomId: room }));
    expect(pendingTokens(world)).toEqual([]);
    expect(codeOf(await anew(world))).toBe("TokenTaken");
    expect(pendingTokens(world)).toEqual([]);
  });
});

it("a token of another's invite is none of ours: an identity server that gives it again", async () => {
  const world = openWorld({ powerLevels: { users: { [alice]: 100, [anna]: 50 }, invite: 50 } });
  world.join(anna);
  must(await ask(world, { details: { reason: "Alice says so" } }));
  world.next.storeInvite.push({ _tag: "Stored", answer: storedAnswer("token1") });
  const hers = { requester: { userId: anna }, details: { reason: "Anna says so" } };
  expect(codeOf(await ask(world, { ...hers, body: invite({ id_server: "other.example" }) }))).toBe(
    "InvitedAlready",
  );
  // Whichever of the two is found first, Alice's event has Alice's words, and it is her invite that is redeemed.
  for (const turned of [false, true]) {
    const records = [...world.records].sort(() => (turned ? -1 : 1));
    world.records.clear();
    for (const [key, stored] of records) world.records.set(key, stored);
    world.appended.length = 0;
    world.join(bob, "leave");
    must(
      await world.invites.redeemThirdPartySigned({
        roomId: room,
        requester: { userId: bob },
        thirdPartySigned: signedBy(bob, "token1", undefined, { sender: alice }),
      }),
    );
    expect(world.appended).toMatchObject([{ sender: alice, content: { reason: "Alice says so" } }]);
    const lives = [...world.records.values()].map(({ value }) => [value.sender, value.life._tag]);
    expect(lives.sort()).toEqual([
      [alice, "Redeemed"],
      [anna, "Asked"],
    ]);
  }
});

describe("an invite whose answer was lost", () => {
  const hour = 3_600_000;
  const lose = (world: World): void => {
    world.next.storeInvite.push({ _tag: "Unreachable", sent: true });
  };

  it("may be asked for again by an ordinary request after 1 h, 2 h and 4 h, and then only by resend", async () => {
    const world = openWorld();
    lose(world);
    await ask(world);
    for (const wait of [hour, 2 * hour, 4 * hour]) {
      world.now += 60_000;
      expect(problemOf(await ask(world))).toMatchObject({
        code: "InviteUnknown",
        retryAfterMs: wait - 60_000,
      });
      world.now += wait - 60_001;
      expect(codeOf(await ask(world))).toBe("InviteUnknown");
      world.now += 1;
      lose(world);
      expect(codeOf(await ask(world))).toBe("IdentityServerUnreachable");
    }
    expect(world.count("identityServer.storeInvite")).toBe(4);
    world.now += 1_000 * hour;
    const refused = problemOf(await ask(world));
    expect(refused.code).toBe("InviteUnknown");
    expect(refused).not.toHaveProperty("retryAfterMs");
    must(await ask(world, { resend: true }));
  });

  it("once it is answered is pending, as any other", async () => {
    const world = openWorld();
    lose(world);
    await ask(world);
    world.now += hour;
    expect(must(await ask(world))._tag).toBe("ThirdPartyInvite");
    expect(must(await ask(world))._tag).toBe("AlreadyPending");
  });

  it("that a clock has stored which was a year ahead is not in progress for a year", async () => {
    const world = openWorld();
    world.now += 365 * 24 * hour;
    lose(world);
    await ask(world);
    world.now -= 365 * 24 * hour;
    expect(must(await ask(world))._tag).toBe("ThirdPartyInvite");
  });
});
