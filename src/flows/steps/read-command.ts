import { type Either, flatMap, isLeft, left, map, mapLeft, right } from "fp-ts/lib/Either.js";
import type { Requester } from "../../invite/admit.js";
import { type Malformed, type RoomId, parseRoomId, parseUserId } from "../../matrix/ids.js";
import { type Refusal, malformedField, refusal } from "../../refusal.js";
import { isJsonObject } from "../../matrix/json.js";
import type { Problem } from "./step.js";

/** Who asks, as the host knows them: it has checked their access token. */
export interface RequesterCommand {
  readonly userId: string;
  /** Guests may not invite. */
  readonly isGuest?: boolean;
  /** Nor may suspended users. */
  readonly isSuspended?: boolean;
}

const fieldMalformed = ({ what, why }: Malformed): Refusal =>
  refusal("FieldMalformed", { detail: `${what}. ${why}` });

export const readRoomId = (value: unknown): Either<Refusal, RoomId> =>
  mapLeft(fieldMalformed)(parseRoomId(value));

/** `Infinity` is a number here. With NaN a call would find nothing, each time, and nobody would hear of it. */
export const readAmount = (value: unknown, field: string): Either<Refusal, number> =>
  typeof value === "number" && value >= 0 ? right(value) : malformedField(field);

const readRequester = (command: RequesterCommand): Either<Refusal, Requester> => {
  // A host in JavaScript may have forgotten it.
  if (!isJsonObject(command)) return malformedField("requester");
  const userId = parseUserId(command.userId);
  return isLeft(userId) ? left(fieldMalformed(userId.left)) : right({ ...command, userId: userId.right });
};

/** Towards our own users: a room that this server is not in is one that they are not in. */
export const outsideIsNotJoined = (problem: Problem): Problem =>
  problem.code === "NotInRoom" ? refusal("SenderNotJoined") : problem;

/** What every command of a user has: in which room, and who. */
export const readCommand = (command: {
  readonly roomId: string;
  readonly requester: RequesterCommand;
}): Either<Refusal, { readonly roomId: RoomId; readonly requester: Requester }> =>
  flatMap(readRoomId(command.roomId), (roomId) =>
    map((requester: Requester) => ({ roomId, requester }))(readRequester(command.requester)),
  );
