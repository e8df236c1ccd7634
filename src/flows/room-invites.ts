import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { type InviteRecord, settledLife, tokensOf } from "../invite/life.js";
import { type StateEntry, entry } from "../matrix/event.js";
import type { RoomId } from "../matrix/ids.js";
import type { RoomState } from "../matrix/room-state.js";
import type { Ports } from "../ports.js";
import { failure, refusal } from "../refusal.js";
import { look } from "./commit.js";
import { type Step, ask } from "./run.js";

/** All third-party invites of a room: the state that has them, their tokens, and what is stored of ours. */
export interface RoomInvites {
  readonly state: RoomState;
  readonly tokens: readonly string[];
  readonly records: readonly InviteRecord[];
}

const readTokens =
  (ports: Pick<Ports, "rooms">) =>
  (roomId: RoomId, signal: AbortSignal | undefined): Step<readonly string[]> =>
    pipe(
      ask(() => ports.rooms.tokens(roomId, { signal }), signal),
      TE.flatMap((answer): Step<readonly string[]> => {
        switch (answer._tag) {
          case "NotResident":
            return TE.left(refusal("NotInRoom"));
          case "Incomplete":
            return TE.left(failure("RoomIncomplete"));
          case "Tokens":
            return TE.right(answer.tokens);
        }
      }),
    );

/** The members whom the invites were redeemed by: whether they are in the room has a say. */
const redeemers = (records: readonly InviteRecord[]): readonly StateEntry[] =>
  records.flatMap((record) => {
    const life = settledLife(record.life);
    return life._tag === "Redeemed" ? [entry("m.room.member", life.by)] : [];
  });

/** Reads all third-party invites of a room, and some entries more. */
export const readInvites =
  (ports: Pick<Ports, "rooms" | "invites">) =>
  (roomId: RoomId, more: readonly StateEntry[], signal: AbortSignal | undefined): Step<RoomInvites> =>
    pipe(
      TE.Do,
      // In this order: an invite is noted as pending when its event is in the room.
      TE.bind("records", () => ask(() => ports.invites.list(roomId, { signal }), signal)),
      TE.bind("tokens", () => readTokens(ports)(roomId, signal)),
      TE.bind("view", ({ tokens, records }) =>
        look(ports)(
          roomId,
          [
            ...[...new Set([...tokens, ...records.flatMap(({ life }) => tokensOf(life))])].map((token) =>
              entry("m.room.third_party_invite", token),
            ),
            ...redeemers(records),
            ...more,
          ],
          signal,
        ),
      ),
      TE.map(({ tokens, records, view }) => ({ state: view.state, tokens, records })),
    );
