import { describe, expect, test } from "vitest";
import { selectAuthEvents } from "../../src/invite/select-auth-events.js";
import { authorize } from "../../src/invite/authorize.js";
import type { JsonObject } from "../../src/matrix/json.js";
import { roomIdOfCreate } from "../../src/matrix/pdu.js";
import { type RoomState, roomState } from "../../src/matrix/room-state.js";
import { nodeCrypto } from "../../src/node/crypto.js";
import { portableCrypto } from "../../src/portable/crypto.js";
import { sampled } from "../all.js";
import { isEdge } from "../conformance/corpus.js";
import { type Judged, type Vectors, vectors } from "../matrix/vectors.js";
import { rightOf, versionOf } from "./room.js";

const stateOf = ({ roomVersion, state, event }: Judged): RoomState => {
  const version = versionOf(roomVersion);
  const create = state.find((one) => one["type"] === "m.room.create");
  const roomId =
    version.roomIdIsCreateEvent && create !== undefined
      ? rightOf(roomIdOfCreate(nodeCrypto, create, version))
      : String(event["room_id"]);
  return roomState(roomId, version, state);
};

/** The verdict, which both engines must agree on, if both are asked. */
const judge = (made: Judged, isForBoth: boolean): string => {
  const state = stateOf(made);
  const verdict = authorize(made.event, state, nodeCrypto);
  if (isForBoth) expect(authorize(made.event, state, portableCrypto)).toEqual(verdict);
  return verdict._tag;
};

/** What must come out, or `undefined` where any answer will do. */
const expected = (made: Vectors["auth"]): "Allow" | "Reject" | undefined => {
  if (made.class === "weak.plusGood") return "Allow";
  if (made.class === "weak") return made.crypto?.libsodium === true ? "Allow" : "Reject";
  return made.specAllowed === null ? undefined : made.specAllowed ? "Allow" : "Reject";
};

describe("random cases, judged by the text of the specification", () => {
  const cases = vectors("auth");
  const forBoth = new Set(sampled(cases, 20, isEdge));

  test.each(cases.map((made) => [made.id, made.class, made] as const))("%s %s", (_id, _class, made) => {
    const verdict = judge(made, forBoth.has(made));
    expect(["Allow", "Reject"]).toContain(verdict);
    const wanted = expected(made);
    if (wanted !== undefined) expect(verdict).toBe(wanted);
  });

  test("are of every room version, and of either verdict", () => {
    expect(new Set(cases.map(({ roomVersion }) => roomVersion)).size).toBe(12);
    expect(new Set(cases.map(expected))).toEqual(new Set(["Allow", "Reject", undefined]));
  });
});

describe("the places that auth_events must name", () => {
  const sorted = (places: readonly (readonly [string, string])[]): readonly string[] =>
    places.map((place) => JSON.stringify(place)).sort();

  const select = (event: JsonObject, version: string): readonly string[] =>
    sorted(selectAuthEvents(event, versionOf(version)).map(({ type, stateKey }) => [type, stateKey]));

  const selections = vectors("auth-events");

  test.each(selections.map((made) => [made.id, made.class, made] as const))("%s %s", (_id, _class, made) => {
    const places = select(made.event, made.roomVersion);
    if (made.specTypes !== null) expect(places).toEqual(sorted(made.specTypes));
  });

  test.each(vectors("auth-events-crafted").map((made) => [made.name, made] as const))("%s", (_name, made) => {
    expect(select(made.event, made.roomVersion)).toEqual(sorted(made.expected));
  });
});

describe("crafted cases", () => {
  const isOurs = ({ event }: Judged): boolean =>
    event["type"] === "m.room.third_party_invite" ||
    (event["type"] === "m.room.member" && (event["content"] as JsonObject)["membership"] === "invite");

  test.each(vectors("auth-crafted").map((made) => [made.name, made.clarity, made] as const))(
    "%s, %s",
    (_name, clarity, made) => {
      const verdict = judge(made, true);
      if (!isOurs(made)) expect(verdict).toBe("NotOurs");
      else if (clarity === "unclear") expect(["Allow", "Reject", "TooMuchWork"]).toContain(verdict);
      else expect(verdict).toBe(made.expected === "allow" ? "Allow" : "Reject");
    },
  );
});
