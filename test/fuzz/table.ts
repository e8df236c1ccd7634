/**
 * Every function and every decision that the package exports for what other people send, with the inputs that it is
 * tried with and the look of its answer. What other people send is hostile; what the library or its host made (a room
 * version, an engine, a parsed user ID) is honest, since its type says so. A new function is one more row.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import * as index from "matrix-third-party-invites";
import type { EventLike, InviteDetails } from "matrix-third-party-invites";
import * as decisions from "matrix-third-party-invites/decisions";
import type {
  Decision,
  DecisionOutcome,
  InviteRequest,
  MatchedKey,
  RedeemOutcome,
  RevokeOutcome,
  RoomInvite,
  Signed,
  Tidying,
  Transition,
} from "matrix-third-party-invites/decisions";
import * as judge from "matrix-third-party-invites/judge";
import type { CheckedPdu, RoomVersion } from "matrix-third-party-invites/judge";
import * as matrix from "matrix-third-party-invites/matrix";
import type { Level, Malformed, SignedPdu } from "matrix-third-party-invites/matrix";
import type {
  CryptoEngine,
  InviteLife,
  InviteRecord,
  JsonObject,
  SigningKey,
  StateEntry,
  StoredInvite,
  Threepid,
} from "matrix-third-party-invites/ports";
import { nodeCrypto, nodeSigningKey } from "matrix-third-party-invites/node";
import { portableCrypto } from "matrix-third-party-invites/portable";
import { json } from "../matrix/arbitrary-json.js";
import {
  alice,
  bob,
  email,
  idServer,
  inviteContent,
  longTermKey,
  rightOf,
  room,
  signed,
  token,
  userId,
  versionOf,
  written,
} from "../invite/room.js";
import {
  type Check,
  either,
  isAnything,
  isBoolean,
  isBytes,
  isCount,
  isNothing,
  isObject,
  isRefusal,
  isStatus,
  isTemplate,
  isText,
  isVerdict,
  notCanonical,
  optional,
  refusalOr,
  tagged,
} from "./answers.js";
import {
  amongTraps,
  hostileBytes,
  hostileNumbers,
  hostileTexts,
  inputs,
  objects,
  trapped,
} from "./hostile.js";
import { frozen } from "./intact.js";
import { anyRooms, eventsOfRooms, hostileRooms, rooms, shownAs, typed } from "./rooms.js";

/** How values that somebody else sent are made from the honest one. */
export interface Sources {
  readonly unknowns: (honest: unknown) => fc.Arbitrary<unknown>;
  readonly jsonObjects: (honest: object) => fc.Arbitrary<JsonObject>;
  readonly events: (honest: object) => fc.Arbitrary<EventLike>;
}

export const hostileSources: Sources = {
  unknowns: inputs,
  jsonObjects: (honest) => typed(objects(honest)),
  events: (honest) => typed(inputs(honest)),
};

/** Getters that throw and proxies: no JSON, but JavaScript can hand it over. */
export const trappedSources: Sources = {
  unknowns: trapped,
  jsonObjects: (honest) => typed(trapped(honest)),
  events: (honest) => typed(trapped(honest)),
};

/** The entry points whose functions take what other people send; the others hold adapters, which have tests of their own. */
export const entryPoints = { ".": index, "./judge": judge, "./decisions": decisions, "./matrix": matrix };

const library = { ...index, ...judge, ...decisions, ...matrix };

type Exports = typeof library;

/** The names of the functions and of the decisions that they export. */
export type ExportName = {
  [Name in keyof Exports]: Exports[Name] extends
    ((...args: never) => unknown) | { readonly decide: (...args: never) => unknown }
    ? Name
    : never;
}[keyof Exports];

export interface Row {
  readonly of: ExportName;
  readonly cost: number;
  readonly property: fc.IRawProperty<unknown>;
}

const row = <Input, Answer>(
  of: ExportName,
  input: fc.Arbitrary<Input>,
  call: (input: Input) => Answer,
  check: (answer: Answer, input: Input) => void,
  cost = 0.1,
): Row => ({
  of,
  cost,
  property: fc.property(input, (value) => {
    const isIntact = frozen(value);
    check(
      amongTraps(() => call(value)),
      value,
    );
    assert.ok(isIntact(), "Bytes that were handed over have changed.");
  }),
});

/** A decision, made as the flows make it. */
const decisionRow = <Command, Outcome extends DecisionOutcome>(
  of: ExportName,
  decision: Decision<Command, Outcome>,
  commands: fc.Arbitrary<Command>,
  check: Check<Outcome>,
  cost = 0.4,
): Row =>
  row(
    of,
    fc.tuple(anyRooms, commands, engines, budgets, serverTexts),
    ([{ state }, command, crypto, maxPairs, serverName]) => ({
      reads: decision.reads(command),
      decided: library.applyDecision(decision, state, command, {
        crypto,
        serverName,
        ...(maxPairs === undefined ? {} : { maxPairs }),
      }),
    }),
    ({ reads, decided }) => {
      for (const { type, stateKey } of reads)
        assert.deepEqual([typeof type, typeof stateKey], ["string", "string"]);
      refusalOr<Outcome>((outcome) => {
        outcome.events.forEach(isTemplate);
        check(outcome);
      })(decided);
    },
    cost,
  );

