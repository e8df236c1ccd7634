import {
  type Config,
  type FlowName,
  type Ports,
  type PortsOf,
  type ThirdPartyInvites,
  createThirdPartyInvites,
} from "matrix-third-party-invites";
import { memoryLimits } from "matrix-third-party-invites/testing";
import { describe, expect, it } from "vitest";
import { defaultQueueLimits, queueLimits } from "../../src/flows/steps/queue-limits.js";
import { ask } from "./lives.js";
import { type World, openWorld, pend } from "./ports.js";
import { addressee, alice, bob, invite, must, room } from "./samples.js";
import { type Scene, scenes } from "./scenes.js";

/** What the constructor throws, as a host in JavaScript may call it: with any ports and any names of flows. */
const thrownBy = (ports: unknown, names?: unknown): unknown => {
  try {
    const made: unknown = Reflect.apply(
      createThirdPartyInvites,
      undefined,
      names === undefined ? [ports] : [ports, names],
    );
    return made;
  } catch (thrown) {
    return thrown;
  }
};

const expectTypeError = (thrown: unknown, message: string): void => {
  expect(thrown).toBeInstanceOf(TypeError);
  expect(thrown).toHaveProperty("message", message);
};

/** The ports that each flow needs, beside `config`; `policy` and `observe` may be missing everywhere. */
const needs = {
  invite: ["crypto", "rooms", "events", "identityServer", "invites", "users", "clock", "limits"],
  inviteAll: ["crypto", "rooms", "events", "identityServer", "invites", "users", "clock", "limits"],
  checkInviteLimit: ["limits", "clock"],
  receiveOnBind: ["crypto", "invites", "redemptions", "users", "clock"],
  deliverOwed: [
    "crypto",
    "rooms",
    "events",
    "identityServer",
    "invites",
    "federation",
    "redemptions",
    "clock",
    "random",
    "users",
  ],
  receiveExchange: ["crypto", "rooms", "events", "identityServer", "invites", "clock"],
  receiveInboundInvite: ["crypto", "redemptions", "users", "clock"],
  redeemThirdPartySigned: ["crypto", "rooms", "events", "identityServer", "invites", "federation", "clock"],
  checkFirstJoin: ["crypto", "rooms", "identityServer", "clock"],
  revokeInvite: ["crypto", "rooms", "events", "invites"],
  listInvites: ["rooms", "invites"],
  invitesLeftBehind: ["rooms", "invites"],
  expireInvites: ["crypto", "rooms", "events", "invites", "clock"],
  cleanUpInvites: ["crypto", "rooms", "events", "invites"],
  noteRedeemed: ["invites"],
  findInvites: ["crypto", "invites"],
  revokeAllInvites: ["crypto", "rooms", "events", "invites"],
  isInvited: ["crypto", "invites"],
  eraseAddress: ["crypto", "invites"],
  listRedemptions: ["redemptions"],
  retryRedemption: ["redemptions", "clock"],
  measureQueue: ["redemptions"],
  checkAddressKey: ["crypto", "invites"],
} as const satisfies Record<FlowName, readonly (keyof Ports)[]>;

const flowNames = Object.keys(needs) as readonly FlowName[];

/** The configuration and the named ports, and nothing else. */
const only = (world: World, names: readonly (keyof Ports)[]): Partial<Ports> =>
  Object.fromEntries(["config" as const, ...names].map((name) => [name, world.ports[name]]));

const serverName = "config.serverName must be a server name.";
const addressKey = "config.addressKey must be a Uint8Array of at least 32 bytes.";
const pinnedKeys = "config.pinnedKeys must be a Map of lists of keys, by the names of identity servers.";
const identityServers =
  "config.identityServers must have lists of the names of identity servers: allow, deny.";
const wholeNumber = (field: keyof Config, from = 0): string =>
  `config.${field} must be a whole number, ${from} or more.`;
const trueOrFalse = (field: keyof Config): string => `config.${field} must be true or false.`;

/** What a host in JavaScript, or a file, may hold where a number should be. */
const noNumbers = [NaN, Infinity, -Infinity, -1, 1.5, "5", "", null, true, {}, [], 5n, 2 ** 53];
const noBooleans = ["false", "true", "", 0, 1, NaN, null, {}];

