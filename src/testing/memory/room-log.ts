import { type Either, isLeft, right } from "fp-ts/lib/Either.js";
import { selectAuthEvents } from "../../invite/select-auth-events.js";
import type { NotCanonicalJson } from "../../matrix/canonical-json.js";
import type { CryptoEngine, SigningKey } from "../../matrix/crypto-engine.js";
import type { EventTemplate, StateEntry } from "../../matrix/event.js";
import { type JsonObject, member, stringMember } from "../../matrix/json.js";
import {
  type EventReference,
  type NoEventId,
  type NotCompleted,
  type SignedPdu,
  completePdu,
  eventReference,
} from "../../matrix/pdu.js";
import type { RoomVersion } from "../../matrix/room-version.js";
import { frozenCopy } from "./frozen-copy.js";

/** What is not in a template and not in the room. */
export interface Completion {
  readonly serverName: string;
  readonly key: SigningKey;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** For room versions 1 and 2. */
  readonly nextEventId: () => string;
}

/** The events of one room as one server has them. */
export interface RoomLog {
  readonly version: RoomVersion;
  readonly at: (place: StateEntry) => SignedPdu | undefined;
  /** The revision at which this place last changed; 0 where it never has. */
  readonly changedAt: (place: StateEntry) => number;
  /** Of all state events of a type. */
  readonly stateKeys: (type: string) => readonly string[];
  readonly timeline: () => readonly SignedPdu[];
  readonly state: () => readonly SignedPdu[];
  /** Signed events on top of the room and of each other, in this order. The room does not change. */
  readonly complete: (
    templates: readonly (EventTemplate | JsonObject)[],
    completion: Completion,
  ) => Either<NotCompleted, readonly SignedPdu[]>;
  readonly add: (pdus: readonly SignedPdu[], revision: number) => void;
}

const nameOf = ({ type, stateKey }: StateEntry): string => JSON.stringify([type, stateKey]);

const placeOf = ({ pdu }: SignedPdu): StateEntry | undefined => {
  const [type, stateKey] = [stringMember(pdu, "type"), stringMember(pdu, "state_key")];
  return type === undefined || stateKey === undefined ? undefined : { type, stateKey };
};

const standsAt =
  (place: StateEntry) =>
  (event: SignedPdu): boolean => {
    const own = placeOf(event);
    return own?.type === place.type && own.stateKey === place.stateKey;
  };

const depthOf = ({ pdu }: SignedPdu): number => {
  const depth = member(pdu, "depth");
  return typeof depth === "number" ? depth : 0;
};

/** Versions 1 and 2 name an event beside its hash. */
const previousOf = ({ pdu }: SignedPdu): readonly unknown[] => {
  const references = member(pdu, "prev_events");
  return Array.isArray(references)
    ? references.map((reference: unknown): unknown => (Array.isArray(reference) ? reference[0] : reference))
    : [];
};

export const roomLog = (crypto: CryptoEngine, version: RoomVersion): RoomLog => {
  const timeline = new Map<string, SignedPdu>();
  const places = new Map<string, { readonly event: SignedPdu; readonly changedAt: number }>();
  /** The events that no other has named yet as its previous one. */
  const heads = new Map<string, SignedPdu>();

  const at = (place: StateEntry): SignedPdu | undefined => places.get(nameOf(place))?.event;

  const references = (
    events: readonly SignedPdu[],
  ): Either<NotCanonicalJson | NoEventId, readonly EventReference[]> => {
    const found: EventReference[] = [];
    for (const { pdu } of events) {
      const reference = eventReference(crypto, pdu, version);
      if (isLeft(reference)) return reference;
      found.push(reference.right);
    }
    return right(found);
  };

  return {
    version,
    at,
    changedAt: (place) => places.get(nameOf(place))?.changedAt ?? 0,
    stateKeys: (type) =>
      [...places.values()].flatMap(({ event }) => {
        const place = placeOf(event);
        return place?.type === type ? [place.stateKey] : [];
      }),
    timeline: () => [...timeline.values()],
    state: () => [...places.values()].map(({ event }) => event),
    complete: (templates, { serverName, key, now, nextEventId }) => {
      const made: SignedPdu[] = [];
      for (const template of templates) {
        const authEvents = references(
          selectAuthEvents(template, version).flatMap(
            (place) => made.findLast(standsAt(place)) ?? at(place) ?? [],
          ),
        );
        if (isLeft(authEvents)) return authEvents;
        const previous = made.length > 0 ? made.slice(-1) : [...heads.values()];
        const prevEvents = references(previous);
        if (isLeft(prevEvents)) return prevEvents;
        const pdu = completePdu(crypto, template, {
          version,
          authEvents: authEvents.right,
          prevEvents: prevEvents.right,
          depth: 1 + Math.max(0, ...previous.map(depthOf)),
          originServerTs: now,
          ...(version.eventId === "field" ? { eventId: nextEventId() } : {}),
          serverName,
          key,
        });
        if (isLeft(pdu)) return pdu;
        made.push(pdu.right);
      }
      return right(made);
    },
    add: (pdus, revision) => {
      for (const event of pdus.map(frozenCopy)) {
        if (timeline.has(event.eventId)) continue;
        timeline.set(event.eventId, event);
        for (const previous of previousOf(event)) if (typeof previous === "string") heads.delete(previous);
        heads.set(event.eventId, event);
        const place = placeOf(event);
        if (place !== undefined) places.set(nameOf(place), { event, changedAt: revision });
      }
    },
  };
};
