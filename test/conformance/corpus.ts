import { authorize } from "matrix-third-party-invites/judge";
import {
  contentHash,
  eventId,
  foldCase,
  lookupHash,
  redact,
  referenceHash,
  roomIdOfCreate,
  signJson,
  verifyJson,
} from "matrix-third-party-invites/matrix";
import type { CanonicalAddress } from "matrix-third-party-invites/ports";
import {
  base64OrNull,
  bytes,
  canonicalText,
  isOurs,
  orNull,
  selectedPlaces,
  sortedPlaces,
  stateOf,
  versionOf,
} from "./ask.js";
import type { Vectors } from "../matrix/vectors.js";
import { type Answer, type CaseReader, has } from "./case.js";

/** Whether a key or a signature is odd in a way that an engine of its own mind might see otherwise. */
export const isEdge = (made: { readonly class: string; readonly crypto?: unknown }): boolean =>
  made.crypto !== undefined ||
  /^(?:o\.|f\.(?:sig|key)|sig\.|wrong\.bits|keys\.(?:notAPoint|length))/.test(made.class);

/** Random events judged against a state, by an existing server and by a reading of the specification. */
const auth: CaseReader = (row) => {
  if (!has(row, "id", "class", "roomVersion", "state", "event", "specAllowed")) return undefined;
  const made = row as unknown as Vectors["auth"];
  const { event } = made;
  const version = versionOf(made.roomVersion);
  const allowed = made.class === "weak" ? (made.crypto?.libsodium ?? made.specAllowed) : made.specAllowed;
  return {
    name: made.id,
    isDecided: allowed !== null,
    isEdge: isEdge(made),
    ask: ({ crypto }) => {
      const state = stateOf(crypto, version, made.state, event["room_id"]);
      const verdict = authorize(event, state, crypto, { maxPairs: Infinity });
      const expected = isOurs(event) ? (allowed === true ? "Allow" : "Reject") : "NotOurs";
      return [{ question: "authorize", expected, said: verdict._tag }];
    },
  };
};

/** Random events and the places that their `auth_events` must name. */
const authEvents: CaseReader = (row) => {
  if (!has(row, "id", "roomVersion", "event", "specTypes")) return undefined;
  const made = row as unknown as Vectors["auth-events"];
  const version = versionOf(made.roomVersion);
  return {
    name: made.id,
    isDecided: made.specTypes !== null,
    ask: () => [
      {
        question: "selectAuthEvents",
        expected: sortedPlaces(made.specTypes ?? []),
        said: selectedPlaces(made.event, version),
      },
    ],
  };
};

/** Random JSON texts and their canonical form. */
const json: CaseReader = (row) => {
  if (!has(row, "id", "text", "specCanonical")) return undefined;
  const made = row as unknown as Vectors["json"];
  return {
    name: made.id,
    isDecided: made.specUndefined !== true,
    ask: () => [
      {
        question: "canonicalJson",
        expected: made.specCanonical,
        said: canonicalText(made.text, "integers"),
      },
    ],
  };
};

/** Random events, redacted and hashed. */
const event: CaseReader = (row) => {
  if (!has(row, "id", "roomVersion", "event", "redacted", "contentHash", "referenceHash")) return undefined;
  const made = row as unknown as Vectors["event"];
  const version = versionOf(made.roomVersion);
  return {
    name: made.id,
    isDecided: made.specUndefined !== true,
    ask: ({ crypto }) => [
      { question: "redact", expected: made.redacted, said: redact(made.event, version) },
      {
        question: "contentHash",
        expected: made.specContentHash ?? made.contentHash,
        said: base64OrNull(contentHash(crypto, made.event, version)),
      },
      {
        question: "referenceHash",
        expected: made.referenceHash,
        said: base64OrNull(referenceHash(crypto, made.event, version)),
      },
      { question: "eventId", expected: made.eventId, said: orNull(eventId(crypto, made.event, version)) },
      ...(made.roomId === undefined
        ? []
        : [
            {
              question: "roomIdOfCreate",
              expected: made.roomId,
              said: orNull(roomIdOfCreate(crypto, made.event, version)),
            },
          ]),
    ],
  };
};

/** Random JSON, signed. A class with a prefix was changed afterwards, so that it verifies still, no longer, or who knows. */
const signed: CaseReader = (row) => {
  if (!has(row, "id", "class", "value", "server", "keyId", "seed", "signedValue", "verifies"))
    return undefined;
  const made = row as unknown as Vectors["signed"];
  const isExact = !/^[a-z]\./.test(made.class);
  return {
    name: made.id,
    isDecided: made.specUndefined !== true || made.crypto !== undefined,
    isEdge: isEdge(made),
    ask: ({ crypto, signingKey }) => {
      const by = { entity: made.server, keyId: made.keyId, publicKey: bytes(made.publicKey) };
      const verified: Answer = {
        question: "verifyJson",
        expected: made.crypto?.libsodium ?? made.verifies,
        said: verifyJson(crypto, made.signedValue, by)._tag === "Right",
      };
      if (!isExact) return [verified];
      const key = signingKey(made.keyId, bytes(made.seed));
      const said = orNull(signJson(made.value, made.server, key));
      return [{ question: "signJson", expected: made.signedValue, said }, verified];
    },
  };
};

/** Addresses as they are looked up. */
const lookup: CaseReader = (row) => {
  if (!has(row, "id", "kind")) return undefined;
  const made = row as unknown as Vectors["lookup"];
  switch (made.kind) {
    case "hash": {
      // As it was given, canonical or not: only the hash is in question.
      const threepid = { medium: made.medium, address: made.address as CanonicalAddress };
      return {
        name: made.id,
        isDecided: true,
        ask: ({ crypto }) => [
          {
            question: "lookupHash",
            expected: made.sha256,
            said: lookupHash(crypto, threepid, made.pepper),
          },
        ],
      };
    }
    case "email":
      return {
        name: made.id,
        isDecided: made.specUndefined !== true,
        ask: () => [{ question: "foldCase", expected: made.canonical, said: foldCase(made.input) }],
      };
    default:
      return undefined;
  }
};

/** The kinds of rows that random cases come in, by the name of their file. */
export const corpus: Readonly<Record<string, CaseReader>> = { auth, authEvents, json, event, signed, lookup };
