import { existsSync } from "node:fs";
import { roomVersion } from "matrix-third-party-invites/judge";
import { eventId, hashAndSignPdu } from "matrix-third-party-invites/matrix";
import type { JsonObject } from "matrix-third-party-invites/ports";
import { nodeCrypto, nodeSigningKey } from "matrix-third-party-invites/node";
import { vectors } from "../../matrix/vectors.js";
import type { Figure, Score } from "../figure.js";
import { batchOf, measure, ratio, summarise } from "../harness.js";
import { memberEvents, parse } from "../inputs.js";
import { type Trial, scoreOf } from "./score.js";

type Identify = (pdu: JsonObject, version: string) => string;

const ours: Identify = (pdu, version) => {
  const known = roomVersion(version);
  const id = known === undefined ? undefined : eventId(nodeCrypto, pdu, known);
  if (id?._tag !== "Right") throw new Error("The event has no ID.");
  return id.right;
};

interface Named {
  readonly eventId: string;
}

/** The example that has it among its own dependencies. */
const example = "docs/examples/rocket-chat";
const isInstalled = existsSync(
  new URL(`../../../${example}/node_modules/@rocket.chat/federation-sdk`, import.meta.url),
);

const load = () => import("../../../docs/examples/rocket-chat/test/published-sdk.js");

/** Its class of events for a room version; it exports none, but what it makes has one. */
const classOf = async (
  { published, wrap }: Awaited<ReturnType<typeof load>>,
  version: string,
): Promise<(pdu: JsonObject) => Named> => {
  const [text = ""] = memberEvents(1);
  const made = await wrap(published.federationSDK, parse(text), version);
  const Wrapper = made.constructor as new (pdu: JsonObject, version: string) => Named;
  return (pdu) => new Wrapper(pdu, version);
};

/** The versions that it knows and in which an event's ID is its hash. */
const versions = ["3", "4", "5", "6", "7", "8", "9", "10", "11"];

const sdk = async (): Promise<Identify> => {
  const loaded = await load();
  loaded.published.federationSDK.setConfig(loaded.config);
  const wrappers = new Map<string, (pdu: JsonObject) => Named>();
  for (const version of versions) wrappers.set(version, await classOf(loaded, version));
  return (pdu, version) => {
    const wrapper = wrappers.get(version);
    if (wrapper === undefined) throw new Error(`It does not know version ${version}.`);
    return wrapper(pdu).eventId;
  };
};

type Input = readonly [pdu: string, version: string];

const key = nodeSigningKey("ed25519:1", new Uint8Array(32).fill(3));

/** The event with the content hash that it ought to have: it puts right what it is given. */
const rehashed = (event: JsonObject, version: string): JsonObject => {
  const known = roomVersion(version);
  const by = { serverName: "example.org", key };
  const made = known === undefined ? undefined : hashAndSignPdu(nodeCrypto, event, known, by);
  if (made?._tag !== "Right") throw new Error("The event cannot be hashed.");
  return made.right.pdu;
};

const corpus = () =>
  vectors("event").filter(
    ({ specUndefined, roomVersion: version }) => specUndefined !== true && versions.includes(version),
  );

/** As the corpus has the events and their IDs. */
const asFound = (): readonly Trial<Input, string | null>[] =>
  corpus().map(({ class: kind, event, roomVersion: version, eventId: expected }) => ({
    kind,
    input: [JSON.stringify(event), version] as const,
    expected,
  }));

/** The same events for it, with their new IDs from us, who have all of the corpus's right. */
const putRight = (): readonly Trial<Input, string | null>[] =>
  corpus().map(({ class: kind, event, roomVersion: version }) => {
    const pdu = rehashed(event, version);
    return { kind, input: [JSON.stringify(pdu), version] as const, expected: ours(pdu, version) };
  });

/** It may change what it is given, so everybody parses. */
const score = (trials: readonly Trial<Input, string | null>[], by: Identify): Score =>
  scoreOf(trials, ([text, version]: Input): string | null => by(parse(text), version), null);

export const eventIdFigures: readonly Figure[] = [
  {
    name: "peers.eventId.@rocket.chat/federation-sdk",
    unit: "ratio",
    target: 1,
    ...(isInstalled ? {} : { absent: `npm ci in ${example} installs it` }),
    find: async () => {
      const theirs = await sdk();
      const texts = memberEvents(16);
      const batch = (by: Identify) =>
        batchOf(
          texts.map(parse),
          (pdu) => by(pdu, "10"),
          (id) => id.length === 44,
        );
      const comparison = {
        size: texts.length,
        warmUp: 100,
        rounds: 400,
        prepare: () => ({ measured: batch(ours), against: batch(theirs) }),
      };
      return {
        ...summarise(measure(comparison).map(ratio)),
        theirs: score(putRight(), theirs),
        ours: score(asFound(), ours),
        notes: ["It has no rules for third-party invites: there is no whole authorisation to compare with."],
      };
    },
  },
];
