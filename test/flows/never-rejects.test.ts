import { type Either, isLeft } from "fp-ts/lib/Either.js";
import fc from "fast-check";
import {
  type InviteLife,
  type Problem,
  cleanUpInvites,
  deliverOwed,
  expireInvites,
  firstJoinChecks,
  invite as inviteEndpoint,
  inviteByThreePid,
  inviteByUserId,
  inviteKey,
  invitesLeftBehind,
  listInvites,
  noteRedeemed,
  parseAddressee,
  parseMintedInvite,
  receiveExchange,
  receiveInboundInvite,
  receiveOnBind,
  redeemThirdPartySigned,
  revokeInvite,
} from "matrix-third-party-invites";
import { describe, expect, it } from "vitest";
import { nodeCrypto } from "matrix-third-party-invites/node";
import { redeemedElsewhere } from "./lives.js";
import { type Call, type World, openWorld, pend, storedAnswer } from "./ports.js";
import { address, alice, anna, bob, idServer, invite, must, room, signedBy, threepid } from "./samples.js";

const onBindBody = {
  mxid: anna,
  invites: [{ mxid: anna, room_id: room, sender: bob, signed: signedBy(anna, "t1") }],
};

interface Flow {
  readonly name: string;
  readonly prepare: (world: World) => unknown;
  readonly start: (world: World) => Promise<Either<Problem, unknown>>;
}

const requester = { userId: alice };

/** Alice's invite of Zoë, as it is stored where addresses are. */
const keep = (world: World, lifeWith: (token: Minted["token"], minted: Minted) => InviteLife): void => {
  const zoe = threepid("email", address);
  const of = { roomId: room, sender: alice, idServer, threepid: zoe };
  const key = inviteKey(nodeCrypto, world.ports.config.addressKey, of);
  const minted = must(parseMintedInvite(storedAnswer("t1"), zoe));
  const life = lifeWith(minted.token, minted);
  world.records.set(key, { mark: "0", value: { ...of, key, createdAt: 0, details: {}, life } });
  pend(world, "t1");
};
type Minted = Extract<ReturnType<typeof parseMintedInvite>, { readonly _tag: "Right" }>["right"];

const keepPending = (world: World): void => {
  keep(world, (_, minted) => ({ _tag: "Pending", minted, askedAt: 0, standing: [] }));
};
const keepRedeemed = (world: World): void => {
  keep(world, (token) => ({ _tag: "Redeemed", by: bob, tokens: [token] }));
};

