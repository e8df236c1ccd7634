import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { type InviteKey, type InviteRecord, tokensOf } from "../invite/invite-life.js";
import { isForgotten } from "../invite/leftover.js";
import { tokenOfSender } from "../invite/room-invite.js";
import { defineFlow } from "./flow.js";
import { callPort } from "./steps/call-port.js";
import { type Context, uncancelled } from "./steps/context.js";
import { bestEffort } from "./steps/notify.js";
import { readAmount, readRoomId } from "./steps/read-command.js";
import { type RoomInvites, readRoomInvites } from "./steps/read-room-invites.js";
import type { Step } from "./steps/step.js";
import { type Tidied, tidyRoom } from "./steps/tidy-room.js";
import { retryLostRace, transition } from "./steps/transition.js";

export interface ExpireInvitesCommand {
  readonly roomId: string;
  /** How long an invite may wait for its user, in milliseconds. */
  readonly olderThanMs: number;
}

/** Notes that an invite has expired, unless it has moved on since it was looked at. */
const noteExpired = (context: Context<"invites">, key: InviteKey, before: number): Step<void> =>
  bestEffort(
    context,
    retryLostRace(
      pipe(
        callPort(uncancelled(context), "invites", "find", key).answer,
        TE.flatMap((stored): Step<unknown> =>
          stored !== undefined && isForgotten(stored.value, before)
            ? transition(context, stored, { _tag: "Expire" })
            : TE.right(undefined),
        ),
      ),
    ),
  );

/** Notes the end of our invites that are old, but for those that are still pending in the room. */
const noteAllExpired = (
  context: Context<"invites">,
  { records }: RoomInvites,
  { advisory }: Tidied,
  before: number,
): Step<unknown> => {
  const left = new Set(advisory.map(({ sender, token }) => tokenOfSender(sender, token)));
  const isInRoom = ({ life, sender }: InviteRecord): boolean =>
    tokensOf(life).some((token) => left.has(tokenOfSender(sender, token)));
  return pipe(
    records.filter((record) => isForgotten(record, before) && !isInRoom(record)),
    TE.traverseSeqArray(({ key }) => noteExpired(context, key, before)),
  );
};

export const expireInvites = defineFlow(
  "crypto",
  "rooms",
  "events",
  "invites",
  "clock",
)((context, command: ExpireInvitesCommand) =>
  pipe(
    E.Do,
    E.bind("roomId", () => readRoomId(command.roomId)),
    E.bind("age", () => readAmount(command.olderThanMs, "olderThanMs")),
    TE.fromEither,
    TE.flatMap(({ roomId, age }) => {
      const before = context.ports.clock.now() - age;
      return pipe(
        readRoomInvites(context, roomId),
        TE.bindTo("invites"),
        TE.bind("tidied", ({ invites }) =>
          tidyRoom(context, { roomId, tidying: { _tag: "Expired", before } }, invites),
        ),
        TE.tap(({ invites, tidied }) => noteAllExpired(context, invites, tidied, before)),
        TE.map(({ tidied }) => tidied),
      );
    }),
  ),
);
