import { describe, expect, it } from "vitest";
import { type World, portsOfInvite } from "../flows/ports.js";
import { address, alice, bob, pendingContent } from "../flows/samples.js";
import {
  type Mounted,
  answerOf,
  entryOf,
  everyEndpoint,
  inviteBody,
  mountedExchange,
  mountedInvite,
  mountedOnBind,
  onBindBody,
  openHost,
  requestTo,
  secretToken,
} from "./host.js";

type Prepare = (world: World) => unknown;
type Row = readonly [
  what: string,
  mounted: Mounted,
  prepare: Prepare,
  status: number,
  errcode: string,
  retryAfter?: string,
];

const limited =
  (retryAfterMs: number): Prepare =>
  ({ next }) =>
    next.lookup.push({ _tag: "RateLimited", retryAfterMs });
const refusedBy =
  (answer: { readonly status: number; readonly errcode: string; readonly retryAfterMs?: number }): Prepare =>
  ({ next }) =>
    next.mayInvite.push({ _tag: "Refuse", ...answer });
const breaks =
  (port: string): Prepare =>
  (world) => {
    world.intercept = ({ name }, perform) =>
      name === port ? Promise.reject(new Error(`broken at ${address} with ${secretToken}`)) : perform();
  };

const rows: readonly Row[] = [
  [
    "not in the room",
    mountedInvite,
    (w) => {
      w.join(alice, "leave");
    },
    403,
    "M_FORBIDDEN",
  ],
  [
    "a room of elsewhere",
    mountedInvite,
    (w) => {
      w.rooms.clear();
    },
    403,
    "M_FORBIDDEN",
  ],
  [
    "banned",
    mountedInvite,
    (w) => {
      w.bound.set(address, bob);
      w.join(bob, "ban");
    },
    403,
    "M_FORBIDDEN",
  ],
  ["the policy", mountedInvite, refusedBy({ status: 403, errcode: "ORG.EXAMPLE" }), 403, "ORG.EXAMPLE"],
  [
    "the policy's limit",
    mountedInvite,
    refusedBy({ status: 429, errcode: "M_LIMIT_EXCEEDED", retryAfterMs: 900 }),
    429,
    "M_LIMIT_EXCEEDED",
    "1",
  ],
  ["an identity server's limit", mountedInvite, limited(1), 429, "M_LIMIT_EXCEEDED", "1"],
  ["the same, to the second", mountedInvite, limited(2_000), 429, "M_LIMIT_EXCEEDED", "2"],
  ["the same, and a bit", mountedInvite, limited(2_001), 429, "M_LIMIT_EXCEEDED", "3"],
  ["the same, at once", mountedInvite, limited(0), 429, "M_LIMIT_EXCEEDED", "0"],
  [
    "the same, without a time",
    mountedInvite,
    (w) => w.next.lookup.push({ _tag: "RateLimited" }),
    429,
    "M_LIMIT_EXCEEDED",
  ],
  ["the same, with a time that is none", mountedInvite, limited(NaN), 429, "M_LIMIT_EXCEEDED"],
  ["the same, with a time that was", mountedInvite, limited(-5), 429, "M_LIMIT_EXCEEDED"],
  ["the same, for ever", mountedInvite, limited(Infinity), 429, "M_LIMIT_EXCEEDED"],
  ["terms", mountedInvite, (w) => w.next.lookup.push({ _tag: "TermsNotSigned" }), 403, "M_TERMS_NOT_SIGNED"],
  [
    "an identity server's 401",
    mountedInvite,
    (w) => w.next.hashDetails.push({ _tag: "Unauthorized" }),
    403,
    "M_UNAUTHORIZED",
  ],
  [
    "no identity server",
    mountedInvite,
    (w) => w.next.lookup.push({ _tag: "Unreachable", sent: false }),
    424,
    "M_CONNECTION_FAILED",
  ],
  [
    "a silent one",
    mountedInvite,
    (w) => w.next.lookup.push({ _tag: "Unreachable", sent: true, timedOut: true }),
    424,
    "M_CONNECTION_TIMEOUT",
  ],
  [
    "one that answers store-invite with nonsense",
    mountedInvite,
    (w) => w.next.storeInvite.push({ _tag: "Stored", answer: address }),
    403,
    "M_SERVER_NOT_TRUSTED",
  ],
  [
    "an append that is refused",
    mountedInvite,
    (w) => w.next.append.push({ _tag: "Refused", status: 403, errcode: "M_FORBIDDEN" }),
    403,
    "M_FORBIDDEN",
  ],
  [
    "an append that must wait",
    mountedInvite,
    (w) => w.next.append.push({ _tag: "Unavailable", retryAfterMs: 10_500 }),
    503,
    "M_UNKNOWN",
    "11",
  ],
  ["storage that is down", mountedInvite, breaks("invites.putIfAbsent"), 500, "M_UNKNOWN"],
  ["a policy that is down", mountedInvite, breaks("policy.mayInvite"), 500, "M_UNKNOWN"],
  [
    "no room in the queue",
    mountedOnBind,
    (w) => {
      const full = { rows: 20_000, bytes: 1 };
      const sizes = [{ lane: "unvouched", ...full, ahead: full, oldest: 0 }];
      w.intercept = ({ name }, go) => (name === "redemptions.sizes" ? Promise.resolve(sizes) : go());
    },
    502,
    "M_LIMIT_EXCEEDED",
    "60",
  ],
  ["a queue that is down", mountedOnBind, breaks("redemptions.put"), 502, "M_UNKNOWN"],
  [
    "a revoked invite",
    mountedExchange,
    (w) => {
      w.put({ type: "m.room.third_party_invite", key: "t1", content: {} });
    },
    403,
    "M_FORBIDDEN",
  ],
  [
    "another key's proof",
    mountedExchange,
    (w) => {
      w.put({
        type: "m.room.third_party_invite",
        key: "t1",
        content: { ...pendingContent(), public_key: "x", public_keys: [] },
      });
    },
    403,
    "M_FORBIDDEN",
  ],
  [
    "not in the room, as a server",
    mountedExchange,
    (w) => {
      w.rooms.clear();
    },
    404,
    "M_NOT_FOUND",
  ],
  [
    "a key of which nobody knows",
    mountedExchange,
    (w) => {
      w.intercept = ({ name }, go) =>
        name === "identityServer.keyValidity" ? Promise.resolve({ _tag: "Unreachable", sent: true }) : go();
    },
    424,
    "M_CONNECTION_FAILED",
  ],
  [
    "an append that is refused for a server",
    mountedExchange,
    (w) => w.next.append.push({ _tag: "Refused", status: 403, errcode: "M_INVITE_BLOCKED" }),
    403,
    "M_INVITE_BLOCKED",
  ],
];

