import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { type InviteKey, type InviteRecord, tokensOf } from "../invite/life.js";
import { sentName } from "../invite/standing.js";
import { isExpired, isForgotten } from "../invite/tidy.js";
import { readRoomId } from "./command.js";
import { again, move } from "./life.js";
import { type RoomInvites, readInvites } from "./room-invites.js";
import { type FlowOptions, type FlowResult, type Step, ask, bestEffort, run } from "./run.js";
import { type Tidied, type TidyInvitesPorts, tidy } from "./tidy.js";

/** Notes that an invite has expired, unless it has moved on since it was looked at. */
const noteExpired =
  (ports: TidyInvitesPorts) =>
  (key: InviteKey, before: number): Step<void> =>
    bestEffort(
      ports.observe,
      again(
        pipe(
          ask("invites.find", () => ports.invites.find(key, {})),
          TE.flatMap((stored): Step<unknown> =>
            stored !== undefined && isForgotten(stored.value, before)
              ? move(ports)(stored, { _tag: "Expire" })
              : TE.right(undefined),
          ),
        ),
      ),
    );

/** Notes the end of our invites that are old, but for those that still stand in the room. */
const noteAllExpired =
  (ports: TidyInvitesPorts) =>
  ({ records }: RoomInvites, { advisory }: Tidied, before: number): Step<unknown> => {
    const left = new Set(advisory.map(({ sender, token }) => sentName(sender, token)));
    const stands = ({ life, sender }: InviteRecord): boolean =>
      tokensOf(life).some((token) => left.has(sentName(sender, token)));
    return pipe(
      records.filter((record) => isForgotten(record, before) && !stands(record)),
      TE.traverseSeqArray(({ key }) => noteExpired(ports)(key, before)),
    );
  };

export interface ExpireInvites {
  readonly roomId: string;
  /** How long an invite may wait for its user, in milliseconds. */
  readonly olderThanMs: number;
}

/**
 * Ends the invites of a room that nobody has redeemed in a time: their events are emptied, and ours are noted as
 * expired; a proof that comes later finds no key. Acts as `cleanUpInvites` does, and reports what it may not empty: how
 * old another server's invite is, that server says. Never rejects.
 *
 * @example
 * await expireInvites(ports)({ roomId, olderThanMs: 30 * 24 * 3_600_000 });
 */
export const expireInvites =
  (ports: TidyInvitesPorts) =>
  (command: ExpireInvites, { signal }: FlowOptions = {}): FlowResult<Tidied> =>
    run(
      pipe(
        TE.fromEither(readRoomId(command.roomId)),
        TE.flatMap((roomId) => {
          const before = ports.clock.now() - command.olderThanMs;
          return pipe(
            readInvites(ports)(roomId, [], signal),
            TE.bindTo("invites"),
            TE.bind("tidied", ({ invites }) =>
              tidy(ports)(
                roomId,
                invites,
                (_, invite) => (isExpired(invite, before) ? "Expired" : undefined),
                signal,
              ),
            ),
            TE.tap(({ invites, tidied }) => noteAllExpired(ports)(invites, tidied, before)),
            TE.map(({ tidied }) => tidied),
          );
        }),
      ),
      ports.observe,
      { flow: "expireInvites" },
    );
