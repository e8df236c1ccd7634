import { right } from "fp-ts/lib/Either.js";
import { parseInviteRequest } from "matrix-third-party-invites/decisions";
import type { JsonObject } from "matrix-third-party-invites/ports";
import { inviteEndpoint, matrixResponse } from "matrix-third-party-invites/http";
import { describe, expect, it } from "vitest";
import { room } from "../flows/samples.js";
import {
  type Mounted,
  type Options,
  answerOf,
  exchangeBody,
  inviteBody,
  mountedExchange,
  mountedInvite,
  openHost,
  requestTo,
  shortly,
} from "./host.js";

type Asked = (request: Request, content?: unknown) => unknown;

/** An answer to the question who asks, at the endpoints that ask it; also such as no type allows. */
const asking = (asked: Asked): Options => ({ user: asked as never, server: asked as never });

const both = [mountedInvite, mountedExchange] as const;
const own = ({ body }: Mounted): string => JSON.stringify(body);

const each = <Row extends readonly unknown[]>(rows: readonly Row[]) =>
  both.flatMap((mounted) => rows.map((row) => [mounted.name, ...row, mounted] as const));

describe("whom the host does not let in", () => {
  const denials: readonly (readonly [string, number, JsonObject])[] = [
    ["no token", 401, { errcode: "M_MISSING_TOKEN", error: "Missing access token" }],
    ["a soft logout", 401, { errcode: "M_UNKNOWN_TOKEN", error: "Expired", soft_logout: true }],
    ["a locked account", 401, { errcode: "M_USER_LOCKED", error: "Locked", soft_logout: true }],
    ["a limit", 429, { errcode: "M_LIMIT_EXCEEDED", error: "Slowly", retry_after_ms: 1_500 }],
    ["members that nobody knows", 403, { errcode: "ORG.EXAMPLE", "org.example.more": { deep: [1, null] } }],
    ["its own trouble", 503, { errcode: "M_UNKNOWN", error: "The key server is down" }],
  ];

  it.each(each(denials))("%s: %s is answered word for word", async (_, __, status, body, mounted) => {
    const world = openHost();
    const handle = mounted.open(
      world,
      asking(() => Promise.resolve({ _tag: "Denied", status, body })),
    );
    const answered = await answerOf(handle(requestTo(mounted, own(mounted))));
    expect([answered.status, answered.body]).toEqual([status, body]);
    expect(answered.headers.get("content-type")).toBe("application/json");
    expect(world.calls).toEqual([]);
  });

  it.each(each([[200], [204], [302], [304], [101], [0], [-1], [600], [1_000], [NaN], [400.5]]))(
    "%s: %d is no status of an error, so it is 500",
    async (_, status, mounted) => {
      const body = { errcode: "M_FORBIDDEN", error: "No" };
      const handle = mounted.open(
        openHost(),
        asking(() => Promise.resolve({ _tag: "Denied", status, body })),
      );
      const answered = await answerOf(handle(requestTo(mounted, own(mounted))));
      expect(shortly(answered)).toEqual([500, "M_UNKNOWN"]);
    },
  );
});

describe("a host that does not know", () => {
  const secret = "postgres://user:hunter2@db";
  const faults: readonly (readonly [string, Asked])[] = [
    ["rejects", () => Promise.reject(new Error(secret))],
    [
      "throws",
      () => {
        throw new Error(secret);
      },
    ],
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- as hosts in JavaScript may
    ["rejects with a text", () => Promise.reject(secret)],
    ["answers undefined", () => Promise.resolve(undefined)],
    ["answers null", () => Promise.resolve(null)],
    ["answers a text", () => secret],
    ["denies without a status", () => Promise.resolve({ _tag: "Denied", body: { errcode: "M_FORBIDDEN" } })],
    ["denies with what is no JSON", () => Promise.resolve({ _tag: "Denied", status: 403, body: { a: 1n } })],
  ];

  it.each(each(faults))(
    "%s: %s → 500, nothing of the cause, and nobody is let in",
    async (_, __, asked, mounted) => {
      const world = openHost();
      const { status, body } = await answerOf(
        mounted.open(world, asking(asked))(requestTo(mounted, own(mounted))),
      );
      expect([status, body]).toEqual([500, { errcode: "M_UNKNOWN", error: "The server failed to answer." }]);
      expect(world.calls).toEqual([]);
    },
  );

  it.each(
    each([
      ["{}", {}],
      ["no name", { _tag: "User" }],
      ["no user", { _tag: "User", requester: null }],
    ]),
  )("%s: an answer with %s in it lets nobody in", async (_, __, answer, mounted) => {
    const world = openHost();
    const handle = mounted.open(
      world,
      asking(() => Promise.resolve(answer)),
    );
    const { status } = await answerOf(handle(requestTo(mounted, own(mounted))));
    expect(status).toBeGreaterThanOrEqual(400);
    expect(world.calls).toEqual([]);
  });
});

