import {
  type Committed,
  type FlowResult,
  type InviteCommand,
  type InviteOutcome,
  createThirdPartyInvites,
  matrixError,
} from "matrix-third-party-invites";
import { lookupHash } from "matrix-third-party-invites/matrix";
import type { IdentityServerError, JsonObject } from "matrix-third-party-invites/ports";
import { nodeCrypto } from "matrix-third-party-invites/node";
import { describe, expect, it } from "vitest";
import { type World, callsBeforeStoring, callsFromStoring, openWorld, pend, storedAnswer } from "./ports.js";
import {
  address,
  alice,
  anna,
  bob,
  codeOf,
  invite,
  must,
  pendingContent,
  problemOf,
  room,
  threepid,
} from "./samples.js";

const ask = (
  world: World,
  more: Partial<InviteCommand> = {},
  signal?: AbortSignal,
): FlowResult<Committed<InviteOutcome>> =>
  world.invites.invite(
    { roomId: room, requester: { userId: alice }, body: invite(), ...more },
    signal === undefined ? {} : { signal },
  );

const identityServerCalls = (world: World): readonly string[] =>
  world.names().filter((name) => name.startsWith("identityServer."));

describe("nobody is behind the address", () => {
  it("stores a token and appends the event that carries it", async () => {
    const world = openWorld();
    const outcome = must(await ask(world));
    const event = {
      type: "m.room.third_party_invite",
      room_id: room,
      sender: alice,
      state_key: "token1",
      content: pendingContent(),
    };
    expect(outcome).toMatchObject({ _tag: "ThirdPartyInvite", token: "token1", events: [event] });
    expect(outcome.eventIds).toHaveLength(1);
    expect(world.appended).toEqual([event]);
    expect(world.mails).toEqual([address]);
    expect(world.observed).toEqual([{ _tag: "InvitePending", roomId: room, sender: alice }]);
    expect([...world.records.values()].map(({ value }) => value.life._tag)).toEqual(["Pending"]);
  });

  it("tells store-invite what the room and the sender's profile show, and no more", async () => {
    const world = openWorld({ createContent: { type: "m.space" } });
    world.put({ type: "m.room.canonical_alias", content: { alias: "#garden:a.example" } });
    world.put({ type: "m.room.avatar", content: { url: "mxc://a.example/tree" } });
    world.put({ type: "m.room.join_rules", content: { join_rule: "invite" } });
    must(await ask(world));
    expect(world.calls.find(({ name }) => name === "identityServer.storeInvite")?.args[0]).toEqual({
      idServer: "id.example",
      accessToken: "secret-token",
      invite: {
        medium: "email",
        address,
        room_id: room,
        sender: alice,
        room_alias: "#garden:a.example",
        room_avatar_url: "mxc://a.example/tree",
        room_join_rules: "invite",
        room_name: "The garden",
        room_type: "m.space",
        sender_display_name: "Alice",
      },
    });
  });

  it.each(["1", "5", "10", "11", "12"])("works in a room of version %s", async (version) => {
    const world = openWorld({
      version,
      powerLevels: version === "12" ? { invite: 50 } : { users: { [alice]: 100 }, invite: 50 },
    });
    expect(must(await ask(world))).toMatchObject({ _tag: "ThirdPartyInvite", token: "token1" });
  });

  it("keeps a careless display_name out of the room (field case 21)", async () => {
    for (const displayName of [address, `Zoe <${address.toUpperCase()}>`, "zoe at example.org", 7, ""]) {
      const world = openWorld();
      world.next.storeInvite.push({
        _tag: "Stored",
        answer: storedAnswer("t", { display_name: displayName }),
      });
      must(await ask(world));
      expect(world.appended[0]?.content["display_name"]).toBe("zo...@ex...");
    }
  });
});

