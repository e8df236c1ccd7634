import { isLeft } from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { type EventLike, contentOf, isEvent } from "../matrix/event.js";
import { type RoomId, parseUserId } from "../matrix/ids.js";
import { member, stringMember } from "../matrix/json.js";
import { defineFlow } from "./flow.js";
import { readRoomId } from "./steps/read-command.js";
import type { Step } from "./steps/step.js";
import { type End, noteEnd } from "./steps/transition.js";

/** An accepted `m.room.member` event of a room. */
export interface NoteRedeemedCommand {
  readonly roomId: string;
  readonly event: EventLike;
}

/** By which token an event invites whom; `undefined` where it is no invite with a proof. */
const redemptionIn = (event: unknown, roomId: RoomId): End | undefined => {
  if (!isEvent(event) || event.type !== "m.room.member") return undefined;
  // Some hosts' own events do not name their room; one that names another is not of this room.
  if (event.room_id !== undefined && event.room_id !== roomId) return undefined;
  const content = contentOf(event);
  const token = stringMember(member(member(content, "third_party_invite"), "signed"), "token");
  const by = parseUserId(event.state_key);
  const isInvite = stringMember(content, "membership") === "invite";
  return token === undefined || isLeft(by) || !isInvite || typeof event.sender !== "string"
    ? undefined
    : { _tag: "Redeem", roomId, token, by: by.right, sender: event.sender };
};

export const noteRedeemed = defineFlow("invites")((context, command: NoteRedeemedCommand) =>
  pipe(
    TE.fromEither(readRoomId(command.roomId)),
    TE.flatMap((roomId): Step<boolean> => {
      const redeemed = redemptionIn(command.event, roomId);
      return redeemed === undefined ? TE.right(false) : noteEnd(context, redeemed);
    }),
  ),
);
