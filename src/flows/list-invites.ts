import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { type ListedInvite, listing } from "../invite/listing.js";
import { entry } from "../matrix/event.js";
import { membershipOf } from "../matrix/room-state.js";
import type { Ports } from "../ports.js";
import { refusal } from "../refusal.js";
import { type RequesterCommand, outsideIsNotJoined, readCommand, readRoomId } from "./command.js";
import { readInvites } from "./room-invites.js";
import { type FlowOptions, type FlowResult, run } from "./run.js";

export type ListInvitesPorts = Pick<Ports, "rooms" | "invites" | "observe">;

/**
 * The third-party invites of a room for one of its members: state, age and inviter of each that stands in the room,
 * whoever made it, and of the requester's own also those on their way and those that have ended. An address is shown
 * to its inviter alone, and only if the host stores it. Refuses with `SenderNotJoined`. Never rejects.
 *
 * @example
 * const invites = await listInvites(ports)({ roomId, requester: { userId } });
 * // right([{ state: "Pending", sender: "@alice:example.org", token: "…", displayName: "z...@e...", since: … }])
 */
export const listInvites =
  (ports: ListInvitesPorts) =>
  (
    command: { readonly roomId: string; readonly requester: RequesterCommand },
    { signal }: FlowOptions = {},
  ): FlowResult<readonly ListedInvite[]> =>
    run(
      pipe(
        TE.fromEither(readCommand(command)),
        TE.flatMap(({ roomId, requester: { userId } }) =>
          pipe(
            readInvites(ports)(roomId, [entry("m.room.member", userId)], signal),
            TE.filterOrElseW(
              ({ state }) => membershipOf(state, userId) === "join",
              () => refusal("SenderNotJoined"),
            ),
            TE.map(({ state, tokens, records }) => listing(state, tokens, records, userId)),
          ),
        ),
        TE.mapLeft(outsideIsNotJoined),
      ),
      ports.observe,
      { flow: "listInvites" },
    );

const isOver = ({ state }: ListedInvite): boolean =>
  state === "Redeemed" || state === "Revoked" || state === "Expired";

/**
 * What an upgrade of a room leaves behind: a new room does not have the third-party invites of the old one,
 * and a proof leads its user into the old. For the host, after it has sent the tombstone: each is to be asked for again
 * by its inviter, in the new room, and revoked in the old. Never rejects.
 *
 * @example
 * const left = await invitesLeftBehind(ports)({ roomId: oldRoomId });
 */
export const invitesLeftBehind =
  (ports: ListInvitesPorts) =>
  (command: { readonly roomId: string }, { signal }: FlowOptions = {}): FlowResult<readonly ListedInvite[]> =>
    run(
      pipe(
        TE.fromEither(readRoomId(command.roomId)),
        TE.flatMap((roomId) => readInvites(ports)(roomId, [], signal)),
        TE.map(({ state, tokens, records }) =>
          listing(state, tokens, records, "host").filter((invite) => !isOver(invite)),
        ),
      ),
      ports.observe,
      { flow: "invitesLeftBehind" },
    );
