import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Delivery } from "../invite/onbind.js";
import {
  type ThirdPartySignedOutcome,
  checkThirdPartySigned,
  parseThirdPartySigned,
} from "../invite/third-party-signed.js";
import { type ServerName, serverOf } from "../matrix/ids.js";
import { defineFlow } from "./flow.js";
import type { Context } from "./steps/context.js";
import { decide } from "./steps/decide.js";
import { forClient } from "./steps/for-client.js";
import { type RequesterCommand, readCommand } from "./steps/read-command.js";
import { type RedeemNeeds, type Redeemed, isOutside, redeemDelivery } from "./steps/redeem-delivery.js";
import type { Step } from "./steps/step.js";

/** A join whose body has `third_party_signed`. */
export interface ThirdPartySignedCommand {
  readonly roomId: string;
  readonly requester: RequesterCommand;
  /** The value of `third_party_signed`, unchecked. */
  readonly thirdPartySigned: unknown;
}

/** The user is invited, or was already; the host joins now, through one of these servers if it is not in the room. */
export interface ReadyToJoin {
  readonly _tag: Redeemed;
  readonly via: readonly ServerName[];
}

/** What the room, as far as we have it, makes of the proof. */
const checked = (
  context: Context<"crypto" | "rooms">,
  delivery: Delivery,
): Step<ThirdPartySignedOutcome["_tag"]> =>
  pipe(
    decide(context, { roomId: delivery.roomId, decision: checkThirdPartySigned, command: delivery }),
    TE.map(({ outcome }) => outcome._tag),
    TE.orElse((problem) => (isOutside(problem) ? TE.right("ToRedeem" as const) : TE.left(problem))),
  );

/** The inviter's server may ask this one to sign the invite meanwhile: no block holds for it then. */
const redeemBrought = (context: Context<RedeemNeeds>, delivery: Delivery): Step<Redeemed> => {
  const { roomId, signed } = delivery;
  return context.memory.brought.during(
    [roomId, signed.token, signed.mxid],
    redeemDelivery(context, delivery),
  );
};

export const redeemThirdPartySigned = defineFlow(
  "crypto",
  "rooms",
  "events",
  "identityServer",
  "invites",
  "clock",
  "federation",
)((context, command: ThirdPartySignedCommand) =>
  pipe(
    TE.fromEither(readCommand(command)),
    TE.flatMapEither(({ roomId, requester: { userId } }) =>
      parseThirdPartySigned(command.thirdPartySigned, { roomId, userId }),
    ),
    TE.bindTo("delivery"),
    TE.bind("already", ({ delivery }) => checked(context, delivery)),
    TE.flatMap(({ delivery, already }) =>
      pipe(
        already === "ToRedeem" ? redeemBrought(context, delivery) : TE.right(already),
        TE.map((how): ReadyToJoin => ({ _tag: how, via: [serverOf(delivery.sender)] })),
      ),
    ),
    TE.mapLeft(forClient),
  ),
);