/** Every field of the configuration with values that it must not have, and what the error says. */
const wrong: Readonly<Record<keyof Config, readonly [values: readonly unknown[], message: string]>> = {
  serverName: [
    [undefined, "", " ", "https://a.example", "https://example.org", "a.example/", 5, NaN, null, -1, {}],
    serverName,
  ],
  addressKey: [
    [
      undefined,
      null,
      32,
      "k".repeat(44),
      Array.from({ length: 32 }, () => 7),
      { length: 32 },
      new Uint8Array(31),
      new Uint8Array(0),
      new Uint16Array(32),
      new ArrayBuffer(32),
    ],
    addressKey,
  ],
  maxPairs: [noNumbers, wholeNumber("maxPairs")],
  maxOnBindEntries: [noNumbers, wholeNumber("maxOnBindEntries")],
  queue: [[null, 5, "all", true], "config.queue must be an object."],
  askedForMs: [noNumbers, wholeNumber("askedForMs")],
  redemptionAgeMs: [noNumbers, wholeNumber("redemptionAgeMs")],
  inviteLimits: [[null, 5, "all", true], "config.inviteLimits must be an object."],
  leaseMs: [[...noNumbers, 0], wholeNumber("leaseMs", 1)],
  maxInFlight: [[...noNumbers, 0], wholeNumber("maxInFlight", 1)],
  allowClearLookup: [noBooleans, trueOrFalse("allowClearLookup")],
  storeAddresses: [noBooleans, trueOrFalse("storeAddresses")],
  strictInviteState: [noBooleans, trueOrFalse("strictInviteState")],
  pinnedKeys: [
    [
      null,
      5,
      NaN,
      "key",
      [],
      {},
      { "id.example": ["key"] },
      new Set(["key"]),
      new Map([["id.example", "key"]]),
      new Map([["id.example", [5]]]),
      new Map([["id.example", undefined]]),
      new Map([["https://id.example", ["key"]]]),
      new Map([["id.example:65536", ["key"]]]),
      new Map([[5, ["key"]]]),
    ],
    pinnedKeys,
  ],
  identityServers: [
    [
      null,
      5,
      "id.example",
      ["id.example"],
      new Set(["id.example"]),
      new Map([["deny", ["id.example"]]]),
      { allow: null },
      { allow: "id.example" },
      { allow: new Set(["id.example"]) },
      { allowed: ["id.example"] },
      { deny: ["https://id.example"] },
      { deny: ["*.example"] },
      { deny: [undefined] },
      { allow: ["id.example"], deny: ["id.example:65536"] },
    ],
    identityServers,
  ],
};

const wrongFields = Object.entries(wrong).flatMap(([field, [values, message]]) =>
  values.map((value) => [field, value, message] as const),
);

describe("a configuration with a wrong field is a TypeError of the constructor that names the field", () => {
  it.each(wrongFields)("%s: %o", (field, value, message) => {
    const { ports, calls, observed } = openWorld();
    const given = { ...ports, config: { ...ports.config, [field]: value } };
    expectTypeError(thrownBy(given), message);
    // Of every part as well, also of those that do not use the field.
    for (const name of flowNames) expectTypeError(thrownBy(given, [name]), message);
    expect([calls, observed]).toEqual([[], []]);
  });

  it.each([undefined, null, 5, "config", true])("config: %o", (config) => {
    const { ports } = openWorld();
    expectTypeError(thrownBy({ ...ports, config }), "config must be an object.");
    for (const name of flowNames)
      expectTypeError(thrownBy({ ...ports, config }, [name]), "config must be an object.");
  });

  it("an empty config: the first field that is missing", () => {
    expectTypeError(thrownBy({ ...openWorld().ports, config: {} }), serverName);
  });

  it.each([undefined, null, 5, "ports"])("ports: %o", (ports) => {
    expectTypeError(thrownBy(ports), "The ports must be an object.");
    expectTypeError(thrownBy(ports, ["listInvites"]), "The ports must be an object.");
  });
});

