import type { CryptoEngine } from "matrix-third-party-invites/ports";
import { describe, expect, it } from "vitest";
import { nodeCrypto } from "matrix-third-party-invites/node";
import { memoryLimits } from "matrix-third-party-invites/testing";
import { ask, bringTo, once } from "./lives.js";
import { type World, type WorldOptions, openWorld, owe, pend } from "./ports.js";
import {
  address,
  alice,
  anna,
  bob,
  ephemeral,
  longTerm,
  must,
  pendingContent,
  room,
  signedBy,
  stranger,
} from "./samples.js";

interface Case {
  readonly what: string;
  readonly options?: WorldOptions;
  readonly prepare?: (world: World) => unknown;
  readonly start: (world: World) => Promise<unknown>;
  /** The calls, in their order. */
  readonly calls: readonly string[];
}

/** Alice's member event has her name, so that no profile is asked for. */
const nameAlice = (world: World): void => {
  world.put({ type: "m.room.member", key: alice, content: { membership: "join", displayname: "Alice" } });
};

const conflictOnce = (world: World): void => {
  world.next.append.push({ _tag: "Conflict" });
};

const proof = signedBy(anna, "token1");
const [[server, signatures]] = Object.entries(proof["signatures"] as object) as [[string, object]];
const signatureOf = (by: typeof longTerm): unknown => {
  const signed = signedBy(anna, "token1", by);
  return (signed["signatures"] as Record<string, Record<string, unknown>>)[server]?.["ed25519:0"];
};

/** Signed by both keys of the invite, and by one that is none of them: several pairs must be tried. */
const signed = {
  ...proof,
  signatures: {
    "stranger.example": { "ed25519:0": signatureOf(stranger) },
    "ephemeral.example": { "ed25519:0": signatureOf(ephemeral) },
    [server]: signatures,
  },
};

/** Alice of this server has invited Zoë by her address, and Anna of this server has the proof. */
const oweOfOurs = async (world: World): Promise<void> => {
  await bringTo.Pending(world);
  await owe(world, { token: "token1", sender: alice, signed });
};

const exchangeBody = {
  type: "m.room.member",
  room_id: room,
  sender: alice,
  state_key: bob,
  content: { membership: "invite", third_party_invite: { signed: signedBy(bob, "token1") } },
};

const deliver = async (world: World) => must(await world.invites.deliverOwed({ limit: 1 }));
const exchange = async (world: World) =>
  must(await world.invites.receiveExchange({ roomId: room, origin: "b.example", body: exchangeBody }));
const inviteBob = async (world: World) =>
  must(await world.invites.invite({ roomId: room, requester: { userId: alice }, body: { user_id: bob } }));

const toRedeem = ["invites.findByToken", "rooms.snapshot", "identityServer.keyValidity", "events.append"];
const toRedeemOwed = toRedeem.toSpliced(2, 0, "users.find");
const conflicted = ["rooms.snapshot", "events.append"];
const toLookUp = [
  "rooms.snapshot",
  "policy.mayInvite",
  "identityServer.hashDetails",
  "identityServer.lookup",
];
const toStore = [
  "invites.putIfAbsent",
  "identityServer.storeInvite",
  "invites.findByToken",
  "invites.replace",
];
const toAppend = ["rooms.snapshot", "events.append", "invites.replace"];
const withoutPolicy = (names: readonly string[]): readonly string[] =>
  names.filter((name) => name !== "policy.mayInvite");