const versions: fc.Arbitrary<RoomVersion> = fc.constantFrom(
  ...library.roomVersionIds.map((id) => shownAs(versionOf(id), () => `version ${id}`)),
);
/** The slow engine does nothing of its own on hostile input, so it comes seldom. */
const engines: fc.Arbitrary<CryptoEngine> = fc.oneof(
  { weight: 40, arbitrary: fc.constant(shownAs(nodeCrypto, () => "nodeCrypto")) },
  { weight: 1, arbitrary: fc.constant(shownAs(portableCrypto, () => "portableCrypto")) },
);
const signingKey: SigningKey = nodeSigningKey("ed25519:1", new Uint8Array(32).fill(7));
const numberKinds = fc.constantFrom("integers", "any");
const serverTexts = hostileTexts("one.example", "[::1]:8448", "two.example:80");
const userTexts = hostileTexts(alice, bob, "@:x", "@a:");
const carol = userId("@carol:one.example");
const someUsers = fc.constantFrom(alice, bob, carol, userId("@nobody:x"));
const threepids: fc.Arbitrary<Threepid> = fc.constantFrom(
  email("zq81k@w7x9.example"),
  email("ß@ß"),
  rightOf(library.parseThreepid("msisdn", "18005552067")),
);
const { roomId } = room();
const honestRoomIds = fc.constantFrom(roomId, room("12").roomId);
const budgets = fc.option(hostileNumbers, { nil: undefined });
const details: fc.Arbitrary<InviteDetails> = fc.record(
  { isDirect: fc.boolean(), reason: hostileTexts("come in") },
  { requiredKeys: [] },
);
const requesters = fc.record(
  { userId: someUsers, isGuest: fc.boolean(), isSuspended: fc.boolean() },
  { requiredKeys: ["userId"] },
);

const pdu = {
  type: "m.room.member",
  room_id: roomId,
  sender: alice,
  state_key: bob,
  content: { membership: "invite", third_party_invite: { display_name: "b", signed } },
  event_id: "$1:one.example",
  auth_events: [["$0:one.example", { sha256: "" }], "$0"],
  prev_events: [],
  depth: 3,
  origin_server_ts: 1_700_000_000_000,
  hashes: { sha256: "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU" },
  signatures: { "one.example": { "ed25519:1": "A".repeat(86) } },
  unsigned: { age: 1 },
  origin: "one.example",
  prev_state: [],
  membership: "invite",
};
/** A whole event of version 10. */
const signedPdu = rightOf(
  library.hashAndSignPdu(nodeCrypto, pdu, versionOf("10"), { serverName: "one.example", key: signingKey }),
).pdu;
const create = {
  ...pdu,
  type: "m.room.create",
  state_key: "",
  content: { creator: alice, room_version: "10" },
};

const signers = fc.record({
  entity: hostileTexts("one.example"),
  keyId: fc.oneof(fc.constant("ed25519:1"), hostileTexts("ed25519:1").map(String)),
  publicKey: fc.oneof(fc.constant(signingKey.publicKey), hostileBytes(32)),
});

const coSignedPdu = rightOf(library.signPdu(signedPdu, versionOf("10"), "two.example", signingKey));

const keyDocument = rightOf(
  library.signJson(
    {
      server_name: "one.example",
      valid_until_ts: 1_700_000_000_000,
      verify_keys: { [signingKey.keyId]: { key: library.encodeBase64(signingKey.publicKey) } },
      old_verify_keys: { "ed25519:old": { key: written(longTermKey), expired_ts: 1 } },
    },
    "one.example",
    signingKey,
  ),
);

/** The header of a request, and what it says. */
const xMatrix = rightOf(
  library.signRequest(
    {
      method: "PUT",
      uri: "/_matrix/federation/v1/version",
      origin: "one.example",
      destination: "two.example",
      content: pdu,
    },
    signingKey,
  ),
);
const honestXMatrix = rightOf(library.parseXMatrix(xMatrix));

const serverKeys = fc.record(
  {
    publicKey: fc.oneof(fc.constant(signingKey.publicKey), hostileBytes(32)),
    validUntilTs: hostileNumbers,
    expiredTs: hostileNumbers,
  },
  { requiredKeys: ["publicKey"] },
);

const notSigned = tagged("NoSignature", "BadSignature", "NotCanonicalJson");
const noEventId = tagged("NoEventId", "NotCanonicalJson");
const malformed: Check<Malformed> = ({ _tag, what, why }) => {
  assert.equal(_tag, "Malformed");
  assert.match(what, /^(server name|user ID|room ID)$/);
  assert.notEqual(why, "");
};
const isNoBadText: Check<string> = (text) => {
  assert.ok(text.isWellFormed() && text.length <= 261, "The text is broken or too long.");
};
const isSignedPdu: Check<SignedPdu> = (made) => {
  isText(made.eventId);
  isObject(made.pdu);
};
const isCheckedPdu: Check<CheckedPdu> = (checked) => {
  isText(checked.eventId);
  isObject(checked.pdu);
  isBoolean(checked.hashMatches);
  checked.signers.forEach(isText);
};
const isLevel: Check<Level> = (level) => {
  if (level !== undefined) assert.ok(typeof level === "bigint" || !Number.isNaN(level), "This is no level.");
};
const isMatchedKeys: Check<readonly MatchedKey[]> = (keys) => {
  assert.notEqual(keys.length, 0);
  for (const { publicKey, validity } of keys) {
    isText(publicKey);
    tagged("Forever", "Ask", "Unaskable")(validity);
  }
};
const isParsedSigned: Check<Signed> = ({ mxid, token: ofToken, json: whole }) => {
  assert.equal(library.parseUserId(mxid)._tag, "Right");
  assert.notEqual(ofToken, "");
  isObject(whole);
};
const isRedeemed: Check<RedeemOutcome> = (outcome) => {
  tagged("Redeem", "AlreadyInvited", "AlreadyJoined")(outcome);
  if (outcome._tag !== "Redeem") return;
  assert.equal(outcome.events.length, 1);
  isMatchedKeys(outcome.keys);
};
const isInviteRequest: Check<InviteRequest> = tagged("ByUserId", "ByThreepid");
const isRevocation: Check<RevokeOutcome> = (outcome) => {
  tagged("Revoke", "AlreadyRevoked")(outcome);
  assert.equal(outcome._tag === "Revoke", outcome.events.length > 0);
  for (const { content } of outcome.events) assert.deepEqual(content, {});
};
const isPlaces: Check<readonly StateEntry[]> = (places) => {
  const names = places.map(({ type, stateKey }) => JSON.stringify([type, stateKey]));
  assert.equal(new Set(names).size, names.length);
  assert.ok(names.length <= 10, "Ten places are the most.");
};
const lifeTags = ["Intended", "Asked", "TokenStored", "Pending", "Redeemed", "Revoked", "Expired"] as const;