describe("config.inviteLimits", () => {
  const wholeFrom1 = "must be a whole number, 1 or more.";
  const least = 2 ** 26;
  const cases: readonly (readonly [given: unknown, rest: string])[] = [
    ...[null, 5, "x", true].map((given) => [given, " must be an object."] as const),
    ...[...noNumbers, 0].flatMap((given) => [
      [{ burst: given }, `.burst ${wholeFrom1}`] as const,
      [{ intervalMs: given }, `.intervalMs ${wholeFrom1}`] as const,
    ]),
    // More than storage can hold.
    [{ burst: least, intervalMs: least }, ": burst times intervalMs must be less than 2^52."],
    [{ burst: Number.MAX_SAFE_INTEGER }, ": burst times intervalMs must be less than 2^52."],
  ];

  it.each(
    cases.flatMap(([given, rest]) =>
      (["sender", "address"] as const).map((of) => [of, given, rest] as const),
    ),
  )("%s: %o is a TypeError", (of, given, rest) => {
    const { ports } = openWorld();
    const config = { ...ports.config, inviteLimits: { [of]: given } };
    expectTypeError(thrownBy({ ...ports, config }), `config.inviteLimits.${of}${rest}`);
  });

  it("takes what storage can hold", () => {
    const { ports } = openWorld();
    const inviteLimits = { sender: { burst: least, intervalMs: least - 1 }, address: {} };
    const made = () => createThirdPartyInvites({ ...ports, config: { ...ports.config, inviteLimits } });
    expect(made).not.toThrow();
  });
});

describe("settings that are given as undefined are not given", () => {
  const config = {
    inviteLimits: { sender: { burst: undefined, intervalMs: undefined }, address: undefined },
    queue: { unvouched: undefined },
  } as unknown as Partial<Config>;

  it("limits of invites", async () => {
    const world = openWorld({ limits: memoryLimits(), config });
    const check = (count: number) => world.invites.checkInviteLimit({ userId: alice, count });
    expect(must(await check(10))).toEqual({ _tag: "Fits" });
    expect(must(await check(11))).toMatchObject({ _tag: "TooMany", free: 10 });
  });

  it("limits of the queue", () => {
    expect(queueLimits({ ...openWorld().ports.config, ...config })).toEqual(defaultQueueLimits);
  });
});

describe("a server name that is none: no flow can run", () => {
  const names = ["https://example.org", "", "example.org/", undefined];

  it.each(names.flatMap((name) => flowNames.map((flow) => [name, flow] as const)))("%o: %s", (name, flow) => {
    const { ports } = openWorld();
    const given = { ...ports, config: { ...ports.config, serverName: name } };
    expectTypeError(thrownBy(given), serverName);
    expectTypeError(thrownBy(given, [flow]), serverName);
  });

  it.each(["https://example.org", ""])("%o: neither a join with third_party_signed nor an invite", (name) => {
    const world = openWorld({ config: { serverName: name } });
    for (const scene of scenes.filter(({ name: of }) => /^(redeemThirdPartySigned|invite, )/.test(of)))
      expect(() => scene.start(world.invites), scene.name).toThrow(new TypeError(serverName));
    expect(world.calls).toEqual([]);
  });
});

describe("a configuration that is right", () => {
  it.each<readonly [string, Partial<Config>]>([
    ["the key is a Buffer", { addressKey: Buffer.alloc(32, 7) }],
    ["the key is longer than it must be", { addressKey: new Uint8Array(64).fill(7) }],
    ["the server name has a port", { serverName: "a.example:8448" }],
    ["the server name is an IPv6 address", { serverName: "[2001:db8::1]:8448" }],
    ["no keys are pinned", { pinnedKeys: new Map() }],
    ["a server is pinned to no key", { pinnedKeys: new Map([["other.example", []]]) }],
    ["no identity server is listed", { identityServers: {} }],
    [
      "lists of identity servers",
      { identityServers: { allow: ["ID.example:443"], deny: ["other.example"] } },
    ],
    ["both switches are on", { allowClearLookup: true, storeAddresses: true }],
    ["both switches are off", { allowClearLookup: false, storeAddresses: false }],
  ])("%s", async (_, config) => {
    must(await ask(openWorld({ config })));
  });

  it("an optional field that is undefined is its default", () => {
    const { ports } = openWorld();
    const optional = Object.keys(wrong).filter((field) => field !== "serverName" && field !== "addressKey");
    const config = { ...ports.config, ...Object.fromEntries(optional.map((field) => [field, undefined])) };
    expect(thrownBy({ ...ports, config })).not.toBeInstanceOf(Error);
  });

  it("a field that the library does not know changes nothing", () => {
    const { ports } = openWorld();
    expect(thrownBy({ ...ports, config: { ...ports.config, another: NaN } })).not.toBeInstanceOf(Error);
  });

  it("the address key is checked for a revocation by token as well, which does not use it", async () => {
    const { ports } = openWorld({ config: { addressKey: new Uint8Array(1) } });
    expectTypeError(thrownBy(ports, ["revokeInvite"]), addressKey);
    const world = openWorld();
    pend(world, "t1");
    must(await world.invites.revokeInvite({ roomId: room, requester: { userId: alice }, token: "t1" }));
  });
});