/** Each flow is made by as few calls as these. A call more is a request or a transaction more for every invite. */
const cases: readonly Case[] = [
  {
    what: "a redemption of ours, from its claimed row to its end: 8 calls, 1 snapshot",
    prepare: oweOfOurs,
    start: deliver,
    calls: [
      "redemptions.claim",
      "redemptions.known",
      ...toRedeemOwed,
      "invites.replace",
      "redemptions.replace",
      "redemptions.nextDueAt",
    ],
  },
  {
    what: "the same after a conflict: 2 snapshots",
    prepare: async (world) => {
      await oweOfOurs(world);
      conflictOnce(world);
    },
    start: deliver,
    calls: [
      "redemptions.claim",
      "redemptions.known",
      ...toRedeemOwed,
      ...conflicted,
      "invites.replace",
      "redemptions.replace",
      "redemptions.nextDueAt",
    ],
  },
  {
    what: "the same where the record has changed meanwhile: it is found once more",
    prepare: async (world) => {
      await oweOfOurs(world);
      once(world, "invites.replace", () => Promise.resolve({ _tag: "Stale" }));
    },
    start: deliver,
    calls: [
      "redemptions.claim",
      "redemptions.known",
      ...toRedeemOwed,
      "invites.replace",
      "invites.findByToken",
      "invites.replace",
      "redemptions.replace",
      "redemptions.nextDueAt",
    ],
  },
  {
    what: "an exchange: 5 calls",
    prepare: bringTo.Pending,
    start: exchange,
    calls: [...toRedeem, "invites.replace"],
  },
  {
    what: "an exchange after a conflict: the key is asked after once",
    prepare: async (world) => {
      await bringTo.Pending(world);
      conflictOnce(world);
    },
    start: exchange,
    calls: [...toRedeem, ...conflicted, "invites.replace"],
  },
  {
    what: "an exchange of an invite that is not stored here: 4 calls",
    prepare: (world) => {
      pend(world, "token1");
    },
    start: exchange,
    calls: toRedeem,
  },
  {
    what: "an invite of an unknown address: 11 calls",
    prepare: nameAlice,
    start: async (world) => must(await ask(world)),
    calls: [...toLookUp, ...toStore, ...toAppend],
  },
  {
    what: "an invite of an unknown address, with limits: 14 calls",
    options: { limits: memoryLimits() },
    prepare: nameAlice,
    start: async (world) => must(await ask(world)),
    calls: [
      "rooms.snapshot",
      "policy.mayInvite",
      "invites.find",
      "limits.take",
      "limits.take",
      "identityServer.hashDetails",
      "identityServer.lookup",
      ...toStore,
      ...toAppend,
    ],
  },
  {
    what: "an invite of an unknown address, without a policy: 10 calls",
    options: { ports: { policy: undefined as never } },
    prepare: nameAlice,
    start: async (world) => must(await ask(world)),
    calls: withoutPolicy([...toLookUp, ...toStore, ...toAppend]),
  },
  {
    what: "an invite of an unknown address whose sender has no name in the room: one call more, for the profile",
    start: async (world) => must(await ask(world)),
    calls: [...toLookUp, "users.find", ...toStore, ...toAppend],
  },
  {
    what: "an invite of a known address: 8 calls",
    prepare: (world) => world.bound.set(address, bob),
    start: async (world) => must(await ask(world)),
    calls: [...toLookUp, "policy.mayInvite", "users.find", "rooms.snapshot", "events.append"],
  },
  {
    what: "an invite of a known address, without a policy: 6 calls",
    options: { ports: { policy: undefined as never } },
    prepare: (world) => world.bound.set(address, bob),
    start: async (world) => must(await ask(world)),
    calls: withoutPolicy([...toLookUp, "users.find", "rooms.snapshot", "events.append"]),
  },
  {
    what: "an invite by user ID: 5 calls",
    start: inviteBob,
    calls: ["rooms.snapshot", "policy.mayInvite", "users.find", "rooms.snapshot", "events.append"],
  },
  {
    what: "the same invite again: no mail, no append",
    prepare: async (world) => {
      nameAlice(world);
      await bringTo.Pending(world);
    },
    start: async (world) => must(await ask(world)),
    calls: [...toLookUp, "invites.putIfAbsent", "rooms.snapshot"],
  },
  {
    what: "a worker that finds nothing: lease once",
    start: async (world) => must(await world.invites.deliverOwed()),
    calls: ["redemptions.claim", "redemptions.nextDueAt"],
  },
  {
    what: "a worker with a limit of nothing: no lease",
    start: async (world) => must(await world.invites.deliverOwed({ limit: 0 })),
    calls: ["redemptions.nextDueAt"],
  },
  {
    what: "a first join by an ordinary invite: 1 snapshot",
    prepare: (world) => {
      world.join(bob, "invite");
    },
    start: async (world) =>
      must(await world.invites.checkFirstJoin({ roomId: room, userId: bob, serverInRoom: false })),
    calls: ["rooms.snapshot"],
  },
  {
    what: "a first join by a third-party invite: 2 snapshots",
    prepare: async (world) => {
      await bringTo.Pending(world);
      await exchange(world);
      // What the exchange has learnt of the key is remembered for five minutes.
      world.now += 300_000;
    },
    start: async (world) =>
      must(await world.invites.checkFirstJoin({ roomId: room, userId: bob, serverInRoom: false })),
    calls: ["rooms.snapshot", "rooms.snapshot", "identityServer.keyValidity"],
  },
];