describe("what a flow says no with", () => {
  it.each(rows.map((row) => [row[1].name, ...row] as const))(
    "%s: %s",
    async (_, __, mounted, prepare, status, errcode, retryAfter) => {
      const world = openHost();
      prepare(world);
      const request = requestTo(mounted, JSON.stringify(mounted.body));
      const answered = await answerOf(mounted.open(world)(request));
      expect([answered.status, answered.body["errcode"]]).toEqual([status, errcode]);
      expect(answered.body["error"]).toEqual(expect.any(String));
      expect(answered.headers.get("retry-after")).toBe(retryAfter ?? null);
      expect(answered.headers.get("content-type")).toBe("application/json");
    },
  );

  it.each([200, 204, 301, 304, 101, 0, 600, 999, NaN])(
    "is no success and no redirection, though another server wants %d answered",
    async (status) => {
      const world = openHost();
      world.next.append.push({ _tag: "Refused", status, errcode: "M_FORBIDDEN" });
      const request = requestTo(mountedInvite, JSON.stringify(inviteBody));
      const answered = await answerOf(mountedInvite.open(world)(request));
      expect([answered.status, answered.body["errcode"]]).toEqual([500, "M_UNKNOWN"]);
    },
  );
});

describe("no answer says more than it must", () => {
  const secrets = [address, "zoe@", secretToken, "signatures", "hunter2"];
  const ports = [
    ...portsOfInvite,
    "redemptions.put",
    "redemptions.sizes",
    "identityServer.keyValidity",
    "invites.findByToken",
  ];

  it.each(everyEndpoint.flatMap((mounted) => ports.map((port) => [mounted.name, port, mounted] as const)))(
    "%s: %s is broken",
    async (_, port, mounted) => {
      const world = openHost();
      breaks(port)(world);
      const response = await mounted.open(world)(requestTo(mounted, JSON.stringify(mounted.body)));
      const shown = JSON.stringify([await response.text(), [...response.headers]]);
      for (const secret of secrets) expect(shown).not.toContain(secret);
    },
  );

  const bodies: readonly (readonly [Mounted, unknown])[] = [
    [mountedInvite, { ...inviteBody, id_server: `https://${secretToken}` }],
    [mountedInvite, { ...inviteBody, id_access_token: `${secretToken}\n` }],
    [mountedInvite, { ...inviteBody, address: `<${address}>` }],
    [mountedInvite, { ...inviteBody, medium: address }],
    [mountedInvite, { ...inviteBody, user_id: address }],
    [mountedInvite, { user_id: address }],
    [mountedOnBind, { ...onBindBody(), mxid: address }],
    [mountedOnBind, onBindBody(address)],
    [mountedOnBind, onBindBody([entryOf("t1", { room_id: address, mxid: address })])],
    [mountedExchange, { ...mountedExchange.body, room_id: address }],
    [mountedExchange, { ...mountedExchange.body, sender: address, type: address }],
  ];

  it.each(bodies.map(([mounted, body]) => [mounted.name, body, mounted] as const))(
    "%s: %j",
    async (_, body, mounted) => {
      const response = await mounted.open(openHost())(requestTo(mounted, JSON.stringify(body)));
      const shown = await response.text();
      for (const secret of secrets) expect(shown).not.toContain(secret);
    },
  );
});

