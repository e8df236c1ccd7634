import { describe, expect, it } from "vitest";
import { room } from "../flows/samples.js";
import {
  type Mounted,
  answerOf,
  everyEndpoint,
  exchangeBody,
  inviteBody,
  mountedExchange,
  mountedInvite,
  mountedOnBind,
  openHost,
  origin,
  requestTo,
  shortly,
} from "./host.js";

const methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"];

const ownRequest = (mounted: Mounted, method: string): Request =>
  requestTo(mounted, ["GET", "HEAD"].includes(method) ? null : JSON.stringify(mounted.body), { method });

const corsOf = (headers: Headers): readonly (readonly [string, string])[] =>
  [...headers].filter(([name]) => name.startsWith("access-control-"));

const cors = [
  ["access-control-allow-headers", "X-Requested-With, Content-Type, Authorization"],
  ["access-control-allow-methods", "GET, POST, PUT, DELETE, OPTIONS"],
  ["access-control-allow-origin", "*"],
  ["access-control-expose-headers", "Retry-After"],
];

const table = everyEndpoint.flatMap((mounted) =>
  methods.map((method) => [mounted.name, method, mounted] as const),
);

describe("the method", () => {
  const takes = ({ methods: own, isForBrowsers }: Mounted, method: string): boolean =>
    own.includes(method) || (isForBrowsers && method === "OPTIONS");

  it.each(table.filter(([, method, { methods: own }]) => own.includes(method)))(
    "%s takes %s",
    async (_, method, mounted) => {
      const answered = await answerOf(mounted.open(openHost())(ownRequest(mounted, method)));
      expect([answered.status, answered.body]).toEqual([200, {}]);
      expect(answered.headers.get("content-type")).toBe("application/json");
    },
  );

  it.each(table.filter(([, method, mounted]) => !takes(mounted, method)))(
    "%s answers %s with 405 and says what it takes",
    async (_, method, mounted) => {
      const world = openHost();
      const answered = await answerOf(mounted.open(world)(ownRequest(mounted, method)));
      expect(shortly(answered)).toEqual([405, "M_UNRECOGNIZED"]);
      expect(answered.headers.get("allow")).toBe(mounted.methods.join(", "));
      expect(world.calls).toEqual([]);
    },
  );
});

describe("browsers of other origins", () => {
  it("may ask first: OPTIONS is 204, empty, and asks nobody", async () => {
    const world = openHost();
    const user = () => Promise.reject(new Error("The pre-flight has no token."));
    const response = await mountedInvite.open(world, { user })(ownRequest(mountedInvite, "OPTIONS"));
    expect([response.status, await response.text()]).toEqual([204, ""]);
    expect(corsOf(response.headers)).toEqual(cors);
    expect(world.calls).toEqual([]);
  });

  const failing = { user: () => Promise.reject(new Error("broken")) };
  const denied = {
    user: () =>
      Promise.resolve({ _tag: "Denied", status: 401, body: { errcode: "M_UNKNOWN_TOKEN" } } as const),
  };
  it.each([
    ["200", 200, () => mountedInvite.open(openHost())(requestTo(mountedInvite, JSON.stringify(inviteBody)))],
    [
      "404",
      404,
      () => mountedInvite.open(openHost())(requestTo(mountedInvite, "{}", { path: "/elsewhere" })),
    ],
    ["405", 405, () => mountedInvite.open(openHost())(ownRequest(mountedInvite, "DELETE"))],
    ["a body that is no JSON", 400, () => mountedInvite.open(openHost())(requestTo(mountedInvite, "{"))],
    ["a refusal", 400, () => mountedInvite.open(openHost())(requestTo(mountedInvite, "{}"))],
    ["denied", 401, () => mountedInvite.open(openHost(), denied)(requestTo(mountedInvite, "{}"))],
    ["broken", 500, () => mountedInvite.open(openHost(), failing)(requestTo(mountedInvite, "{}"))],
  ] as const)("may read every answer of the client endpoint: %s", async (_, status, ask) => {
    const response = await ask();
    expect(response.status).toBe(status);
    expect(corsOf(response.headers)).toEqual(cors);
  });

  it.each(
    [mountedOnBind, mountedExchange].flatMap((mounted) =>
      ["OPTIONS", "PUT", "GET"].map((method) => [mounted.name, method, mounted] as const),
    ),
  )("may read no answer of a federation endpoint: %s, %s", async (_, method, mounted) => {
    const response = await mounted.open(openHost())(ownRequest(mounted, method));
    expect(corsOf(response.headers)).toEqual([]);
  });
});

