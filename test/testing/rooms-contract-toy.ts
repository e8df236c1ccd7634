import { canonicalJson } from "../../src/matrix/canonical-json.js";
import { type EventLike, type EventTemplate, type StateEntry, contentOf } from "../../src/matrix/event.js";
import { domainOf, parseRoomId, parseUserId } from "../../src/matrix/ids.js";
import type { JsonObject } from "../../src/matrix/json.js";
import { type SignedPdu, completePdu, eventReference } from "../../src/matrix/pdu.js";
import { roomVersion } from "../../src/matrix/room-version.js";
import { nodeCrypto, nodeSigningKey } from "../../src/node/index.js";
import type { OpenRooms } from "../../src/testing/contract/index.js";
import type { Fault } from "./rooms-contract-faults.js";
import { alice, bob, must, present } from "./memory/samples.js";

interface ToyRoom {
  readonly log: readonly SignedPdu[];
  readonly isLeft: boolean;
}

/** All that outlives a process. Another process that has the same disk is another connection. */
export interface ToyDisk {
  readonly rooms: Map<string, ToyRoom>;
  /** IDs of the events that came by an append. */
  readonly own: Set<string>;
  time: number;
  isBusy: boolean;
}

export const emptyDisk = (): ToyDisk => ({ rooms: new Map(), own: new Set(), time: 0, isBusy: false });

export interface ToyRooms extends OpenRooms {
  readonly disk: ToyDisk;
  /** It dies with the write after so many. */
  readonly dieAfter: (writes: number) => void;
}

export const serverName = "a.example";
export const key = nodeSigningKey("ed25519:1", new Uint8Array(32).fill(1));
const version = present(roomVersion("11"));
const zoe = must(parseUserId("@zoe:a.example"));

const soon = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const isEmptied = (event: EventLike | undefined): boolean => Object.keys(contentOf(event)).length === 0;

const contentText = (event: EventLike | undefined): string => JSON.stringify(contentOf(event));

type Answer = Awaited<ReturnType<OpenRooms["events"]["append"]>>;
const conflict: Answer = { _tag: "Conflict" };
const refused: Answer = { _tag: "Refused", status: 400, errcode: "M_BAD_JSON" };

