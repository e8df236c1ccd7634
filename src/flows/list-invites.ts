import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { type ListedInvite, listing } from "../invite/listing.js";
import { entry } from "../matrix/event.js";
import { membershipOf } from "../matrix/room-state.js";
import { refusal } from "../refusal.js";
import { defineFlow } from "./flow.js";
import { type RequesterCommand, outsideIsNotJoined, readCommand, readRoomId } from "./steps/read-command.js";
import { readRoomInvites } from "./steps/read-room-invites.js";

export interface ListInvitesCommand {
  readonly roomId: string;
  readonly requester: RequesterCommand;
}

export const listInvites = defineFlow(
  "rooms",
  "invites",
)((context, command: ListInvitesCommand) =>
  pipe(
    TE.fromEither(readCommand(command)),
    TE.flatMap(({ roomId, requester: { userId } }) =>
      pipe(
        readRoomInvites(context, roomId, [entry("m.room.member", userId)]),
        TE.filterOrElseW(
          ({ state }) => membershipOf(state, userId) === "join",
          () => refusal("SenderNotJoined"),
        ),
        TE.map(({ state, tokens, records }) => listing(state, tokens, records, userId)),
      ),
    ),
    TE.mapLeft(outsideIsNotJoined),
  ),
);

const isOver = ({ state }: ListedInvite): boolean =>
  state === "Redeemed" || state === "Revoked" || state === "Expired";

export const invitesLeftBehind = defineFlow(
  "rooms",
  "invites",
)((context, command: { readonly roomId: string }) =>
  pipe(
    TE.fromEither(readRoomId(command.roomId)),
    TE.flatMap((roomId) => readRoomInvites(context, roomId)),
    TE.map(({ state, tokens, records }) =>
      listing(state, tokens, records, "host").filter((invite) => !isOver(invite)),
    ),
  ),
);