describe("the sender that the mail shows", () => {
  interface Names {
    readonly name?: string;
    readonly avatar?: string;
  }
  const inMember = ({ name, avatar }: Names): JsonObject => ({
    membership: "join",
    ...(name === undefined ? {} : { displayname: name }),
    ...(avatar === undefined ? {} : { avatar_url: avatar }),
  });
  const inProfile = ({ name, avatar }: Names) => ({
    profile: {
      ...(name === undefined ? {} : { displayname: name }),
      ...(avatar === undefined ? {} : { avatarUrl: avatar }),
    },
  });
  const [here, there] = ["mxc://a.example/room", "mxc://a.example/profile"];
  const ofRoom = "Alice of the room";
  const ofProfile = "Alice";

  it.each<readonly [string, Names, Names | undefined, Names, readonly string[]]>([
    [
      "name and avatar of the room, and nobody is asked",
      { name: ofRoom, avatar: here },
      { name: ofProfile, avatar: there },
      { name: ofRoom, avatar: here },
      [],
    ],
    ["only a name in the room", { name: ofRoom }, { name: ofProfile, avatar: there }, { name: ofRoom }, []],
    [
      "name and avatar of the profile",
      {},
      { name: ofProfile, avatar: there },
      { name: ofProfile, avatar: there },
      [alice],
    ],
    [
      "the avatar of the room, the name of the profile",
      { avatar: here },
      { name: ofProfile, avatar: there },
      { name: ofProfile, avatar: here },
      [alice],
    ],
    ["an empty name in the room is none", { name: "" }, { name: ofProfile }, { name: ofProfile }, [alice]],
    [
      "an avatar that is no mxc URL is none",
      { name: ofRoom, avatar: "https://a.example/" },
      {},
      { name: ofRoom },
      [],
    ],
    ["no name anywhere: the user ID", {}, {}, { name: alice }, [alice]],
    ["no account: the user ID", {}, undefined, { name: alice }, [alice]],
  ])("%s", async (_, member, user, shown, asked) => {
    const world = openWorld();
    world.put({ type: "m.room.member", key: alice, content: inMember(member) });
    if (user === undefined) world.users.delete(alice);
    else world.users.set(alice, inProfile(user));
    must(await ask(world));
    const asks = world.calls
      .filter(({ name }) => name === "users.find")
      .map(({ args: [question] }) => question);
    expect(asks).toEqual(asked.map((userId) => ({ userId })));
    const request = world.calls.find(({ name }) => name === "identityServer.storeInvite")?.args[0];
    const { invite: body } = request as { readonly invite: JsonObject };
    expect([body["sender_display_name"], body["sender_avatar_url"]]).toEqual([shown.name, shown.avatar]);
  });
});

