import { left, right } from "fp-ts/lib/Either.js";
import { addressHash, inviteKey, redemptionId } from "matrix-third-party-invites/decisions";
import { parseServerName, parseThreepid, parseUserId } from "matrix-third-party-invites/matrix";
import type {
  InviteRecord,
  JsonObject,
  OwedRedemption,
  RedemptionRecord,
  Redemptions,
} from "matrix-third-party-invites/ports";
import { waitingLanes } from "matrix-third-party-invites/storage";
import { describe, expect, test } from "vitest";
import { judgeAppend, judgeName } from "./append-checks.js";
import { type ByHand, byHand } from "./by-hand.js";
import { judgeDead, judgeExchangeRefusal } from "./dead-checks.js";
import { judgeEnd, judgeWaiting } from "./end-checks.js";
import { put } from "./room-events.js";
import { sure } from "./identity.js";
import { crypto } from "./keys.js";
import { Ledger, placeOf, tokenName } from "./ledger.js";
import { mayFollow, watchInvites } from "./life-checks.js";
import { watchRedemptions } from "./queue-checks.js";
import type { RoomEvent } from "./room.js";
import { judgeToken } from "./token-checks.js";
import { runFlow } from "./run-flow.js";
import { keepsSecrets } from "./secrecy.js";
import { type Server, addressKey } from "./server.js";

const judge = ({ world, server, replica, flow }: ByHand, event: RoomEvent): void => {
  judgeAppend(world, server, flow.startedAt, event, replica);
};

const zoe = (hand: ByHand): string => `@dan:${hand.server.name}`;

const rowOf = (
  hand: ByHand,
  { signed: given, ...more }: Partial<RedemptionRecord> & { readonly signed?: JsonObject } = {},
): OwedRedemption => {
  const { now } = hand.world.scheduler;
  const of = {
    roomId: hand.roomId,
    token: "tok",
    mxid: sure(parseUserId(zoe(hand))),
    sender: sure(parseUserId(hand.owner)),
    owedAt: now,
    ...more,
  };
  const signed = given ?? { mxid: of.mxid, token: of.token, signatures: {} };
  const proof = { mxid: of.mxid, token: of.token, json: signed };
  const id = redemptionId(crypto, { roomId: of.roomId, sender: of.sender, signed: proof });
  const waiting = { _tag: "Waiting", signed, isVouched: false, turn: 0, depth: 0 } as const;
  return { ...of, id, state: { ...waiting, dueAt: now, attempts: 0 } };
};

const delivered = (hand: ByHand, row: OwedRedemption): void => {
  const { roomId, token, mxid, sender, state } = row;
  const of = { server: hand.server.name, roomId, token, mxid, sender };
  hand.world.ledger.delivered.set(tokenName(row), { ...of, signed: state.signed });
};

