import { isRight } from "fp-ts/lib/Either.js";
import type { FlowOptions, InviteAllCommand, InviteResult } from "matrix-third-party-invites";
import type { Observation } from "matrix-third-party-invites/ports";
import { describe, expect, it } from "vitest";
import { type Call, type World, openWorld, portsOfInvite } from "./ports.js";
import { address, alice, bob, carol, codeOf, must, room } from "./samples.js";

type Results = readonly InviteResult[];

const entry = (name: string, more: Readonly<Record<string, unknown>> = {}) => ({
  id_server: "id.example",
  id_access_token: "secret-token",
  medium: "email",
  address: `${name}@example.org`,
  ...more,
});

const names = ["ann", "ben", "cid", "dan", "eve", "fay"];
const six = names.map((name) => entry(name));

type Options = FlowOptions & Pick<InviteAllCommand, "concurrency">;

const answer = (
  world: World,
  invites: unknown,
  { concurrency, ...options }: Options = {},
  more: Partial<InviteAllCommand> = {},
) =>
  world.invites.inviteAll(
    {
      roomId: room,
      requester: { userId: alice },
      invites,
      ...(concurrency === undefined ? {} : { concurrency }),
      ...more,
    },
    options,
  );

const ask = async (...given: Parameters<typeof answer>): Promise<Results> => must(await answer(...given));

const tagsOf = (results: Results): readonly string[] =>
  results.map((result) => (isRight(result) ? result.right._tag : result.left.code));

const storeInvites = (world: World): readonly string[] =>
  world.calls
    .filter(({ name }) => name === "identityServer.storeInvite")
    .map(
      ({ args: [request] }) => (request as { readonly invite: { readonly address: string } }).invite.address,
    );

const turns = async (count: number): Promise<void> => {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setTimeout(resolve, 1));
};

describe("one result for each entry, in their order", () => {
  it("invite_3pid that is absent asks for nothing, one that is no list is one refusal", async () => {
    const world = openWorld();
    expect(await ask(world, undefined)).toEqual([]);
    for (const odd of [null, {}, "x", 7]) expect(codeOf(await answer(world, odd))).toBe("FieldMalformed");
    expect(world.calls).toEqual([]);
    const refused = { _tag: "Refused", code: "FieldMalformed", flow: "inviteAll" };
    expect(world.observed).toEqual([refused, refused, refused, refused]);
  });

  it("six addresses are six invites, six mails and six events", async () => {
    const world = openWorld();
    const results = await ask(world, six);
    expect(tagsOf(results)).toEqual(names.map(() => "ThirdPartyInvite"));
    expect([...world.mails].sort()).toEqual(six.map((one) => one.address));
    expect(world.appended).toHaveLength(6);
    expect(new Set(results.map((result) => (must(result) as { token: string }).token)).size).toBe(6);
  });

  it("however long each takes", async () => {
    const world = openWorld();
    world.bound.set("ben@example.org", bob);
    world.bound.set("dan@example.org", carol);
    let left = 12;
    world.intercept = async ({ name }, perform) => {
      // The first to ask waits the longest.
      if (name === "policy.mayInvite") await turns((left -= 2));
      return perform();
    };
    const results = await ask(world, [...six.slice(0, 4), 7, ...six.slice(4)], { concurrency: 6 });
    const third = "ThirdPartyInvite";
    expect(tagsOf(results)).toEqual([third, "Invite", third, "Invite", "BodyNotObject", third, third]);
  });

  it.each([1, 2, 4, 6, 7])("with %i at a time", async (concurrency) => {
    const world = openWorld();
    world.bound.set("cid@example.org", bob);
    const results = await ask(world, six, { concurrency });
    expect(tagsOf(results).map((tag) => tag === "Invite")).toEqual([false, false, true, false, false, false]);
  });

  it("an empty list has none, and asks nobody", async () => {
    const world = openWorld();
    expect(await ask(world, [])).toEqual([]);
    expect(world.calls).toEqual([]);
  });

  it("each is asked of the policy once, with its own address", async () => {
    const world = openWorld();
    await ask(world, six);
    const asked = world.calls
      .filter(({ name }) => name === "policy.mayInvite")
      .map(({ args: [question] }) => (question as { target: { threepid: { address: string } } }).target);
    expect(asked.map(({ threepid }) => threepid.address).sort()).toEqual(six.map((one) => one.address));
  });
});