/** Every flow, in a scene in which it asks all its ports. */
const flows: readonly Flow[] = [
  {
    name: "inviteByThreePid, nobody bound",
    prepare: () => undefined,
    start: ({ ports }) => inviteByThreePid(ports)({ roomId: room, requester, invite: invite() }),
  },
  {
    name: "inviteByThreePid, somebody bound",
    prepare: (world) => world.bound.set(address, bob),
    start: ({ ports }) => inviteByThreePid(ports)({ roomId: room, requester, invite: invite() }),
  },
  {
    name: "inviteByThreePid, bound meanwhile",
    prepare: (world) => world.next.storeInvite.push({ _tag: "AlreadyBound", userId: bob }),
    start: ({ ports }) => inviteByThreePid(ports)({ roomId: room, requester, invite: invite() }),
  },
  {
    name: "inviteByUserId",
    prepare: () => undefined,
    start: ({ ports }) =>
      inviteByUserId(ports)({ roomId: room, requester, invite: { _tag: "ByUserId", userId: bob } }),
  },
  {
    name: "receiveOnBind",
    prepare: (world) => world.users.set(anna, {}),
    start: ({ ports }) => receiveOnBind(ports)(onBindBody),
  },
  {
    name: "receiveExchange",
    prepare: (world) => {
      pend(world, "t1");
    },
    start: ({ ports }) =>
      receiveExchange(ports)({
        roomId: room,
        origin: "b.example",
        body: {
          type: "m.room.member",
          room_id: room,
          sender: alice,
          state_key: bob,
          content: { membership: "invite", third_party_invite: { signed: signedBy(bob, "t1") } },
        },
      }),
  },
  {
    name: "redeemThirdPartySigned",
    prepare: (world) => {
      pend(world, "t1", { sender: bob });
    },
    start: ({ ports }) =>
      redeemThirdPartySigned(ports)({
        roomId: room,
        requester: { userId: anna },
        thirdPartySigned: signedBy(anna, "t1", undefined, { sender: bob }),
      }),
  },
  {
    name: "firstJoinChecks",
    prepare: (world) => {
      pend(world, "t1");
      world.put({
        type: "m.room.member",
        key: bob,
        content: { membership: "invite", third_party_invite: { signed: signedBy(bob, "t1") } },
      });
    },
    start: ({ ports }) => firstJoinChecks(ports)({ roomId: room, userId: bob, serverInRoom: false }),
  },
  {
    name: "receiveInboundInvite",
    prepare: (world) => world.users.set(anna, {}),
    start: ({ ports }) =>
      receiveInboundInvite(ports)({
        roomId: room,
        origin: "b.example",
        body: {
          room_version: "11",
          event: {
            type: "m.room.member",
            room_id: room,
            sender: bob,
            state_key: anna,
            content: { membership: "invite", third_party_invite: { signed: signedBy(anna, "t1") } },
          },
        },
      }),
  },
  {
    name: "revokeInvite",
    prepare: (world) => {
      pend(world, "t1");
    },
    start: ({ ports }) => revokeInvite(ports)({ roomId: room, requester, token: "t1" }),
  },
  {
    name: "revokeInvite, by address",
    prepare: keepPending,
    start: ({ ports }) => revokeInvite(ports)({ roomId: room, requester, addressee: invite() }),
  },
  {
    name: "revokeInvite, by address, redeemed",
    prepare: keepRedeemed,
    start: ({ ports }) => revokeInvite(ports)({ roomId: room, requester, addressee: invite() }),
  },
  {
    name: "listInvites",
    prepare: keepRedeemed,
    start: ({ ports }) => listInvites(ports)({ roomId: room, requester }),
  },
  {
    name: "invitesLeftBehind",
    prepare: keepPending,
    start: ({ ports }) => invitesLeftBehind(ports)({ roomId: room }),
  },
  {
    name: "cleanUpInvites",
    prepare: keepRedeemed,
    start: ({ ports }) => cleanUpInvites(ports)({ roomId: room }),
  },
  {
    name: "expireInvites",
    prepare: keepPending,
    start: ({ ports }) => expireInvites(ports)({ roomId: room, olderThanMs: 1 }),
  },
  {
    name: "noteRedeemed",
    prepare: keepPending,
    start: ({ ports }) => noteRedeemed(ports)({ roomId: room, event: redeemedElsewhere("t1") }),
  },
  {
    name: "deliverOwed",
    prepare: (world) => {
      pend(world, "t1", { sender: bob });
      const row = { roomId: room, mxid: anna, proof: "proof", sender: bob, owedAt: 0, dueAt: 0, attempts: 0 };
      void world.ports.redemptions.owe([{ ...row, token: "t1", signed: signedBy(anna, "t1") }], {});
      world.now = 1;
    },
    start: ({ ports }) => deliverOwed(ports)(),
  },
];

const openFor = (flow: Flow): World => {
  const world = openWorld();
  flow.prepare(world);
  world.calls.length = 0;
  return world;
};

const namesOf = async (flow: Flow): Promise<readonly string[]> => {
  const world = openFor(flow);
  const result = await flow.start(world);
  if (isLeft(result)) throw new Error(`${flow.name}: ${result.left.code}`);
  return world.names();
};

const nothing = undefined;

const misbehaviours: readonly (readonly [string, () => unknown])[] = [
  [
    "throws",
    () => {
      throw new Error(`broken at ${address}`);
    },
  ],
  ["rejects", () => Promise.reject(new Error(`broken at ${address}`))],
  // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- as adapters in JavaScript may
  ["rejects with nothing", () => Promise.reject<unknown>(nothing)],
  ["answers at once, without a promise", () => undefined],
  ["answers undefined", () => Promise.resolve(undefined)],
  ["answers null", () => Promise.resolve(null)],
  ["answers {}", () => Promise.resolve({})],
  ["answers { _tag: 'Nonsense' }", () => Promise.resolve({ _tag: "Nonsense" })],
];

