import { isLeft } from "fp-ts/lib/Either.js";
import { matrixError } from "matrix-third-party-invites";
import { identityServerClient } from "matrix-third-party-invites/http";
import type { ForeignError, JsonObject } from "matrix-third-party-invites/ports";
import { describe, expect, it } from "vitest";
import { type World, openWorld } from "./ports.js";
import { alice, anna, bob, invite, room, signedBy } from "./samples.js";

const answerOf = (result: { readonly _tag: string }) => {
  if (!isLeft(result as never)) throw new Error("There is no error.");
  return matrixError((result as unknown as { readonly left: Parameters<typeof matrixError>[0] }).left);
};

const inviteUser = (world: World) =>
  world.invites.invite({ roomId: room, requester: { userId: alice }, body: { user_id: bob } });

/** Each place where somebody else's error comes in, and the body that our client gets for it. */
const places: readonly (readonly [string, (error: ForeignError) => Promise<ReturnType<typeof answerOf>>])[] =
  [
    [
      "the append",
      async (error) => {
        const world = openWorld();
        world.next.append.push({ _tag: "Refused", ...error });
        return answerOf(await inviteUser(world));
      },
    ],
    [
      "the policy",
      async (error) => {
        const world = openWorld();
        world.next.mayInvite.push({ _tag: "Refuse", ...error });
        return answerOf(await inviteUser(world));
      },
    ],
    [
      "the inviter's server",
      async (error) => {
        const world = openWorld({ resident: false });
        world.next.exchange.push({ _tag: "Refused", ...error });
        return answerOf(
          await world.invites.redeemThirdPartySigned({
            roomId: room,
            requester: { userId: anna },
            thirdPartySigned: signedBy(anna, "t1", undefined, { sender: bob }),
          }),
        );
      },
    ],
  ];

const each = <Row extends readonly unknown[]>(rows: readonly Row[]) =>
  places.flatMap(([place, ask]) => rows.map((row) => [place, ...row, ask] as const));

describe("an error of somebody else", () => {
  const members: readonly (readonly [string, JsonObject])[] = [
    ["M_USER_LIMIT_EXCEEDED", { info_uri: "https://example.org/limits", can_upgrade: true }],
    ["ORG.EXAMPLE.HARM", { harms: ["org.example.spam"], expiry: 1_700_000_000_000 }],
    ["M_RESOURCE_LIMIT_EXCEEDED", { admin_contact: "mailto:a@example.org", deep: [{ null: null }] }],
  ];

  it.each(each(members))("of %s: %s keeps its other members", async (_, errcode, more, ask) => {
    const { status, body } = await ask({ status: 403, errcode, message: "No.", members: more });
    expect([status, body]).toEqual([403, { ...more, errcode, error: "No." }]);
  });

  it.each(
    each([
      [401, "M_UNKNOWN_TOKEN"],
      [403, "M_UNKNOWN_TOKEN"],
      [400, "M_MISSING_TOKEN"],
      [403, "M_CONSENT_NOT_GIVEN"],
      [401, "M_USER_LOCKED"],
      [401, "M_FORBIDDEN"],
    ]),
  )("of %s: %i %s logs nobody out", async (_, status, errcode, ask) => {
    // Of an exchange a 401 decides nothing: it is asked again later.
    if (status === 401 && ask === places[2]?.[1]) return;
    const session = { soft_logout: true, consent_uri: "https://elsewhere.example", kept: 1 };
    const answered = await ask({ status, errcode, message: "No.", members: session });
    expect(answered).toEqual({
      status: status === 401 ? 424 : status,
      body: { errcode: "M_FORBIDDEN", error: "No.", kept: 1 },
    });
  });

  it.each(each([[{ errcode: "M_UNKNOWN_TOKEN", error: "Yes." }], [["list"]], ["text"], [null]]))(
    "of %s: members that are none, or an error's own, change nothing: %j",
    async (_, more, ask) => {
      const { body } = await ask({
        status: 403,
        errcode: "M_FORBIDDEN",
        message: "No.",
        members: more as never,
      });
      expect(body).toEqual({ errcode: "M_FORBIDDEN", error: "No." });
    },
  );

  it("of nobody: an errcode that is missing is the code's own", async () => {
    const world = openWorld();
    world.next.append.push({ _tag: "Refused", status: 403 } as never);
    expect(answerOf(await inviteUser(world)).body.errcode).toBe("M_FORBIDDEN");
  });
});

describe("what the invitee's or the inviter's server says of our own request is no fault of our client's", () => {
  it.each(
    each([
      ["M_INVALID_PARAM", 502, "M_UNKNOWN", {}],
      ["M_MISSING_PARAM", 502, "M_UNKNOWN", {}],
      ["M_INCOMPATIBLE_ROOM_VERSION", 400, "M_UNSUPPORTED_ROOM_VERSION", { room_version: "12" }],
      ["M_BAD_STATE", 400, "M_BAD_STATE", {}],
    ] as const).filter(([place]) => place !== "the policy"),
  )("%s: 400 %s becomes %i %s", async (_, errcode, status, named, members, ask) => {
    const answered = await ask({ status: 400, errcode, message: "No.", members });
    expect(answered).toEqual({ status, body: { ...members, errcode: named, error: "No." } });
  });

  it("of the policy it is: it is asked about the client's request", async () => {
    const ask = places[1]?.[1];
    expect(await ask?.({ status: 400, errcode: "M_INVALID_PARAM", message: "No." })).toEqual({
      status: 400,
      body: { errcode: "M_INVALID_PARAM", error: "No." },
    });
  });
});

it("a room version that we do not know is named where another server invites into it", async () => {
  const body = { event: {}, room_version: "org.example.99", invite_room_state: [] };
  const world = openWorld();
  const result = await world.invites.receiveInboundInvite({ roomId: room, origin: "b.example", body });
  expect(answerOf(result)).toMatchObject({
    status: 400,
    body: { errcode: "M_INCOMPATIBLE_ROOM_VERSION", room_version: "org.example.99" },
  });
});

describe("an error of an identity server that speaks of a session there", () => {
  const errcodes = ["M_UNKNOWN_TOKEN", "M_MISSING_TOKEN", "M_CONSENT_NOT_GIVEN", "M_USER_LOCKED"];
  const paths = ["hash_details", "lookup", "store-invite"];
  const answers: Readonly<Record<string, unknown>> = {
    hash_details: { algorithms: ["sha256"], lookup_pepper: "p" },
    lookup: { mappings: {} },
  };

  it.each(
    paths.flatMap((path) =>
      errcodes.flatMap((errcode) => [400, 401, 403, 500].map((status) => [path, errcode, status] as const)),
    ),
  )("at %s: %s with %i logs nobody out here", async (path, errcode, status) => {
    const error = { errcode, error: "No.", soft_logout: true, consent_uri: "https://id.example/terms" };
    const identityServer = identityServerClient({
      fetch: (url) => {
        const asked = url.replace(/^.*\//, "");
        const body = asked === path ? error : answers[asked];
        return Promise.resolve(Response.json(body, { status: asked === path ? status : 200 }));
      },
    });
    const world = openWorld({ ports: { identityServer } });
    const command = { roomId: room, requester: { userId: alice }, body: invite() };
    const answered = answerOf(await world.invites.invite(command));
    expect(answered.status).not.toBe(401);
    expect(["M_UNAUTHORIZED", "M_BAD_STATUS"]).toContain(answered.body.errcode);
    expect(Object.keys(answered.body).sort()).toEqual(["errcode", "error"]);
  });
});