const storeInviteAnswer = { token, public_keys: inviteContent["public_keys"], display_name: "z...@w..." };
const pinnedKeys = fc.option(fc.array(hostileTexts(written(longTermKey), written(longTermKey, "urlsafe"))), {
  nil: undefined,
});
const storedInvite = rightOf(library.parseStoredInvite(storeInviteAnswer, email("zq81k@w7x9.example")));
const parsedSigned = rightOf(library.parseSigned(signed));
const transitions: fc.Arbitrary<Transition> = fc.oneof(
  hostileNumbers.map((at): Transition => ({ _tag: "Ask", at })),
  fc.constant<Transition>({ _tag: "Answer", storedInvite }),
  fc.constantFrom<Transition>({ _tag: "NothingSent" }, { _tag: "Revoke" }, { _tag: "Expire" }),
  fc.subarray([storedInvite.token]).map((superseded): Transition => ({ _tag: "Append", superseded })),
  fc.constant<Transition>({ _tag: "Redeem", by: bob }),
);
/** Wherever transitions lead; those that do not fit are passed over. */
const lives: fc.Arbitrary<InviteLife> = fc
  .array(transitions)
  .map((all) =>
    all.reduce<InviteLife>((life, one) => library.advance(life, one) ?? life, { _tag: "Intended" }),
  );

const recordOf = { roomId, sender: alice, idServer: rightOf(library.parseServerName("id.example")) };
const records: fc.Arbitrary<InviteRecord> = fc
  .record({ life: lives, createdAt: hostileNumbers, sender: someUsers, details })
  .map((stored) => ({
    ...recordOf,
    ...stored,
    key: library.inviteKey(nodeCrypto, new Uint8Array(32), {
      ...recordOf,
      threepid: email("zq81k@w7x9.example"),
    }),
    addressHash: library.addressHash(nodeCrypto, new Uint8Array(32), email("zq81k@w7x9.example")),
  }));
const someRecords = fc.array(records, { maxLength: 2 });
const tokens = fc.array(hostileTexts(token), { maxLength: 3 });
const tidyings: fc.Arbitrary<Tidying> = fc.oneof(
  fc.constant<Tidying>({ _tag: "Leftover" }),
  hostileNumbers.map((before): Tidying => ({ _tag: "Expired", before })),
);

/** As the library would have it, with hostile members beside those that were looked at. */
const proofOf = (value: unknown): Signed => {
  const parsed = library.parseSigned(value);
  return parsed._tag === "Right" ? parsed.right : parsedSigned;
};

