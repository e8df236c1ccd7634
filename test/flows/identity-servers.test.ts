import { isRight } from "fp-ts/lib/Either.js";
import { describe, expect, it } from "vitest";
import { ask, lifeOf, revokeZoe } from "./lives.js";
import { type World, openWorld, storedAnswer } from "./ports.js";
import {
  addressee,
  alice,
  bob,
  ephemeral,
  codeOf,
  invite,
  longTerm,
  must,
  problemOf,
  room,
  signedBy,
  stranger,
} from "./samples.js";

const spellings = ["id.example", "ID.Example", "id.example:443", "id.example:0443", "id.example."];

/** Each is one server, under its own name first. */
const others: readonly (readonly string[])[] = [
  ["id.example:8448", "ID.example:08448", "id.example.:8448"],
  ["192.0.2.1", "192.0.2.1:443", "0xc0.0.2.1", "192.0.513"],
  ["[2001:db8::1]", "[2001:DB8:0:0:0:0:0:1]", "[2001:0db8::0001]:0443"],
];

const named = (id_server: string) => ({ body: invite({ id_server }) });

const identityServerCalls = (world: World): readonly string[] =>
  world.names().filter((name) => name.startsWith("identityServer."));

describe("an identity server is one, however a client spells its name", () => {
  it("one mail, one event, one record", async () => {
    const world = openWorld();
    for (const name of spellings) must(await ask(world, named(name)));
    expect([world.mails.length, world.appended.length, world.records.size]).toEqual([1, 1, 1]);
  });

  it("it is called, and the policy is asked, under its canonical name", async () => {
    for (const name of spellings) {
      const world = openWorld();
      must(await ask(world, named(name)));
      const asked = world.calls.filter(({ name: call }) => call.startsWith("identityServer."));
      for (const { args } of asked) expect(args[0]).toMatchObject({ idServer: "id.example" });
      const policy = world.calls.find(({ name: call }) => call === "policy.mayInvite");
      expect(policy?.args[0]).toMatchObject({ target: { idServer: "id.example" } });
    }
  });

  it("the entries of one createRoom", async () => {
    const world = openWorld();
    const invites = spellings.map((id_server) => invite({ id_server }));
    const results = must(
      await world.invites.inviteAll({ roomId: room, requester: { userId: alice }, invites }),
    );
    expect(results.every(isRight)).toBe(true);
    expect(world.mails).toHaveLength(1);
  });

  it("a revocation", async () => {
    const world = openWorld();
    must(await ask(world, named("id.example:0443")));
    must(await revokeZoe(world, alice, addressee({ id_server: "ID.example" })));
    expect(lifeOf(world)).toBe("Revoked");
  });

  it.each(others)("%s", async (name, ...more) => {
    const world = openWorld({ config: { identityServers: { allow: more } } });
    for (const spelling of [name, ...more]) must(await ask(world, named(spelling)));
    expect(world.mails.length).toBe(1);
    const asked = world.calls.find(({ name: call }) => call === "identityServer.storeInvite");
    expect(asked?.args[0]).toMatchObject({ idServer: name });
  });

  it.each(["256.0.0.1", "1.2.3.4.5", "id.7", "[1::2::3]", "id.example:65536", "https://id.example"])(
    "no identity server has the name %s",
    async (name) => {
      expect(codeOf(await ask(openWorld(), named(name)))).toBe("FieldMalformed");
    },
  );

  it("another port is another identity server", async () => {
    const world = openWorld();
    must(await ask(world));
    must(await ask(world, named("id.example:8448")));
    expect(world.records.size).toBe(2);
  });

  it.each(spellings)("its keys, pinned under %s", async (name) => {
    for (const asked of spellings) {
      const world = openWorld({ config: { pinnedKeys: new Map([[name, [stranger.publicKey]]]) } });
      expect(codeOf(await ask(world, named(asked)))).toBe("KeyNotPinned");
    }
  });

  it("keys that are pinned under two of its spellings are all pinned", async () => {
    const pinnedKeys = new Map([
      ["id.example", [longTerm.publicKey]],
      ["ID.example:443", [stranger.publicKey]],
    ]);
    must(await ask(openWorld({ config: { pinnedKeys } })));
  });
});

describe("the identity servers that users may name", () => {
  const everywhere = ["allow", "deny"] as const;

  it.each(spellings.flatMap((listed) => everywhere.map((list) => [list, listed] as const)))(
    "%s: [%s]",
    async (list, listed) => {
      for (const asked of spellings) {
        const world = openWorld({ config: { identityServers: { [list]: [listed] } } });
        expect(codeOf(await ask(world, named(asked)))).toBe(
          list === "allow" ? "right" : "IdentityServerNotAllowed",
        );
        expect(codeOf(await ask(world, named("other.example")))).toBe(
          list === "allow" ? "IdentityServerNotAllowed" : "right",
        );
      }
    },
  );

  it.each([
    ["allowed, but denied as well", { allow: ["id.example"], deny: ["id.example"] }],
    ["none is allowed", { allow: [] }],
  ])("%s: refused, and nothing is asked or stored", async (_, identityServers) => {
    const world = openWorld({ config: { identityServers } });
    expect(problemOf(await ask(world))).toMatchObject({
      code: "IdentityServerNotAllowed",
      errcode: "M_SERVER_NOT_TRUSTED",
      status: 403,
    });
    expect([identityServerCalls(world), world.records.size, world.appended]).toEqual([[], 0, []]);
  });

  it("each entry of a createRoom by itself", async () => {
    const world = openWorld({ config: { identityServers: { deny: ["id.example"] } } });
    const invites = [invite(), invite({ id_server: "other.example" })];
    const results = must(
      await world.invites.inviteAll({ roomId: room, requester: { userId: alice }, invites }),
    );
    expect(results.map(codeOf)).toEqual(["IdentityServerNotAllowed", "right"]);
  });

  it("an invite by user ID has none, and an invite that was made before can be revoked", async () => {
    const world = openWorld();
    must(await ask(world));
    const denied = openWorld({
      config: { identityServers: { allow: [] } },
      ports: { invites: world.ports.invites },
    });
    must(await ask(denied, { body: { user_id: bob } }));
    must(await revokeZoe(denied));
    expect(lifeOf(world)).toBe("Revoked");
  });
});

it("an identity server without its v1 API, which hands out v1 URLs: its invites can be redeemed", async () => {
  const world = openWorld();
  const v1 = "https://id.example/_matrix/identity/api/v1/pubkey";
  const v2 = "https://id.example/_matrix/identity/v2/pubkey/isvalid";
  const public_keys = [
    { public_key: longTerm.publicKey, key_validity_url: `${v1}/isvalid` },
    { public_key: ephemeral.publicKey, key_validity_url: `${v1}/ephemeral/isvalid` },
  ];
  world.next.storeInvite.push({ _tag: "Stored", answer: storedAnswer("token1", { public_keys }) });
  must(await ask(world));
  // In the list as the identity server wrote them.
  expect(world.appended).toMatchObject([{ content: { key_validity_url: v2, public_keys } }]);
  // A homeserver that asks the URLs of the event as they stand.
  world.intercept = ({ name, args: [url] }, perform) =>
    name === "identityServer.keyValidity" && String(url).startsWith(v1)
      ? Promise.resolve({ _tag: "Malformed" })
      : perform();
  const thirdPartySigned = signedBy(bob, "token1", longTerm, { sender: alice });
  const redeemed = await world.invites.redeemThirdPartySigned({
    roomId: room,
    requester: { userId: bob },
    thirdPartySigned,
  });
  expect(codeOf(redeemed)).toBe("right");
});