const breakNth = (
  nth: number,
  misbehave: () => unknown,
): ((call: Call, perform: () => unknown) => unknown) => {
  let calls = 0;
  return (_, perform) => {
    calls += 1;
    return calls === nth ? misbehave() : perform();
  };
};

const faults = async (): Promise<readonly (readonly [Flow, string, number, string, () => unknown])[]> => {
  const all: (readonly [Flow, string, number, string, () => unknown])[] = [];
  for (const flow of flows)
    for (const [index, name] of (await namesOf(flow)).entries())
      for (const [how, misbehave] of misbehaviours) all.push([flow, name, index + 1, how, misbehave]);
  return all;
};

/** The answers of these say nothing: whatever comes instead is as good. */
const wordless = new Set(["redemptions.owe", "redemptions.settle", "redemptions.postpone"]);

const isFine = (flow: Flow, name: string, nth: number, calls: number, how: string): boolean => {
  const answers = how.startsWith("answers");
  if (answers && wordless.has(name)) return true;
  // Notes that can be made up for, once the room has the event or the queue finds it.
  if (name === "redemptions.postpone") return true;
  if (name.startsWith("invites.") && nth >= calls - 1 && flow.name !== "receiveExchange") return true;
  // `undefined` is an answer of this one.
  // Whether another invite has the token that was just minted: without an answer it goes on, since the mail is out.
  if (flow.name.startsWith("inviteByThreePid") && name === "invites.findByToken") return true;
  if (/undefined|null|at once/.test(how) && name === "redemptions.nextDueAt") return true;
  if (answers && name === "redemptions.nextDueAt") return true;
  // What goes wrong with one row of the queue is that row's own settlement.
  return flow.name === "deliverOwed" && !name.startsWith("redemptions.");
};

const all = await faults();
const ports = [...new Set(all.map(([, name]) => name))].sort();

/** Answers of these are read step by step: what is wrong with one shows later, without the name of the call. */
const namelessAnswers = new Set(["invites.find", "invites.putIfAbsent", "redemptions.nextDueAt"]);

/** How a flow ended; a flow that throws or rejects shows it. */
const endOf = async (flow: Flow, world: World): Promise<Either<Problem | "rejected", unknown>> => {
  try {
    return await flow.start(world);
  } catch {
    return { _tag: "Left", left: "rejected" };
  }
};

