import { isJsonObject, member } from "matrix-third-party-invites/matrix";
import type { JsonObject } from "matrix-third-party-invites/ports";
import { type Case, defaultMaxPairs } from "./case.js";
import { writeJson } from "./text.js";

/** A captured room, up to the event that is judged. */
export interface Captured {
  readonly version: string;
  readonly state: readonly JsonObject[];
  readonly event: JsonObject;
  /** The key documents of both servers. */
  readonly keys: readonly JsonObject[];
}

interface Example {
  readonly name: string;
  readonly group: "As captured" | "What if";
  readonly make: () => Case;
}

const caseOf = (room: Captured): Case => ({
  version: "",
  // A line for each event: the state is looked over, the event is worked on.
  state: `[\n${room.state.map((event) => `  ${JSON.stringify(event)}`).join(",\n")}\n]`,
  event: writeJson(room.event),
  maxPairs: defaultMaxPairs,
  signers: [],
  keys: JSON.stringify(room.keys),
});

const objectAt = (value: unknown, ...path: readonly string[]): JsonObject => {
  const found = path.reduce(member, value);
  return isJsonObject(found) ? found : {};
};

/** The room with its member event for the invited user replaced or added. */
const withMembership = (room: Captured, membership: string): Captured => ({
  ...room,
  state: [...room.state, { ...room.event, content: { membership } }],
});

const withToken = (room: Captured, change: (content: JsonObject) => JsonObject): Captured => {
  const token = objectAt(room.event, "content", "third_party_invite", "signed")["token"];
  return {
    ...room,
    state: room.state.map((event) =>
      event["type"] === "m.room.third_party_invite" && event["state_key"] === token
        ? { ...event, content: change(objectAt(event, "content")) }
        : event,
    ),
  };
};

const withSigned = (room: Captured, change: JsonObject): Captured => {
  const content = objectAt(room.event, "content");
  const invite = objectAt(content, "third_party_invite");
  const signed = { ...objectAt(invite, "signed"), ...change };
  return {
    ...room,
    event: { ...room.event, content: { ...content, third_party_invite: { ...invite, signed } } },
  };
};

const plain = (room: Captured): Captured => ({
  ...room,
  event: { ...room.event, content: { membership: "invite" } },
});

/** What may befall a captured room. */
const changes: readonly (readonly [name: string, change: (room: Captured) => Captured])[] = [
  ["The invited user has been banned", (room) => withMembership(room, "ban")],
  ["Another user claims the invite", (room) => withSigned(room, { mxid: "@mallory:example.org" })],
  [
    "Somebody else sends it on",
    (room) => ({ ...room, event: { ...room.event, sender: "@mallory:example.org" } }),
  ],
  ["The invite has been revoked", (room) => withToken(room, () => ({}))],
  ["A word was added after signing", (room) => withSigned(room, { note: "added" })],
  ["There is no proof, only power", plain],
  ["The user has joined already", (room) => plain(withMembership(room, "join"))],
];

/** The examples that a list of captured rooms gives; the last room is the one that things befall. */
export const examplesOf = (rooms: readonly Captured[]): readonly Example[] => {
  const last = rooms.at(-1);
  return [
    ...rooms.toReversed().map((room): Example => ({
      name: `Redeemed from another server, version ${room.version}`,
      group: "As captured",
      make: () => caseOf(room),
    })),
    ...(last === undefined
      ? []
      : changes.map(([name, change]): Example => ({
          name,
          group: "What if",
          make: () => caseOf(change(last)),
        }))),
  ];
};
