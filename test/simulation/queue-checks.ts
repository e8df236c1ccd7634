import { member } from "matrix-third-party-invites/matrix";
import type { RedemptionId, RedemptionRecord, Redemptions, UserLine } from "matrix-third-party-invites/ports";
import { judgeDead } from "./dead-checks.js";
import { tokenName } from "./ledger.js";
import { judgePlaces } from "./line-checks.js";
import type { Flow, Server } from "./server.js";
import type { World } from "./world.js";

const mayBeOwed = (server: Server, { mxid, token, state }: RedemptionRecord): boolean =>
  !("signed" in state) ||
  (server.users.has(mxid) &&
    member(state.signed, "mxid") === mxid &&
    member(state.signed, "token") === token);

interface Held {
  readonly mark: string;
  readonly until: number;
}

/** Who holds which row until when, by the word of the port alone. */
const held = new WeakMap<Server, Map<RedemptionId, Held>>();

const heldBy = (server: Server): Map<RedemptionId, Held> => {
  const known = held.get(server) ?? new Map<RedemptionId, Held>();
  held.set(server, known);
  return known;
};

type Rows = ReadonlyMap<RedemptionId, RedemptionRecord>;

const year = 365 * 24 * 3_600_000;

/** The queue, each of its steps judged: whom something is owed for, who holds a row, and how it ends. */
export const watchRedemptions = (world: World, flow: Flow): Redemptions => {
  const { server } = flow;
  const { name, redemptions } = server;
  const claims = heldBy(server);
  const rows = (): Rows => new Map(redemptions.all().map((row) => [row.id, row]));
  const wrong = (what: string): void => {
    world.violate("queue", what);
  };

  /** What a step has done to rows that it was not about. */
  const judgeOthers = (before: Rows, changed: ReadonlySet<RedemptionId>): void => {
    const after = rows();
    for (const [id, row] of before)
      if (!changed.has(id) && after.get(id)?.state._tag !== row.state._tag)
        wrong(`a redemption of ${name} that was ${row.state._tag} has changed beside another`);
  };

  const lines = new Map<string, UserLine>();
  return {
    ...redemptions,
    line: async (of, options) => {
      const line = await redemptions.line(of, options);
      lines.set(of.lane, line);
      return line;
    },
    put: async (records, options) => {
      for (const record of records)
        if (!mayBeOwed(server, record))
          wrong(`${name} owes an invite to ${record.mxid}, for whom no proof came`);
      const before = rows();
      const added = await redemptions.put(records, options);
      judgeOthers(before, new Set());
      for (const id of added) {
        if (before.has(id)) wrong(`a redemption of ${name} is new twice`);
        world.ledger.storedAt.set(`${name} ${id}`, flow.startedAt);
      }
      judgePlaces(world, lines, records);
      return added;
    },
    claim: async (question, options) => {
      const given = await redemptions.claim(question, options);
      for (const { value, mark } of given) {
        const other = claims.get(value.id);
        // Those that are looked for far in the future are nobody's: a clock was wrong.
        if (other !== undefined && question.due.from === 0 && other.until > question.due.to)
          wrong(`two workers of ${name} hold one redemption`);
        claims.set(value.id, { mark, until: question.until });
        const token = tokenName(value);
        if (!flow.claimedAt.has(token)) flow.claimedAt.set(token, world.scheduler.now);
      }
      return given;
    },
    replace: async (record, mark, options) => {
      const { id } = record;
      const before = rows();
      const answer = await redemptions.replace(record, mark, options);
      judgeOthers(before, new Set([id]));
      const was = before.get(id)?.state._tag;
      const state = rows().get(id)?.state;
      if (claims.get(id)?.mark === mark) claims.delete(id);
      else if (answer._tag === "Replaced")
        wrong(`a worker of ${name} ended a redemption that another one holds`);
      if (answer._tag === "Stale" || was === state?._tag) return answer;
      if (was !== "Waiting")
        wrong(`a redemption of ${name} that was ${String(was)} became ${String(state?._tag)}`);
      if (state?._tag === "Redeemed" && !world.ledger.proven.has(tokenName(record)))
        wrong(`${name} calls ${record.token} redeemed, and no room shows it`);
      // What a clock wrote that is years behind looks old to one that is right: no more is promised of it.
      if (state?._tag === "Redeemed" && state.endedAt > world.scheduler.now - year / 2)
        world.ledger.rememberedAt.set(`${name} ${tokenName(record)}`, world.scheduler.now);
      if (state?._tag === "Dead") judgeDead(world, flow, before.get(id) ?? record, state.reason);
      return answer;
    },
    remove: async (which, options) => {
      const before = rows();
      const count = await redemptions.remove(which, options);
      const after = rows();
      for (const [id, record] of before) {
        if (after.has(id)) continue;
        const { state } = record;
        claims.delete(id);
        if (state._tag === "Waiting") world.ledger.met.add("a redemption that leaves a full queue");
        world.ledger.removed.set(`${name} ${id}`, record);
        // What nobody has worked on was answered with 200, and comes only once.
        const isFirm =
          state._tag === "Waiting" &&
          state.attempts === 0 &&
          state.dueAt === record.owedAt &&
          state.depth < 64;
        if (isFirm || (state._tag === "Waiting" && server.config.queue?.unvouched === undefined))
          wrong(`${name} has removed a redemption that waits`);
        const rememberedAt = world.ledger.rememberedAt.get(`${name} ${tokenName(record)}`) ?? 0;
        if (state._tag === "Redeemed" && world.scheduler.now - rememberedAt < year)
          wrong(`${name} has forgotten a token that was redeemed`);
      }
      return count;
    },
  };
};