describe("events", () => {
  test("an allowed event passes", () => {
    const hand = byHand();
    const { signed } = hand.token();
    judge(hand, hand.proven(zoe(hand), signed(zoe(hand))));
    judge(hand, hand.event({ state_key: zoe(hand) }));
    expect(hand.found()).toEqual([]);
  });

  test("rules: the invite of somebody who is not in the room", () => {
    const hand = byHand();
    judge(hand, hand.event({ sender: `@cat:${hand.server.name}` }));
    expect(hand.found()).toContain("rules");
  });

  test("rules: an event that only its maker's view allows, and its own auth events do not", () => {
    const hand = byHand();
    judge(hand, { ...hand.event({}), authEvents: [] });
    expect(hand.found()).toEqual(["rules"]);
  });

  test("proof: a signature by another key", () => {
    const hand = byHand();
    hand.token();
    hand.world.identity.rotateKey(0);
    const { signed } = {
      signed: (mxid: string) => ({ mxid, token: "tok", signatures: { x: { "ed25519:0": "A" } } }),
    };
    judge(hand, hand.proven(zoe(hand), signed(zoe(hand))));
    expect(hand.found()).toContain("proof");
  });

  test("proof: of another user", () => {
    const hand = byHand();
    const { signed } = hand.token();
    judge(hand, hand.proven(zoe(hand), signed(hand.owner)));
    expect(hand.found()).toContain("proof");
  });

  test("proof: by a key that had been withdrawn before the flow began", () => {
    const hand = byHand();
    const { signed } = hand.token();
    const good = signed(zoe(hand));
    // For so long a process believes that a key is valid.
    hand.world.identity.rotateKey(hand.flow.startedAt - 5 * 60_000 - 1);
    judge(hand, hand.proven(zoe(hand), good));
    expect(hand.found()).toEqual(["proof"]);
  });

  test("joined: a proven invite of somebody who is in the room, though the rules allow it", () => {
    const hand = byHand();
    const { signed } = hand.token();
    hand.member(zoe(hand), "join");
    judge(hand, hand.proven(zoe(hand), signed(zoe(hand))));
    expect(hand.found()).toEqual(["joined"]);
  });

  test("redeemed: a second event for one token and user", () => {
    const hand = byHand();
    const { signed } = hand.token();
    const invite = hand.proven(zoe(hand), signed(zoe(hand)));
    put(hand.world, hand.server, hand.replica, invite);
    judge(hand, invite);
    expect(hand.found()).toEqual(["redeemed"]);
  });

  test("token: a pending invite, or an empty one of somebody else, that is written over", () => {
    const hand = byHand();
    const event = (content: JsonObject, sender = hand.owner) => ({
      type: "m.room.third_party_invite",
      sender,
      state_key: "tok",
      content,
    });
    const keys = { public_keys: [] };
    judgeToken(hand.world, hand.flow, hand.event(event(keys)), hand.replica);
    put(hand.world, hand.server, hand.replica, event(keys));
    judgeToken(hand.world, hand.flow, hand.event(event({})), hand.replica);
    expect(hand.found()).toEqual([]);
    judgeToken(hand.world, hand.flow, hand.event(event(keys)), hand.replica);
    put(hand.world, hand.server, hand.replica, event({}));
    judgeToken(hand.world, hand.flow, hand.event(event(keys)), hand.replica);
    expect(hand.found()).toEqual(["token"]);
    judgeToken(hand.world, hand.flow, hand.event(event(keys, zoe(hand))), hand.replica);
    expect(hand.found()).toEqual(["token", "token"]);
  });

  test("token: a clean-up empties the one by which its user is invited, and knew it", () => {
    const hand = byHand();
    const emptied = hand.event({ type: "m.room.third_party_invite", state_key: "tok", content: {} });
    const judgeAs = (name: string, at: number): readonly string[] => {
      const place = placeOf({ roomId: hand.roomId, token: "tok" });
      hand.world.ledger.redeemedBy.set(`${hand.server.name} ${place}`, { by: zoe(hand), at });
      judgeToken(hand.world, { ...hand.flow, name }, emptied, hand.replica);
      return hand.found();
    };
    expect(judgeAs("cleanUpInvites", 0)).toEqual([]);
    hand.member(zoe(hand), "invite");
    expect(judgeAs("revokeInvite", 0)).toEqual([]);
    expect(judgeAs("expireInvites", hand.flow.startedAt)).toEqual([]);
    expect(judgeAs("cleanUpInvites", 0)).toEqual(["token"]);
  });

  test("name: a plain invite, and one for another server's user, in a stranger's name", () => {
    const hand = byHand();
    const { signed } = hand.token();
    const invite = hand.proven(zoe(hand), signed(zoe(hand)));
    judgeName(hand.world, hand.server, invite);
    expect(hand.found()).toEqual([]);
    judgeName(hand.world, hand.other, hand.event({}));
    judgeName(hand.world, hand.other, invite);
    expect(hand.found()).toEqual(["name", "name"]);
  });

  test("secrecy: an address, an access token, or the address key in an event or elsewhere", () => {
    for (const secret of [
      "Zoe.QZmark0@mail0.example",
      "tokmark-abc",
      Buffer.from(addressKey).toString("base64"),
      Buffer.from(addressKey).toString("hex"),
    ]) {
      const hand = byHand();
      keepsSecrets(hand.world, "a test", { deep: [secret] });
      judge(hand, hand.event({ content: { membership: "invite", reason: secret } }));
      expect(hand.found(), secret).toEqual(["secrecy", "secrecy"]);
    }
  });
});

