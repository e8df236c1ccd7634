import type { Requester } from "../invite/admit.js";
import { type RevokeOutcome, revoke } from "../invite/revoke.js";
import { entry } from "../matrix/event.js";
import type { RoomId } from "../matrix/ids.js";
import type { Ports } from "../ports.js";
import { type Committed, commit } from "./commit.js";
import { powerEntries } from "./invite-user.js";
import type { Step } from "./run.js";

/** Empties the room's event of a token, if it is not empty already. */
export const emptyToken =
  (ports: Pick<Ports, "rooms" | "events">) =>
  (
    roomId: RoomId,
    requester: Requester,
    token: string,
    signal: AbortSignal | undefined,
  ): Step<Committed<RevokeOutcome>> =>
    commit(ports)(
      {
        roomId,
        reads: [...powerEntries(requester.userId), entry("m.room.third_party_invite", token)],
        decide: (state) => revoke(state, requester, token),
        events: (outcome) => (outcome._tag === "Revoke" ? outcome.events : []),
      },
      signal,
    );
