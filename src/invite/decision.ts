import { type Either, flatMap, isRight, right } from "fp-ts/lib/Either.js";
import { canonicalJson } from "../matrix/canonical-json.js";
import type { CryptoEngine } from "../matrix/crypto-engine.js";
import type { EventTemplate, StateEntry } from "../matrix/event.js";
import type { RoomState } from "../matrix/room-state.js";
import { type RoomVersion, numbersOf } from "../matrix/room-version.js";
import { utf8Length } from "../matrix/utf8.js";
import { type Refusal, refuse } from "../refusal.js";

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

const fits = ({ content }: EventTemplate, version: RoomVersion): boolean => {
  const text = canonicalJson(content, numbersOf(version));
  return isRight(text) && utf8Length(text.right) <= maxContentBytes;
};

/**
 * Makes a decision on a state: it sees the entries that it declares and no others, and an outcome with an event that is
 * too large for a room is refused (`EventTooLarge`). The flows make every decision through this function.
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
  flatMap((outcome: Outcome): Either<Refusal, Outcome> =>
    outcome.events.every((event) => fits(event, state.version)) ? right(outcome) : refuse("EventTooLarge"),
  )(decision.decide(withOnly(state, decision.reads(command)), command, context));