describe("a bad entry concerns itself alone", () => {
  const bad: readonly (readonly [string, unknown, string])[] = [
    ["no object", 7, "BodyNotObject"],
    ["null", null, "BodyNotObject"],
    ["undefined", undefined, "BodyNotObject"],
    ["a list", [entry("x")], "BodyNotObject"],
    ["a field is missing", { medium: "email", address }, "FieldMissing"],
    ["a field of the wrong type", entry("x", { id_access_token: 7 }), "FieldMalformed"],
    ["a server that is none", entry("x", { id_server: "https://id.example" }), "FieldMalformed"],
    ["another medium", entry("x", { medium: "pigeon" }), "MediumUnsupported"],
    ["no address", entry("x", { address: "nobody" }), "AddressMalformed"],
    [
      "a phone number that nobody has",
      entry("x", { medium: "msisdn", address: "18005552067" }),
      "MediumNotStorable",
    ],
  ];

  it.each(bad)("%s", async (_, one, code) => {
    const world = openWorld();
    const results = await ask(world, [entry("ann"), one, entry("ben")]);
    expect(tagsOf(results)).toEqual(["ThirdPartyInvite", code, "ThirdPartyInvite"]);
    expect(world.mails).toHaveLength(2);
  });

  it("a list with a hole has a result for the hole", async () => {
    const holed: unknown[] = [entry("ann")];
    holed[2] = entry("ben");
    const results = await ask(openWorld(), holed);
    expect(tagsOf(results)).toEqual(["ThirdPartyInvite", "BodyNotObject", "ThirdPartyInvite"]);
  });

  it("the observer is told of it, and of no address", async () => {
    const world = openWorld();
    await ask(world, [...bad.map(([, one]) => one), entry("ann")]);
    const refused = world.observed.filter(
      (one): one is Extract<Observation, { _tag: "Refused" }> => one._tag === "Refused",
    );
    expect(refused.map(({ code }) => code).sort()).toEqual(bad.map(([, , code]) => code).sort());
    expect(JSON.stringify(world.observed)).not.toContain("@example.org");
  });

  it("a policy that refuses one refuses that one", async () => {
    const world = openWorld();
    world.intercept = ({ name, args }, perform) =>
      name === "policy.mayInvite" && JSON.stringify(args).includes("ben@")
        ? Promise.resolve({ _tag: "Refuse", errcode: "M_FORBIDDEN", status: 403 })
        : perform();
    const results = await ask(world, six.slice(0, 3));
    expect(tagsOf(results)).toEqual(["ThirdPartyInvite", "PolicyRefused", "ThirdPartyInvite"]);
  });

  it("somebody who is banned, or blocks invites, is that one", async () => {
    const world = openWorld();
    world.bound.set("ann@example.org", bob);
    world.bound.set("ben@example.org", carol);
    world.join(bob, "ban");
    const results = await ask(world, six.slice(0, 3));
    expect(tagsOf(results)).toEqual(["TargetBanned", "Invite", "ThirdPartyInvite"]);
  });
});

describe("the same address twice is one invite", () => {
  const same: readonly (readonly [string, unknown, unknown])[] = [
    ["word for word", entry("ann"), entry("ann")],
    ["in capitals", entry("ann"), entry("ann", { address: "ANN@Example.ORG" })],
    [
      "in another case of another alphabet",
      entry("x", { address: "ΣΊΣΥΦΟΣ@example.org" }),
      entry("x", { address: "σίσυφος@example.org" }),
    ],
    ["with ß and ss", entry("x", { address: "strauß@example.org" }), entry("strauss")],
    ["with another token for the identity server", entry("ann"), entry("ann", { id_access_token: "other" })],
  ];

  it.each(same.flatMap((row) => [1, 2, 4].map((concurrency) => [...row, concurrency] as const)))(
    "%s",
    async (_, one, other, concurrency) => {
      const world = openWorld();
      const results = await ask(world, [one, entry("ben"), other, one], { concurrency });
      expect(tagsOf(results)).toEqual(Array.from({ length: 4 }, () => "ThirdPartyInvite"));
      expect(results[2]).toEqual(results[0]);
      expect(results[3]).toEqual(results[0]);
      expect(storeInvites(world)).toHaveLength(2);
      expect([world.mails.length, world.appended.length, world.count("policy.mayInvite")]).toEqual([2, 2, 2]);
    },
  );

  it("also where it fails: asked once, and both say so", async () => {
    const world = openWorld();
    world.next.lookup.push({ _tag: "RateLimited", retryAfterMs: 5 });
    const results = await ask(world, [entry("ann"), entry("ann")], { concurrency: 1 });
    expect(tagsOf(results)).toEqual(["IdentityServerLimit", "IdentityServerLimit"]);
    expect(world.count("identityServer.lookup")).toBe(1);
  });

  it("but not at another identity server", async () => {
    const world = openWorld();
    const results = await ask(world, [entry("ann"), entry("ann", { id_server: "other.example" })]);
    expect(tagsOf(results)).toEqual(["ThirdPartyInvite", "ThirdPartyInvite"]);
    expect(world.mails).toHaveLength(2);
  });

  it("two addresses of one user are one member event", async () => {
    const world = openWorld();
    world.bound.set("ann@example.org", bob);
    world.bound.set("ben@example.org", bob);
    const results = await ask(world, six.slice(0, 2));
    expect([...tagsOf(results)].sort()).toEqual(["AlreadyInvited", "Invite"]);
    expect(world.appended).toHaveLength(1);
  });

  it("a list that is given again makes no second mail", async () => {
    const world = openWorld();
    await ask(world, six);
    expect(tagsOf(await ask(world, six))).toEqual(names.map(() => "AlreadyPending"));
    expect(world.mails).toHaveLength(6);
  });
});