/** The methods of every port. */
const methods: Readonly<Record<Exclude<keyof Ports, "config" | "observe">, readonly string[]>> = {
  crypto: ["verify", "sha256", "hmacSha256"],
  rooms: ["snapshot", "tokens"],
  events: ["append"],
  identityServer: ["hashDetails", "lookup", "storeInvite", "keyValidity"],
  invites: ["putIfAbsent", "replace", "find", "findByToken", "list"],
  redemptions: ["put", "line", "sizes", "claim", "replace", "known", "list", "remove", "nextDueAt"],
  federation: ["exchangeThirdPartyInvite"],
  users: ["find"],
  clock: ["now"],
  random: ["fraction"],
  limits: ["take", "forget"],
  policy: ["mayInvite"],
};

const portNames = Object.keys(methods) as readonly (keyof typeof methods)[];
const required = portNames.filter((port) => port !== "policy");

/** What a port that is none must be. */
const mustBe = (port: string): string =>
  port === "limits" ? 'limits must be an object, or "off".' : `${port} must be an object.`;

describe("a port that is missing is a TypeError of the constructor that names it", () => {
  const values = [null, 5, NaN, Infinity, -1, "5", "", true];

  it.each(required)("%s is missing", (port) => {
    const { [port]: _, ...rest } = openWorld().ports;
    expectTypeError(thrownBy(rest), mustBe(port));
  });

  it.each(portNames.flatMap((port) => values.map((value) => [port, value] as const)))(
    "%s: %o",
    (port, value) => {
      expectTypeError(thrownBy({ ...openWorld().ports, [port]: value }), mustBe(port));
    },
  );

  it.each(portNames.flatMap((port) => methods[port].map((method) => [port, method] as const)))(
    "%s.%s is missing, or is no function",
    (port, method) => {
      const { ports } = openWorld();
      const given = port === "limits" ? memoryLimits() : (ports[port] ?? {});
      const other = Object.fromEntries(
        methods[port].map((name) => [name, Reflect.get(given, name) as unknown]),
      );
      expect(thrownBy({ ...ports, [port]: other })).not.toBeInstanceOf(Error);
      for (const value of [undefined, null, {}, 5, NaN, "now", "() => 1"])
        expectTypeError(
          thrownBy({ ...ports, [port]: { ...other, [method]: value } }),
          `${port}.${method} must be a function.`,
        );
    },
  );

  it("a policy without mayInvite", () => {
    expectTypeError(thrownBy({ ...openWorld().ports, policy: {} }), "policy.mayInvite must be a function.");
  });

  it.each([null, 5, NaN, "observe", {}, [], true])("observe: %o", (observe) => {
    expectTypeError(thrownBy({ ...openWorld().ports, observe }), "observe must be a function.");
    expectTypeError(
      thrownBy({ ...openWorld().ports, observe }, ["listInvites"]),
      "observe must be a function.",
    );
  });

  it("policy and observe may be missing", async () => {
    const { policy: _, observe: __, ...ports } = openWorld().ports;
    const invites = createThirdPartyInvites(ports);
    must(await invites.invite({ roomId: room, requester: { userId: alice }, body: invite() }));
  });

  it("a port may be an object of a class, or a function: its methods are called on it", async () => {
    class Clock {
      readonly #time = 5;
      now(): number {
        return this.#time;
      }
    }
    const random = Object.assign(() => 0, { fraction: () => 0.5 });
    const world = openWorld({ ports: { clock: new Clock(), random } });
    must(await ask(world));
    expect([...world.records.values()].map(({ value }) => value.createdAt)).toEqual([5]);
  });
});

