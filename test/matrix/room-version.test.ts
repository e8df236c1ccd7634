import { describe, expect, it } from "vitest";
import { roomVersion, roomVersionIds } from "../../src/matrix/room-version.js";
import { version } from "./versions.js";

const all = Array.from({ length: 12 }, (_, at) => String(at + 1));

it("knows versions 1 to 12, oldest first", () => {
  expect(roomVersionIds).toEqual(all);
  expect(all.map((id) => roomVersion(id)?.id)).toEqual(all);
});

it.each(["", "0", "01", "1.0", " 1", "13", "__proto__", "constructor", "org.example.custom"])(
  "knows no %j",
  (id) => {
    expect(roomVersion(id)).toBeUndefined();
  },
);

/** The versions in which something holds. */
const where = (holds: (id: string) => boolean): string => {
  const ids = all.filter(holds);
  return ids.length === 0 ? "none" : `${ids[0]}-${ids.at(-1)}:${ids.length}`;
};

describe("what the format table says", () => {
  it.each([
    ["the field", where((id) => version(id).eventId === "field"), "1-2:2"],
    ["standard hash", where((id) => version(id).eventId === "standard hash"), "3-3:1"],
    ["URL-safe hash", where((id) => version(id).eventId === "urlsafe hash"), "4-12:9"],
    ["the room ID is the create event's", where((id) => version(id).roomIdIsCreateEvent), "12-12:1"],
    ["strict canonical JSON", where((id) => version(id).strictCanonicalJson), "6-12:7"],
    ["key validity enforced", where((id) => version(id).enforcesKeyValidity), "5-12:8"],
    ["2^53-1", where((id) => version(id).maxDepth === 2 ** 53 - 1), "1-12:12"],
    [
      "the creator is named in the content",
      where((id) => version(id).creators === "content.creator"),
      "1-10:10",
    ],
    ["the creator is the sender", where((id) => version(id).creators === "sender"), "11-11:1"],
    ["several creators", where((id) => version(id).creators === "sender and additional"), "12-12:1"],
    ["floats", where((id) => version(id).levels === "integers, strings and floats"), "1-5:5"],
    ["strings", where((id) => version(id).levels === "integers and strings"), "6-9:4"],
    ["integers only", where((id) => version(id).levels === "integers"), "10-12:3"],
    ["restricted joins", where((id) => version(id).restrictedJoins), "8-12:5"],
    ["signed survives", where((id) => version(id).redaction.keepsSigned), "11-12:2"],
  ])("%s", (_, found, expected) => {
    expect(found).toBe(expected);
  });
});

// The columns of the specification's rule numbers, §8.1.
it.each([
  [["1", "2", "3", "4", "5"], "-", "2", "3", "5", "-", "5.3", "6", "7"],
  [["6", "7"], "-", "2", "3", "4", "-", "4.3", "5", "6"],
  [["8", "9", "10", "11"], "-", "2", "3", "4", "4.2", "4.4", "5", "6"],
  [["12"], "2", "3", "4", "5", "5.2", "5.4", "6", "7"],
])(
  "versions %j number their rules as their text does",
  (ids, roomId, authEvents, federate, member, joinAuthorised, invite, senderJoined, thirdPartyInvite) => {
    const optional = (number: string): string | undefined => (number === "-" ? undefined : number);
    for (const id of ids)
      expect(version(id).rules).toEqual({
        authEvents,
        // From version 12 on one rule on the room ID stands for both of the earlier ones.
        room: optional(roomId) ?? `${authEvents}.5`,
        create: optional(roomId) ?? `${authEvents}.4`,
        federate,
        member,
        joinAuthorised: optional(joinAuthorised),
        invite,
        senderJoined,
        thirdPartyInvite,
      });
  },
);
