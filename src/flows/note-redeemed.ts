import { isLeft } from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { type EventLike, contentOf, isEvent } from "../matrix/event.js";
import { type RoomId, parseUserId } from "../matrix/ids.js";
import { member, stringMember } from "../matrix/json.js";
import type { Ports } from "../ports.js";
import { readRoomId } from "./command.js";
import { type End, noteEnd } from "./life.js";
import { type FlowOptions, type FlowResult, type Step, run } from "./run.js";

export type NoteRedeemedPorts = Pick<Ports, "invites" | "observe">;

/** By which token, whose, an event invites whom; `undefined` where it is no invite with a proof. */
const redemption = (
  event: unknown,
  roomId: RoomId,
): (Extract<End, { _tag: "Redeem" }> & { readonly token: string }) | undefined => {
  if (!isEvent(event) || event.type !== "m.room.member") return undefined;
  // Some hosts' own events do not name their room; one that names another has no say here.
  if (event.room_id !== undefined && event.room_id !== roomId) return undefined;
  const content = contentOf(event);
  const token = stringMember(member(member(content, "third_party_invite"), "signed"), "token");
  const by = parseUserId(event.state_key);
  const isInvite = stringMember(content, "membership") === "invite";
  return token === undefined || isLeft(by) || !isInvite || typeof event.sender !== "string"
    ? undefined
    : { _tag: "Redeem", token, by: by.right, sender: event.sender };
};

/**
 * Notes that an invite of ours was redeemed by an event that another server made: the invitee's server may, when it
 * cannot reach ours. For each `m.room.member` that came into a room of ours and was accepted; of any other event, and of
 * invites that are not ours, it answers `false` and notes nothing. What was redeemed here is noted by itself. Never
 * rejects.
 *
 * @example
 * if (accepted) await noteRedeemed(ports)({ roomId, event });
 */
export const noteRedeemed =
  (ports: NoteRedeemedPorts) =>
  (
    command: { readonly roomId: string; readonly event: EventLike },
    { signal }: FlowOptions = {},
  ): FlowResult<boolean> =>
    run(
      pipe(
        TE.fromEither(readRoomId(command.roomId)),
        TE.flatMap((roomId): Step<boolean> => {
          const redeemed = redemption(command.event, roomId);
          return redeemed === undefined
            ? TE.right(false)
            : noteEnd(ports)(roomId, redeemed.token, redeemed, signal);
        }),
      ),
      ports.observe,
      { flow: "noteRedeemed" },
    );