describe("a part needs only the ports of its own flows", () => {
  it.each(flowNames)("%s", (name) => {
    const world = openWorld();
    const part = thrownBy(only(world, needs[name]), [name]);
    expect(part).not.toBeInstanceOf(Error);
    expect(Object.keys(part as object)).toEqual([name]);
  });

  it.each(flowNames.flatMap((name) => needs[name].map((port) => [name, port] as const)))(
    "%s without %s is a TypeError",
    (name, port) => {
      const others = needs[name].filter((other) => other !== port);
      expectTypeError(thrownBy(only(openWorld(), others), [name]), mustBe(port));
    },
  );

  it.each(flowNames.flatMap((name) => required.map((port) => [name, port] as const)))(
    "%s looks at %s only if it needs it",
    (name, port) => {
      const thrown = thrownBy({ ...openWorld().ports, [port]: 5 }, [name]);
      const isNeeded = (needs[name] as readonly string[]).includes(port);
      expect(thrown instanceof TypeError).toBe(isNeeded);
    },
  );

  it.each(flowNames)("%s looks at policy only if it asks it", (name) => {
    const thrown = thrownBy({ ...openWorld().ports, policy: {} }, [name]);
    expect(thrown instanceof TypeError).toBe(["invite", "inviteAll", "deliverOwed"].includes(name));
  });

  const inviteTwo: Scene = {
    name: "inviteAll",
    prepare: (world) => world.bound.set("ann@example.org", bob),
    start: (invites) =>
      invites.inviteAll({
        roomId: room,
        requester: { userId: alice },
        invites: [invite(), invite({ address: "ann@example.org" })],
        concurrency: 1,
      }),
  };

  it.each([...scenes, inviteTwo])("and does with them what it does with all: $name", async (scene: Scene) => {
    const [name] = scene.name.split(",") as [FlowName];
    const worlds = [openWorld(), openWorld()] as const;
    for (const world of worlds) {
      scene.prepare(world);
      world.calls.length = 0;
    }
    const [whole, apart] = worlds;
    const ports = only(apart, [...needs[name], "policy", "observe"]);
    const part = createThirdPartyInvites(ports as Ports, [name]) as ThirdPartyInvites;
    expect(await scene.start(part)).toEqual(await scene.start(whole.invites));
    expect(apart.names()).toEqual(whole.names());
    expect(apart.observed).toEqual(whole.observed);
  });

  it("several flows need the ports of each", () => {
    const names = ["receiveOnBind", "listInvites"] as const;
    const all = new Set(names.flatMap((name): readonly (keyof Ports)[] => needs[name]));
    const part = thrownBy(only(openWorld(), [...all]), names);
    expect(Object.keys(part as object)).toEqual(names);
    for (const port of all)
      expectTypeError(
        thrownBy(
          only(
            openWorld(),
            [...all].filter((other) => other !== port),
          ),
          names,
        ),
        `${port} must be an object.`,
      );
  });

  it("no flow needs no port, and has no method", () => {
    expect(thrownBy(only(openWorld(), []), [])).toEqual({});
  });

  it("the whole has every method", () => {
    expect(Object.keys(openWorld().invites)).toEqual(flowNames);
  });
});

it.each(["inviteByThreePid", "firstJoinChecks", "", "constructor", "toString", "__proto__"])(
  "%o is no flow: a TypeError that names it",
  (name) => {
    expectTypeError(thrownBy(openWorld().ports, [name]), `There is no flow ${name}.`);
    expectTypeError(thrownBy(openWorld().ports, ["invite", name]), `There is no flow ${name}.`);
  },
);

/** Checked by the compiler: nobody calls it. */
export const theTypesOfAPart = ({ ports }: World): void => {
  const { config, invites, rooms, crypto, redemptions, users, clock } = ports;
  const part = createThirdPartyInvites({ config, rooms, invites }, ["listInvites", "invitesLeftBehind"]);
  void part.listInvites({ roomId: room, requester: { userId: alice } });
  // @ts-expect-error -- a part has no other flows
  expect("invite" satisfies keyof typeof part);
  // @ts-expect-error -- `invites` is missing
  createThirdPartyInvites({ config, rooms }, ["listInvites"]);
  // @ts-expect-error -- `config` is missing
  createThirdPartyInvites({ rooms, invites }, ["listInvites"]);
  // @ts-expect-error -- there is no such flow
  createThirdPartyInvites(ports, ["inviteByThreePid"]);
  // @ts-expect-error -- the whole needs every port
  createThirdPartyInvites({ config, rooms, invites });
  const onBind: PortsOf<"receiveOnBind"> = { config, crypto, invites, redemptions, users, clock };
  createThirdPartyInvites(onBind, ["receiveOnBind"]);
  // @ts-expect-error -- `events` is none of the ports of this part
  expect("events" satisfies keyof typeof onBind);
  // @ts-expect-error -- a command without `body` or `token`
  void createThirdPartyInvites(ports).revokeInvite({ roomId: room, requester: { userId: alice } });
  void createThirdPartyInvites(ports).revokeInvite({
    roomId: room,
    requester: { userId: alice },
    body: addressee(),
  });
};
