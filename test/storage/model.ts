import fc from "fast-check";
import { expect } from "vitest";
import {
  type RedemptionTransition,
  addressHash,
  advance,
  advanceRedemption,
  inviteKey,
  parseStoredInvite,
  redemptionId,
} from "matrix-third-party-invites/decisions";
import type {
  InviteQuery,
  InviteRecord,
  Invites,
  Lane,
  Limits,
  Marked,
  RedemptionRecord,
  Redemptions,
} from "matrix-third-party-invites/ports";
import { nodeCrypto } from "matrix-third-party-invites/node";
import { memoryInvites, memoryLimits, memoryRedemptions } from "matrix-third-party-invites/testing";
import { serverOf } from "matrix-third-party-invites/matrix";
import { alice, anna, bob, carol, idServer, must, room, signedBy, threepid } from "../flows/samples.js";
import { storedAnswer } from "../flows/ports.js";

export interface StoragePorts {
  readonly invites: Invites;
  readonly redemptions: Redemptions;
  readonly limits: Limits;
}

export const memoryStorage = (): StoragePorts => ({
  invites: memoryInvites(),
  redemptions: memoryRedemptions(),
  limits: memoryLimits(),
});

/** Texts that some databases cannot hold. */
const oddText = fc.constantFrom("", "a", "\u0000", "\ud800", "'\"\\", "😀", "%_");

const redemption: fc.Arbitrary<RedemptionRecord> = fc
  .record({
    token: fc.constantFrom("t1", "t2", "t'3"),
    mxid: fc.constantFrom(anna, bob),
    sender: fc.constantFrom(alice, bob, carol),
    more: oddText,
    owedAt: fc.integer({ min: 0, max: 20 }),
    isVouched: fc.boolean(),
    turn: fc.integer({ min: 0, max: 5 }),
    depth: fc.constantFrom(0, 63, 64, 100),
  })
  .map(({ token, mxid, sender, more, owedAt, ...state }) => {
    const signed = { ...signedBy(mxid, token), more };
    const proof = { roomId: room, sender, signed: { mxid, token, json: signed } };
    return {
      id: redemptionId(nodeCrypto, proof),
      roomId: room,
      token,
      mxid,
      sender,
      owedAt,
      state: { _tag: "Waiting", signed, dueAt: owedAt, attempts: 0, ...state },
    };
  });

const at = fc.integer({ min: 0, max: 40 });
const details = { reason: "r\u0000", status: 500, errcode: "M_UNKNOWN" };
const transition: fc.Arbitrary<RedemptionTransition> = fc.oneof(
  at.map((dueAt) => ({ _tag: "Retry" as const, dueAt, details })),
  at.map((dueAt) => ({ _tag: "Defer" as const, dueAt })),
  at.map((time) => ({ _tag: "Kill" as const, at: time, details })),
  at.map((time) => ({ _tag: "Done" as const, at: time })),
  at.map((time) => ({ _tag: "Redeem" as const, at: time })),
  at.map((time) => ({ _tag: "Revive" as const, at: time })),
);

const lane = fc.constantFrom<Lane>("vouched", "unvouched", "vouched-again", "unvouched-again");
const anyLane = fc.oneof(lane, fc.constantFrom<Lane>("dead", "done", "redeemed", "announced"));
const lanes = fc.uniqueArray(anyLane, { minLength: 1 });

const key = new Uint8Array(32);

const invite: fc.Arbitrary<InviteRecord> = fc
  .record({
    sender: fc.constantFrom(alice, bob),
    address: fc.constantFrom("zoe@example.org", "yves@example.org"),
    createdAt: fc.integer({ min: 0, max: 5 }),
    reason: oddText,
    token: fc.constantFrom("a", "b", "c"),
    isPending: fc.boolean(),
  })
  .map(({ sender, address, createdAt, reason, token, isPending }) => {
    const of = { roomId: room, sender, idServer, threepid: threepid("email", address) };
    const asked = { _tag: "Asked", at: createdAt, before: { _tag: "Intended" } } as const;
    const storedInvite = must(parseStoredInvite(storedAnswer(token), of.threepid));
    return {
      key: inviteKey(nodeCrypto, key, of),
      addressHash: addressHash(nodeCrypto, key, of.threepid),
      ...of,
      createdAt,
      details: { reason },
      life: isPending ? (advance(asked, { _tag: "Answer", storedInvite }) ?? asked) : asked,
    };
  });

