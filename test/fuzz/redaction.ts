/** A redacted event is redacted for good, and is still the event that it was. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { requiredSigners, roomVersionIds } from "matrix-third-party-invites/judge";
import {
  eventId,
  eventReference,
  isJsonObject,
  redact,
  referenceHash,
  signPdu,
  verifyPdu,
} from "matrix-third-party-invites/matrix";
import type { JsonObject } from "matrix-third-party-invites/ports";
import { nodeCrypto, nodeSigningKey } from "matrix-third-party-invites/node";
import { versionOf } from "../invite/room.js";
import { json, jsonObject } from "../matrix/arbitrary-json.js";
import { inputs } from "./hostile.js";
import type { FuzzProperty } from "./property.js";
import { shownAs } from "./rooms.js";

const types = [
  "m.room.member",
  "m.room.create",
  "m.room.join_rules",
  "m.room.power_levels",
  "m.room.aliases",
  "m.room.history_visibility",
  "m.room.redaction",
  "m.room.third_party_invite",
  "m.room.message",
  "__proto__",
];

const protectedNames =
  "membership creator join_rule allow ban events events_default kick redact state_default users users_default invite aliases history_visibility join_authorised_via_users_server redacts third_party_invite body".split(
    " ",
  );

const contents: fc.Arbitrary<JsonObject> = fc
  .tuple(
    jsonObject,
    fc.dictionary(fc.constantFrom(...protectedNames), fc.oneof(json, jsonObject), { maxKeys: 5 }),
    fc.option(fc.record({ signed: json, display_name: json }, { requiredKeys: [] }), { nil: undefined }),
  )
  .map(([some, named, invite]) => ({
    ...some,
    ...named,
    ...(invite === undefined ? {} : { third_party_invite: invite }),
  }));

/** Any event that has canonical JSON, with members that redaction keeps and others. */
export const pdus: fc.Arbitrary<JsonObject> = fc
  .tuple(
    jsonObject,
    fc.constantFrom(...types),
    contents,
    fc.record(
      {
        event_id: fc.constant("$1:one.example"),
        sender: fc.constant("@a:one.example"),
        state_key: json,
        room_id: json,
        depth: json,
        hashes: json,
        unsigned: json,
        origin: json,
        prev_state: json,
        membership: json,
      },
      { requiredKeys: [] },
    ),
  )
  .map(([some, type, content, known]) => ({ ...some, ...known, type, content }));

const honest = {
  type: "m.room.member",
  content: { membership: "invite", third_party_invite: { display_name: "b", signed: { mxid: "@b:x" } } },
  event_id: "$1:one.example",
  hashes: { sha256: "" },
  signatures: { "one.example": { "ed25519:1": "A".repeat(86) } },
  unsigned: { age: 1 },
  origin: "one.example",
};

/** No JSON, some of them. */
const oddPdus: fc.Arbitrary<JsonObject> = inputs(honest).filter(isJsonObject);

const versions = fc.constantFrom(
  ...roomVersionIds.map((id) => shownAs(versionOf(id), () => `version ${id}`)),
);
const key = nodeSigningKey("ed25519:1", new Uint8Array(32).fill(5));
const by = { entity: "one.example", keyId: key.keyId, publicKey: key.publicKey };

export const redactionProperties: readonly FuzzProperty[] = [
  {
    name: "redacting once more changes nothing",
    cost: 0.4,
    share: 12,
    property: fc.property(fc.oneof(pdus, oddPdus), versions, (pdu, version) => {
      const once = redact(pdu, version);
      assert.deepEqual(redact(once, version), once);
    }),
  },
  {
    name: "a redacted event keeps its hash, its ID and who must sign it",
    cost: 0.6,
    share: 12,
    property: fc.property(fc.oneof(pdus, oddPdus), versions, (pdu, version) => {
      const redacted = redact(pdu, version);
      for (const of of [referenceHash, eventId, eventReference])
        assert.deepEqual(of(nodeCrypto, redacted, version), of(nodeCrypto, pdu, version));
      // Whoever uses the redacted copy of an event whose hash does not match asks the same servers.
      assert.deepEqual(requiredSigners(redacted, version, true), requiredSigners(pdu, version, false));
    }),
  },
  {
    name: "a redacted event keeps its signature",
    cost: 1,
    share: 12,
    property: fc.property(pdus, versions, fc.boolean(), (pdu, version, good) => {
      const signed = signPdu(pdu, version, by.entity, key);
      assert.ok(signed._tag === "Right", "It has canonical JSON.");
      const whole = good ? signed.right : { ...signed.right, sender: "@another:one.example" };
      const verdict = verifyPdu(nodeCrypto, whole, version, by);
      const wasSigned = good || pdu["sender"] === "@another:one.example";
      assert.equal(verdict._tag, wasSigned ? "Right" : "Left");
      assert.deepEqual(verifyPdu(nodeCrypto, redact(whole, version), version, by), verdict);
      // Signing the redacted event is signing the event.
      const other = signPdu(redact(pdu, version), version, by.entity, key);
      assert.ok(other._tag === "Right");
      assert.deepEqual(other.right["signatures"], signed.right["signatures"]);
    }),
  },
];