describe("somebody is behind the address", () => {
  it("invites them in the ordinary way, with their profile", async () => {
    const world = openWorld();
    world.bound.set(address, bob);
    world.users.set(bob, { profile: { displayname: "Bob", avatarUrl: "mxc://b.example/bob" } });
    const outcome = must(await ask(world, { details: { isDirect: true, reason: "Tea?" } }));
    const content = {
      membership: "invite",
      displayname: "Bob",
      avatar_url: "mxc://b.example/bob",
      is_direct: true,
      reason: "Tea?",
    };
    expect(outcome._tag).toBe("Invite");
    expect(world.appended).toEqual([
      { type: "m.room.member", room_id: room, sender: alice, state_key: bob, content },
    ]);
    expect(world.count("identityServer.storeInvite")).toBe(0);
    expect(world.observed).toEqual([{ _tag: "InviteMade", roomId: room, sender: alice, target: bob }]);
  });

  it("hashes a mixed-case address in its canonical form (field case 8)", async () => {
    const world = openWorld();
    world.bound.set("strauss@example.org", bob);
    expect(must(await ask(world, { body: invite({ address: "StrauSS@Example.ORG" }) }))._tag).toBe("Invite");
    expect(must(await ask(world, { body: invite({ address: "Strauß@Example.ORG" }) }))._tag).toBe(
      "AlreadyInvited",
    );
    expect(world.calls.find(({ name }) => name === "identityServer.lookup")?.args[0]).toEqual({
      idServer: "id.example",
      accessToken: "secret-token",
      algorithm: "sha256",
      pepper: "matrixrocks",
      addresses: [lookupHash(nodeCrypto, threepid("email", "strauss@example.org"), "matrixrocks")],
    });
  });

  it("finds a bound phone number as well", async () => {
    const world = openWorld();
    const phone = { medium: "msisdn", address: "+18005552067" };
    const asked = lookupHash(nodeCrypto, threepid("msisdn", "18005552067"), "matrixrocks");
    world.next.lookup.push({ _tag: "Mappings", userIds: new Map([[asked, bob]]) });
    expect(must(await ask(world, { body: invite(phone) }))._tag).toBe("Invite");
  });

  it("leaves one who is invited already as they are", async () => {
    const world = openWorld();
    world.bound.set(address, bob);
    world.join(bob, "invite");
    expect(must(await ask(world))).toEqual({ _tag: "AlreadyInvited", userId: bob, events: [] });
    expect(world.appended).toEqual([]);
  });

  it.each([
    [
      "joined",
      "TargetJoined",
      (world: World) => {
        world.join(bob);
      },
    ],
    [
      "banned",
      "TargetBanned",
      (world: World) => {
        world.join(bob, "ban");
      },
    ],
    ["of a server that the room keeps out", "TargetNotFederated", () => undefined],
  ])("refuses one who is %s", async (_, code, prepare) => {
    const world = openWorld(code === "TargetNotFederated" ? { createContent: { "m.federate": false } } : {});
    world.bound.set(address, bob);
    prepare(world);
    expect(problemOf(await ask(world))).toMatchObject({ code, status: 403, errcode: "M_FORBIDDEN" });
    expect(world.appended).toEqual([]);
  });

  it("refuses a binding to a user of ours who does not exist, or who blocks invites", async () => {
    const world = openWorld();
    world.bound.set(address, anna);
    expect(problemOf(await ask(world))).toMatchObject({ code: "UserUnknown", status: 404 });
    world.users.set(anna, { blocksInvites: true });
    expect(problemOf(await ask(world))).toMatchObject({
      code: "InvitesBlocked",
      errcode: "M_INVITE_BLOCKED",
    });
  });

  it("does not believe a mapping that names no user", async () => {
    const world = openWorld();
    world.bound.set(address, "bob");
    expect(codeOf(await ask(world))).toBe("IdentityServerMalformed");
    expect(world.count("identityServer.storeInvite")).toBe(0);
  });
});

describe("no side effect before permission (field case 11)", () => {
  const nobody = "@nobody:a.example";
  const cases: readonly (readonly [
    string,
    string,
    number,
    Partial<InviteCommand>,
    (world: World) => void,
  ])[] = [
    [
      "a member without the power",
      "PowerTooLow",
      403,
      { requester: { userId: anna } },
      (w) => {
        w.join(anna);
      },
    ],
    ["a non-member", "SenderNotJoined", 403, { requester: { userId: nobody } }, () => undefined],
    [
      "one who left",
      "SenderNotJoined",
      403,
      {},
      (w) => {
        w.join(alice, "leave");
      },
    ],
    ["a guest", "GuestForbidden", 403, { requester: { userId: alice, isGuest: true } }, () => undefined],
    [
      "a suspended user",
      "RequesterSuspended",
      403,
      { requester: { userId: alice, isSuspended: true } },
      () => undefined,
    ],
    ["a room we are not in", "SenderNotJoined", 403, { roomId: "!elsewhere" }, () => undefined],
    ["no room ID", "FieldMalformed", 400, { roomId: "#garden:a.example" }, () => undefined],
    ["no user ID", "FieldMalformed", 400, { requester: { userId: "alice" } }, () => undefined],
    ["no requester", "FieldMalformed", 400, { requester: undefined as never }, () => undefined],
  ];

  it.each(cases)("%s: %s", async (_, code, status, command, prepare) => {
    const world = openWorld();
    prepare(world);
    expect(problemOf(await ask(world, command))).toMatchObject({ code, status });
    expect(identityServerCalls(world)).toEqual([]);
    expect(world.count("policy.mayInvite")).toBe(0);
    expect(world.records.size + world.appended.length).toBe(0);
  });

  it("a room whose version nobody knows", async () => {
    const world = openWorld({ version: "org.example.99" });
    expect(problemOf(await ask(world))).toMatchObject({ code: "RoomVersionUnknown", status: 400 });
    expect(identityServerCalls(world)).toEqual([]);
  });

  it("passes on what the policy refuses with", async () => {
    const world = openWorld();
    world.next.mayInvite.push({
      _tag: "Refuse",
      errcode: "M_LIMIT_EXCEEDED",
      status: 429,
      message: "Slowly.",
      retryAfterMs: 900,
    });
    expect(problemOf(await ask(world))).toEqual({
      _tag: "Refusal",
      code: "PolicyRefused",
      errcode: "M_LIMIT_EXCEEDED",
      status: 429,
      message: "Slowly.",
      retryAfterMs: 900,
    });
    expect(identityServerCalls(world)).toEqual([]);
  });

  it("takes a policy that fails for a no", async () => {
    const world = openWorld();
    world.intercept = (call, perform) =>
      call.name === "policy.mayInvite" ? Promise.reject(new Error("down")) : perform();
    expect(problemOf(await ask(world))).toMatchObject({
      _tag: "PortFailure",
      code: "PortBroken",
      status: 500,
    });
    expect(identityServerCalls(world)).toEqual([]);
  });

  it("does without a policy", async () => {
    const { policy: _, ...ports } = openWorld().ports;
    const result = await createThirdPartyInvites(ports).invite({
      roomId: room,
      requester: { userId: alice },
      body: invite(),
    });
    expect(must(result)._tag).toBe("ThirdPartyInvite");
  });
});

