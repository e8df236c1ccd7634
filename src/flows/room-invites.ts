import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { type InviteRecord, redeemerOf, tokensOf } from "../invite/life.js";
import { type StateEntry, entry } from "../matrix/event.js";
import type { RoomId } from "../matrix/ids.js";
import type { RoomState } from "../matrix/room-state.js";
import type { Ports } from "../ports.js";
import { failure, refusal } from "../refusal.js";
import { look } from "./commit.js";
import { type Step, answered, ask, askList } from "./run.js";

/** The third-party invites of a room: the state that has them, their tokens, and what is stored of ours. */
export interface RoomInvites {
  readonly state: RoomState;
  readonly tokens: readonly string[];
  readonly records: readonly InviteRecord[];
}

const readTokens =
  (ports: Pick<Ports, "rooms">) =>
  (roomId: RoomId, signal: AbortSignal | undefined): Step<readonly string[]> =>
    pipe(
      ask("rooms.tokens", () => ports.rooms.tokens(roomId, { signal }), signal),
      answered("rooms.tokens", (answer): Step<readonly string[]> => {
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

/** The places of some third-party invites. */
export const tokenEntries = (tokens: readonly string[]): readonly StateEntry[] =>
  tokens.map((token) => entry("m.room.third_party_invite", token));

/** The members by whom invites were redeemed: whether they are in the room has a say. */
export const redeemers = (records: readonly InviteRecord[]): readonly StateEntry[] =>
  records.flatMap(({ life }) => {
    const by = redeemerOf(life);
    return by === undefined ? [] : [entry("m.room.member", by)];
  });

/** Of other servers' invites no more are looked at in one call: any member may have sent any number of them. */
const maxForeign = 5_000;

/** All tokens of our own invites, and of the others in the room as many as are looked at. */
const tokensToRead = (tokens: readonly string[], records: readonly InviteRecord[]): readonly string[] => {
  const own = new Set(records.flatMap(({ life }) => tokensOf(life)));
  return [...own, ...tokens.filter((token) => !own.has(token)).slice(0, maxForeign)];
};

/** Reads the third-party invites of a room, and some entries more. */
export const readInvites =
  (ports: Pick<Ports, "rooms" | "invites">) =>
  (roomId: RoomId, more: readonly StateEntry[], signal: AbortSignal | undefined): Step<RoomInvites> =>
    pipe(
      TE.Do,
      // In this order: an invite is noted as pending when its event is in the room.
      TE.bind("records", () => askList("invites.list", () => ports.invites.list(roomId, { signal }), signal)),
      TE.bind("tokens", ({ records }) =>
        pipe(
          readTokens(ports)(roomId, signal),
          TE.map((tokens) => tokensToRead(tokens, records)),
        ),
      ),
      TE.bind("view", ({ tokens, records }) =>
        look(ports)(roomId, [...tokenEntries(tokens), ...redeemers(records), ...more], signal),
      ),
      TE.map(({ tokens, records, view }) => ({ state: view.state, tokens, records })),
    );
