import type { Either } from "fp-ts/lib/Either.js";
import type { Requester } from "../invite/admit.js";
import { type RevokeOutcome, revokeOwn } from "../invite/revoke.js";
import type { StateEntry } from "../matrix/event.js";
import type { RoomId } from "../matrix/ids.js";
import type { RoomState } from "../matrix/room-state.js";
import type { Ports } from "../ports.js";
import type { Refusal } from "../refusal.js";
import { type Committed, commit } from "./commit.js";
import { powerEntries } from "./invite-user.js";
import { tokenEntries } from "./room-invites.js";
import type { Step } from "./run.js";

/** Empties the room's events of some tokens: the requester's own, as far as they stand, unless `decide` says otherwise. */
export const emptyTokens =
  (ports: Pick<Ports, "rooms" | "events">) =>
  <Outcome extends { readonly _tag: string } = never>(
    roomId: RoomId,
    requester: Requester,
    tokens: readonly string[],
    signal: AbortSignal | undefined,
    decide: (state: RoomState) => Either<Refusal, RevokeOutcome | Outcome> = (state) =>
      revokeOwn(state, requester, tokens),
    more: readonly StateEntry[] = [],
  ): Step<Committed<RevokeOutcome | Outcome>> =>
    commit(ports)(
      {
        roomId,
        reads: [...powerEntries(requester.userId), ...tokenEntries(tokens), ...more],
        decide,
        events: (outcome) => ("events" in outcome ? outcome.events : []),
      },
      signal,
    );
