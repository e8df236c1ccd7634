import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { defineFlow } from "./flow.js";
import { readRoomId } from "./steps/read-command.js";
import { readRoomInvites } from "./steps/read-room-invites.js";
import { tidyRoom } from "./steps/tidy-room.js";

export const cleanUpInvites = defineFlow(
  "crypto",
  "rooms",
  "events",
  "invites",
)((context, command: { readonly roomId: string }) =>
  pipe(
    TE.fromEither(readRoomId(command.roomId)),
    TE.flatMap((roomId) =>
      pipe(
        readRoomInvites(context, roomId),
        TE.flatMap((invites) => tidyRoom(context, { roomId, tidying: { _tag: "Leftover" } }, invites)),
      ),
    ),
  ),
);