it.each(cases)("$what", async ({ options = {}, prepare, start, calls }) => {
  const world = openWorld(options);
  await prepare?.(world);
  world.calls.length = 0;
  await start(world);
  expect(world.names()).toEqual(calls);
});

it("a worker claims several rows at once, and does not ask again where it got all that is due", async () => {
  const world = openWorld();
  await bringTo.Pending(world);
  for (const more of ["a", "b", "c"])
    await owe(world, { token: "token1", sender: alice, signed: { ...signed, more } });
  must(await world.invites.deliverOwed());
  expect(world.count("redemptions.claim")).toBe(1);
});

/** An engine, and how often each distinct pair of key and signature was verified. */
const counting = (): { readonly crypto: CryptoEngine; readonly verified: Map<string, number> } => {
  const verified = new Map<string, number>();
  return {
    verified,
    crypto: {
      ...nodeCrypto,
      verify: (...given) => {
        const name = given.map((bytes) => Buffer.from(bytes).toString("hex")).join();
        verified.set(name, (verified.get(name) ?? 0) + 1);
        return nodeCrypto.verify(...given);
      },
    },
  };
};

describe("each distinct pair of key and signature is verified once", () => {
  const proofs: readonly (readonly [
    string,
    (world: World) => Promise<unknown>,
    (world: World) => Promise<unknown>,
  ])[] = [
    ["a redemption from the queue", oweOfOurs, deliver],
    [
      "a join with third_party_signed",
      bringTo.Pending,
      async (world) =>
        must(
          await world.invites.redeemThirdPartySigned({
            roomId: room,
            requester: { userId: anna },
            thirdPartySigned: signedBy(anna, "token1", ephemeral, { sender: alice }),
          }),
        ),
    ],
    ["an exchange", bringTo.Pending, exchange],
  ];

  it.each(proofs.flatMap((row) => [0, 1, 4].map((conflicts) => [...row, conflicts] as const)))(
    "%s",
    async (_, prepare, start, conflicts) => {
      const { crypto, verified } = counting();
      const world = openWorld({ ports: { crypto } });
      await prepare(world);
      verified.clear();
      world.calls.length = 0;
      for (let round = 0; round < conflicts; round += 1) conflictOnce(world);
      await start(world);
      expect(world.count("events.append")).toBe(conflicts + 1);
      expect(verified.size).toBeGreaterThan(0);
      expect([...verified.values()]).toEqual([...verified.keys()].map(() => 1));
    },
  );

  it("also where the invite names one key many times, and the proof carries one signature many times", async () => {
    const { crypto, verified } = counting();
    const world = openWorld({ ports: { crypto } });
    const key = { public_key: longTerm.publicKey, key_validity_url: "https://id.example/isvalid" };
    pend(world, "token1", { content: pendingContent({ public_keys: [key, key, key] }) });
    const copies = { ...signed.signatures, "copy.example": signatures, "copy2.example": signatures };
    conflictOnce(world);
    const body = {
      ...exchangeBody,
      content: {
        membership: "invite",
        third_party_invite: { signed: { ...signedBy(bob, "token1"), signatures: copies } },
      },
    };
    // The signatures are those for Anna: none proves anything of Bob.
    await world.invites.receiveExchange({ roomId: room, origin: "b.example", body });
    expect(verified.size).toBe(3);
    expect([...verified.values()]).toEqual([1, 1, 1]);
  });

  it("another redemption verifies anew: nothing is kept from one to the next", async () => {
    const { crypto, verified } = counting();
    const world = openWorld({ ports: { crypto } });
    pend(world, "token1");
    for (let time = 1; time <= 2; time += 1) {
      world.join(bob, "leave");
      await exchange(world);
      expect([...verified.values()]).toEqual([...verified.keys()].map(() => time));
    }
  });
});