/** Every export for what other people send, tried with values from these sources. */
export const table = ({ unknowns, jsonObjects, events }: Sources): readonly Row[] => {
  const pdus = fc.tuple(
    engines,
    fc.oneof(jsonObjects(pdu), jsonObjects(signedPdu), jsonObjects(create)),
    versions,
  );
  const signedObjects = jsonObjects({ ...signed, unsigned: { age: 1 } });
  const proofs = fc.oneof(fc.constant(signed), unknowns(signed));
  const onBindEntry = { mxid: bob, room_id: roomId, sender: alice, token, signed };
  const byThreepid = { id_server: "x.y", id_access_token: "abc", medium: "email", address: "a@b.example" };

  return [
    // refusal
    row(
      "matrixError",
      unknowns(byThreepid),
      (value) => {
        const parsed = library.parseInviteRequest(value);
        return parsed._tag === "Left" ? library.matrixError(parsed.left) : undefined;
      },
      optional(({ status, body }) => {
        isStatus(status);
        assert.deepEqual(Object.keys(body), ["errcode", "error"]);
      }),
    ),

    // matrix
    row(
      "parseRoomId",
      fc.oneof(unknowns(roomId), hostileTexts(roomId, "!")),
      library.parseRoomId,
      either(malformed, isNoBadText),
    ),
    row(
      "parseServerName",
      fc.oneof(unknowns(idServer), serverTexts),
      library.parseServerName,
      either(malformed, isNoBadText),
    ),
    row(
      "parseUserId",
      fc.oneof(unknowns(alice), userTexts),
      library.parseUserId,
      either(malformed, isNoBadText),
    ),
    row("domainOf", userTexts, library.domainOf, isText),
    row(
      "serverOf",
      userTexts.map((text) => library.parseUserId(text)),
      (parsed) => library.serverOf(parsed._tag === "Right" ? parsed.right : alice),
      (server) => {
        assert.equal(library.parseServerName(server)._tag, "Right");
      },
    ),
    row("isJsonObject", unknowns(signed), library.isJsonObject, isBoolean),
    row(
      "member",
      fc.tuple(unknowns(signed), hostileTexts("mxid", "constructor")),
      ([value, key]) => library.member(value, key),
      isAnything,
    ),
    row(
      "stringMember",
      fc.tuple(unknowns(signed), hostileTexts("mxid", "constructor")),
      ([value, key]) => library.stringMember(value, key),
      optional(isText),
    ),
    row(
      "decodeBase64",
      fc.tuple(
        hostileTexts("Zm9v", "A==", "_-", "+/"),
        fc.constantFrom("either", "standard", "urlsafe", undefined),
      ),
      ([text, alphabet]) => library.decodeBase64(text, alphabet),
      (bytes, [text]) => {
        assert.ok((bytes?.length ?? 0) <= text.length, "More bytes than digits.");
      },
    ),
    row(
      "encodeBase64",
      fc.tuple(hostileBytes(0, 1, 32, 5000), fc.constantFrom("standard", "urlsafe", undefined)),
      ([bytes, alphabet]) => library.encodeBase64(bytes, alphabet),
      (text, [bytes, alphabet]) => {
        assert.deepEqual(Buffer.from(library.decodeBase64(text, alphabet) ?? []), Buffer.from(bytes));
      },
    ),
    row(
      "canonicalJson",
      fc.tuple(unknowns(pdu), numberKinds),
      ([value, numbers]) => library.canonicalJson(value, numbers),
      either(notCanonical, (text) => {
        assert.ok(text.isWellFormed(), "Half a surrogate pair has come out.");
        JSON.parse(text);
      }),
    ),
    row(
      "parseStrict",
      fc.tuple(
        fc.oneof(
          hostileTexts('{"a":[1,1.0,{"b":null}],"a":"\\ud83d\\ude00"}', "1e10", "-0", '"', '{"a":1}'),
          json.map((value) => JSON.stringify(value)),
          fc.constantFrom("[".repeat(100_000), '{"a":'.repeat(100_000), "1".repeat(100_000)),
          hostileBytes(8),
          typed<string>(unknowns(pdu)),
        ),
        fc.constantFrom("plain", "integers", "any", undefined),
      ),
      ([text, spelling]) => library.parseStrict(text, spelling),
      either(({ _tag, reason, at }) => {
        assert.equal(_tag, "NotStrictJson");
        assert.match(reason, /^(not JSON|invalid UTF-8|number|duplicate key|lone surrogate|too deep)$/);
        isCount(at);
      }, isAnything),
    ),
    row("publicKeyBytes", hostileBytes(31, 32, 33), library.publicKeyBytes, optional(isBytes(32))),
    row("signatureBytes", hostileBytes(63, 64, 65), library.signatureBytes, optional(isBytes(64))),
    row(
      "verifySignature",
      fc.tuple(engines, hostileBytes(32), hostileBytes(0), hostileBytes(64)),
      ([crypto, keyBytes, message, bytes]) => {
        const key = library.publicKeyBytes(keyBytes);
        const signature = library.signatureBytes(bytes);
        if (key === undefined || signature === undefined) return false;
        return library.verifySignature(crypto, key, message, signature);
      },
      isBoolean,
    ),
    row(
      "signJson",
      fc.tuple(signedObjects, hostileTexts("one.example"), numberKinds),
      ([object, entity, numbers]) => library.signJson(object, entity, signingKey, numbers),
      either(notCanonical, isObject),
      0.3,
    ),
    row(
      "verifyJson",
      fc.tuple(engines, signedObjects, signers, numberKinds),
      ([crypto, object, by, numbers]) => library.verifyJson(crypto, object, by, numbers),
      either(notSigned, isNothing),
      0.3,
    ),
    row("roomVersion", hostileTexts(...library.roomVersionIds), library.roomVersion, (version, id) => {
      assert.equal(version?.id ?? id, id);
    }),
    row("inviteLevel", anyRooms, ({ state }) => library.inviteLevel(state), isLevel),
    row(
      "userLevel",
      fc.tuple(anyRooms, userTexts),
      ([{ state }, user]) => library.userLevel(state, user),
      isLevel,
    ),
    row(
      "mayInvite",
      fc.tuple(anyRooms, userTexts),
      ([{ state }, user]) => library.mayInvite(state, user),
      isBoolean,
    ),
    row(
      "membershipOf",
      fc.tuple(anyRooms, userTexts),
      ([{ state }, user]) => library.membershipOf(state, user),
      (membership) => {
        assert.match(membership, /^(join|invite|knock|leave|ban)$/);
      },
    ),
    row(
      "roomState",
      fc.tuple(hostileTexts(roomId), versions, fc.array(events(pdu), { maxLength: 4 }), hostileTexts("")),
      ([id, version, all, key]) => {
        const state = library.roomState(id, version, all);
        return ["m.room.member", "__proto__", key].flatMap((type) => [
          state.get(type, bob),
          state.get(type, key),
        ]);
      },
      (found) => {
        found.forEach(optional(isObject));
      },
      0.3,
    ),
    row("redact", pdus, ([, one, version]) => library.redact(one, version), isObject, 0.2),
    row(
      "requiredSigners",
      fc.tuple(pdus, fc.boolean()),
      ([[, one, version], matches]) => library.requiredSigners(one, version, matches),
      (servers) => {
        assert.equal(new Set(servers).size, servers.length);
        servers.forEach(isText);
      },
      0.2,
    ),
    row(
      "contentHash",
      pdus,
      ([crypto, one, version]) => library.contentHash(crypto, one, version),
      either(notCanonical, isBytes(32)),
      0.2,
    ),
    row(
      "referenceHash",
      pdus,
      ([crypto, one, version]) => library.referenceHash(crypto, one, version),
      either(notCanonical, isBytes(32)),
      0.2,
    ),
    row(
      "contentHashMatches",
      pdus,
      ([crypto, one, version]) => library.contentHashMatches(crypto, one, version),
      isBoolean,
      0.2,
    ),
    row(
      "eventId",
      pdus,
      ([crypto, one, version]) => library.eventId(crypto, one, version),
      either(noEventId, isText),
      0.2,
    ),
    row(
      "roomIdOfCreate",
      pdus,
      ([crypto, one, version]) => library.roomIdOfCreate(crypto, one, version),
      either(noEventId, isText),
      0.2,
    ),
    row(
      "eventReference",
      pdus,
      ([crypto, one, version]) => library.eventReference(crypto, one, version),
      either(noEventId, (reference) => {
        isText(reference.eventId);
        isBytes(32)(reference.referenceHash);
      }),
      0.2,
    ),
    row(
      "verifyPdu",
      fc.tuple(pdus, signers),
      ([[crypto, one, version], by]) => library.verifyPdu(crypto, one, version, by),
      either(notSigned, isNothing),
      0.3,
    ),
    row(
      "signPdu",
      fc.tuple(pdus, hostileTexts("one.example")),
      ([[, one, version], entity]) => library.signPdu(one, version, entity, signingKey),
      either(notCanonical, isObject),
      0.3,
    ),
    row(
      "hashAndSignPdu",
      fc.tuple(pdus, hostileTexts("one.example")),
      ([[crypto, one, version], entity]) =>
        library.hashAndSignPdu(crypto, one, version, { serverName: entity, key: signingKey }),
      either(noEventId, isSignedPdu),
      0.4,
    ),
    row(
      "completePdu",
      fc.tuple(
        pdus,
        fc.record({ depth: hostileNumbers, originServerTs: hostileNumbers, serverName: hostileTexts("a") }),
        fc.array(fc.record({ eventId: hostileTexts("$1"), referenceHash: hostileBytes(32) }), {
          maxLength: 2,
        }),
        fc.option(hostileTexts("$1:a"), { nil: undefined }),
      ),
      ([[crypto, template, version], facts, authEvents, id]) =>
        library.completePdu(crypto, template, {
          ...facts,
          ...(id === undefined ? {} : { eventId: id }),
          version,
          key: signingKey,
          authEvents,
          prevEvents: authEvents,
        }),
      either(tagged("BadFormat", "NoEventId", "NotCanonicalJson"), isSignedPdu),
      0.5,
    ),
    row(
      "mayHaveSigned",
      fc.tuple(serverKeys, versions, fc.record({ originServerTs: hostileNumbers, now: hostileNumbers })),
      ([key, version, times]) => library.mayHaveSigned(key, version, times),
      isBoolean,
    ),
    row(
      "checkPdu",
      fc.tuple(pdus, fc.option(serverKeys, { nil: undefined }), hostileNumbers),
      ([[crypto, one, version], key, now]) =>
        library.checkPdu(crypto, one, version, { keyOf: () => key, now }),
      either(tagged("NotSignedBy", "BadFormat", "NoEventId", "NotCanonicalJson"), isCheckedPdu),
      0.5,
    ),
    row(
      "mergeCoSigned",
      fc.tuple(
        pdus,
        unknowns({ event: coSignedPdu }),
        fc.option(serverKeys, { nil: undefined }),
        hostileTexts("two.example"),
      ),
      ([[crypto, , version], answer, key, server]) =>
        library.mergeCoSigned(crypto, signedPdu, answer, {
          version,
          server,
          keys: { keyOf: () => key, now: 0 },
        }),
      either(tagged("BadFormat", "NoEvent", "OtherEvent", "NotSignedBy"), isObject),
      0.5,
    ),
    row(
      "parseServerKeys",
      fc.tuple(engines, fc.oneof(unknowns(keyDocument), jsonObjects(keyDocument)), hostileNumbers),
      ([crypto, document, now]) =>
        library.parseServerKeys(crypto, document, { serverName: "one.example", now }),
      either(tagged("BadServerKeys"), ({ serverName, keys }) => {
        assert.equal(serverName, "one.example");
        for (const [keyId, { publicKey }] of keys)
          assert.deepEqual([keyId.startsWith("ed25519:"), publicKey.length], [true, 32]);
      }),
      0.4,
    ),
    row(
      "keysNeeded",
      pdus,
      ([crypto, one, version]) => library.keysNeeded(crypto, one, version),
      (named) => {
        for (const { server, keyId } of named)
          assert.deepEqual([typeof server, typeof keyId], ["string", "string"]);
      },
      0.2,
    ),
    row(
      "checkEventFormat",
      fc.tuple(fc.oneof(jsonObjects(pdu), jsonObjects(signedPdu), jsonObjects(create)), versions),
      ([one, version]) => library.checkEventFormat(one, version),
      either(({ _tag, field }) => {
        assert.equal(_tag, "BadFormat");
        assert.match(field, /^[a-z_]+$/);
      }, isNothing),
      0.2,
    ),
    row(
      "parseXMatrix",
      fc.oneof(unknowns(xMatrix), hostileTexts(xMatrix, "X-Matrix ")),
      library.parseXMatrix,
      either(tagged("NotXMatrix"), ({ origin, destination, keyId, signature }) => {
        for (const server of [origin, destination ?? origin])
          assert.equal(library.parseServerName(server)._tag, "Right");
        isText(keyId);
        isText(signature);
      }),
    ),
    row(
      "signRequest",
      fc.tuple(serverTexts, serverTexts, hostileTexts("/_matrix/federation/v1/version"), unknowns(pdu)),
      ([origin, destination, uri, content]) =>
        library.signRequest({ method: "PUT", uri, origin, destination, content }, signingKey),
      either(notCanonical, (header) => {
        assert.match(header, /^X-Matrix origin="[^]*",sig="[\w+/]{86}"$/);
      }),
      0.3,
    ),
    row(
      "verifyRequest",
      fc.tuple(
        engines,
        hostileTexts(xMatrix),
        hostileTexts("/_matrix/federation/v1/version"),
        unknowns(pdu),
        fc.oneof(fc.constant(signingKey.publicKey), hostileBytes(32)),
      ),
      ([crypto, header, uri, content, publicKey]) => {
        const parsed = library.parseXMatrix(header);
        return library.verifyRequest(
          crypto,
          parsed._tag === "Right" ? parsed.right : honestXMatrix,
          { method: "PUT", uri, destination: "two.example", content },
          publicKey,
        );
      },
      either(tagged("OtherDestination", "NoSignature", "BadSignature", "NotCanonicalJson"), isNothing),
      0.3,
    ),

    // threepid
    row("foldCase", hostileTexts("Straße", "İ", "ᾳ"), library.foldCase, (folded) => {
      assert.ok(library.foldCase(folded) === folded, "Folding once more changes nothing.");
    }),
    row(
      "parseThreepid",
      fc.tuple(
        fc.oneof(fc.constantFrom("email", "msisdn"), unknowns("email")),
        fc.oneof(hostileTexts("a@b.example", "+18005552067", "mailto:a@b"), unknowns("a@b.example")),
      ),
      ([medium, address]) => library.parseThreepid(medium, address),
      either(tagged("UnknownMedium", "BadAddress"), ({ medium, address }) => {
        isNoBadText(address);
        // What is canonical already stays as it is.
        assert.deepEqual(library.parseThreepid(medium, address), {
          _tag: "Right",
          right: { medium, address },
        });
      }),
    ),
    row(
      "lookupHash",
      fc.tuple(engines, threepids, hostileTexts("pepper")),
      ([crypto, threepid, pepper]) => library.lookupHash(crypto, threepid, pepper),
      (text) => {
        assert.match(text, /^[\w-]{43}$/);
      },
    ),

    // invite
    row("parseInviteRequest", unknowns(byThreepid), library.parseInviteRequest, refusalOr(isInviteRequest)),
    row(
      "parseInviteRequest",
      unknowns({ user_id: bob, reason: "x" }),
      library.parseInviteRequest,
      refusalOr(isInviteRequest),
    ),
    row(
      "parseThreepidInvite",
      unknowns(byThreepid),
      library.parseThreepidInvite,
      refusalOr(tagged("ByThreepid")),
    ),
    row(
      "parseAddressee",
      unknowns(byThreepid),
      library.parseAddressee,
      refusalOr(({ idServer: server, threepid: { medium, address } }) => {
        assert.equal(library.parseServerName(server)._tag, "Right");
        assert.equal(library.parseThreepid(medium, address)._tag, "Right");
      }),
    ),
    row("parseSigned", unknowns(signed), library.parseSigned, refusalOr(isParsedSigned)),
    row(
      "parseStoredInvite",
      fc.tuple(unknowns(storeInviteAnswer), threepids, pinnedKeys),
      ([answer, threepid, pinned]) => library.parseStoredInvite(answer, threepid, pinned),
      (made, [, , pinned]) => {
        refusalOr<StoredInvite>((parsed) => {
          assert.match(parsed.token, /^[0-9A-Za-z.=_-]{1,255}$/);
          assert.notEqual(parsed.publicKeys.length, 0);
          isNoBadText(parsed.displayName);
          const bytes = (key: string): string | undefined => library.decodeBase64(key)?.join();
          const known = pinned?.map(bytes);
          assert.ok(
            known === undefined || parsed.publicKeys.some((key) => known.includes(bytes(key.publicKey))),
          );
        })(made);
      },
      0.3,
    ),
    decisionRow("admitInviter", library.admitInviter, requesters, ({ _tag, mail }) => {
      assert.equal(_tag, "Admitted");
      Object.values<string>({ ...mail }).forEach(isText);
    }),
    row(
      "selectAuthEvents",
      fc.tuple(events(pdu), versions),
      ([one, version]) => library.selectAuthEvents(one, version),
      isPlaces,
      0.2,
    ),
    row(
      "checkAuthEvents",
      fc.tuple(
        events(pdu),
        fc.array(fc.record({ event: fc.oneof(events(pdu), events(create)), rejected: fc.boolean() }), {
          maxLength: 3,
        }),
        versions,
      ),
      ([one, named, version]) => library.checkAuthEvents(one, named, version),
      refusalOr(isNothing),
      0.4,
    ),
    row(
      "authorize",
      fc.tuple(
        eventsOfRooms,
        engines,
        fc.record(
          { maxPairs: hostileNumbers, verifiedSigners: fc.constant(new Set(["one.example"])) },
          { requiredKeys: [] },
        ),
      ),
      ([[{ state }, one], crypto, options]) => library.authorize(one, state, crypto, options),
      isVerdict,
      0.5,
    ),
    row(
      "authorize",
      fc.tuple(anyRooms, engines),
      ([{ state, redeemed, thirdPartyInvite, invited }, crypto]) =>
        [redeemed(), thirdPartyInvite(alice), invited(alice)].map((one) =>
          library.authorize(one, state, crypto),
        ),
      (verdicts) => {
        verdicts.forEach(isVerdict);
      },
      1,
    ),
    row(
      "authorize",
      fc.tuple(rooms, events(room().redeemed())),
      ([{ state }, one]) => library.authorize(one, state, nodeCrypto),
      isVerdict,
      0.5,
    ),
    row(
      "explain",
      fc.tuple(
        fc.oneof(
          eventsOfRooms,
          fc.tuple(rooms, events(room().redeemed())),
          hostileRooms.map((made) => [made, made.redeemed()] as const),
        ),
        engines,
        fc.record({ maxPairs: hostileNumbers }, { requiredKeys: [] }),
      ),
      ([[{ state }, one], crypto, options]) => library.explain(one, state, crypto, options),
      (explanation) => {
        isVerdict(explanation.verdict);
        assert.notEqual(explanation.steps.length, 0);
        assert.deepEqual(JSON.parse(JSON.stringify(explanation)), explanation);
      },
      0.8,
    ),
    row(
      "applyDecision",
      fc.tuple(
        anyRooms,
        fc.array(jsonObjects(pdu.content).filter(library.isJsonObject), { maxLength: 2 }),
        requesters,
      ),
      ([{ state }, contents, { userId: sender }]) => {
        const appending: Decision<readonly JsonObject[], DecisionOutcome> = {
          reads: () => [],
          decide: ({ roomId: id }, all) => ({
            _tag: "Right",
            right: {
              _tag: "Appended",
              events: all.map((content) => ({
                type: "m.room.member",
                room_id: id,
                sender,
                state_key: sender,
                content,
              })),
            },
          }),
        };
        return library.applyDecision(appending, state, contents, {
          crypto: nodeCrypto,
          serverName: "one.example",
        });
      },
      (decided, [{ version }, contents]) => {
        const numbers = version.strictCanonicalJson ? "integers" : "any";
        const codes = contents.flatMap((content) => {
          const text = library.canonicalJson(content, numbers);
          if (text._tag === "Left") return ["FieldMalformed"];
          return Buffer.byteLength(text.right) <= 60_000 ? [] : ["EventTooLarge"];
        });
        refusalOr<DecisionOutcome>(({ events: appended }) => {
          appended.forEach(isTemplate);
        })(decided);
        assert.equal(decided._tag === "Left" ? decided.left.code : undefined, codes[0]);
      },
      0.4,
    ),
    decisionRow(
      "inviteUser",
      library.inviteUser,
      fc
        .tuple(requesters, someUsers, details, hostileTexts("Bob"))
        .map(([requester, user, more, displayname]) => ({
          requester,
          userId: user,
          profile: { displayname, avatarUrl: displayname },
          details: more,
        })),
      (outcome) => {
        tagged("Invite", "AlreadyInvited")(outcome);
        assert.equal(outcome.events.length, outcome._tag === "Invite" ? 1 : 0);
      },
      0.3,
    ),
    decisionRow(
      "inviteThreepid",
      library.inviteThreepid,
      fc.record({
        requester: requesters,
        storedInvite: fc.constant(storedInvite),
        supersedes: fc.array(fc.constant(storedInvite.token), { maxLength: 2 }),
      }),
      (outcome) => {
        tagged("ThirdPartyInvite", "AlreadyPending")(outcome);
        assert.equal(outcome.events.length > 0, outcome._tag === "ThirdPartyInvite");
      },
      0.3,
    ),
    row(
      "checkExchange",
      fc.tuple(unknowns(pdu), honestRoomIds, serverTexts),
      ([body, id, origin]) => library.checkExchange(body, { roomId: id, origin }),
      refusalOr((request) => {
        isParsedSigned(request.signed);
      }),
      0.2,
    ),
    row(
      "checkExchange",
      unknowns(pdu),
      (body) => library.checkExchange(body, { roomId, origin: "two.example" }),
      refusalOr((request) => {
        isParsedSigned(request.signed);
      }),
      0.2,
    ),
    decisionRow(
      "exchange",
      library.exchange,
      fc
        .tuple(proofs, someRecords)
        .map(([proof, stored]) => ({ roomId, sender: alice, signed: proofOf(proof), records: stored })),
      isRedeemed,
      0.6,
    ),
    row(
      "exchangeBody",
      proofs,
      (proof) => library.exchangeBody({ roomId, sender: alice, signed: proofOf(proof) }),
      (body, proof) => {
        // It passes the check of the server that it is sent to.
        const ofIt = proofOf(proof);
        const request = library.checkExchange(body, { roomId, origin: library.serverOf(ofIt.mxid) });
        assert.deepEqual(request, { _tag: "Right", right: { roomId, sender: alice, signed: ofIt } });
      },
      0.3,
    ),
    decisionRow(
      "firstJoinToken",
      library.firstJoinToken,
      fc.record({ userId: someUsers }),
      tagged("NothingToCheck", "CheckToken"),
    ),
    decisionRow(
      "firstJoin",
      library.firstJoin,
      fc.record({ userId: someUsers, token: fc.oneof(fc.constant(token), hostileTexts(token)) }),
      (outcome) => {
        tagged("NothingToCheck", "CheckKeys")(outcome);
        if (outcome._tag === "CheckKeys") isMatchedKeys(outcome.keys);
      },
    ),
    row(
      "parseThirdPartySigned",
      unknowns({ ...signed, sender: alice }),
      (value) => library.parseThirdPartySigned(value, { roomId, userId: bob }),
      refusalOr((delivery) => {
        isParsedSigned(delivery.signed);
        assert.equal(delivery.signed.mxid, bob);
        assert.equal(library.parseUserId(delivery.sender)._tag, "Right");
      }),
      0.2,
    ),
    decisionRow(
      "checkThirdPartySigned",
      library.checkThirdPartySigned,
      fc.tuple(proofs, someUsers).map(([proof, sender]) => ({ roomId, sender, signed: proofOf(proof) })),
      tagged("AlreadyJoined", "AlreadyInvited", "ToRedeem"),
    ),
    row(
      "checkInboundInvite",
      rooms.chain((made) =>
        fc.tuple(
          fc.oneof(
            unknowns({
              room_version: made.version.id,
              event: made.redeemed(),
              invite_room_state: [made.state.get("m.room.create", "")],
            }),
            unknowns({
              ...made.redeemed(),
              unsigned: { invite_room_state: [made.state.get("m.room.create", "")] },
            }),
          ),
          fc.constant({ roomId: made.roomId, origin: "one.example", serverName: "two.example" }),
          engines,
        ),
      ),
      ([body, request, crypto]) => library.checkInboundInvite(body, request, crypto),
      refusalOr((invited) => {
        assert.deepEqual(Object.keys(invited).sort(), ["roomId", "sender", "target", "token"]);
      }),
      1,
    ),
    row(
      "checkInviteRoomState",
      rooms.chain((made) =>
        fc.tuple(
          unknowns([made.state.get("m.room.create", ""), made.state.get("m.room.member", alice)]),
          fc.record({
            roomId: fc.constant(made.roomId),
            version: fc.constant(made.version),
            strict: fc.boolean(),
            keys: fc.option(
              serverKeys.map((key) => ({ keyOf: () => key, now: 0 })),
              { nil: undefined },
            ),
          }),
          engines,
        ),
      ),
      ([value, invited, crypto]) => library.checkInviteRoomState(crypto, value, invited),
      refusalOr((shown) => {
        for (const event of shown)
          assert.deepEqual(Object.keys(event).sort(), ["content", "sender", "state_key", "type"]);
      }),
      0.6,
    ),
    row(
      "inviteRoomState",
      fc.tuple(anyRooms, hostileTexts(alice)),
      ([{ state }, inviter]) => library.inviteRoomState(state, inviter),
      (events) => {
        events.forEach(isObject);
      },
    ),
    row("inviteStateEntries", hostileTexts(alice), library.inviteStateEntries, (places) => {
      for (const { type, stateKey } of places) assert.equal(typeof type + typeof stateKey, "stringstring");
    }),
    row(
      "validityRequestUrl",
      fc.tuple(hostileTexts("https://id.example/isvalid?a#b"), hostileTexts(written(longTermKey))),
      ([url, key]) => library.validityRequestUrl(url, key),
      (asked) => {
        assert.match(asked, /[?&]public_key=[^&]*$/);
      },
    ),
    row(
      "advance",
      fc.tuple(lives, transitions),
      ([life, transition]) => library.advance(life, transition),
      optional(tagged(...lifeTags)),
    ),
    row("tokensOf", lives, library.tokensOf, (tokens) => {
      tokens.forEach(isText);
    }),
    row(
      "inviteKey",
      fc.tuple(engines, hostileBytes(32, 64, 65), honestRoomIds, someUsers, threepids),
      ([crypto, addressKey, id, sender, threepid]) =>
        library.inviteKey(crypto, addressKey, {
          roomId: id,
          sender,
          idServer: rightOf(library.parseServerName(idServer)),
          threepid,
        }),
      (key) => {
        assert.match(key, /^[\w-]{43}$/);
      },
    ),
    row(
      "addressHash",
      fc.tuple(engines, hostileBytes(32, 64, 65), threepids),
      ([crypto, addressKey, threepid]) => library.addressHash(crypto, addressKey, threepid),
      (key) => {
        assert.match(key, /^[\w-]{43}$/);
      },
    ),
    row(
      "redemptionId",
      fc.tuple(engines, honestRoomIds, someUsers, unknowns({ ...signed })),
      ([crypto, id, sender, json]) =>
        library.redemptionId(crypto, {
          roomId: id,
          sender,
          signed: { mxid: bob, token: "t", json: library.isJsonObject(json) ? json : {} },
        }),
      (id) => {
        assert.match(id, /^(?:[\w-]{43}|unreadable)$/);
      },
    ),
    row(
      "isVouched",
      fc.tuple(
        engines,
        unknowns({ ...signed }),
        fc.array(fc.oneof(fc.string(), fc.constant(written(longTermKey))), { maxLength: 3 }),
      ),
      ([crypto, json, keys]) =>
        library.isVouched(
          crypto,
          library.isJsonObject(json) ? json : {},
          new Map([[rightOf(library.parseServerName(idServer)), keys]]),
        ),
      (is) => {
        assert.equal(typeof is, "boolean");
      },
      0,
    ),
    row(
      "exchangeVerdict",
      fc.tuple(hostileNumbers, fc.option(fc.string(), { nil: undefined })),
      ([status, errcode]) =>
        library.exchangeVerdict({ status, ...(errcode === undefined ? {} : { errcode }) }),
      (verdict) => {
        assert.match(verdict, /^(?:Refused|NotFound|Unclear|Failed|Down)$/);
      },
    ),
    row(
      "placesInLine",
      fc.tuple(
        fc.option(hostileNumbers, { nil: undefined }),
        fc.array(fc.record({ destination: fc.string(), rows: hostileNumbers }), { maxLength: 5 }),
        fc.array(fc.string(), { maxLength: 20 }),
      ),
      ([firstTurn, waiting, destinations]) => {
        const places = library.placesInLine({ firstTurn, waiting }, destinations);
        assert.equal(places.length, destinations.length);
        return places;
      },
      (places) => {
        for (const { turn } of places) assert.equal(typeof turn, "number");
      },
    ),
    row(
      "advanceRedemption",
      fc.tuple(hostileNumbers, hostileNumbers, fc.constantFrom("Retry", "Defer", "Refuse", "Kill", "Revive")),
      ([at, other, tag]) => {
        const details = { reason: "r", status: 500, errcode: "M_UNKNOWN" };
        const waiting = { _tag: "Waiting", signed, isVouched: false, turn: 0, depth: 0 } as const;
        const state = { ...waiting, dueAt: at, attempts: 0, refusedAt: other };
        switch (tag) {
          case "Retry":
            return library.advanceRedemption(state, { _tag: "Retry", dueAt: other, details });
          case "Defer":
            return library.advanceRedemption(state, { _tag: "Defer", dueAt: other });
          case "Refuse":
            return library.advanceRedemption(state, { _tag: "Refuse", at, confirmMs: 1_000, details });
          case "Kill":
            return library.advanceRedemption(state, { _tag: "Kill", at, details });
          case "Revive":
            return library.advanceRedemption(
              { ...details, _tag: "Dead", signed, isVouched: true, endedAt: at },
              { _tag: "Revive", at: other },
            );
        }
      },
      (next) => {
        assert.ok(next === undefined || next._tag === "Waiting" || next._tag === "Dead");
      },
    ),
    row(
      "checkOnBind",
      fc.tuple(unknowns({ mxid: bob, invites: [onBindEntry, onBindEntry] }), hostileNumbers),
      ([body, maxEntries]) => library.checkOnBind(body, { serverName: "two.example", maxEntries }),
      refusalOr(({ accepted, refused }) => {
        for (const entry of accepted) isParsedSigned(entry.signed);
        for (const entry of refused) isRefusal(entry.refusal);
        // Each entry of JSON has one place; a hole in an array, which JSON lacks, has none.
        const places = [...accepted, ...refused].map(({ index }) => index);
        assert.equal(new Set(places).size, places.length);
      }),
      0.4,
    ),
    row("isRevoked", jsonObjects(inviteContent), library.isRevoked, isBoolean, 0.2),
    row(
      "proveInvite",
      fc.tuple(engines, versions, jsonObjects(signed), jsonObjects(inviteContent), budgets),
      ([crypto, version, value, content, maxPairs]) =>
        library.proveInvite({ crypto, version, maxPairs }, value, content),
      (proof) => {
        tagged("Proven", "NotProven", "SignedTooLarge", "TooMuchWork")(proof);
        if (proof._tag !== "Proven") return;
        isMatchedKeys(proof.keys);
        isObject(proof.signatures);
      },
      0.5,
    ),
    decisionRow(
      "redeem",
      library.redeem,
      fc.tuple(proofs, someRecords).map(([proof, stored]) => ({ signed: proofOf(proof), records: stored })),
      isRedeemed,
      0.6,
    ),
    decisionRow(
      "revoke",
      library.revoke,
      fc.record({ requester: requesters, token: fc.oneof(fc.constant(token), hostileTexts(token)) }),
      isRevocation,
    ),
    decisionRow("revokeOwn", library.revokeOwn, fc.record({ requester: requesters, tokens }), isRevocation),
    decisionRow(
      "revokeRecord",
      library.revokeRecord,
      fc.record({ requester: requesters, record: records }),
      (outcome) => {
        if (outcome._tag === "AlreadyRedeemed") isText(outcome.by);
        else isRevocation(outcome);
      },
    ),
    row(
      "roomInvites",
      fc.tuple(anyRooms, tokens, someRecords),
      ([{ state }, named, stored]) => library.roomInvites(state, named, stored),
      (invites, [, named]) => {
        for (const { token: ofToken, sender, record } of invites) {
          assert.ok(named.includes(ofToken));
          assert.ok(record === undefined || record.sender === sender, "A record of somebody else's.");
        }
      },
    ),
    decisionRow(
      "emptyUntidy",
      library.emptyUntidy,
      fc.record({
        requester: requesters,
        invites: fc.array(
          fc.record<RoomInvite>({
            token: fc.oneof(fc.constant(token), hostileTexts(token)),
            event: events(pdu),
            sender: someUsers,
            record: fc.option(records, { nil: undefined }),
          }),
          { maxLength: 2 },
        ),
        tidying: tidyings,
      }),
      isRevocation,
    ),
  ];
};
