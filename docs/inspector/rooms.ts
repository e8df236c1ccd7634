/** Cases out of the captured rooms, cut down to what the rules look at. */
import { readFileSync } from "node:fs";
import type { JsonObject } from "matrix-third-party-invites/ports";
import type { Captured } from "./examples.js";

interface Capture {
  readonly roomVersion: string;
  readonly serverKeys: JsonObject;
  readonly otherServer: { readonly serverKeys: JsonObject };
  readonly events: readonly { readonly pdu: JsonObject }[];
}

const looked: ReadonlySet<unknown> = new Set([
  "m.room.create",
  "m.room.member",
  "m.room.power_levels",
  "m.room.third_party_invite",
]);

/** In version 12 the create event's hash is the room's ID, so that event keeps all that is hashed. */
const trimmed = (pdu: JsonObject): JsonObject => {
  const { unsigned: _, signatures: __, ...hashed } = pdu;
  if (pdu["type"] === "m.room.create") return hashed;
  const { type, room_id, sender, state_key, content } = pdu;
  return { type, room_id, sender, state_key, content };
};

const isRemoteRedemption = ({ content, sender, state_key }: JsonObject): boolean =>
  Object.hasOwn(content as object, "third_party_invite") &&
  String(sender).split(":").slice(1).join() !== String(state_key).split(":").slice(1).join();

/** The invite that came from another server's user in each room, and the state before it. */
export const capturedRooms = (): readonly Captured[] =>
  ["v1", "v6", "v10", "v12"].map((name) => {
    const url = new URL(`../../test/fixtures/transcripts/synapse-hs1-${name}.json`, import.meta.url);
    const { roomVersion, events, serverKeys, otherServer } = JSON.parse(readFileSync(url, "utf8")) as Capture;
    const pdus = events.map(({ pdu }) => pdu);
    const at = pdus.findIndex(isRemoteRedemption);
    const event = pdus[at];
    if (event === undefined) throw new Error(`Nobody was invited from afar in ${name}.`);
    return {
      version: roomVersion,
      state: pdus
        .slice(0, at)
        .filter(({ type }) => looked.has(type))
        .map(trimmed),
      event,
      keys: [serverKeys, otherServer.serverKeys],
    };
  });