describe("the lookup", () => {
  it("is repeated once with the new pepper (field case 9)", async () => {
    const world = openWorld();
    world.bound.set(address, bob);
    world.next.lookup.push({ _tag: "InvalidPepper" });
    expect(must(await ask(world))._tag).toBe("Invite");
    expect(world.count("identityServer.hashDetails")).toBe(2);
    expect(world.count("identityServer.lookup")).toBe(2);
  });

  it("is given up when the second pepper is rejected too", async () => {
    const world = openWorld();
    world.next.lookup.push({ _tag: "InvalidPepper" }, { _tag: "InvalidPepper" });
    expect(problemOf(await ask(world))).toMatchObject({ code: "PepperRotating", status: 424 });
    expect(world.count("identityServer.lookup")).toBe(2);
    expect(world.count("identityServer.storeInvite")).toBe(0);
  });

  it("is made in clear only where the host allows it", async () => {
    for (const [allowClearLookup, code] of [
      [false, "LookupAlgorithm"],
      [true, "right"],
    ] as const) {
      const world = openWorld({ config: { allowClearLookup } });
      world.next.hashDetails.push({ _tag: "HashDetails", pepper: "p", algorithms: ["none"] });
      expect(codeOf(await ask(world))).toBe(code);
    }
  });
});

