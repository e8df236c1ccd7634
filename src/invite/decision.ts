import { type Either, flatMap, isLeft, right } from "fp-ts/lib/Either.js";
import { type CanonicalNumbers, canonicalJson } from "../matrix/canonical-json.js";
import type { CryptoEngine } from "../matrix/crypto-engine.js";
import type { EventTemplate, StateEntry } from "../matrix/event.js";
import type { JsonObject } from "../matrix/json.js";
import type { RoomState } from "../matrix/room-state.js";
import { numbersOf } from "../matrix/room-version.js";
import { utf8Length } from "../matrix/utf8.js";
import { type Refusal, malformedField, refuse } from "../refusal.js";

/** What a decision is given beside the state and the command: the engine, and who this server is. */
export interface DecisionContext {
  readonly crypto: CryptoEngine;
  readonly serverName: string;
  /** How many distinct pairs of signature and key may be tried for one proof; 64 unless told otherwise. */
  readonly maxPairs?: number;
}

/** What every outcome has: the events to append, none where there is nothing to append. */
export interface DecisionOutcome {
  readonly _tag: string;
  readonly events: readonly EventTemplate[];
}

/**
 * A decision as a value: which state entries it reads for a command, and what it decides on them. Pure, total and
 * synchronous: on a newer state it gives a newer answer.
 */
export interface Decision<Command, Outcome extends DecisionOutcome> {
  readonly reads: (command: Command) => readonly StateEntry[];
  readonly decide: (state: RoomState, command: Command, context: DecisionContext) => Either<Refusal, Outcome>;
}

/** The same state with the named entries only: a decision never uses one that it did not declare. */
const withOnly = (state: RoomState, entries: readonly StateEntry[]): RoomState => {
  const declared = new Map<string, Set<string>>();
  for (const { type, stateKey } of entries) {
    const keys = declared.get(type) ?? new Set();
    declared.set(type, keys.add(stateKey));
  }
  return {
    roomId: state.roomId,
    version: state.version,
    get: (type, stateKey) =>
      declared.get(type)?.has(stateKey) === true ? state.get(type, stateKey) : undefined,
  };
};

/** An event has 65,536 bytes at most; what the host's builder adds has room in the rest. */
const maxContentBytes = 60_000;

/** Whether an event can hold this content, or this part of one: half a surrogate pair, say, has no place in any. */
export const checkContent = (
  content: JsonObject,
  { numbers = "any", maxBytes }: { readonly numbers?: CanonicalNumbers; readonly maxBytes: number },
): Either<Refusal, void> => {
  const text = canonicalJson(content, numbers);
  if (isLeft(text)) return malformedField(`content: ${text.left.reason}`);
  return utf8Length(text.right) <= maxBytes ? right(undefined) : refuse("EventTooLarge");
};

/**
 * Makes a decision on a state: it sees the entries that it declares and no others, and an outcome with an event that is
 * too large for a room is refused (`EventTooLarge`), as is one with what no event can hold (`FieldMalformed`). The flows make every decision through this function.
 *
 * @example
 * applyDecision(inviteUser, state, { requester: { userId: alice }, userId: bob }, { crypto: nodeCrypto, serverName });
 * // right({ _tag: "Invite", events: [{ type: "m.room.member", state_key: bob, … }] })
 */
export const applyDecision = <Command, Outcome extends DecisionOutcome>(
  decision: Decision<Command, Outcome>,
  state: RoomState,
  command: Command,
  context: DecisionContext,
): Either<Refusal, Outcome> =>
  flatMap(
    (outcome: Outcome): Either<Refusal, Outcome> =>
      outcome.events
        .map(({ content }) =>
          checkContent(content, { numbers: numbersOf(state.version), maxBytes: maxContentBytes }),
        )
        .find((checked) => isLeft(checked)) ?? right(outcome),
  )(decision.decide(withOnly(state, decision.reads(command)), command, context));