describe("the path", () => {
  const elsewhere = (path: string): readonly string[] => [
    "/invite",
    "/elsewhere",
    `${path}/`,
    `/${path}`,
    path.replace("/v", "//v"),
    path.slice(0, -1),
    path.replace("_matrix", "_Matrix"),
    path.replace("_matrix", "_synapse"),
    `/prefix${path}`,
    path.split("/").slice(0, -1).join("/"),
  ];

  it.each(
    everyEndpoint.flatMap((mounted) =>
      elsewhere(mounted.path).map((path) => [mounted.name, path, mounted] as const),
    ),
  )("%s is not at %s", async (_, path, mounted) => {
    const world = openHost();
    const { method } = mounted;
    const answered = await answerOf(mounted.open(world)(requestTo(mounted, "{}", { path, method })));
    // One letter less of a room ID is another room's.
    const isOtherRoom = mounted.name === "exchange" && path === mounted.path.slice(0, -1);
    expect(shortly(answered)).toEqual(isOtherRoom ? [400, "M_INVALID_PARAM"] : [404, "M_UNRECOGNIZED"]);
    expect(world.calls).toEqual([]);
  });

  it.each(everyEndpoint.map((mounted) => [mounted.name, mounted] as const))(
    "%s: a query and a fragment change nothing",
    async (_, mounted) => {
      for (const more of ["?", "?access_token=x&x=/y", "?a=%zz", "#fragment"]) {
        const request = requestTo(mounted, JSON.stringify(mounted.body), { path: mounted.path + more });
        expect((await mounted.open(openHost())(request)).status, more).toBe(200);
      }
    },
  );

  const mounts = [
    [mountedInvite, (id: string) => `/_matrix/client/v3/rooms/${id}/invite`, () => inviteBody],
    [
      mountedExchange,
      (id: string) => `/_matrix/federation/v1/exchange_third_party_invite/${id}`,
      (id: string) => exchangeBody({ room_id: id }),
    ],
  ] as const;

  /** How a room ID is written in a path, and the ID that it is. */
  const spelt: readonly (readonly [string, string])[] = [
    ["!a:b.example", "!a:b.example"],
    ["%21a%3Ab.example", "!a:b.example"],
    ["%21a:b.example", "!a:b.example"],
    ["!a%3ab.example", "!a:b.example"],
    ["%21a%2Fb%3Ab.example", "!a/b:b.example"],
    ["!a%3Fb%23c", "!a?b#c"],
    ["!a%5Cb", "!a\\b"],
    ["!a%20b", "!a b"],
    ["!a+b", "!a+b"],
    ["!a%25zz", "!a%zz"],
    ["!a%252Fb", "!a%2Fb"],
    ["!caf%C3%A9:b.example", "!café:b.example"],
    ["!café:b.example", "!café:b.example"],
    ["!31hneApxJ_1o-63DmFrpeqnkFfWppnzWso1JvH3ogLM", "!31hneApxJ_1o-63DmFrpeqnkFfWppnzWso1JvH3ogLM"],
    [`!${"a".repeat(254)}`, `!${"a".repeat(254)}`],
    ["!%2E%2E", "!.."],
    ["!__proto__", "!__proto__"],
  ];

  it.each(
    mounts.flatMap(([mounted, pathOf, bodyOf]) =>
      spelt.map(([written, id]) => [mounted.name, written, id, mounted, pathOf, bodyOf] as const),
    ),
  )("%s: %s is the room %s", async (_, written, id, mounted, pathOf, bodyOf) => {
    const world = openHost();
    world.rooms.clear();
    await mounted.open(world)(requestTo(mounted, JSON.stringify(bodyOf(id)), { path: pathOf(written) }));
    expect(world.calls.find(({ name }) => name === "rooms.snapshot")?.args[0]).toBe(id);
  });

  const noRooms: readonly (readonly [string, number, string])[] = [
    ["%zz", 404, "M_UNRECOGNIZED"],
    ["!a%", 404, "M_UNRECOGNIZED"],
    ["!a%E9", 404, "M_UNRECOGNIZED"],
    ["!a%ED%A0%80", 404, "M_UNRECOGNIZED"],
    ["!a/b:b.example", 404, "M_UNRECOGNIZED"],
    ["!a\\b", 404, "M_UNRECOGNIZED"],
    ["..", 404, "M_UNRECOGNIZED"],
    ["%2e%2e", 404, "M_UNRECOGNIZED"],
    ["%23garden%3Ab.example", 400, "M_INVALID_PARAM"],
    ["", 400, "M_INVALID_PARAM"],
    ["garden", 400, "M_INVALID_PARAM"],
    ["!", 400, "M_INVALID_PARAM"],
    ["!a%00", 400, "M_INVALID_PARAM"],
    [`!${"a".repeat(255)}`, 400, "M_INVALID_PARAM"],
  ];

  it.each(
    mounts.flatMap(([mounted, pathOf, bodyOf]) =>
      noRooms.map((row) => [mounted.name, ...row, mounted, pathOf, bodyOf] as const),
    ),
  )("%s: %s is no room: %i %s", async (_, written, status, errcode, mounted, pathOf, bodyOf) => {
    const world = openHost();
    const request = requestTo(mounted, JSON.stringify(bodyOf(room)), { path: pathOf(written) });
    expect(shortly(await answerOf(mounted.open(world)(request)))).toEqual([status, errcode]);
    expect(world.calls).toEqual([]);
  });

  /** A path, and what is left of it by a framework that has cut some of its beginning off. */
  const cutPaths = (path: string): readonly string[] => {
    const parts = path.split("/").slice(1);
    const end = Math.max(...parts.map((part, at) => (part.startsWith("!") ? at : 0))) || parts.length;
    return parts.slice(0, end + 1).map((_, at) => `/${parts.slice(at).join("/")}`);
  };

  it.each(
    everyEndpoint.flatMap((mounted) =>
      cutPaths(mounted.path).map((path) => [mounted.name, path, mounted] as const),
    ),
  )("%s may come with its beginning cut off: %s", async (_, path, mounted) => {
    const request = requestTo(mounted, JSON.stringify(mounted.body), { path });
    expect((await mounted.open(openHost())(request)).status).toBe(200);
  });

  it("without a room ID is none of an endpoint that needs one", async () => {
    for (const mounted of [mountedInvite, mountedExchange]) {
      const answered = await answerOf(mounted.open(openHost())(requestTo(mounted, "{}", { path: "/" })));
      expect(shortly(answered)).toEqual([404, "M_UNRECOGNIZED"]);
    }
  });

  it.each([mountedInvite, mountedExchange].map((mounted) => [mounted.name, mounted] as const))(
    "%s: does not count where the host says which room it is",
    async (_, mounted) => {
      for (const path of ["/", "/elsewhere", mounted.path.replace(room, "!other"), "/%zz"]) {
        const world = openHost();
        const handle = mounted.open(world, { roomId: () => room });
        expect((await handle(requestTo(mounted, JSON.stringify(mounted.body), { path }))).status).toBe(200);
      }
      const unsure = mounted.open(openHost(), { roomId: () => undefined });
      expect((await unsure(requestTo(mounted, JSON.stringify(mounted.body)))).status).toBe(200);
      const broken = mounted.open(openHost(), {
        roomId: () => {
          throw new Error("no route");
        },
      });
      expect((await broken(requestTo(mounted, JSON.stringify(mounted.body)))).status).toBe(500);
    },
  );

  it("is all that counts of the URL: neither scheme nor host nor port does", async () => {
    for (const base of ["http://localhost:8008", "http://[::1]", "https://other.example:8448", origin]) {
      const request = new Request(base + mountedOnBind.path, {
        method: "PUT",
        body: JSON.stringify(mountedOnBind.body),
        headers: { "content-type": "application/json" },
      });
      expect((await mountedOnBind.open(openHost())(request)).status, base).toBe(200);
    }
  });
});
