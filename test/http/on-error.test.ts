import {
  type EndpointHost,
  exchangeEndpoint,
  inviteEndpoint,
  onBindEndpoint,
} from "matrix-third-party-invites/http";
import { left, right } from "fp-ts/lib/Either.js";
import { describe, expect, it, vi } from "vitest";
import type { World } from "../flows/ports.js";
import { alice } from "../flows/samples.js";
import {
  answerOf,
  mountedExchange,
  mountedInvite,
  mountedOnBind,
  openHost,
  requestTo,
  shortly,
} from "./host.js";

const authenticateUser = () => ({ _tag: "User", requester: { userId: alice } }) as const;
const authenticateServer = () => ({ _tag: "Server", origin: "b.example" }) as const;

const endpoints = [
  {
    name: "invite",
    open: ({ invites }: Pick<World, "invites">, host: EndpointHost) =>
      inviteEndpoint(invites, { ...host, authenticate: authenticateUser }),
    mounted: mountedInvite,
    port: "rooms.snapshot",
    status: 500,
  },
  {
    name: "onbind",
    open: ({ invites }: Pick<World, "invites">, host: EndpointHost) => onBindEndpoint(invites, host),
    mounted: mountedOnBind,
    port: "redemptions.put",
    // Some identity servers deliver again only after this one.
    status: 502,
  },
  {
    name: "exchange",
    open: ({ invites }: Pick<World, "invites">, host: EndpointHost) =>
      exchangeEndpoint(invites, { ...host, authenticate: authenticateServer }),
    mounted: mountedExchange,
    port: "events.append",
    status: 500,
  },
] as const;

const asked = (mounted: (typeof endpoints)[number]["mounted"], signal?: AbortSignal) =>
  requestTo(mounted, JSON.stringify(mounted.body), signal === undefined ? {} : { signal });

describe.each(endpoints)("the host of $name", ({ open, mounted, port, status: failed }) => {
  it("is told which port failed, and what it threw; the client is told no cause", async () => {
    const world = openHost();
    const cause = new Error("the disk is full");
    world.intercept = ({ name }, perform) => (name === port ? Promise.reject(cause) : perform());
    const onError = vi.fn();
    const answered = await answerOf(open(world, { onError })(asked(mounted)));
    expect(shortly(answered)).toEqual([failed, "M_UNKNOWN"]);
    expect(JSON.stringify(answered.body)).not.toContain("disk");
    expect(onError.mock.calls).toEqual([
      [
        expect.objectContaining({
          _tag: "PortFailure",
          port,
          cause: expect.objectContaining({ message: cause.message }) as unknown,
        }),
      ],
    ]);
  });

  it("is told of a port that answers nonsense: though there is no cause", async () => {
    const world = openHost();
    world.intercept = ({ name }, perform) =>
      name === "rooms.snapshot" || name === "users.find" ? Promise.resolve({}) : perform();
    const onError = vi.fn();
    await open(world, { onError })(asked(mounted));
    const named: unknown = expect.stringMatching(/^(rooms\.snapshot|users\.find)$/);
    expect(onError.mock.calls).toEqual([[expect.objectContaining({ code: "PortBroken", port: named })]]);
  });

  it("is told nothing where all is well, nor of a refusal", async () => {
    const onError = vi.fn();
    const { status } = await open(openHost(), { onError })(asked(mounted));
    expect(status).toBe(200);
    await open(openHost(), { onError })(requestTo(mounted, "{}"));
    expect(onError).not.toHaveBeenCalled();
  });

  it("may throw: the answer is the same", async () => {
    const world = openHost();
    world.intercept = () => Promise.reject(new Error("down"));
    const onError = (): never => {
      throw new Error("and the log too");
    };
    expect((await open(world, { onError })(asked(mounted))).status).toBe(failed);
  });

  it.each([
    [{ serverName: "" }, "config.serverName must be a server name."],
    [{ addressKey: new Uint8Array(16) }, "config.addressKey must be a Uint8Array of at least 32 bytes."],
  ])("hears of a wrong configuration before there is an endpoint", (config, sentence) => {
    const world = openHost({ config });
    expect(() => open(world, {})).toThrow(new TypeError(sentence));
  });
});

it("a client that went away is no error of the host's", async () => {
  const world = openHost();
  const controller = new AbortController();
  world.intercept = () => {
    controller.abort();
    return Promise.reject(new Error("stopped"));
  };
  const onError = vi.fn();
  const request = asked(mountedInvite, controller.signal);
  await inviteEndpoint(world.invites, { onError, authenticate: authenticateUser })(request);
  expect(world.calls).toHaveLength(1);
  expect(onError).not.toHaveBeenCalled();
});

describe("what wake comes to", () => {
  const cause = new Error("no worker");

  it.each<readonly [string, () => unknown, readonly unknown[]]>([
    ["a rejection", () => Promise.reject(cause), [[cause]]],
    [
      "a throw",
      () => {
        throw cause;
      },
      [[cause]],
    ],
    ["the left of a flow", () => Promise.resolve(left(cause)), [[cause]]],
    ["the right of a flow", () => Promise.resolve(right(cause)), []],
    ["anything else", () => cause, []],
    ["nothing", () => undefined, []],
  ])("%s", async (_, wake, told) => {
    const onError = vi.fn();
    const { status } = await onBindEndpoint(openHost().invites, { wake, onError })(asked(mountedOnBind));
    expect(status).toBe(200);
    await new Promise((resolve) => setTimeout(resolve, 1));
    expect(onError.mock.calls).toEqual(told);
  });
});