describe("a port that is broken", () => {
  it.each(ports)("%s: makes no flow reject or throw, and lets no address out", async (port) => {
    for (const [flow, name, nth, how, misbehave] of all.filter(([, broken]) => broken === port)) {
      const world = openFor(flow);
      world.intercept = breakNth(nth, misbehave);
      const label = `${flow.name}, call ${nth}, ${name} ${how}`;
      const result = await endOf(flow, world);
      expect(JSON.stringify(world.observed), label).not.toContain(address);
      if (!isLeft(result)) continue;
      expect(result.left, label).not.toBe("rejected");
      // The cause is for the host's own log; it is what the port rejected with.
      const shown = { ...(result.left === "rejected" ? {} : result.left), cause: undefined };
      expect(JSON.stringify(shown), label).not.toContain(address);
    }
  });

  it.each(ports)("%s: is a PortFailure, and nothing else", async (port) => {
    const wrong: string[] = [];
    for (const [flow, name, nth, how, misbehave] of all.filter(([, broken]) => broken === port)) {
      const world = openFor(flow);
      const calls = (await namesOf(flow)).length;
      world.intercept = breakNth(nth, misbehave);
      const result = await endOf(flow, world);
      const tag = isLeft(result) ? (result.left === "rejected" ? "rejected" : result.left._tag) : "right";
      // `undefined` is an answer of this one.
      if (name === "invites.find" && isLeft(result) && /undefined|at once/.test(how)) {
        expect(result.left).toMatchObject({ code: "InviteNotFound" });
        continue;
      }
      if (tag !== "PortFailure" && !(tag === "right" && isFine(flow, name, nth, calls, how)))
        wrong.push(`${flow.name}, call ${nth}, ${name} ${how} → ${tag}`);
      if (how.startsWith("answers") && namelessAnswers.has(name)) continue;
      if (isLeft(result) && result.left !== "rejected" && result.left.code === "PortBroken") {
        const named = {
          port: "port" in result.left ? result.left.port : undefined,
          message: result.left.message,
        };
        if (named.port !== name || !named.message.startsWith(`${name} rejected`))
          wrong.push(`${flow.name}, call ${nth}, ${name} ${how} → names ${named.port}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  it.each(
    [
      ["inviteByThreePid, nobody bound", "invites.replace"],
      ["revokeInvite", "invites.findByToken"],
      ["receiveInboundInvite", "redemptions.postpone"],
    ].flatMap(([flow, name]) =>
      misbehaviours.map(([how, misbehave]) => [flow, name, how, misbehave] as const),
    ),
  )("%s: the last %s, a mere note, %s → what is done is done", async (name, last, _, misbehave) => {
    for (const flow of flows.filter((one) => one.name === name)) {
      const names = await namesOf(flow);
      const nth = names.lastIndexOf(last ?? "") + 1;
      expect(nth).toBe(names.length);
      const world = openFor(flow);
      world.intercept = breakNth(nth, misbehave);
      expect((await endOf(flow, world))._tag).toBe("Right");
    }
  });

  it("never makes a redemption dead: what is owed stays owed", async () => {
    for (const [flow, name, nth, how, misbehave] of all.filter(([{ name }]) => name === "deliverOwed")) {
      const world = openFor(flow);
      world.intercept = breakNth(nth, misbehave);
      await endOf(flow, world);
      expect(world.rows()[0]?.state._tag, `call ${nth}, ${name} ${how}`).not.toBe("Dead");
    }
  });

  it.each(flows)("of every kind at once: $name", async (flow) => {
    for (const [, misbehave] of misbehaviours) {
      const world = openFor(flow);
      world.intercept = misbehave;
      await expect(flow.start(world)).resolves.toBeDefined();
    }
  });
});

describe("the synchronous ports", () => {
  const broken = (): never => {
    throw new Error("broken");
  };

  it.each(flows)("a clock, a chance and an engine that throw: $name", async (flow) => {
    const world = openFor(flow);
    const { ports } = world;
    for (const faulty of [
      { clock: { now: broken } },
      { random: { fraction: broken } },
      { crypto: { verify: broken, sha256: broken, hmacSha256: broken } },
    ]) {
      // Within a promise, so that a synchronous throw shows as a rejection as well.
      const start = async () => flow.start({ ...world, ports: { ...ports, ...faulty } });
      await expect(start(), Object.keys(faulty).join()).resolves.toBeDefined();
    }
  });
});

/** Flows that tell the watcher of what goes wrong, and of nothing else. */
const silent = new Set([
  "firstJoinChecks",
  "receiveInboundInvite",
  "listInvites",
  "invitesLeftBehind",
  "noteRedeemed",
]);

describe("the watcher", () => {
  it.each(flows)("that throws changes nothing: $name", async (flow) => {
    const quiet = openFor(flow);
    const watched = openFor(flow);
    const observe = (): never => {
      throw new Error("broken");
    };
    const expected = await flow.start(quiet);
    expect(await flow.start({ ...watched, ports: { ...watched.ports, observe } })).toEqual(expected);
    expect(watched.names()).toEqual(quiet.names());
    expect(watched.appended).toEqual(quiet.appended);
  });

  it.each(flows)("is told which flow went wrong: $name", async (flow) => {
    const world = openFor(flow);
    world.intercept = () => Promise.reject(new Error("broken"));
    await flow.start(world);
    const [name] = flow.name.split(",");
    expect(world.observed.at(-1)).toMatchObject({ _tag: "PortFailed", code: "PortBroken", flow: name });
  });

  it.each(flows)("is never told an address, a token of the user's, or a proof: $name", async (flow) => {
    const world = openFor(flow);
    await flow.start(world);
    expect(world.observed.length).toBeGreaterThanOrEqual(silent.has(flow.name) ? 0 : 1);
    for (const secret of [address, "secret-token", "signatures"])
      expect(JSON.stringify(world.observed)).not.toContain(secret);
  });
});

it.each(flows)(
  "where addresses are stored, none comes into the room or to other servers: $name",
  async (flow) => {
    const world = openWorld({ config: { storeAddresses: true } });
    flow.prepare(world);
    await flow.start(world);
    const told = world.calls
      .filter(({ name }) => !/^(identityServer|policy|invites)\./.test(name))
      .map(({ args }) => args);
    expect(JSON.stringify([world.appended, world.observed, told])).not.toContain(address);
  },
);

describe("arbitrary input", () => {
  const json = fc.jsonValue({ maxDepth: 5 });
  /** JSON that is almost what is looked for. */
  const near = (keys: readonly string[]) =>
    fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 5 },
        fc.constantFrom<unknown>(
          room,
          alice,
          anna,
          bob,
          "t1",
          "invite",
          "m.room.member",
          "11",
          "12",
          "",
          null,
          7,
        ),
        fc.dictionary(fc.constantFrom(...keys, "__proto__", "constructor"), tie("value"), { maxKeys: 8 }),
        fc.array(tie("value"), { maxLength: 4 }),
      ),
    })).value;
  const keys = [
    ..."type room_id sender state_key content membership third_party_invite signed mxid token".split(" "),
    ..."signatures invites event room_version invite_room_state user_id medium address id_server".split(" "),
    "id_access_token",
  ];
  const bodies = fc.oneof(json, near(keys));

  const check = (
    name: string,
    start: (world: World, body: unknown) => Promise<Either<Problem, unknown>>,
  ): void => {
    it(`ends in a left or a right: ${name}`, async () => {
      const world = openWorld();
      world.users.set(anna, {});
      pend(world, "t1");
      await fc.assert(
        fc.asyncProperty(bodies, async (body) => {
          const result = await start(world, body);
          expect(["Left", "Right"]).toContain(result._tag);
          if (isLeft(result)) {
            expect(result.left._tag, JSON.stringify(body)).toBe("Refusal");
            expect(result.left.status).toBeGreaterThanOrEqual(400);
          }
        }),
        { numRuns: 300 },
      );
    });
  };

  check("receiveOnBind", ({ ports }, body) => receiveOnBind(ports)(body));
  check("receiveExchange", ({ ports }, body) =>
    receiveExchange(ports)({ roomId: room, origin: "b.example", body }),
  );
  check("receiveInboundInvite", ({ ports }, body) =>
    receiveInboundInvite(ports)({ roomId: room, origin: "b.example", body }),
  );
  check("invite", ({ ports }, body) => inviteEndpoint(ports)({ roomId: room, requester, body }));
  check("redeemThirdPartySigned", ({ ports }, body) =>
    redeemThirdPartySigned(ports)({ roomId: room, requester: { userId: anna }, thirdPartySigned: body }),
  );
  check("revokeInvite, any token", ({ ports }, token) =>
    revokeInvite(ports)({ roomId: room, requester, token: typeof token === "string" ? token : "t" }),
  );
  check("revokeInvite, any addressee that can be read", ({ ports }, body) => {
    const addressee = parseAddressee(body);
    return isLeft(addressee)
      ? Promise.resolve(addressee)
      : revokeInvite(ports)({ roomId: room, requester, addressee: addressee.right });
  });
  check("noteRedeemed", (world, body) => {
    keepPending(world);
    return noteRedeemed(world.ports)({ roomId: room, event: body as object });
  });
  check("any user and room", ({ ports }, value) => {
    const text = JSON.stringify(value);
    return firstJoinChecks(ports)({ roomId: `!${text}`, userId: `@${text}:a.example`, serverInRoom: false });
  });
});
