import { readFileSync, readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { authorize } from "../../src/invite/authorize.js";
import { explain } from "../../src/invite/explain.js";
import type { JsonObject } from "../../src/matrix/json.js";
import { nodeCrypto } from "../../src/node/crypto.js";
import { stateOf } from "../conformance/ask.js";
import { type Judged, vectors } from "../matrix/vectors.js";
import { versionOf } from "./room.js";

/** Whether the explanation agrees with the judge, on any budget; and the judge's word. */
const judged = ({ roomVersion, state, event }: Judged): string => {
  const room = stateOf(nodeCrypto, versionOf(roomVersion), state, event["room_id"]);
  const verifiedSigners = new Set(Object.keys(event["signatures"] ?? {}));
  for (const options of [{}, { maxPairs: Infinity, verifiedSigners }, { maxPairs: 1 }]) {
    const { verdict } = explain(event, room, nodeCrypto, options);
    expect(verdict).toEqual(authorize(event, room, nodeCrypto, options));
  }
  return explain(event, room, nodeCrypto, { verifiedSigners }).verdict._tag;
};

const decided = (wanted: readonly string[], all: readonly Judged[]): void => {
  expect(new Set(all.map(judged))).toEqual(new Set(wanted));
};

describe("explain says what authorize says", () => {
  test("of random cases", () => {
    decided(["Allow", "Reject"], vectors("auth"));
  });

  test("of crafted cases", () => {
    decided(["Allow", "Reject", "NotOurs"], vectors("auth-crafted"));
  });

  const rooms = new URL("../fixtures/transcripts/", import.meta.url);
  test.each(readdirSync(rooms).filter((name) => name.startsWith("synapse")))(
    "of the events of %s",
    (name) => {
      const { roomVersion, events } = JSON.parse(readFileSync(new URL(name, rooms), "utf8")) as {
        readonly roomVersion: string;
        readonly events: readonly { readonly pdu: JsonObject }[];
      };
      decided(
        ["Allow", "NotOurs"],
        events.map(({ pdu: event }, at) => ({
          roomVersion,
          event,
          state: events.slice(0, Math.max(at, 1)).map(({ pdu }) => pdu),
        })),
      );
    },
  );
});