const query: fc.Arbitrary<InviteQuery> = fc
  .record({
    by: fc.oneof(
      fc.constant({ roomId: room }),
      fc.constantFrom(alice, bob).map((sender) => ({ sender })),
      fc.constant({ idServer }),
      fc.constantFrom("zoe@example.org", "x@example.org").map((address) => ({
        addressHash: addressHash(nodeCrypto, key, threepid("email", address)),
      })),
    ),
    limit: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }),
  })
  .map(({ by, limit }) => (limit === undefined ? { by } : { by, limit }));

/** One call of a port, on two storages that have seen the same calls; `other` is the one that is tested. */
type Call = (both: Both) => Promise<void>;

/** Two storages, and the marks that each has given. */
export class Both {
  readonly marks = new Map<string, { readonly model: string; readonly other: string }>();
  readonly values = new Map<string, RedemptionRecord>();

  readonly model: StoragePorts;
  readonly other: StoragePorts;

  constructor(model: StoragePorts, other: StoragePorts) {
    this.model = model;
    this.other = other;
  }

  async same<A>(ask: (storage: StoragePorts) => Promise<A>): Promise<readonly [A, A]> {
    const model = await ask(this.model);
    const other = await ask(this.other);
    expect(other).toEqual(model);
    return [model, other];
  }

  /** Answers with marks are the same but for the marks. */
  async sameMarked<T extends { readonly id: string } | { readonly key: string }>(
    ask: (storage: StoragePorts) => Promise<readonly Marked<T>[]>,
  ): Promise<readonly Marked<T>[]> {
    const model = await ask(this.model);
    const other = await ask(this.other);
    expect(other.map(({ value }) => value)).toEqual(model.map(({ value }) => value));
    model.forEach(({ value, mark }, index) => {
      const name = "id" in value ? value.id : value.key;
      this.marks.set(name, { model: mark, other: other[index]?.mark ?? "" });
    });
    return model;
  }

  async replace(name: string, ask: (storage: StoragePorts, mark: string) => Promise<unknown>): Promise<void> {
    const marks = this.marks.get(name) ?? { model: "none", other: "none" };
    const model = await ask(this.model, marks.model);
    const other = await ask(this.other, marks.other);
    expect(tagOf(other)).toBe(tagOf(model));
  }
}

const tagOf = (answer: unknown): unknown =>
  typeof answer === "object" && answer !== null && "_tag" in answer ? answer._tag : answer;

const none: PortOptions = {};
type PortOptions = Record<string, never>;

const put: fc.Arbitrary<Call> = fc.array(redemption, { maxLength: 6 }).map((records) => async (both) => {
  const model = await both.model.redemptions.put(records, none);
  const other = await both.other.redemptions.put(records, none);
  expect([...other].sort()).toEqual([...model].sort());
  for (const record of records) if (model.includes(record.id)) both.values.set(record.id, record);
});

const claim: fc.Arbitrary<Call> = fc
  .record({
    order: fc.uniqueArray(lane, { minLength: 1 }),
    except: fc.subarray([alice, bob, carol].map(serverOf)),
    from: fc.constantFrom(0, 10),
    to: fc.integer({ min: 5, max: 40 }),
    limit: fc.integer({ min: 1, max: 4 }),
  })
  .map(({ order, except, from, to, limit }) => async (both) => {
    const question = {
      lanes: order.map((name, index) => ({ lane: name, except: index === 0 ? except : [] })),
      due: { from, to },
      until: to + 5,
      limit,
    };
    await both.sameMarked((storage) => storage.redemptions.claim(question, none));
  });

const replace: fc.Arbitrary<Call> = fc
  .record({ index: fc.nat(20), transition })
  .map(({ index, transition: step }) => async (both) => {
    const all = [...both.values.values()];
    const record = all[index % Math.max(all.length, 1)];
    if (record === undefined) return;
    const next = { ...record, state: advanceRedemption(record.state, step) ?? record.state };
    await both.replace(record.id, (storage, mark) => storage.redemptions.replace(next, mark, none));
    both.marks.delete(record.id);
  });

