import {
  type JsonObject,
  authorize,
  contentHashMatches,
  eventId,
  roomIdOfCreate,
  roomState,
  selectAuthEvents,
  verifyPdu,
} from "matrix-third-party-invites";
import { nodeCrypto } from "matrix-third-party-invites/node";
import { portableCrypto } from "matrix-third-party-invites/portable";
import { describe, expect, test } from "vitest";
import { present, rightOf, transcripts } from "./transcript.js";

const engines = [nodeCrypto, portableCrypto];

const membershipOf = (pdu: JsonObject): unknown => (pdu["content"] as JsonObject)["membership"];

const isOurs = (pdu: JsonObject): boolean =>
  pdu["type"] === "m.room.third_party_invite" ||
  (pdu["type"] === "m.room.member" && membershipOf(pdu) === "invite");

/** The IDs that an event names; versions 1 and 2 put a hash beside each. */
const named = (pdu: JsonObject): readonly string[] =>
  (pdu["auth_events"] as readonly (string | readonly [string, unknown])[]).map((entry) =>
    typeof entry === "string" ? entry : entry[0],
  );

describe.each(transcripts)("a real room of version %s", (_version, transcript) => {
  const { events, version, roomId } = transcript;
  const rows = events.map((stored) => [stored.eventId, stored.pdu] as const);

  test("its ID is what its create event makes it", () => {
    const create = present(events[0]).pdu;
    for (const engine of engines) expect(rightOf(roomIdOfCreate(engine, create, version))).toBe(roomId);
  });

  describe.each(rows)("%s", (id, pdu) => {
    test("event ID and content hash", () => {
      for (const engine of engines) {
        expect(rightOf(eventId(engine, pdu, version))).toBe(id);
        expect(contentHashMatches(engine, pdu, version)).toBe(true);
      }
    });

    test("every server's signature", () => {
      const signatures = Object.entries(pdu["signatures"] as Record<string, JsonObject>).flatMap(
        ([entity, block]) =>
          Object.keys(block).map((keyId) => ({
            entity,
            keyId,
            publicKey: transcript.serverKey(entity, keyId),
          })),
      );
      expect(signatures.length).toBeGreaterThan(0);
      for (const by of signatures)
        for (const engine of engines) expect(verifyPdu(engine, pdu, version, by)._tag).toBe("Right");
    });

    test("auth_events name exactly the places that are selected, where an event stood there", () => {
      const before = transcript.stateBefore(id);
      const expected = selectAuthEvents(pdu, version)
        .map(({ type, stateKey }) => before.get(type, stateKey))
        .filter((event) => event !== undefined);
      const actual = named(pdu).map(transcript.event);
      expect(new Set(actual)).toEqual(new Set(expected));
      expect(actual).toHaveLength(expected.length);
    });

    test("is allowed, where it is ours, by the state that it names", () => {
      const create = present(events[0]).pdu;
      const state = roomState(roomId, version, [create, ...named(pdu).map(transcript.event)]);
      for (const engine of engines) {
        expect(authorize(pdu, state, engine)._tag).toBe(isOurs(pdu) ? "Allow" : "NotOurs");
        expect(authorize(pdu, transcript.stateBefore(id), engine)._tag).toBe(
          isOurs(pdu) ? "Allow" : "NotOurs",
        );
      }
    });
  });

  test("has events of both our types", () => {
    const ours = events.map(({ pdu }) => pdu).filter(isOurs);
    expect(ours.filter((pdu) => pdu["type"] === "m.room.third_party_invite").length).toBeGreaterThan(5);
    expect(ours.filter((pdu) => pdu["type"] === "m.room.member").length).toBeGreaterThan(3);
  });
});