describe("mails", () => {
  test("one mail: the first asking may be, the second may not", () => {
    const ledger = new Ledger();
    expect(ledger.ask("invite", 1, false)).toBe(false);
    expect(ledger.ask("invite", 2, false)).toBe(true);
  });

  test("one mail: once more where the last token is another invite's, in the same room", () => {
    for (const [roomId, isAnother] of [["!r", false] as const, ["!other", true] as const]) {
      const ledger = new Ledger();
      ledger.tokenGiven({ token: "tok", invite: "another", roomId: "!r", sender: "@a:b" }, 1);
      ledger.ask("invite", 2, false);
      ledger.ask("invite", 3, true);
      ledger.tokenGiven({ token: "tok", invite: "invite", roomId, sender: "@a:b" }, 3);
      expect(ledger.ask("invite", 4, false)).toBe(isAnother);
    }
  });

  test("one mail: once more after a no, after an end, after its event is gone, or if it was asked for", () => {
    const ledger = new Ledger();
    ledger.ask("invite", 1, false);
    expect(ledger.ask("invite", 2, true)).toBe(false);
    ledger.nothingSent("invite", 1);
    expect(ledger.ask("invite", 3, false)).toBe(false);
    ledger.end("invite");
    expect(ledger.ask("invite", 4, false)).toBe(false);
    ledger.tokenGiven({ token: "tok", invite: "invite", roomId: "!r", sender: "@a:b" }, 4);
    ledger.gone("!r tok");
    expect(ledger.ask("invite", 5, false)).toBe(false);
    expect(ledger.ask("invite", 6, false)).toBe(true);
  });

  test("one mail: the one that a flow meant to ask for in a life that ended meanwhile is not the next one's", () => {
    const ledger = new Ledger();
    ledger.intend("invite", 1);
    ledger.end("invite");
    expect(ledger.ask("invite", 1, false)).toBe(false);
    ledger.intend("invite", 2);
    expect(ledger.ask("invite", 2, false)).toBe(false);
    expect(ledger.ask("invite", 1, false)).toBe(false);
    ledger.intend("invite", 1);
    expect(ledger.ask("invite", 1, false)).toBe(true);
  });
});

describe("the queue", () => {
  const broken = (hand: ByHand, more: Partial<Server["redemptions"]>): Redemptions => {
    const server = { ...hand.server, redemptions: { ...hand.server.redemptions, ...more } };
    return watchRedemptions(hand.world, { ...hand.flow, server });
  };

  const lanes = waitingLanes.map((lane) => ({ lane, except: [] }));
  const claimAt = (now: number) => ({ lanes, due: { from: 0, to: now }, until: now + 10, limit: 1 });

  test("queue: what is owed for another user, or for nobody", async () => {
    const hand = byHand();
    await watchRedemptions(hand.world, hand.flow).put(
      [rowOf(hand, { token: "other", signed: rowOf(hand).state.signed })],
      {},
    );
    const nobody = sure(parseUserId("@x:y"));
    await watchRedemptions(hand.world, hand.flow).put([rowOf(hand, { mxid: nobody })], {});
    expect(hand.found()).toEqual(["queue", "queue"]);
  });

  test("queue: one row in two hands", async () => {
    const hand = byHand();
    const claimed = { value: rowOf(hand), mark: "1" };
    const queue = broken(hand, { claim: () => Promise.resolve([claimed]) });
    const { now } = hand.world.scheduler;
    await queue.claim(claimAt(now), {});
    await queue.claim(claimAt(now + 10), {});
    expect(hand.found()).toEqual([]);
    await queue.claim(claimAt(now + 15), {});
    expect(hand.found()).toEqual(["queue"]);
  });

  const ended = (_tag: "Done" | "Redeemed") => ({ _tag, endedAt: 1 });

  /** A claimed row is replaced by the next state, and the storage does what `change` says. */
  const replaced = async (
    next: RedemptionRecord["state"],
    change: (rows: readonly RedemptionRecord[]) => readonly RedemptionRecord[],
    mark = "1",
  ): Promise<ByHand> => {
    const hand = byHand();
    const own = rowOf(hand);
    let rows: readonly RedemptionRecord[] = [own, rowOf(hand, { token: "tok2" })];
    const queue = broken(hand, {
      all: () => rows,
      claim: () => Promise.resolve([{ value: own, mark: "1" }]),
      replace: () => {
        rows = change(rows);
        return Promise.resolve({ _tag: "Replaced", mark: "2" });
      },
    });
    await queue.claim(claimAt(1), {});
    await queue.replace({ ...own, state: next }, mark, {});
    return hand;
  };

  const endFirst =
    (state: RedemptionRecord["state"]) =>
    ([own, ...rows]: readonly RedemptionRecord[]): readonly RedemptionRecord[] =>
      own === undefined ? rows : [{ ...own, state }, ...rows];

  test("queue: a row that is done is no violation; redeemed, and no room shows it, is one", async () => {
    expect((await replaced(ended("Done"), endFirst(ended("Done")))).found()).toEqual([]);
    expect((await replaced(ended("Redeemed"), endFirst(ended("Redeemed")))).found()).toEqual(["queue"]);
  });

  test("queue: another row that ends with one that is done", async () => {
    const all = await replaced(ended("Done"), (rows) =>
      rows.map((row) => ({ ...row, state: ended("Done") })),
    );
    expect(all.found()).toEqual(["queue"]);
  });

  test("queue: a row that somebody else holds", async () => {
    expect((await replaced(ended("Done"), endFirst(ended("Done")), "old")).found()).toEqual(["queue"]);
  });

  test("queue: a row that waits, or a token that was redeemed, is removed", async () => {
    for (const isWaiting of [true, false]) {
      const hand = byHand();
      const { now } = hand.world.scheduler;
      const state = isWaiting ? rowOf(hand).state : { ...ended("Redeemed"), endedAt: now };
      let rows = [{ ...rowOf(hand), state }];
      if (!isWaiting)
        hand.world.ledger.rememberedAt.set(`${hand.server.name} ${tokenName(rowOf(hand))}`, now);
      const queue = broken(hand, {
        all: () => rows,
        remove: () => {
          rows = [];
          return Promise.resolve(1);
        },
      });
      await queue.remove({ lane: "redeemed", endedBefore: 1, limit: 1 }, {});
      expect(hand.found()).toEqual(["queue"]);
    }
  });

  test.each([
    "TokenUnknown",
    "NotInRoom",
    "ExchangeRefused",
    "InviteRevoked",
    "TargetBanned",
    "KeyRevoked",
    "Anything",
  ])("dead: %s, which is not for good or not true", async (reason) => {
    const hand = byHand();
    const { signed } = hand.token();
    const row = rowOf(hand, { signed: signed(zoe(hand)) });
    await hand.server.redemptions.put([row], {});
    judgeDead(hand.world, hand.flow, row, reason);
    expect(hand.found()).toEqual(["dead"]);
  });

  test("dead: an age that it has not reached", () => {
    const hand = byHand();
    const row = rowOf(hand);
    judgeDead(hand.world, hand.flow, row, "Expired: TokenUnknown");
    expect(hand.found()).toEqual(["dead"]);
    hand.world.scheduler.now += 15 * 24 * 3_600_000;
    judgeDead(hand.world, hand.flow, row, "Expired: TokenUnknown");
    expect(hand.found()).toEqual(["dead"]);
  });

  test("dead: not proven is right for what nobody signed", async () => {
    const hand = byHand();
    hand.token();
    await hand.server.redemptions.put([rowOf(hand)], {});
    judgeDead(hand.world, hand.flow, rowOf(hand), "NotProven");
    expect(hand.found()).toEqual([]);
  });
});

