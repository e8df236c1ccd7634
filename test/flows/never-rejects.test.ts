import { type Either, isLeft } from "fp-ts/lib/Either.js";
import fc from "fast-check";
import type { Problem } from "matrix-third-party-invites";
import type { Ports } from "matrix-third-party-invites/ports";
import { describe, expect, it } from "vitest";
import { type Call, type World, openWorld, pend } from "./ports.js";
import { address, alice, anna, bob, room } from "./samples.js";
import { type Scene, keepPending, scenes } from "./scenes.js";

const requester = { userId: alice };

it("every flow is here, but for inviteAll and checkInviteLimit, which have their own tests", () => {
  const names = scenes.map(({ name }) => name.split(",")[0]);
  expect(new Set([...names, "inviteAll", "checkInviteLimit"])).toEqual(
    new Set(Object.keys(openWorld().invites)),
  );
});

const openFor = (scene: Scene, ports: Partial<Ports> = {}): World => {
  const world = openWorld({ ports });
  scene.prepare(world);
  world.calls.length = 0;
  return world;
};

const namesOf = async (scene: Scene): Promise<readonly string[]> => {
  const world = openFor(scene);
  const result = await scene.start(world.invites);
  if (isLeft(result)) throw new Error(`${scene.name}: ${result.left.code}`);
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

const faults = async (): Promise<readonly (readonly [Scene, string, number, string, () => unknown])[]> => {
  const all: (readonly [Scene, string, number, string, () => unknown])[] = [];
  for (const scene of scenes)
    for (const [index, name] of (await namesOf(scene)).entries())
      for (const [how, misbehave] of misbehaviours) all.push([scene, name, index + 1, how, misbehave]);
  return all;
};

/** The answers of these say nothing: whatever comes instead is as good. */
const wordless = new Set(["redemptions.replace", "redemptions.remove"]);

const isFine = (scene: Scene, name: string, nth: number, calls: number, how: string): boolean => {
  const answers = how.startsWith("answers");
  if (answers && wordless.has(name)) return true;
  // Notes that can be made up for, once the room has the event or the queue finds it.
  if (scene.name === "receiveInboundInvite" && name === "redemptions.put") return true;
  if (name.startsWith("invites.") && nth >= calls - 1 && scene.name !== "receiveExchange") return true;
  // `undefined` is an answer of this one.
  // Whether another invite has the token that was just given: without an answer it goes on, since the mail is out.
  if (scene.name.startsWith("invite,") && name === "invites.findByToken") return true;
  if (/undefined|null|at once/.test(how) && name === "redemptions.nextDueAt") return true;
  if (answers && name === "redemptions.nextDueAt") return true;
  // What goes wrong with one row of the queue is that row's own settlement.
  if (scene.name.startsWith("deliverOwed")) return !name.startsWith("redemptions.");
  // What goes wrong with one invite is told beside those that were revoked.
  return scene.name === "revokeAllInvites" && name !== "invites.list";
};

const all = await faults();
const ports = [...new Set(all.map(([, name]) => name))].sort();

/** Answers of these are read step by step: what is wrong with one shows later, without the name of the call. */
const namelessAnswers = new Set(["invites.find", "redemptions.nextDueAt"]);

/** How a flow ended; a flow that throws or rejects shows it. */
const endOf = async (scene: Scene, world: World): Promise<Either<Problem | "rejected", unknown>> => {
  try {
    return await scene.start(world.invites);
  } catch {
    return { _tag: "Left", left: "rejected" };
  }
};

describe("a port that is broken", () => {
  it.each(ports)("%s: makes no flow reject or throw, and lets no address out", async (port) => {
    for (const [scene, name, nth, how, misbehave] of all.filter(([, broken]) => broken === port)) {
      const world = openFor(scene);
      world.intercept = breakNth(nth, misbehave);
      const label = `${scene.name}, call ${nth}, ${name} ${how}`;
      const result = await endOf(scene, world);
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
    for (const [scene, name, nth, how, misbehave] of all.filter(([, broken]) => broken === port)) {
      const world = openFor(scene);
      const calls = (await namesOf(scene)).length;
      world.intercept = breakNth(nth, misbehave);
      const result = await endOf(scene, world);
      const tag = isLeft(result) ? (result.left === "rejected" ? "rejected" : result.left._tag) : "right";
      // `undefined` is an answer of this one.
      if (name === "invites.find" && isLeft(result) && /undefined|at once/.test(how)) {
        expect(result.left).toMatchObject({ code: "InviteNotFound" });
        continue;
      }
      if (tag !== "PortFailure" && !(tag === "right" && isFine(scene, name, nth, calls, how)))
        wrong.push(`${scene.name}, call ${nth}, ${name} ${how} → ${tag}`);
      if (how.startsWith("answers") && namelessAnswers.has(name)) continue;
      if (isLeft(result) && result.left !== "rejected" && result.left.code === "PortBroken") {
        const named = {
          port: "port" in result.left ? result.left.port : undefined,
          message: result.left.message,
        };
        if (named.port !== name || !named.message.startsWith(`${name} rejected`))
          wrong.push(`${scene.name}, call ${nth}, ${name} ${how} → names ${named.port}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  it.each(
    [
      ["invite, nobody bound", "invites.replace"],
      ["revokeInvite", "invites.findByToken"],
      ["receiveInboundInvite", "redemptions.put"],
    ].flatMap(([scene, name]) =>
      misbehaviours.map(([how, misbehave]) => [scene, name, how, misbehave] as const),
    ),
  )("%s: the last %s, a mere note, %s → what is done is done", async (name, last, _, misbehave) => {
    for (const scene of scenes.filter((one) => one.name === name)) {
      const names = await namesOf(scene);
      const nth = names.lastIndexOf(last ?? "") + 1;
      expect(nth).toBe(names.length);
      const world = openFor(scene);
      world.intercept = breakNth(nth, misbehave);
      expect((await endOf(scene, world))._tag).toBe("Right");
    }
  });

  it("never makes a redemption dead: what is owed stays owed", async () => {
    for (const [scene, name, nth, how, misbehave] of all.filter(([{ name }]) => name === "deliverOwed")) {
      const world = openFor(scene);
      world.intercept = breakNth(nth, misbehave);
      await endOf(scene, world);
      expect(world.rows()[0]?.state._tag, `call ${nth}, ${name} ${how}`).not.toBe("Dead");
    }
  });

  it.each(scenes)("of every kind at once: $name", async (scene) => {
    for (const [, misbehave] of misbehaviours) {
      const world = openFor(scene);
      world.intercept = misbehave;
      await expect(scene.start(world.invites)).resolves.toBeDefined();
    }
  });
});

describe("the synchronous ports", () => {
  const broken = (): never => {
    throw new Error("broken");
  };

  it.each(scenes)("a clock, a chance and an engine that throw: $name", async (scene) => {
    for (const faulty of [
      { clock: { now: broken } },
      { random: { fraction: broken } },
      { crypto: { verify: broken, sha256: broken, hmacSha256: broken } },
    ]) {
      // Within a promise, so that a synchronous throw shows as a rejection as well.
      const start = async () => scene.start(openFor(scene, faulty).invites);
      await expect(start(), Object.keys(faulty).join()).resolves.toBeDefined();
    }
  });
});

/** Flows that tell the observer of what goes wrong, and of nothing else. */
const silent = new Set([
  "findInvites",
  "isInvited",
  "eraseAddress",
  "listRedemptions",
  "retryRedemption",
  "measureQueue",
  "checkAddressKey",
  "checkFirstJoin",
  "receiveInboundInvite",
  "listInvites",
  "invitesLeftBehind",
  "noteRedeemed",
]);

describe("the observer", () => {
  it.each(scenes)("that throws changes nothing: $name", async (scene) => {
    const quiet = openFor(scene);
    const observe = (): never => {
      throw new Error("broken");
    };
    const watched = openFor(scene, { observe });
    const expected = await scene.start(quiet.invites);
    expect(await scene.start(watched.invites)).toEqual(expected);
    expect(watched.names()).toEqual(quiet.names());
    expect(watched.appended).toEqual(quiet.appended);
  });

  it.each(scenes)("is told which flow went wrong: $name", async (scene) => {
    const world = openFor(scene);
    world.intercept = () => Promise.reject(new Error("broken"));
    await scene.start(world.invites);
    const [name] = scene.name.split(",");
    expect(world.observed.at(-1)).toMatchObject({ _tag: "PortFailed", code: "PortBroken", flow: name });
  });

  it.each(scenes)("is never told an address, a token of the user's, or a proof: $name", async (scene) => {
    const world = openFor(scene);
    await scene.start(world.invites);
    expect(world.observed.length).toBeGreaterThanOrEqual(silent.has(scene.name) ? 0 : 1);
    for (const secret of [address, "secret-token", "signatures"])
      expect(JSON.stringify(world.observed)).not.toContain(secret);
  });
});

it.each(scenes)(
  "where addresses are stored, none comes into the room or to other servers: $name",
  async (scene) => {
    const world = openWorld({ config: { storeAddresses: true } });
    scene.prepare(world);
    await scene.start(world.invites);
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

  check("receiveOnBind", ({ invites }, body) => invites.receiveOnBind({ body }));
  check("receiveExchange", ({ invites }, body) =>
    invites.receiveExchange({ roomId: room, origin: "b.example", body }),
  );
  check("receiveInboundInvite", ({ invites }, body) =>
    invites.receiveInboundInvite({ roomId: room, origin: "b.example", body }),
  );
  check("invite", ({ invites }, body) => invites.invite({ roomId: room, requester, body }));
  check("redeemThirdPartySigned", ({ invites }, body) =>
    invites.redeemThirdPartySigned({ roomId: room, requester: { userId: anna }, thirdPartySigned: body }),
  );
  check("revokeInvite, any token", ({ invites }, token) =>
    invites.revokeInvite({ roomId: room, requester, token: typeof token === "string" ? token : "t" }),
  );
  check("revokeInvite, any addressee", ({ invites }, body) =>
    invites.revokeInvite({ roomId: room, requester, body }),
  );
  check("inviteAll, any list", ({ invites }, body) =>
    invites.inviteAll({ roomId: room, requester, invites: body }),
  );
  check("noteRedeemed", (world, body) => {
    keepPending(world);
    return world.invites.noteRedeemed({ roomId: room, event: body as object });
  });
  check("any user and room", ({ invites }, value) => {
    const text = JSON.stringify(value);
    return invites.checkFirstJoin({ roomId: `!${text}`, userId: `@${text}:a.example`, serverInRoom: false });
  });
});
