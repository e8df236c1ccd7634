import { stateEvent } from "../matrix/room-state.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { type FirstJoin, firstJoin } from "../invite/first-join.js";
import { contentOf, entry } from "../matrix/event.js";
import { member, stringMember } from "../matrix/json.js";
import type { Ports } from "../ports.js";
import { readCommand } from "./command.js";
import { look } from "./commit.js";
import { configured } from "./config.js";
import { validity } from "./key-validity.js";
import { type FlowOptions, type FlowResult, type Step, run } from "./run.js";

/** A user of another server asks to join through us. */
export interface FirstJoinChecks {
  readonly roomId: string;
  readonly userId: string;
  /** Whether a user of that server is in the room already: then it does not join for the first time. */
  readonly serverInRoom: boolean;
}

export type FirstJoinChecksPorts = Pick<Ports, "config" | "crypto" | "rooms" | "identityServer" | "observe">;

/**
 * What the resident server owes at `make_join` and `send_join` (D-28): where a server first joins
 * because of a third-party invite, a key that signed it must still be valid. Only this server may refuse for that;
 * the authorisation rules never ask. `right` says go on.
 *
 * @example
 * await firstJoinChecks(ports)({ roomId, userId: "@zoe:far.example", serverInRoom: false });
 */
export const firstJoinChecks =
  (ports: FirstJoinChecksPorts) =>
  (command: FirstJoinChecks, { signal }: FlowOptions = {}): FlowResult<FirstJoin["_tag"]> => {
    const { roomId, userId } = command;
    return run(
      pipe(
        configured(ports),
        TE.flatMapEither(() => readCommand({ roomId, requester: { userId } })),
        TE.flatMap(({ roomId, requester: { userId } }): Step<FirstJoin["_tag"]> => {
          if (command.serverInRoom) return TE.right("NothingToCheck");
          return pipe(
            look(ports)(roomId, [entry("m.room.member", userId)], signal),
            // The token is known only now; the proof is judged on a view that has both.
            TE.map(({ state }) => tokenIn(contentOf(stateEvent(state, "m.room.member", userId)))),
            TE.flatMap((token) =>
              look(ports)(
                roomId,
                [
                  entry("m.room.member", userId),
                  ...(token === undefined ? [] : [entry("m.room.third_party_invite", token)]),
                ],
                signal,
              ),
            ),
            TE.flatMapEither(({ state }) => firstJoin(state, userId, ports.crypto, ports.config.maxPairs)),
            TE.tap((join) =>
              join._tag === "CheckKeys" ? validity(ports, signal)(join.keys) : TE.right(undefined),
            ),
            TE.map((join) => join._tag),
          );
        }),
      ),
      ports.observe,
      { flow: "firstJoinChecks" },
    );
  };

const tokenIn = (content: unknown): string | undefined =>
  stringMember(member(member(content, "third_party_invite"), "signed"), "token");