describe("each error of an identity server", () => {
  const errors: readonly (readonly [IdentityServerError, string, number, string])[] = [
    [{ _tag: "Unauthorized" }, "IdentityServerUnauthorized", 403, "M_UNAUTHORIZED"],
    [{ _tag: "TermsNotSigned" }, "IdentityServerTerms", 403, "M_TERMS_NOT_SIGNED"],
    [{ _tag: "RateLimited", retryAfterMs: 5 }, "IdentityServerLimit", 429, "M_LIMIT_EXCEEDED"],
    [{ _tag: "Rejected", errcode: "M_UNKNOWN", status: 500 }, "IdentityServerRefused", 424, "M_BAD_STATUS"],
    [
      { _tag: "Rejected", errcode: "M_INVALID_EMAIL", status: 400 },
      "IdentityServerRefused",
      424,
      "M_INVALID_EMAIL",
    ],
    [
      { _tag: "Rejected", errcode: "M_EMAIL_SEND_ERROR", status: 500 },
      "IdentityServerRefused",
      424,
      "M_EMAIL_SEND_ERROR",
    ],
    [{ _tag: "Malformed" }, "IdentityServerMalformed", 424, "M_BAD_STATUS"],
    [{ _tag: "Unreachable", sent: false }, "IdentityServerUnreachable", 424, "M_CONNECTION_FAILED"],
    [{ _tag: "Unreachable", sent: true }, "IdentityServerUnreachable", 424, "M_CONNECTION_FAILED"],
    [
      { _tag: "Unreachable", sent: true, timedOut: true },
      "IdentityServerTimeout",
      424,
      "M_CONNECTION_TIMEOUT",
    ],
  ];
  const methods = ["hashDetails", "lookup", "storeInvite"] as const;
  const table = methods.flatMap((method) => errors.map((row) => [method, ...row] as const));

  it.each(table)("%s: %o → %s", async (method, error, code, status, errcode) => {
    const world = openWorld();
    world.next[method].push(error);
    const problem = problemOf(await ask(world));
    expect(problem).toMatchObject({ _tag: "PortFailure", code, status, errcode });
    expect(problem.retryAfterMs).toBe(error._tag === "RateLimited" ? 5 : undefined);
    expect(world.appended).toEqual([]);
    // A lookup that failed is not "nobody is bound".
    expect(world.count("identityServer.storeInvite")).toBe(method === "storeInvite" ? 1 : 0);
    expect(problem).toMatchObject({ idServer: "id.example" });
    expect(world.observed).toEqual([{ _tag: "PortFailed", code, flow: "invite", idServer: "id.example" }]);
  });

  it.each(methods)(
    "%s: why nobody was reached is the failure's cause, which the observer is told and nobody else",
    async (method) => {
      const world = openWorld();
      const cause = new Error("connect ECONNREFUSED 192.0.2.1:443");
      world.next[method].push({ _tag: "Unreachable", sent: false, cause });
      const problem = problemOf(await ask(world));
      expect("cause" in problem && problem.cause).toMatchObject({ name: "Error", message: cause.message });
      expect(world.observed).toMatchObject([{ cause: { message: cause.message }, idServer: "id.example" }]);
      for (const shown of [problem.message, matrixError(problem)])
        expect(JSON.stringify(shown)).not.toContain("192.0.2.1");
    },
  );

  it("M_THREEPID_IN_USE after a negative lookup → the ordinary invite (field case 10)", async () => {
    const world = openWorld();
    world.next.storeInvite.push({ _tag: "AlreadyBound", userId: bob });
    expect(must(await ask(world))._tag).toBe("Invite");
    expect(world.appended.map(({ state_key }) => state_key)).toEqual([bob]);
    expect(world.count("policy.mayInvite")).toBe(2);
    expect(world.count("identityServer.storeInvite")).toBe(1);
  });

  it.each([undefined, null, 7, "", "bob", { mxid: bob }])(
    "in use, naming %o as the user: one more lookup, then the ordinary invite",
    async (userId) => {
      const world = openWorld();
      world.next.storeInvite.push({ _tag: "AlreadyBound", userId });
      world.intercept = async ({ name }, perform) => {
        const answer = await perform();
        if (name === "identityServer.storeInvite") world.bound.set(address, bob);
        return answer;
      };
      expect(must(await ask(world))).toMatchObject({ _tag: "Invite" });
      expect(world.appended.map(({ state_key }) => state_key)).toEqual([bob]);
      expect([world.count("identityServer.lookup"), world.count("policy.mayInvite")]).toEqual([2, 2]);
    },
  );

  it.each([undefined, null, 7, "", "bob", { mxid: bob }])(
    "in use, naming %o as the user, and the lookup finds nobody",
    async (userId) => {
      const world = openWorld();
      world.next.storeInvite.push({ _tag: "AlreadyBound", userId });
      expect(codeOf(await ask(world))).toBe("IdentityServerMalformed");
      expect(world.appended).toEqual([]);
      // Nothing was sent: it may be asked again.
      expect(must(await ask(world))._tag).toBe("ThirdPartyInvite");
    },
  );
});

it("a phone number that nobody is bound to is not storable, and store-invite is not asked", async () => {
  const world = openWorld();
  const problem = problemOf(await ask(world, { body: invite({ medium: "msisdn", address: "18005552067" }) }));
  expect(problem).toMatchObject({
    code: "MediumNotStorable",
    status: 400,
    errcode: "M_THREEPID_MEDIUM_NOT_SUPPORTED",
  });
  expect(world.count("identityServer.storeInvite")).toBe(0);
  expect(world.records.size).toBe(0);
});

