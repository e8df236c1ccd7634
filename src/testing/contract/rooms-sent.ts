import { isLeft } from "fp-ts/lib/Either.js";
import type { EventTemplate } from "../../matrix/event.js";
import { type JsonObject, member } from "../../matrix/json.js";
import { contentHashMatches, eventId, verifyPdu } from "../../matrix/pdu.js";
import { type RoomVersion, roomVersion } from "../../matrix/room-version.js";
import { portableCrypto } from "../../portable/crypto.js";
import { expectPresent, expectSame, expectTrue } from "./expect.js";
import { type InRoom, levels, newRoom, tokenContent, written } from "./in-room.js";
import { provenInvite } from "./proven-invite.js";
import { oddContents } from "./rooms-append.js";
import type { OpenRooms, SentEvents } from "./rooms-adapter.js";
import type { Checks } from "./runner.js";

/** Rooms whose events can be seen as other servers see them. */
export interface SentRooms extends Pick<SentEvents, "serverName" | "key"> {
  readonly opened: OpenRooms;
  readonly pduOf: (at: InRoom, eventId: string) => Promise<JsonObject | undefined>;
}

interface Appended {
  readonly template: EventTemplate;
  readonly id: string;
  readonly pdu: JsonObject;
}

/** Appends these templates at once; what became of each. */
const sent = async (
  { pduOf }: SentRooms,
  at: InRoom,
  templates: readonly EventTemplate[],
): Promise<readonly Appended[]> => {
  const ids = await at.appended(...templates);
  const all: Appended[] = [];
  for (const [index, template] of templates.entries()) {
    const id = ids[index] ?? "";
    all.push({ template, id, pdu: expectPresent(await pduOf(at, id), "No event has the ID of the answer.") });
  }
  return all;
};

const versionOf = async (at: InRoom): Promise<RoomVersion> => {
  const { roomVersion: id } = await at.snapshot([levels]);
  return expectPresent(roomVersion(id), `The library knows no room version ${id}.`);
};

/** Names of events, as this room's version writes them. */
const named = (references: unknown): readonly unknown[] =>
  Array.isArray(references)
    ? references.map((one: unknown): unknown => (Array.isArray(one) ? one[0] : one))
    : [];

const expectSigned = (
  { serverName, key }: SentRooms,
  version: RoomVersion,
  { id, pdu }: Appended,
  what: string,
): void => {
  expectTrue(
    contentHashMatches(portableCrypto, pdu, version),
    `${what} has a wrong content hash; its content is ${written(pdu["content"])}.`,
  );
  const own = eventId(portableCrypto, pdu, version);
  expectSame(isLeft(own) ? undefined : own.right, id, `${what} has another ID than append has answered.`);
  const by = { entity: serverName, ...key };
  const isSigned = !isLeft(verifyPdu(portableCrypto, pdu, version, by));
  expectTrue(isSigned, `${what} is not signed by ${serverName}, with ${key.keyId}.`);
};

export const sentChecks: Checks<SentRooms> = {
  "the event IDs are those of the events, in their order": async (subject) => {
    const at = await newRoom(subject.opened);
    const templates = ["c", "a", "b", "a"].map((name, n) => at.token(name, { ...tokenContent(), n }));
    for (const { template, pdu } of await sent(subject, at, templates)) {
      const { content, ...members } = template;
      for (const [name, value] of Object.entries(members))
        expectSame(member(pdu, name), value, `An event has another ${name}, or the IDs another order.`);
      expectSame(written(member(pdu, "content")), written(content), "An event has another content.");
    }
  },

  "an event has its hash, its ID, and this server's signature": async (subject) => {
    const at = await newRoom(subject.opened);
    const version = await versionOf(at);
    const templates = oddContents.map((odd, index) => at.token(`t${index}`, { ...tokenContent(), odd }));
    for (const event of await sent(subject, at, templates)) expectSigned(subject, version, event, "An event");
  },

  "a proven invite of another server's user has this server's signature, too": async (subject) => {
    const at = await newRoom(subject.opened);
    const version = await versionOf(at);
    const [event] = await sent(subject, at, [await provenInvite(at)]);
    if (event !== undefined) expectSigned(subject, version, event, "An invite of another server's user");
  },

  "of two events at once the second stands on the first": async (subject) => {
    const at = await newRoom(subject.opened);
    const [first, second] = await sent(subject, at, [at.token("new"), at.token("old", {})]);
    const previous = named(member(second?.pdu, "prev_events"));
    expectTrue(
      previous.includes(first?.id),
      "Its prev_events do not name the first: servers may order them.",
    );
    const depth = (one: Appended | undefined): number => Number(member(one?.pdu, "depth"));
    expectTrue(depth(second) > depth(first), "Its depth is not above that of the first.");
  },
};
