import { type Either, isLeft, left, right } from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Requester } from "../invite/admit.js";
import type { Delivery } from "../invite/onbind.js";
import { parseSigned } from "../invite/signed.js";
import { entry } from "../matrix/event.js";
import { type RoomId, type ServerName, parseUserId, serverOf } from "../matrix/ids.js";
import { member } from "../matrix/json.js";
import { membershipOf, stateEvent } from "../matrix/room-state.js";
import { type Refusal, refusal, refuse } from "../refusal.js";
import { type RequesterCommand, readCommand } from "./command.js";
import { look } from "./commit.js";
import { configured } from "./config.js";
import { type RedeemPorts, type Redeemed, isOutside, redeemDelivery } from "./redeem-delivery.js";
import { type FlowOptions, type FlowResult, type Step, run } from "./run.js";

/** A join whose body has `third_party_signed`. */
export interface RedeemThirdPartySigned {
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

/**
 * `third_party_signed` is flat and signed over all its members, `sender` among them: the whole of it becomes
 * `signed` of the member event.
 */
const readSigned = (value: unknown, roomId: RoomId, requester: Requester): Either<Refusal, Delivery> => {
  const signed = parseSigned(value);
  if (isLeft(signed)) return signed;
  const sender = parseUserId(member(value, "sender"));
  if (isLeft(sender)) return refuse("FieldMalformed", { detail: "third_party_signed.sender" });
  return signed.right.mxid === requester.userId
    ? right({ roomId, sender: sender.right, signed: signed.right })
    : refuse("MxidMismatch");
};

/** Whether the room, as far as we have it, makes the step unnecessary, or belies who is said to have invited. */
const alreadyIn =
  (ports: RedeemPorts) =>
  ({ roomId, sender, signed }: Delivery, signal: AbortSignal | undefined): Step<Redeemed | undefined> =>
    pipe(
      look(ports)(
        roomId,
        [entry("m.room.member", signed.mxid), entry("m.room.third_party_invite", signed.token)],
        signal,
      ),
      TE.flatMapEither(({ state }): Either<Refusal, Redeemed | undefined> => {
        const membership = membershipOf(state, signed.mxid);
        if (membership === "join") return right("AlreadyJoined");
        if (membership === "invite") return right("AlreadyInvited");
        const tokenEvent = stateEvent(state, "m.room.third_party_invite", signed.token);
        return tokenEvent === undefined || tokenEvent.sender === sender
          ? right(undefined)
          : left(refusal("TokenSenderMismatch", { rule: `${state.version.rules.invite}.1.6` }));
      }),
      TE.orElse((problem) => (isOutside(problem) ? TE.right(undefined) : TE.left(problem))),
    );

/**
 * The step before a join with `third_party_signed`: turns the proof that the client holds into an
 * invite of the requester, as `deliverOwed` does with one from an onbind. The host makes the join. Somebody who is
 * joined or invited already needs no step. Never rejects.
 *
 * @example
 * const ready = await redeemThirdPartySigned(ports)({ roomId, requester: { userId }, thirdPartySigned });
 * // right({ _tag: "Exchanged", via: ["example.org"] })
 */
export const redeemThirdPartySigned =
  (ports: RedeemPorts) =>
  (command: RedeemThirdPartySigned, { signal }: FlowOptions = {}): FlowResult<ReadyToJoin> =>
    run(
      pipe(
        configured(ports),
        TE.flatMapEither(() => readCommand(command)),
        TE.flatMapEither(({ roomId, requester }) => readSigned(command.thirdPartySigned, roomId, requester)),
        TE.bindTo("delivery"),
        TE.bind("already", ({ delivery }) => alreadyIn(ports)(delivery, signal)),
        TE.flatMap(({ delivery, already }) =>
          pipe(
            already === undefined ? redeemDelivery(ports)(delivery, signal) : TE.right(already),
            TE.map((how): ReadyToJoin => ({ _tag: how, via: [serverOf(delivery.sender)] })),
          ),
        ),
      ),
      ports.observe,
      { flow: "redeemThirdPartySigned" },
    );
