import { isLeft } from "fp-ts/lib/Either.js";
import { canonicalJson } from "../../matrix/canonical-json.js";
import { type EventTemplate, type StateEntry, contentOf, entry } from "../../matrix/event.js";
import type { JsonObject } from "../../matrix/json.js";
import type { Events, PortOptions, Snapshot } from "../../ports.js";
import { expectSame, expectTrue, fail } from "./expect.js";
import type { ContractRoom, OpenRooms, RoomChange } from "./rooms-adapter.js";
import { room, user } from "./samples.js";

export const levels = entry("m.room.power_levels");
export const topic = entry("m.room.topic");
export const tokenAt = (token: string): StateEntry => entry("m.room.third_party_invite", token);

export const topicOf = (text: string) => ({
  type: topic.type,
  state_key: "",
  content: { topic: text },
});

/** As an identity server's answer makes it. */
export const tokenContent = (displayName = "d...@m..."): JsonObject => {
  const key = { public_key: "ta0Xyx8k5g", key_validity_url: "https://id.example/isvalid?a=1&b=%20" };
  return { display_name: displayName, ...key, public_keys: [key] };
};

/** Byte for byte: the canonical JSON. Numbers of any room version may stand in it. */
export const written = (content: unknown): string => {
  const text = canonicalJson(content, "any");
  return isLeft(text) ? fail(`A content is no JSON: ${text.left.reason}.`) : text.right;
};

type Request = Parameters<Events["append"]>[0];
export type AppendAnswer = Awaited<ReturnType<Events["append"]>>;

const placeOf = ({ type, state_key: stateKey }: EventTemplate): StateEntry => ({ type, stateKey });

/** The answer says that `count` events were appended; their IDs. */
export const expectAppended = (answer: AppendAnswer, count: number, what: string): readonly string[] => {
  if (answer._tag !== "Appended") return fail(`${what} Expected Appended, got ${answer._tag}.`);
  const { eventIds } = answer;
  expectTrue(
    eventIds.length === count && new Set(eventIds).size === count && eventIds.every((id) => id.length > 1),
    `append answered with the event IDs ${JSON.stringify(eventIds)} for ${count} events.`,
  );
  return eventIds;
};

/** The identifiers of a room of the adapter's, read. */
const readRoom = (made: ContractRoom) => ({
  roomId: room(made.roomId),
  ours: user(made.ours),
  theirs: user(made.theirs),
  invitee: user(made.invitee),
});

/** What the checks do in one room, through the ports or past them. */
export const inRoom = ({ rooms, events, change }: OpenRooms, made: ContractRoom) => {
  const ids = readRoom(made);
  const { roomId, ours } = ids;

  const snapshot = async (entries: readonly StateEntry[], options: PortOptions = {}): Promise<Snapshot> => {
    const answer = await rooms.snapshot(roomId, entries, options);
    return answer._tag === "Snapshot"
      ? answer
      : fail(`snapshot says ${answer._tag} of a room that this server is in.`);
  };

  const append = (request: Omit<Request, "roomId">, options: PortOptions = {}): Promise<AppendAnswer> =>
    events.append({ roomId, ...request }, options);

  const contentAt = async (place: StateEntry): Promise<JsonObject | undefined> => {
    const event = (await snapshot([place])).get(place.type, place.stateKey);
    return event === undefined ? undefined : contentOf(event);
  };

  return {
    ...ids,
    snapshot,
    append,
    contentAt,

    /** The event of a token, by our own user. */
    token: (token: string, content: JsonObject = tokenContent()): EventTemplate => ({
      type: "m.room.third_party_invite",
      room_id: roomId,
      sender: ours,
      state_key: token,
      content,
    }),

    /** Appends on a snapshot of its own. Nobody else is at it, so that it must go through; the event IDs. */
    appended: async (...templates: readonly EventTemplate[]): Promise<readonly string[]> => {
      const reads = [levels, ...templates.map(placeOf)];
      const { revision } = await snapshot(reads);
      const answer = await append({ revision, reads, events: templates });
      return expectAppended(answer, templates.length, "Nothing has changed since the snapshot.");
    },

    /** Past the ports; by our own user unless another is given. */
    change: ({
      type,
      state_key,
      content,
      sender = ours,
    }: Omit<RoomChange, "sender"> & Partial<RoomChange>): Promise<void> =>
      change(roomId, { type, sender, state_key, content }),

    changeLevels: async (note: string): Promise<void> => {
      const before = (await contentAt(levels)) ?? fail("A room of the adapter's has no power levels.");
      const content = { ...before, "org.example.note": note };
      await change(roomId, { type: levels.type, sender: ours, state_key: "", content });
    },

    expectContent: async (place: StateEntry, content: JsonObject | undefined, what: string) => {
      const found = await contentAt(place);
      const [is, expected] = [found, content].map((one) => (one === undefined ? "nothing" : written(one)));
      expectSame(is, expected, what);
    },

    tokens: async (options: PortOptions = {}): Promise<readonly string[]> => {
      const answer = await rooms.tokens(roomId, options);
      return answer._tag === "Tokens"
        ? [...answer.tokens].sort()
        : fail(`tokens says ${answer._tag} of a room that this server is in.`);
    },
  };
};

export type InRoom = ReturnType<typeof inRoom>;

/** A new room. */
export const newRoom = async (opened: OpenRooms): Promise<InRoom> => inRoom(opened, await opened.room());