describe("redemptions in the end", () => {
  test("redeemed: a good proof that still waits", async () => {
    const hand = byHand();
    const { signed } = hand.token();
    await hand.server.redemptions.put([rowOf(hand, { signed: signed(zoe(hand)) })], {});
    judgeWaiting(hand.world);
    expect(hand.found()).toEqual(["redeemed"]);
  });

  test("redeemed: a proof that was answered 200 and is nowhere", () => {
    const hand = byHand();
    delivered(hand, rowOf(hand));
    judgeEnd(hand.world);
    expect(hand.found()).toEqual(["redeemed"]);
  });

  test.each(["Done", "Redeemed"] as const)("redeemed: %s, and nobody was invited", async (_tag) => {
    const hand = byHand();
    const row = rowOf(hand);
    await hand.server.redemptions.put([row], {});
    const due = { from: 0, to: row.owedAt };
    const lanes = waitingLanes.map((lane) => ({ lane, except: [] }));
    const question = { lanes, due, until: row.owedAt + 1, limit: 1 };
    const [held] = await hand.server.redemptions.claim(question, {});
    const state = { _tag, endedAt: row.owedAt };
    await hand.server.redemptions.replace({ ...row, state }, held?.mark ?? "", {});
    delivered(hand, row);
    judgeEnd(hand.world);
    expect(hand.found()).toEqual(["redeemed"]);
  });

  test("redeemed: an exchange that is refused without reason", () => {
    const hand = byHand();
    const { signed } = hand.token();
    const body = {
      sender: hand.owner,
      state_key: zoe(hand),
      content: { third_party_invite: { signed: signed(zoe(hand)) } },
    };
    const refused = { _tag: "Refusal", code: "NotProven", message: "", errcode: "", status: 403 } as const;
    const asked = { roomId: hand.roomId, origin: hand.server.name, body };
    judgeExchangeRefusal(hand.world, hand.flow, asked, right("fine"));
    expect(hand.found()).toEqual([]);
    judgeExchangeRefusal(hand.world, hand.flow, asked, left(refused));
    expect(hand.found()).toEqual(["redeemed"]);
  });

  test("standing: two tokens of one invite", () => {
    const hand = byHand();
    hand.token();
    const second = { type: "m.room.third_party_invite", sender: hand.owner, state_key: "tok2" };
    put(hand.world, hand.server, hand.replica, { ...second, content: { public_keys: [{}] } });
    hand.world.ledger.appended.set(`${hand.server.name} key`, ["tok", "tok2"]);
    judgeEnd(hand.world);
    expect(hand.found()).toEqual(["standing"]);
  });
});