describe("a client that has gone", () => {
  it.each(everyEndpoint.map((mounted) => [mounted.name, mounted] as const))(
    "%s: before its body was read costs no rejection",
    async (_, mounted) => {
      const signal = AbortSignal.abort();
      const response = await mounted.open(openHost())(
        requestTo(mounted, JSON.stringify(mounted.body), { signal }),
      );
      expect(response.status).toBe(mounted.name === "onbind" ? 200 : 499);
    },
  );

  it("ends the lookup, for nothing is out yet", async () => {
    const world = openHost();
    const controller = new AbortController();
    world.intercept = ({ name }, perform) => {
      if (name === "identityServer.lookup") controller.abort();
      return perform();
    };
    const body = JSON.stringify(inviteBody);
    const response = await mountedInvite.open(world)(
      requestTo(mountedInvite, body, { signal: controller.signal }),
    );
    expect(response.status).toBe(499);
    expect([world.mails, world.appended]).toEqual([[], []]);
  });

  it("does not end an invite whose mail is out", async () => {
    const world = openHost();
    const controller = new AbortController();
    world.intercept = ({ name }, perform) => {
      if (name === "identityServer.storeInvite") controller.abort();
      return perform();
    };
    const body = JSON.stringify(inviteBody);
    const response = await mountedInvite.open(world)(
      requestTo(mountedInvite, body, { signal: controller.signal }),
    );
    expect([response.status, world.mails, world.appended.length]).toEqual([200, [address], 1]);
  });

  it("does not end the storing of proofs, which come only once", async () => {
    const world = openHost();
    const controller = new AbortController();
    world.intercept = (_, perform) => {
      controller.abort();
      return perform();
    };
    const request = requestTo(mountedOnBind, JSON.stringify(onBindBody()), { signal: controller.signal });
    expect((await mountedOnBind.open(world)(request)).status).toBe(200);
    expect(world.rows()).toHaveLength(1);
  });
});