describe("what the host is asked with", () => {
  it("invite: the request, before its body is read", async () => {
    const seen: unknown[] = [];
    const user = (request: Request) => {
      seen.push(request.headers.get("authorization"), request.bodyUsed, new URL(request.url).pathname);
      return Promise.resolve({ _tag: "Denied", status: 401, body: { errcode: "M_UNKNOWN_TOKEN" } } as const);
    };
    const headers = { authorization: "Bearer abc", "content-type": "text/nonsense" };
    const request = requestTo(mountedInvite, "{", { headers });
    const answered = await answerOf(mountedInvite.open(openHost(), { user })(request));
    expect(shortly(answered)).toEqual([401, "M_UNKNOWN_TOKEN"]);
    expect(seen).toEqual(["Bearer abc", false, mountedInvite.path]);
  });

  it("exchange: the request, and the content that its signature covers, parsed", async () => {
    const seen: unknown[] = [];
    const server = (request: Request, content: unknown) => {
      seen.push(request.method, request.headers.get("authorization"), content);
      return Promise.resolve({ _tag: "Server", origin: "b.example" } as const);
    };
    const headers = { authorization: "X-Matrix origin=b.example", "content-type": "application/json" };
    const body = JSON.stringify(exchangeBody()).replace("{", '{"depth":1e1,"__proto__":{"x":1},');
    const request = requestTo(mountedExchange, body, { headers });
    expect((await mountedExchange.open(openHost(), { server })(request)).status).toBe(200);
    expect(seen.slice(0, 2)).toEqual(["PUT", headers.authorization]);
    expect(JSON.stringify(seen[2])).toBe(body.replace("1e1", "10"));
  });

  it("exchange: not at all where the body cannot be read, for there is nothing that was signed", async () => {
    let asked = 0;
    const server = () => {
      asked += 1;
      return Promise.resolve({ _tag: "Server", origin: "b.example" } as const);
    };
    for (const body of ["", "{", '{"a":1,"a":1}', '{"a":1.5}']) {
      const response = await mountedExchange.open(openHost(), { server })(requestTo(mountedExchange, body));
      expect(response.status).toBe(400);
    }
    expect(asked).toBe(0);
  });

  it.each(both.map((mounted) => [mounted.name, mounted] as const))(
    "%s: nothing where path or method are others",
    async (_, mounted) => {
      let asked = 0;
      const handle = mounted.open(
        openHost(),
        asking(() => {
          asked += 1;
          return Promise.reject(new Error("Not to be asked."));
        }),
      );
      await handle(requestTo(mounted, "{}", { path: "/elsewhere" }));
      await handle(requestTo(mounted, "{}", { method: "DELETE" }));
      expect(asked).toBe(0);
    },
  );
});

describe("who it was", () => {
  it.each([
    ["a guest", { isGuest: true }, "M_GUEST_ACCESS_FORBIDDEN"],
    ["a suspended user", { isSuspended: true }, "M_USER_SUSPENDED"],
  ])("%s may not invite", async (_, more, errcode) => {
    const requester = { userId: "@alice:a.example", ...more };
    const user = () => Promise.resolve({ _tag: "User", requester } as const);
    const request = requestTo(mountedInvite, JSON.stringify(inviteBody));
    expect(shortly(await answerOf(mountedInvite.open(openHost(), { user })(request)))).toEqual([
      403,
      errcode,
    ]);
  });

  it("an exchange must come from the server of its user", async () => {
    const server = () => Promise.resolve({ _tag: "Server", origin: "evil.example" } as const);
    const request = requestTo(mountedExchange, own(mountedExchange));
    const answered = await answerOf(mountedExchange.open(openHost(), { server })(request));
    expect(shortly(answered)).toEqual([403, "M_FORBIDDEN"]);
  });

  it("an exchange must speak of the room of its path", async () => {
    const request = requestTo(mountedExchange, JSON.stringify(exchangeBody({ room_id: `${room}x` })));
    const answered = await answerOf(mountedExchange.open(openHost())(request));
    expect(shortly(answered)).toEqual([400, "M_INVALID_PARAM"]);
  });
});

describe("what goes wrong in the host's own part", () => {
  it("is told to the host, and to nobody else", async () => {
    const cause = new Error("the accounts are gone");
    const told: unknown[] = [];
    const endpoint = inviteEndpoint(openHost().invites, {
      authenticate: () => {
        throw cause;
      },
      onError: (one) => {
        told.push(one);
        throw new Error("and the log too");
      },
    });
    const answered = await answerOf(endpoint(requestTo(mountedInvite, own(mountedInvite))));
    expect(shortly(answered)).toEqual([500, "M_UNKNOWN"]);
    expect(JSON.stringify(answered)).not.toContain("gone");
    expect(told).toEqual([cause]);
  });

  it("authenticate may answer at once, without a promise", async () => {
    const endpoint = inviteEndpoint(openHost().invites, {
      authenticate: () => ({ _tag: "Denied", status: 401, body: { errcode: "M_MISSING_TOKEN" } }),
    });
    expect((await endpoint(requestTo(mountedInvite, own(mountedInvite)))).status).toBe(401);
  });
});

describe("matrixResponse, for endpoints of the host's own", () => {
  it("is the body where it went well, and the Matrix error where it did not", async () => {
    const good = matrixResponse(right("anything"), { room_id: "!a" });
    expect([good.status, await good.json()]).toEqual([200, { room_id: "!a" }]);
    const bad = matrixResponse(parseInviteRequest({}));
    expect([bad.status, await bad.json()]).toMatchObject([400, { errcode: "M_MISSING_PARAM" }]);
  });
});
