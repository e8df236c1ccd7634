import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import {
  type FailureDetails,
  type RedemptionId,
  type RedemptionRecord,
  advanceRedemption,
} from "../invite/redemption.js";
import { type Lane, waitingLanes } from "../invite/redemption-row.js";
import type { RoomId, UserId } from "../matrix/ids.js";
import type { LaneSize, Marked } from "../ports.js";
import { malformedField, refusal } from "../refusal.js";
import { defineFlow } from "./flow.js";
import { asList, callPort } from "./steps/call-port.js";
import type { Context } from "./steps/context.js";
import { readLimit } from "./steps/find-by.js";
import type { Step } from "./steps/step.js";

export interface ListRedemptionsCommand {
  readonly lane: Lane;
  /** The id of the last one of the page before. */
  readonly after?: RedemptionId;
  /** How many at most, from 1 to 1,000; 100 unless told otherwise. */
  readonly limit?: number;
}

/** One redemption, without its proof. */
export interface ListedRedemption {
  readonly id: RedemptionId;
  readonly roomId: RoomId;
  /** Who redeems it. */
  readonly mxid: UserId;
  readonly sender: UserId;
  readonly state: RedemptionRecord["state"]["_tag"];
  /** When it was stored, in milliseconds since 1970. */
  readonly owedAt: number;
  readonly attempts?: number;
  readonly dueAt?: number;
  /** What stood in its way the last time. */
  readonly last?: FailureDetails;
}

const listed = ({ id, roomId, mxid, sender, owedAt, state }: RedemptionRecord): ListedRedemption => {
  const of = { id, roomId, mxid, sender, owedAt, state: state._tag };
  switch (state._tag) {
    case "Waiting": {
      const { attempts, dueAt, last } = state;
      return { ...of, attempts, dueAt, ...(last === undefined ? {} : { last }) };
    }
    case "Dead": {
      const { reason, status, errcode } = state;
      return { ...of, last: { reason, status, errcode } };
    }
    case "Done":
    case "Redeemed":
    case "Announced":
      return of;
  }
};

const allLanes: readonly Lane[] = [...waitingLanes, "dead", "done", "redeemed", "announced"];

export const listRedemptions = defineFlow("redemptions")((context, of: ListRedemptionsCommand) =>
  pipe(
    TE.fromEither(allLanes.includes(of.lane) ? readLimit(of.limit) : malformedField("lane")),
    TE.flatMap((limit) => callPort(context, "redemptions", "list", { ...of, limit }).read(asList)),
    TE.map((page) => page.map(({ value }) => listed(value))),
  ),
);

const perPage = 1_000;

const findDead = (
  context: Context<"redemptions">,
  id: string,
  after?: RedemptionId,
): Step<Marked<RedemptionRecord> | undefined> =>
  pipe(
    callPort(context, "redemptions", "list", {
      lane: "dead",
      limit: perPage,
      ...(after === undefined ? {} : { after }),
    }).read(asList),
    TE.flatMap((page) => {
      const found = page.find(({ value }) => value.id === id);
      const last = page.at(-1);
      return found !== undefined || last === undefined || page.length < perPage
        ? TE.right(found)
        : findDead(context, id, last.value.id);
    }),
  );

export const retryRedemption = defineFlow(
  "redemptions",
  "clock",
)((context, { id }: { readonly id: string }) =>
  pipe(
    findDead(context, id),
    TE.flatMap((found): Step<void> => {
      const at = context.ports.clock.now();
      const state = found && advanceRedemption(found.value.state, { _tag: "Revive", at });
      if (found === undefined || state === undefined) return TE.left(refusal("RedemptionNotFound"));
      return callPort(context, "redemptions", "replace", { ...found.value, state }, found.mark).read(
        ({ _tag }) => {
          switch (_tag) {
            case "Replaced":
              return TE.right(undefined);
            case "Stale":
              return TE.left(refusal("RedemptionNotFound"));
          }
        },
      );
    }),
  ),
);

/** How much there is in one lane of the queue. */
export type QueueSize = Omit<LaneSize, "ahead">;

export const measureQueue = defineFlow("redemptions")((context) =>
  pipe(
    callPort(context, "redemptions", "sizes", { lanes: allLanes }).read(asList),
    TE.map((sizes) =>
      sizes.map(({ lane, rows, bytes, oldest }): QueueSize => ({ lane, rows, bytes, oldest })),
    ),
  ),
);
