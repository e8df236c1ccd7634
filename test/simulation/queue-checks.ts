import type { OwedRedemption, RedemptionId, Redemptions, Settlement } from "matrix-third-party-invites/ports";
import { member } from "matrix-third-party-invites/matrix";
import { judgeDead } from "./dead-checks.js";
import { tokenName } from "./ledger.js";
import type { Flow, Server } from "./server.js";
import type { World } from "./world.js";

const mayBeOwed = (server: Server, { mxid, token, signed }: OwedRedemption): boolean =>
  server.users.has(mxid) && member(signed, "mxid") === mxid && member(signed, "token") === token;

const rowName = ({ roomId, token, mxid, proof }: RedemptionId): string =>
  `${roomId} ${token} ${mxid} ${proof}`;

/** Who holds which row until when, by the word of the port alone. */
const held = new WeakMap<Server, Map<string, { readonly lease: string; readonly until: number }>>();

const heldBy = (server: Server): Map<string, { readonly lease: string; readonly until: number }> => {
  const known = held.get(server) ?? new Map<string, { readonly lease: string; readonly until: number }>();
  held.set(server, known);
  return known;
};

/** What one result did to the other rows, and to when its own is due. */
const judgeOthers = (
  world: World,
  { name, redemptions }: Server,
  id: RedemptionId,
  settlement: Settlement,
  before: ReturnType<Server["redemptions"]["all"]>,
): void => {
  const after = new Map(redemptions.all().map((row) => [rowName(row), row]));
  for (const row of before) {
    const now = after.get(rowName(row));
    const isOwn = rowName(row) === rowName(id);
    const mayEnd = settlement._tag === "Redeemed" && tokenName(row) === tokenName(id);
    if (!isOwn && !mayEnd && now?.state._tag !== row.state._tag)
      world.violate("queue", `${settlement._tag} of one redemption of ${name} has ended another`);
    if (now !== undefined && now.dueAt < row.dueAt)
      world.violate("queue", `a redemption of ${name} is due earlier than it was put off to`);
  }
};

/** The queue, each of its steps judged: whom something is owed for, who holds a row, and how it is settled. */
export const watchRedemptions = (world: World, flow: Flow): Redemptions => {
  const { server } = flow;
  const { redemptions } = server;
  const leases = heldBy(server);
  const rowOf = (name: string): ReturnType<typeof redemptions.all>[number] | undefined =>
    redemptions.all().find((row) => rowName(row) === name);
  const stateOf = (name: string): string | undefined => rowOf(name)?.state._tag;
  return {
    ...redemptions,
    owe: async (rows, options) => {
      for (const row of rows)
        if (!mayBeOwed(server, row))
          world.violate("queue", `${server.name} owes an invite to ${row.mxid}, for whom no proof came`);
      const before = rows.map((row) => stateOf(rowName(row)));
      await redemptions.owe(rows, options);
      rows.forEach((row, at) => {
        const after = stateOf(rowName(row));
        if (before[at] !== undefined && before[at] !== after)
          world.violate("queue", `a redemption of ${server.name} that was ${before[at]} is owed again`);
      });
    },
    postpone: async (id, dueAt, options) => {
      const before = redemptions.all();
      await redemptions.postpone(id, dueAt, options);
      for (const row of before)
        if (row.sender !== id.sender && rowOf(rowName(row))?.dueAt !== row.dueAt)
          world.violate("queue", `a stranger put off a redemption of ${server.name}`);
    },
    lease: async (asked, options) => {
      const given = await redemptions.lease(asked, options);
      for (const { redemption, lease } of given) {
        const name = rowName(redemption);
        const other = leases.get(name);
        if (other !== undefined && other.until > asked.now)
          world.violate("queue", `two workers of ${server.name} hold one redemption`);
        leases.set(name, { lease, until: asked.until });
      }
      return given;
    },
    settle: async (id, lease, settlement, options) => {
      const name = rowName(id);
      const before = stateOf(name);
      const rows = redemptions.all();
      await redemptions.settle(id, lease, settlement, options);
      judgeOthers(world, server, id, settlement, rows);
      const after = stateOf(name);
      if (leases.get(name)?.lease === lease) leases.delete(name);
      else if (before !== after)
        world.violate("queue", `a worker of ${server.name} settled a redemption that another one holds`);
      if (before !== "Waiting" && before !== after)
        world.violate(
          "queue",
          `a redemption of ${server.name} that was ${String(before)} became ${String(after)}`,
        );
      if (before === "Waiting" && after === "Redeemed" && !world.ledger.proven.has(tokenName(id)))
        world.violate("queue", `${server.name} calls ${id.token} redeemed, and no room shows it`);
      if (before === "Waiting" && after === "Dead" && settlement._tag === "Dead")
        judgeDead(world, flow, id, settlement.reason);
    },
  };
};