describe("an answer to store-invite that cannot be used (field case 18)", () => {
  const key = { public_key: pendingContent()["public_key"], key_validity_url: "https://id.example/isvalid" };
  const without = (name: string) =>
    Object.fromEntries(Object.entries(storedAnswer("t")).filter(([field]) => field !== name));
  const answers: readonly (readonly [string, unknown, string])[] = [
    ["no object", "ok", "TokenMalformed"],
    ["null", null, "TokenMalformed"],
    ["no token", without("token"), "TokenMalformed"],
    ["an empty token", storedAnswer(""), "TokenMalformed"],
    ["a token of 256 letters", storedAnswer("a".repeat(256)), "TokenMalformed"],
    ["a token of foreign characters", storedAnswer("a/b"), "TokenMalformed"],
    ["a token with a line feed behind it", storedAnswer("abc\n"), "TokenMalformed"],
    ["a token that is a number", storedAnswer("t", { token: 7 }), "TokenMalformed"],
    ["no keys", without("public_keys"), "KeysMalformed"],
    ["an empty list of keys", storedAnswer("t", { public_keys: [] }), "KeysMalformed"],
    ["keys that are no list", storedAnswer("t", { public_keys: key }), "KeysMalformed"],
    ["17 keys", storedAnswer("t", { public_keys: Array.from({ length: 17 }, () => key) }), "KeysMalformed"],
    [
      "a key of 31 bytes",
      storedAnswer("t", { public_keys: [{ ...key, public_key: "A".repeat(41) }] }),
      "KeysMalformed",
    ],
    [
      "a weak key",
      storedAnswer("t", { public_keys: [{ ...key, public_key: "A".repeat(43) }] }),
      "KeysMalformed",
    ],
    [
      "a key without URL",
      storedAnswer("t", { public_keys: [{ public_key: key.public_key }] }),
      "KeysMalformed",
    ],
    [
      "an http URL",
      storedAnswer("t", { public_keys: [{ ...key, key_validity_url: "http://id.example/" }] }),
      "KeysMalformed",
    ],
    ["one bad key among good ones", storedAnswer("t", { public_keys: [key, {}] }), "KeysMalformed"],
  ];

  it.each(answers)("%s", async (_, answer, code) => {
    const world = openWorld();
    world.next.storeInvite.push({ _tag: "Stored", answer });
    expect(problemOf(await ask(world))).toMatchObject({ code, status: 403, errcode: "M_SERVER_NOT_TRUSTED" });
    expect(world.appended).toEqual([]);
    // Its mail is out: not asked again unless a new one is wanted.
    world.now += 3_599_999;
    expect(codeOf(await ask(world))).toBe("InviteUnknown");
    expect(world.count("identityServer.storeInvite")).toBe(1);
    expect(must(await ask(world, { resend: true }))._tag).toBe("ThirdPartyInvite");
  });
});

