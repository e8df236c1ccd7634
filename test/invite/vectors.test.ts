import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { selectAuthEvents } from "../../src/invite/auth-events.js";
import { authorize } from "../../src/invite/authorize.js";
import type { JsonObject } from "../../src/matrix/json.js";
import { roomIdOfCreate } from "../../src/matrix/pdu.js";
import { type RoomState, roomState } from "../../src/matrix/room-state.js";
import { nodeCrypto } from "../../src/node/crypto.js";
import { portableCrypto } from "../../src/portable/crypto.js";
import { rightOf, versionOf } from "./room.js";

const read = (name: string): string =>
  readFileSync(new URL(`../fixtures/auth/${name}`, import.meta.url), "utf8");

const lines = (name: string): readonly unknown[] =>
  read(name)
    .split("\n")
    .filter((line) => line !== "")
    .map((line): unknown => JSON.parse(line));

interface Case {
  readonly roomVersion: string;
  readonly state: readonly JsonObject[];
  readonly event: JsonObject;
}

interface CorpusCase extends Case {
  readonly id: string;
  readonly class: string;
  readonly specAllowed: boolean | null;
  readonly crypto?: { readonly libsodium: boolean };
}

const stateOf = ({ roomVersion, state, event }: Case): RoomState => {
  const version = versionOf(roomVersion);
  const create = state.find((one) => one["type"] === "m.room.create");
  const roomId =
    version.roomIdIsCreateEvent && create !== undefined
      ? rightOf(roomIdOfCreate(nodeCrypto, create, version))
      : String(event["room_id"]);
  return roomState(roomId, version, state);
};

/** The verdict, which both engines must agree on. */
const judge = (made: Case): string => {
  const state = stateOf(made);
  const verdict = authorize(made.event, state, nodeCrypto);
  expect(authorize(made.event, state, portableCrypto)).toEqual(verdict);
  return verdict._tag;
};

/** What must come out, or `undefined` where any answer will do. */
const expected = (made: CorpusCase): "Allow" | "Reject" | undefined => {
  if (made.class === "weak.plusGood") return "Allow";
  if (made.class === "weak") return made.crypto?.libsodium === true ? "Allow" : "Reject";
  return made.specAllowed === null ? undefined : made.specAllowed ? "Allow" : "Reject";
};

describe("random cases, judged by the text of the specification", () => {
  const cases = lines("auth.jsonl") as readonly CorpusCase[];

  test.each(cases.map((made) => [made.id, made.class, made] as const))("%s %s", (_id, _class, made) => {
    const verdict = judge(made);
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
  interface Selection {
    readonly id: string;
    readonly class: string;
    readonly roomVersion: string;
    readonly event: JsonObject;
    readonly specTypes: readonly (readonly [string, string])[] | null;
  }

  const sorted = (places: readonly (readonly [string, string])[]): readonly string[] =>
    places.map((place) => JSON.stringify(place)).sort();

  const select = (event: JsonObject, version: string): readonly string[] =>
    sorted(selectAuthEvents(event, versionOf(version)).map(({ type, stateKey }) => [type, stateKey]));

  const selections = lines("auth-events.jsonl") as readonly Selection[];

  test.each(selections.map((made) => [made.id, made.class, made] as const))("%s %s", (_id, _class, made) => {
    const places = select(made.event, made.roomVersion);
    if (made.specTypes !== null) expect(places).toEqual(sorted(made.specTypes));
  });

  interface Crafted {
    readonly name: string;
    readonly roomVersion: string;
    readonly event: JsonObject;
    readonly expected: readonly (readonly [string, string])[];
  }
  const { authEventSelection } = JSON.parse(read("peers.json")) as {
    readonly authEventSelection: readonly Crafted[];
  };

  test.each(authEventSelection.map((made) => [made.name, made] as const))("%s", (_name, made) => {
    expect(select(made.event, made.roomVersion)).toEqual(sorted(made.expected));
  });
});

describe("crafted cases", () => {
  interface Crafted extends Case {
    readonly name: string;
    readonly expected: "allow" | "reject";
    readonly clarity: "clear" | "should" | "unclear";
    readonly rule?: string;
  }
  const { vectors } = JSON.parse(read("peers.json")) as { readonly vectors: readonly Crafted[] };

  const isOurs = ({ event }: Crafted): boolean =>
    event["type"] === "m.room.third_party_invite" ||
    (event["type"] === "m.room.member" && (event["content"] as JsonObject)["membership"] === "invite");

  test.each(vectors.map((made) => [made.name, made.clarity, made] as const))(
    "%s, %s",
    (_name, clarity, made) => {
      const verdict = judge(made);
      if (!isOurs(made)) expect(verdict).toBe("NotOurs");
      else if (clarity === "unclear") expect(["Allow", "Reject", "TooMuchWork"]).toContain(verdict);
      else expect(verdict).toBe(made.expected === "allow" ? "Allow" : "Reject");
    },
  );
});