describe("how many at a time", () => {
  const mostAtOnce = async (count: number, options: Options): Promise<number> => {
    const world = openWorld();
    let [now, most] = [0, 0];
    world.intercept = async ({ name }, perform) => {
      if (!name.startsWith("identityServer.")) return perform();
      now += 1;
      most = Math.max(most, now);
      await turns(2);
      const answer = await perform();
      now -= 1;
      return answer;
    };
    const results = await ask(
      world,
      Array.from({ length: count }, (_, index) => entry(`n${index}`)),
      options,
    );
    expect(tagsOf(results)).toEqual(Array.from({ length: count }, () => "ThirdPartyInvite"));
    return most;
  };

  it.each<readonly [string, number, Options, number]>([
    ["four, where nothing is said", 12, {}, 4],
    ["one", 3, { concurrency: 1 }, 1],
    ["two", 6, { concurrency: 2 }, 2],
    ["no more than there are", 3, { concurrency: 50 }, 3],
    ["all of them", 7, { concurrency: Infinity }, 7],
    ["at least one: 0", 2, { concurrency: 0 }, 1],
    ["at least one: -1", 2, { concurrency: -1 }, 1],
    ["at least one: NaN", 2, { concurrency: NaN }, 1],
    ["whole ones", 4, { concurrency: 2.9 }, 2],
  ])("%s", async (_, count, options, most) => {
    expect(await mostAtOnce(count, options)).toBe(most);
  });
});

describe("what fails for one entry fails for no other", () => {
  const misbehaviours: readonly (readonly [string, () => unknown])[] = [
    [
      "throws",
      () => {
        throw new Error(`broken at ${address}`);
      },
    ],
    ["rejects", () => Promise.reject(new Error(`broken at ${address}`))],
    ["answers at once, without a promise", () => undefined],
    ["answers undefined", () => Promise.resolve(undefined)],
    ["answers null", () => Promise.resolve(null)],
    ["answers {}", () => Promise.resolve({})],
    ["answers { _tag: 'Nonsense' }", () => Promise.resolve({ _tag: "Nonsense" })],
  ];

  it.each(
    portsOfInvite.flatMap((port) => misbehaviours.map(([how, break_]) => [port, how, break_] as const)),
  )("%s %s, the first time", async (port, _, misbehave) => {
    const world = openWorld();
    let isBroken = false;
    world.intercept = ({ name }, perform) => {
      if (name !== port || isBroken) return perform();
      isBroken = true;
      return misbehave();
    };
    const results = await ask(world, six, { concurrency: 1 });
    expect(tagsOf(results)).toEqual(["PortBroken", ...names.slice(1).map(() => "ThirdPartyInvite")]);
  });

  it.each(
    portsOfInvite.flatMap((port) => misbehaviours.map(([how, break_]) => [port, how, break_] as const)),
  )("%s %s, always: a left for each entry, and no rejection", async (port, _, misbehave) => {
    const world = openWorld();
    world.intercept = ({ name }, perform) => (name === port ? misbehave() : perform());
    expect(tagsOf(await ask(world, six))).toEqual(names.map(() => "PortBroken"));
  });

  it("everything broken at once: a left for each entry", async () => {
    for (const [, misbehave] of misbehaviours) {
      const world = openWorld();
      world.intercept = misbehave;
      expect(tagsOf(await ask(world, six))).toEqual(names.map(() => "PortBroken"));
    }
  });

  const broken = (): never => {
    throw new Error("broken");
  };

  it.each([
    ["clock", { clock: { now: broken } }],
    ["engine", { crypto: { verify: broken, sha256: broken, hmacSha256: broken } }],
  ])("a %s that throws: a left for each entry", async (_, faulty) => {
    const results = await ask(openWorld({ ports: faulty }), six);
    expect(tagsOf(results)).toEqual(names.map(() => "PortBroken"));
  });

  it("an observer that throws changes nothing", async () => {
    const results = await ask(openWorld({ ports: { observe: broken } }), [7, ...six]);
    expect(tagsOf(results)).toEqual(["BodyNotObject", ...names.map(() => "ThirdPartyInvite")]);
  });

  it("an identity server that is down is that of some entries", async () => {
    const world = openWorld();
    world.intercept = ({ name, args }, perform) =>
      name.startsWith("identityServer.") && JSON.stringify(args).includes("down.example")
        ? Promise.resolve({ _tag: "Unreachable", sent: false })
        : perform();
    const down = { id_server: "down.example" };
    const results = await ask(world, [entry("ann", down), entry("ben"), entry("cid", down), entry("dan")]);
    expect(tagsOf(results)).toEqual([
      "IdentityServerUnreachable",
      "ThirdPartyInvite",
      "IdentityServerUnreachable",
      "ThirdPartyInvite",
    ]);
  });

  it("a requester or a room that is none: a left for each entry, and nobody is asked", async () => {
    for (const more of [{ requester: { userId: "alice" } }, { roomId: "#garden:a.example" }]) {
      const world = openWorld();
      expect(tagsOf(await ask(world, six, {}, more))).toEqual(names.map(() => "FieldMalformed"));
      expect(world.calls).toEqual([]);
    }
  });
});