/** A small host that keeps its contract, but for one fault. */
export const toyRooms = (disk: ToyDisk, fault?: Fault): ToyRooms => {
  const is = (one: Fault): boolean => fault === one;
  let writesLeft = Infinity;
  const conflicted = new Set<string>();
  const newest = new Map<string, number>();
  const lengthAtStart = new Map([...disk.rooms].map(([roomId, { log }]) => [roomId, log.length]));

  const write = (roomId: string, room: ToyRoom): void => {
    if (writesLeft <= 0) {
      writesLeft = -1;
      throw new Error("the process is dead");
    }
    writesLeft -= 1;
    disk.rooms.set(roomId, room);
  };

  const roomOf = (roomId: string): ToyRoom | undefined => {
    if (writesLeft < 0) throw new Error("the process is dead");
    if (is("rooms are one")) return [...disk.rooms.values()].at(0);
    return disk.rooms.get(roomId) ?? (is("an unknown room is an empty one") ? empty : undefined);
  };
  const empty: ToyRoom = { log: [], isLeft: false };

  const nameOf = (type: unknown, stateKey: unknown): string => {
    const name = is("names are joined by a colon")
      ? `${String(type)}:${String(stateKey)}`
      : JSON.stringify([type, stateKey]);
    return is("names have no case") ? name.toLowerCase() : name;
  };
  const standsAt = ({ type, stateKey }: StateEntry) => {
    const name = nameOf(type, stateKey);
    return ({ pdu }: SignedPdu): boolean => nameOf(pdu["type"], pdu["state_key"]) === name;
  };

  const find = (log: readonly SignedPdu[], place: StateEntry): EventLike | undefined => {
    if (is("names are members of an object") && place.stateKey in {}) return {};
    const all = log.filter(standsAt(place));
    const event: EventLike | undefined = (is("append replaces nothing") ? all[0] : all.at(-1))?.pdu;
    if (is("snapshot names the first sender") && event !== undefined)
      return { ...event, sender: all[0]?.pdu["sender"] };
    return is("snapshot forgets what was emptied") && isEmptied(event) ? undefined : event;
  };

  const shown = ({ log }: ToyRoom): readonly SignedPdu[] =>
    is("snapshot is late with other servers' events") && log.at(-1)?.pdu["sender"] === bob
      ? log.slice(0, -1)
      : log;

  const revisionOf = (roomId: string, length: number, entries: readonly StateEntry[]): string => {
    const start = is("a restart counts from one again") ? (lengthAtStart.get(roomId) ?? 0) : 0;
    newest.set(roomId, length);
    return JSON.stringify({ at: length - start, entries });
  };

  const rooms: OpenRooms["rooms"] = {
    snapshot: async (roomId, entries, { signal }) => {
      if (is("a signal is taken for aborted") && signal !== undefined) throw new Error("aborted");
      const room = roomOf(roomId);
      if (room === undefined || (room.isLeft && !is("a room that was left answers still")))
        return { _tag: "NotResident" };
      const now = (): ToyRoom => roomOf(roomId) ?? empty;
      const revision = revisionOf(roomId, room.log.length, entries);
      const found = new Map<string, EventLike | undefined>();
      for (const place of entries) {
        found.set(nameOf(place.type, place.stateKey), find(shown(now()), place));
        if (is("snapshot reads entry by entry")) await soon();
      }
      if (is("snapshot takes its revision last")) await soon();
      return {
        _tag: "Snapshot",
        roomVersion: is("all rooms have one version") ? "10" : version.id,
        revision: is("snapshot takes its revision last")
          ? revisionOf(roomId, now().log.length, entries)
          : revision,
        get: (type, stateKey) =>
          is("snapshot is a live view")
            ? find(now().log, { type, stateKey })
            : found.get(nameOf(type, stateKey)),
      };
    },
    tokens: (roomId) => {
      const room = roomOf(roomId);
      if (room === undefined || (room.isLeft && !is("a room that was left answers still")))
        return Promise.resolve({ _tag: "NotResident" });
      const events = is("tokens lists all rooms")
        ? [...disk.rooms.values()].flatMap(({ log }) => log)
        : room.log;
      const type = "m.room.third_party_invite";
      const keys = events
        .filter(({ pdu }) =>
          is("tokens compares beginnings of types")
            ? String(pdu["type"]).startsWith(type)
            : pdu["type"] === type,
        )
        .map(({ pdu }) => String(pdu["state_key"]))
        .filter(
          (stateKey) =>
            !is("tokens forgets what was emptied") || !isEmptied(find(room.log, { type, stateKey })),
        )
        .map((stateKey) => (is("tokens trims") ? stateKey.trim() : stateKey));
      return Promise.resolve({
        _tag: "Tokens",
        tokens: is("tokens lists events") ? keys : [...new Set(keys)],
      });
    },
  };

  const copied = (content: JsonObject): JsonObject => {
    if (is("content is the caller's own")) return content;
    const read = JSON.parse(JSON.stringify(content), (name: string, value: unknown): unknown => {
      if (is("content loses __proto__") && name === "__proto__") return undefined;
      if (is("content's numbers have 32 bits") && typeof value === "number") return value | 0;
      return is("content is normalised") && typeof value === "string" ? value.normalize() : value;
    }) as Record<string, unknown>;
    if (is("content is cleaned of what events have")) delete read["unsigned"];
    return read;
  };

  /** Signed events on top of each other. */
  const complete = (
    log: readonly SignedPdu[],
    templates: readonly (EventTemplate | JsonObject)[],
  ): readonly SignedPdu[] | undefined => {
    const made: SignedPdu[] = [];
    for (const template of templates) {
      const previous = is("events stand side by side") ? log.at(-1) : (made.at(-1) ?? log.at(-1));
      const sender = is("append writes itself as the sender") ? alice : template.sender;
      const content = contentOf(template);
      if (canonicalJson(content)._tag === "Left") return undefined;
      const pdu = completePdu(
        nodeCrypto,
        { ...template, sender, content: copied(content) },
        {
          version,
          authEvents: [],
          prevEvents: previous === undefined ? [] : [must(eventReference(nodeCrypto, previous.pdu, version))],
          depth: log.length + (is("events have one depth") ? 0 : made.length) + 1,
          originServerTs: (disk.time += 1),
          serverName: is("an event is signed in its sender's name") ? domainOf(String(sender)) : serverName,
          key,
        },
      );
      if (pdu._tag === "Left") return undefined;
      made.push(
        is("an event has no hash") ? { ...pdu.right, pdu: { ...pdu.right.pdu, hashes: {} } } : pdu.right,
      );
    }
    return made;
  };

  const logOf = (roomId: string): readonly SignedPdu[] => disk.rooms.get(roomId)?.log ?? [];

  const add = (roomId: string, pdus: readonly SignedPdu[]): void => {
    const room = disk.rooms.get(roomId) ?? empty;
    write(roomId, { ...room, log: [...room.log, ...pdus] });
  };

  const isChanged = (roomId: string, revision: string, reads: readonly StateEntry[]): boolean => {
    const { log } = roomOf(roomId) ?? empty;
    const given = JSON.parse(revision) as { readonly at: number; readonly entries: readonly StateEntry[] };
    const start = is("a restart counts from one again") ? (lengthAtStart.get(roomId) ?? 0) : 0;
    const at = is("a newer snapshot freshens an older one") ? (newest.get(roomId) ?? 0) : given.at + start;
    const since = log
      .slice(at)
      .filter(({ eventId }) => !is("an append is no change") || !disk.own.has(eventId));
    const compared = is("any entry of the snapshot is a conflict")
      ? given.entries
      : is("append compares the first read alone")
        ? reads.slice(0, 1)
        : reads;
    if (is("append never conflicts")) return false;
    if (is("a conflict lasts") && conflicted.has(roomId)) return true;
    if (is("any change is a conflict")) return since.length > 0;
    return compared.some((place) => {
      const now = find(since, place);
      if (now === undefined) return false;
      const before = (): SignedPdu | undefined => log.slice(0, at).findLast(standsAt(place));
      if (is("what appears is no change")) return before() !== undefined;
      return !is("append compares contents") || contentText(before()?.pdu) !== contentText(now);
    });
  };

  const store = async (roomId: string, pdus: readonly SignedPdu[]): Promise<void> => {
    for (const { eventId } of pdus) disk.own.add(eventId);
    if (is("append shows its events one by one"))
      for (const pdu of pdus) {
        add(roomId, [pdu]);
        await soon();
      }
    else if (is("append writes its events one by one")) for (const pdu of pdus) add(roomId, [pdu]);
    else if (is("append answers before it stores"))
      void soon()
        .then(() => {
          add(roomId, pdus);
        })
        .catch(() => undefined);
    else if (!is("append answers without storing")) add(roomId, pdus);
  };

  const taken = (events: readonly EventTemplate[]): readonly EventTemplate[] => {
    if (is("append takes fifty events")) return events.slice(0, 50);
    if (is("append takes the first event alone")) return events.slice(0, 1);
    return is("append reverses") ? events.toReversed() : events;
  };

  const append: OpenRooms["events"]["append"] = async ({ roomId, revision, reads, events }) => {
    const room = roomOf(roomId);
    if (room === undefined || (room.isLeft && !is("append goes to rooms that were left"))) return conflict;
    if (disk.isBusy) return conflict;
    if (isChanged(roomId, revision, reads)) {
      conflicted.add(roomId);
      const left = is("a conflict leaves the first event")
        ? events.slice(0, 1)
        : is("a conflict leaves the last event")
          ? events.slice(-1)
          : [];
      add(roomId, present(complete(logOf(roomId), left)));
      return conflict;
    }
    if (is("append looks, and stores later")) await soon();
    if (is("append locks others out")) {
      disk.isBusy = true;
      await soon();
      disk.isBusy = false;
    }
    const isRefused = (event: EventTemplate): boolean =>
      (is("append takes tokens alone") && event.type === "m.room.member") ||
      (is("append takes no other server's user") && domainOf(event.sender) !== serverName);
    if (events.some(isRefused)) return refused;
    if (is("append looks at an event when its turn comes") || is("append goes where the event says")) {
      const eventIds: string[] = [];
      for (const event of events) {
        const where = is("append goes where the event says") ? event.room_id : roomId;
        const made = event.room_id === where ? complete(logOf(where), [event]) : undefined;
        if (made === undefined) return refused;
        add(where, made);
        eventIds.push(...made.map(({ eventId }) => eventId));
      }
      return { _tag: "Appended", eventIds };
    }
    if (events.some((event) => event.room_id !== roomId)) return refused;
    const made = complete(logOf(roomId), taken(events));
    if (made === undefined) return refused;
    await store(roomId, made);
    const ids = made.map(({ eventId }) => eventId);
    for (let missing = events.length - ids.length; missing > 0; missing -= 1) ids.push(`$missing${missing}`);
    if (is("eventIds are reversed")) ids.reverse();
    return { _tag: "Appended", eventIds: is("eventIds are one") ? ids.map(() => ids[0] ?? "") : ids };
  };

  return {
    disk,
    rooms,
    events: { append },
    room: () => {
      const roomId = must(parseRoomId(`!${disk.rooms.size}:a.example`));
      const event = (type: string, stateKey: string, content: JsonObject, sender: string = alice) => ({
        type,
        room_id: roomId,
        sender,
        state_key: stateKey,
        content,
      });
      const founding = [
        event("m.room.create", "", { room_version: version.id }),
        event("m.room.member", alice, { membership: "join" }),
        event("m.room.power_levels", "", { users: { [alice]: 100, [bob]: 100 } }),
        event("m.room.member", bob, { membership: "join" }, bob),
      ];
      add(roomId, present(complete([], founding)));
      return Promise.resolve({ roomId, ours: alice, theirs: bob, invitee: zoe });
    },
    change: (roomId, event) => {
      add(roomId, present(complete(logOf(roomId), [{ ...event, room_id: roomId }])));
      return Promise.resolve();
    },
    leave: (roomId) => {
      write(roomId, { ...(disk.rooms.get(roomId) ?? empty), isLeft: true });
      return Promise.resolve();
    },
    dieAfter: (writes) => {
      writesLeft = writes;
    },
  };
};

/** What another process finds when this one has died. */
export const rebooted = ({ disk, dieAfter }: ToyRooms, fault?: Fault): ToyRooms => {
  dieAfter(-1);
  if (fault === "a restart forgets the last event")
    for (const [roomId, room] of disk.rooms) disk.rooms.set(roomId, { ...room, log: room.log.slice(0, -1) });
  return toyRooms(disk, fault);
};

/** A whole event by its ID. */
export const pduOf = ({ disk }: ToyRooms, roomId: string, eventId: string): JsonObject | undefined =>
  disk.rooms.get(roomId)?.log.find((event) => event.eventId === eventId)?.pdu;
