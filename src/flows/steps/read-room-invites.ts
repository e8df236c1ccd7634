import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { type InviteRecord, tokensOf } from "../../invite/invite-life.js";
import { redeemerEntries, tokenEntries } from "../../invite/revoke.js";
import type { StateEntry } from "../../matrix/event.js";
import type { RoomId } from "../../matrix/ids.js";
import type { RoomState } from "../../matrix/room-state.js";
import { asList, callPort } from "./call-port.js";
import type { Context } from "./context.js";
import { readState, unavailable } from "./decide.js";
import type { Step } from "./step.js";

/** The third-party invites of a room: the state that has them, their tokens, and what is stored of ours. */
export interface RoomInvites {
  readonly state: RoomState;
  readonly tokens: readonly string[];
  readonly records: readonly InviteRecord[];
}

const readTokens = (context: Context<"rooms">, roomId: RoomId): Step<readonly string[]> =>
  callPort(context, "rooms", "tokens", roomId).read((answer) => {
    if (answer._tag === "Tokens") return TE.right(answer.tokens);
    const problem = unavailable(answer);
    return problem === undefined ? undefined : TE.left(problem);
  });

/** Of other servers' invites no more are looked at in one call: any member may have sent any number of them. */
const maxForeign = 5_000;

/** All tokens of our own invites, and of the others in the room as many as are looked at. */
const tokensToRead = (tokens: readonly string[], records: readonly InviteRecord[]): readonly string[] => {
  const own = new Set(records.flatMap(({ life }) => tokensOf(life)));
  return [...own, ...tokens.filter((token) => !own.has(token)).slice(0, maxForeign)];
};

/** Reads the third-party invites of a room, and some entries more. */
export const readRoomInvites = (
  context: Context<"rooms" | "invites">,
  roomId: RoomId,
  more: readonly StateEntry[] = [],
): Step<RoomInvites> =>
  pipe(
    TE.Do,
    // In this order: an invite is noted as pending when its event is in the room.
    TE.bind("records", () =>
      pipe(
        callPort(context, "invites", "list", { by: { roomId } }).read(asList),
        TE.map((found) => found.map(({ value }) => value).toReversed()),
      ),
    ),
    TE.bind("tokens", ({ records }) =>
      pipe(
        readTokens(context, roomId),
        TE.map((tokens) => tokensToRead(tokens, records)),
      ),
    ),
    TE.bind("read", ({ tokens, records }) =>
      readState(context, roomId, [...tokenEntries(tokens), ...redeemerEntries(records), ...more]),
    ),
    TE.map(({ tokens, records, read }) => ({ state: read.state, tokens, records })),
  );