describe("the details", () => {
  it("are kept with each invite that is pending, and are in each member event", async () => {
    const world = openWorld();
    world.bound.set("ben@example.org", bob);
    const details = { isDirect: true, reason: "Tea?" };
    await ask(world, six.slice(0, 3), {}, { details });
    expect([...world.records.values()].map(({ value }) => value.details)).toEqual([details, details]);
    expect(world.appended.find(({ type }) => type === "m.room.member")?.content).toMatchObject({
      is_direct: true,
      reason: "Tea?",
    });
  });

  it("are none where none are given", async () => {
    const world = openWorld();
    await ask(world, six.slice(0, 1));
    expect([...world.records.values()].map(({ value }) => value.details)).toEqual([{}]);
  });
});

describe("a caller who stops", () => {
  it("before it begins: each entry is cancelled, and nobody is asked", async () => {
    const world = openWorld();
    expect(tagsOf(await ask(world, [...six, 7], { signal: AbortSignal.abort() }))).toEqual([
      ...names.map(() => "Cancelled"),
      "BodyNotObject",
    ]);
    expect(world.calls).toEqual([]);
  });

  const stopAt = (world: World, stops: (call: Call) => boolean): AbortSignal => {
    const controller = new AbortController();
    world.intercept = (call, perform) => {
      if (stops(call)) controller.abort();
      return perform();
    };
    return controller.signal;
  };

  it("in the middle: what is done is done, the rest is cancelled", async () => {
    const world = openWorld();
    const signal = stopAt(world, ({ name }) => name === "policy.mayInvite" && world.mails.length === 2);
    const results = await ask(world, six, { signal, concurrency: 1 });
    const [third, none] = ["ThirdPartyInvite", "Cancelled"];
    expect(tagsOf(results)).toEqual([third, third, none, none, none, none]);
    expect([world.mails.length, world.appended.length]).toEqual([2, 2]);
  });

  it("when a mail is out: the room still gets what it speaks of", async () => {
    const world = openWorld();
    const signal = stopAt(world, ({ name }) => name === "identityServer.storeInvite");
    const results = await ask(world, six, { signal, concurrency: 1 });
    expect(tagsOf(results)).toEqual(["ThirdPartyInvite", ...names.slice(1).map(() => "Cancelled")]);
    expect([world.mails.length, world.appended.length]).toEqual([1, 1]);
  });

  it("one who does not stop is not stopped: the signal of each call is the caller's own", async () => {
    const world = openWorld();
    const { signal } = new AbortController();
    await ask(world, six, { signal });
    const given = world.calls
      .filter(({ name }) => name === "identityServer.lookup")
      .map((call) => call.signal);
    expect(given).toEqual(names.map(() => signal));
  });
});