describe("flows and lives", () => {
  test("flow: one that throws, and one that rejects", async () => {
    const hand = byHand();
    const { world, server, flow } = hand;
    void runFlow(world, server, flow.process, "thrower", () => {
      throw new Error("at once");
    });
    void runFlow(world, server, flow.process, "rejecter", () => Promise.reject(new Error("later")));
    await Promise.resolve();
    await Promise.resolve();
    expect(hand.found()).toEqual(["flow", "flow"]);
  });

  test("flow: one that never ends, unless its process died", () => {
    const hand = byHand();
    hand.world.flows.add({ ...hand.flow, process: { name: "dead", alive: false } });
    judgeEnd(hand.world);
    expect(hand.found()).toEqual([]);
    hand.world.flows.add(hand.flow);
    judgeEnd(hand.world);
    expect(hand.found()).toEqual(["flow"]);
  });

  const record = (hand: ByHand): InviteRecord => {
    const of = {
      roomId: hand.roomId,
      sender: sure(parseUserId(hand.owner)),
      idServer: sure(parseServerName("id.example")),
      threepid: sure(parseThreepid("email", "z@e.example")),
    };
    const key = inviteKey(crypto, addressKey, of);
    const life = { _tag: "Asked", at: 0, before: { _tag: "Intended" } } as const;
    return {
      key,
      addressHash: addressHash(crypto, addressKey, of.threepid),
      ...of,
      createdAt: 0,
      details: {},
      life,
    };
  };

  test("life: from the intent straight to the end", async () => {
    const hand = byHand();
    const { threepid: _, ...asked } = record(hand);
    const invites = watchInvites(hand.world, hand.flow);
    const { mark } = await invites.putIfAbsent(asked, {});
    expect(hand.found()).toEqual([]);
    await invites.replace({ ...asked, life: { _tag: "Redeemed", by: asked.sender, tokens: [] } }, mark, {});
    expect(hand.found()).toEqual(["life"]);
  });

  test("life: an invite that begins without the intent to ask, or with more than that", async () => {
    const hand = byHand();
    const { threepid: _, ...asked } = record(hand);
    const before = { _tag: "Revoked", tokens: [] } as const;
    const lives: readonly InviteRecord["life"][] = [
      { _tag: "Intended" },
      { _tag: "Asked", at: 0, before },
      { _tag: "Asked", at: 1, lostAt: 0, before: { _tag: "Intended" } },
    ];
    for (const life of lives) await watchInvites(hand.world, hand.flow).putIfAbsent({ ...asked, life }, {});
    expect(hand.found()).toEqual(["life", "life", "life"]);
  });

  test("life: the intent to ask counts for the flow that stored it, and for no other that found it", async () => {
    const hand = byHand();
    const { threepid: _, ...asked } = record(hand);
    const { ledger } = hand.world;
    const name = `${hand.server.name} ${asked.key}`;
    await watchInvites(hand.world, hand.flow).putIfAbsent(asked, {});
    await watchInvites(hand.world, { ...hand.flow, id: 2 }).putIfAbsent(asked, {});
    ledger.end(name);
    // Only the first meant to ask in the life that has ended: its mail is none of the next one's.
    expect(ledger.ask(name, 1, false)).toBe(false);
    expect(ledger.ask(name, 2, false)).toBe(false);
    expect(ledger.ask(name, 1, false)).toBe(false);
    expect(ledger.ask(name, 2, false)).toBe(true);
  });

  test("life: what advance allows is no violation, and an asking never loses what was before", () => {
    const before = { _tag: "Intended" } as const;
    expect(mayFollow(before, { _tag: "Asked", at: 1, before })).toBe(true);
    expect(mayFollow({ _tag: "Revoked", tokens: [] }, { _tag: "Asked", at: 1, before })).toBe(false);
  });

  test("secrecy: an address in a stored invite", async () => {
    const hand = byHand();
    const invites = watchInvites(hand.world, hand.flow);
    await invites.putIfAbsent(
      { ...record(hand), threepid: sure(parseThreepid("email", "a.qzmark@e.example")) },
      {},
    );
    expect(hand.found()).toEqual(["secrecy"]);
  });
});