const look: fc.Arbitrary<Call> = fc
  .record({
    of: redemption,
    lanes,
    leaving: fc.option(fc.constantFrom(0, 1, 2_000), { nil: undefined }),
    limit: fc.integer({ min: 1, max: 4 }),
    isVouched: fc.boolean(),
    isOfUser: fc.boolean(),
  })
  .map(({ of, lanes: names, leaving, limit, isVouched, isOfUser }) => async (both) => {
    const line = { lane: isVouched ? "vouched" : "unvouched", mxid: of.mxid } as const;
    await both.same(async ({ redemptions }) => {
      const { firstTurn, waiting } = await redemptions.line(line, none);
      return { firstTurn, waiting: new Map(waiting.map((one) => [one.destination, one.rows])) };
    });
    await both.same(async ({ redemptions }) => {
      const sizes = await redemptions.sizes(
        {
          lanes: names,
          ...(leaving === undefined ? {} : { leaving }),
          ...(isOfUser ? { mxid: of.mxid } : {}),
        },
        none,
      );
      return new Map(sizes.map((size) => [size.lane, size]));
    });
    await both.same(({ redemptions }) => redemptions.nextDueAt(none));
    await both.same(async ({ redemptions }) => (await redemptions.known(of, none)).length);
    for (const name of names) {
      const [first] = await both.sameMarked(({ redemptions }) =>
        redemptions.list({ lane: name, limit }, none),
      );
      if (first !== undefined)
        await both.sameMarked(({ redemptions }) =>
          redemptions.list({ lane: name, after: first.value.id, limit }, none),
        );
    }
  });

const remove: fc.Arbitrary<Call> = fc
  .oneof(
    fc.record({ lane: anyLane, endedBefore: at, limit: fc.constant(100) }),
    fc.record(
      {
        lanes,
        mxid: fc.constantFrom(anna, bob),
        keep: fc.record({ rows: fc.nat(6), bytes: fc.constantFrom(1_500, 3_000, Number.MAX_SAFE_INTEGER) }),
      },
      { requiredKeys: ["lanes", "keep"] },
    ),
  )
  .map((which) => async (both) => {
    await both.same(({ redemptions }) => redemptions.remove(which, none));
  });

const take: fc.Arbitrary<Call> = fc
  .record({
    key: fc.constantFrom("k", "l\u0000"),
    cost: fc.integer({ min: -2, max: 4 }),
    now: fc.constantFrom(0, 100, 1_000, 1_050, 9_000),
    intervalMs: fc.constantFrom(10, 100),
    burst: fc.integer({ min: 1, max: 3 }),
  })
  .map((question) => async (both) => {
    await both.same(({ limits }) => limits.take(question, none));
  });

const forget: fc.Arbitrary<Call> = fc.constantFrom(0, 500, 5_000).map((fullBefore) => async (both) => {
  await both.same(({ limits }) => limits.forget({ fullBefore, limit: 10 }, none));
});

const putInvite: fc.Arbitrary<Call> = invite.map((record) => async (both) => {
  const model = await both.model.invites.putIfAbsent(record, none);
  const other = await both.other.invites.putIfAbsent(record, none);
  expect([other.value, other.isNew]).toEqual([model.value, model.isNew]);
  both.marks.set(record.key, { model: model.mark, other: other.mark });
});

const replaceInvite: fc.Arbitrary<Call> = invite.map((record) => async (both) => {
  await both.replace(record.key, (storage, mark) => storage.invites.replace(record, mark, none));
  both.marks.delete(record.key);
});

const lookAtInvites: fc.Arbitrary<Call> = fc
  .record({ of: invite, query, token: fc.constantFrom("a", "b", "'") })
  .map(({ of, query: asked, token }) => async (both) => {
    await both.sameMarked(async ({ invites }) => {
      const found = await invites.find(of.key, none);
      return found === undefined ? [] : [found];
    });
    const byKey = async (found: Promise<readonly Marked<InviteRecord>[]>) =>
      [...(await found)].sort((one, two) => (one.value.key < two.value.key ? -1 : 1));
    await both.sameMarked(({ invites }) => byKey(invites.findByToken(room, token, none)));
    const page = await both.sameMarked(({ invites }) => invites.list(asked, none));
    const last = page.at(-1)?.value;
    if (last !== undefined)
      await both.sameMarked(({ invites }) => invites.list({ ...asked, after: last }, none));
  });

/** Sequences of calls of all ports. */
export const calls: fc.Arbitrary<readonly Call[]> = fc.array(
  fc.oneof(put, put, claim, replace, look, remove, take, forget, putInvite, replaceInvite, lookAtInvites),
  { maxLength: 30 },
);

/** Holds a storage against the one in memory. */
export const likeMemory = async (open: () => Promise<StoragePorts>, numRuns: number): Promise<void> => {
  await fc.assert(
    fc.asyncProperty(calls, async (all) => {
      const both = new Both(memoryStorage(), await open());
      for (const call of all) await call(both);
    }),
    { numRuns },
  );
};
