import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { type OnBind, type RefusedEntry, checkEntry, readOnBind, sortEntries } from "../invite/onbind.js";
import { serverOf } from "../matrix/ids.js";
import { refusal } from "../refusal.js";
import { defineFlow } from "./flow.js";
import type { Context } from "./steps/context.js";
import { findUser } from "./steps/find-user.js";
import { inTurns } from "./steps/in-turns.js";
import { notify } from "./steps/notify.js";
import { provesOwnInvite } from "./steps/proves-own-invite.js";
import type { Step } from "./steps/step.js";
import { storeRows } from "./steps/store-rows.js";
import { vouchedEntries } from "./steps/vouched-entries.js";

/** The delivery of an identity server. */
export interface OnBindCommand {
  /** The parsed JSON of the body, unchecked. */
  readonly body: unknown;
}

type OnBindContext = Context<"crypto" | "invites" | "redemptions" | "users" | "clock">;

/** What became of a delivery. Answer it with 200 and `{}`: the identity server repeats anything else for ever. */
export interface OnBindOutcome {
  /** Entries that are stored; the same proof delivered again counts here, and is owed once. */
  readonly accepted: number;
  /** How many of these were not there before: `deliverOwed` has something to do. */
  readonly added: number;
  readonly refused: readonly RefusedEntry[];
}

const defaultMaxEntries = 5_000;

/** Nobody here has this name: all is refused, and the identity server may stop. */
const withoutUser = ({ mxid, accepted, refused }: OnBind): OnBind => ({
  mxid,
  accepted: [],
  refused: [...refused, ...accepted.map(({ index }) => ({ index, refusal: refusal("UserUnknown") }))],
});

/** Of a delivery for another server's user so many entries are looked at. */
const maxOfOthers = 16;

/** Of another server's user only what proves an invite of our own is taken. */
const provenOnly = (context: OnBindContext, { mxid, accepted, refused }: OnBind): Step<OnBind> =>
  pipe(
    accepted.slice(0, maxOfOthers),
    TE.traverseSeqArray((entry) => provesOwnInvite(context, entry)),
    TE.map((proven) => ({
      mxid,
      accepted: accepted.filter((_, at) => proven[at] === true),
      refused: [
        ...refused,
        ...accepted.flatMap(({ index }, at) =>
          proven[at] === true ? [] : [{ index, refusal: refusal("UserNotLocal") }],
        ),
      ],
    })),
  );

/** What is taken of a delivery, by whose the user is. */
const ofKnownUser = (context: OnBindContext, checked: OnBind): Step<OnBind> =>
  serverOf(checked.mxid) === context.ports.config.serverName
    ? pipe(
        findUser(context, { userId: checked.mxid }),
        TE.map((user) => (user === undefined ? withoutUser(checked) : checked)),
      )
    : provenOnly(context, checked);

const store = (context: OnBindContext, onBind: OnBind, body: unknown): Step<OnBindOutcome> => {
  const { mxid, accepted, refused } = onBind;
  if (accepted.length === 0) return TE.right({ accepted: 0, added: 0, refused });
  return pipe(
    vouchedEntries(context, body, accepted),
    TE.flatMap((vouched) =>
      storeRows(
        context,
        [true, false].map((isVouched) => ({
          mxid,
          isVouched,
          entries: accepted.filter((entry) => vouched.has(entry) === isVouched),
        })),
      ),
    ),
    TE.tapIO(() => () => {
      for (const { roomId } of accepted) notify(context, { _tag: "RedemptionOwed", roomId, target: mxid });
    }),
    TE.map((added) => ({ accepted: accepted.length, added, refused })),
  );
};

export const receiveOnBind = defineFlow(
  "crypto",
  "invites",
  "redemptions",
  "users",
  "clock",
)((context, { body }: OnBindCommand) => {
  const { serverName, maxOnBindEntries: maxEntries = defaultMaxEntries } = context.ports.config;
  return pipe(
    TE.fromEither(readOnBind(body, { maxEntries })),
    TE.flatMap(({ mxid, invites }) =>
      pipe(
        inTurns(invites, (invite) => checkEntry(invite, mxid, serverName)),
        TE.map((checked) => sortEntries(mxid, checked)),
      ),
    ),
    TE.flatMap((checked) => ofKnownUser(context, checked)),
    TE.flatMap((checked) => store(context, checked, body)),
    TE.tapIO(({ refused }) => () => {
      for (const { refusal } of refused)
        notify(context, { _tag: "Refused", code: refusal.code, flow: "receiveOnBind" });
    }),
  );
});
