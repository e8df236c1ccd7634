import { domainOf } from "matrix-third-party-invites/matrix";
import type { RedemptionRecord, UserLine } from "matrix-third-party-invites/ports";
import type { World } from "./world.js";

/**
 * The places of new rows, by what the line was when they were given: a server's k-th row of a user has no more than k rows
 * of each of that user's servers before it.
 */
export const judgePlaces = (
  world: World,
  lines: ReadonlyMap<string, UserLine>,
  records: readonly RedemptionRecord[],
): void => {
  const before = new Map<string, number>();
  for (const { state, sender, token } of records) {
    if (state._tag !== "Waiting") continue;
    const lane = state.isVouched ? "vouched" : "unvouched";
    const waiting = lines.get(lane)?.waiting ?? [];
    const destination = domainOf(sender);
    const name = `${lane} ${destination}`;
    const own = before.get(name) ?? waiting.find((one) => one.destination === destination)?.rows ?? 0;
    before.set(name, own + 1);
    const others = records.flatMap((one) =>
      one.state._tag === "Waiting" && one.state.isVouched === state.isVouched ? [domainOf(one.sender)] : [],
    );
    const servers = new Set([...others, ...waiting.map((one) => one.destination)]).size;
    if (state.depth < own * servers || state.depth >= (own + 1) * servers)
      world.violate("queue", `${token} stands ${state.depth} deep, as the ${own + 1}th of ${destination}`);
    if (state.turn !== (lines.get(lane)?.firstTurn ?? 0) + state.depth)
      world.violate("queue", `${token} has the turn ${state.turn}`);
  }
};