describe("the append", () => {
  it("decides again after a conflict, without a second side effect", async () => {
    const world = openWorld();
    world.next.append.push({ _tag: "Conflict" }, { _tag: "Conflict" });
    must(await ask(world));
    expect(world.count("events.append")).toBe(3);
    expect(world.count("identityServer.storeInvite")).toBe(1);
    expect(world.count("policy.mayInvite")).toBe(1);
    expect(world.appended).toHaveLength(1);
  });

  it("is given up after five conflicts", async () => {
    const world = openWorld();
    for (let round = 0; round < 5; round += 1) world.next.append.push({ _tag: "Conflict" });
    expect(problemOf(await ask(world))).toMatchObject({ code: "AppendContended", status: 503 });
    expect(world.count("events.append")).toBe(5);
    expect(must(await ask(world))).toMatchObject({ _tag: "ThirdPartyInvite", token: "token1" });
    expect(world.mails).toHaveLength(1);
  });

  it("decides on the state that made the conflict", async () => {
    const world = openWorld();
    world.bound.set(address, bob);
    world.intercept = (call, perform) => {
      // Somebody bans them between the snapshot and the append.
      if (call.name === "events.append" && world.count("events.append") === 1) world.join(bob, "ban");
      return perform();
    };
    expect(codeOf(await ask(world))).toBe("TargetBanned");
    expect(world.appended).toEqual([]);
  });

  it("passes on what it is refused with", async () => {
    const world = openWorld();
    world.next.append.push({ _tag: "Refused", status: 400, errcode: "M_TOO_LARGE", message: "Too large." });
    expect(problemOf(await ask(world))).toEqual({
      _tag: "PortFailure",
      code: "AppendRefused",
      status: 400,
      errcode: "M_TOO_LARGE",
      message: "Too large.",
    });
    world.next.append.push({ _tag: "Unavailable", retryAfterMs: 77 });
    expect(problemOf(await ask(world))).toMatchObject({
      code: "AppendUnavailable",
      status: 503,
      retryAfterMs: 77,
    });
    expect(must(await ask(world))).toMatchObject({ token: "token1" });
    expect(world.mails).toHaveLength(1);
  });

  it("power lost between the stored token and the append: refused, and with power again appended without a second mail", async () => {
    const world = openWorld();
    world.intercept = (call, perform) => {
      if (call.name === "identityServer.storeInvite")
        world.put({ type: "m.room.power_levels", content: { users: { [alice]: 0 }, invite: 50 } });
      return perform();
    };
    expect(codeOf(await ask(world))).toBe("PowerTooLow");
    expect(codeOf(await ask(world))).toBe("PowerTooLow");
    expect(world.appended).toEqual([]);
    world.intercept = undefined;
    world.put({ type: "m.room.power_levels", content: { users: { [alice]: 50 }, invite: 50 } });
    expect(must(await ask(world))).toMatchObject({ _tag: "ThirdPartyInvite", token: "token1" });
    expect(world.mails).toHaveLength(1);
  });

  it("never overwrites another's invite that stands under the same token", async () => {
    const world = openWorld();
    pend(world, "token1", { sender: bob });
    expect(problemOf(await ask(world))).toMatchObject({
      code: "InvitedAlready",
      status: 409,
    });
    expect(world.appended).toEqual([]);
  });
});

describe("cancelling", () => {
  it("gives a signal to every call before the record is stored, and to none from then on", async () => {
    const world = openWorld();
    must(await ask(world, {}, new AbortController().signal));
    expect(world.calls.map(({ name, signal }) => [name, signal !== undefined])).toEqual([
      ...callsBeforeStoring.map((name) => [name, true]),
      ...callsFromStoring.map((name) => [name, false]),
    ]);
  });

  it.each(callsBeforeStoring)("an abort during %s makes no mail go out", async (name) => {
    const world = openWorld();
    const controller = new AbortController();
    world.intercept = (call, perform) => {
      if (call.name === name) controller.abort();
      return perform();
    };
    expect(problemOf(await ask(world, {}, controller.signal))).toMatchObject({
      _tag: "PortFailure",
      code: "Cancelled",
      status: 499,
    });
    expect(world.mails).toEqual([]);
    expect(world.records.size).toBe(0);
    world.intercept = undefined;
    expect(must(await ask(world))._tag).toBe("ThirdPartyInvite");
  });

  it.each(callsBeforeStoring)(
    "an abort during %s, which answers all the same, makes no mail go out",
    async (name) => {
      const world = openWorld();
      const controller = new AbortController();
      world.intercept = async (call, perform) => {
        const answer = await perform();
        if (call.name === name) controller.abort();
        return answer;
      };
      expect(codeOf(await ask(world, {}, controller.signal))).toBe("Cancelled");
      expect([world.mails, world.records.size]).toEqual([[], 0]);
    },
  );

  it.each(callsFromStoring.map((name, index) => [name, callsBeforeStoring.length + index + 1] as const))(
    "an abort during %s, call %i, is too late",
    async (name, nth) => {
      const world = openWorld();
      const controller = new AbortController();
      world.intercept = (call, perform) => {
        if (world.calls.length === nth) {
          expect(call.name).toBe(name);
          controller.abort();
        }
        return perform();
      };
      expect(must(await ask(world, {}, controller.signal))._tag).toBe("ThirdPartyInvite");
      expect(world.appended).toHaveLength(1);
    },
  );

  it("an abort before the beginning asks nobody", async () => {
    const world = openWorld();
    expect(codeOf(await ask(world, {}, AbortSignal.abort()))).toBe("Cancelled");
    expect(world.calls).toEqual([]);
  });
});
