import {
  type RoomVersion,
  authorize,
  mayHaveSigned,
  requiredSigners,
} from "matrix-third-party-invites/judge";
import {
  contentHash,
  contentHashMatches,
  decodeBase64,
  eventId,
  isJsonObject,
  member,
  redact,
  referenceHash,
  signJson,
  signPdu,
  verifyJson,
  verifyPdu,
} from "matrix-third-party-invites/matrix";
import type { JsonObject, CryptoEngine } from "matrix-third-party-invites/ports";
import {
  base64OrNull,
  bytes,
  canonicalText,
  isOurs,
  orNull,
  selectedPlaces,
  sortedPlaces,
  stateOf,
  verifies,
  versionOf,
} from "./ask.js";
import { type Answer, type CaseReader, type Engine, has } from "./case.js";

interface Crafted extends JsonObject {
  readonly name: string;
  /** How firmly the specification decides; where it says nothing of it, it does. */
  readonly clarity?: "clear" | "should" | "unclear";
}

interface OfVersion extends Crafted {
  readonly roomVersion: string;
  readonly event: JsonObject;
}

interface By {
  readonly entity: string;
  readonly keyId: string;
  readonly publicKey: string;
}

/** A reader of rows that have these members, for which a function puts the questions. */
const crafted =
  <Row extends Crafted>(
    members: readonly string[],
    ask: (row: Row, engine: Engine) => readonly Answer[],
    isDecided: (row: Row) => boolean = ({ clarity }) => clarity !== "unclear",
  ): CaseReader =>
  (row) =>
    has(row, "name", ...members)
      ? {
          name: (row as Row).name,
          isDecided: isDecided(row as Row),
          ask: (engine) => ask(row as Row, engine),
        }
      : undefined;

const yes: ReadonlySet<unknown> = new Set([true, "valid", "allow", "accept"]);

const isValid = (expected: unknown): boolean => yes.has(expected);

const decodeBy = ({ entity, keyId, publicKey }: By): Parameters<typeof verifyPdu>[3] => ({
  entity,
  keyId,
  publicKey: bytes(publicKey),
});

const verifyAnswer = (
  crypto: CryptoEngine,
  event: JsonObject,
  version: RoomVersion,
  by: By & { readonly expected?: unknown },
): Answer => ({
  question: `verifyPdu ${by.entity} ${by.keyId}`,
  expected: isValid(by.expected),
  said: verifyPdu(crypto, event, version, decodeBy(by))._tag === "Right",
});

/** An event and a state, and the verdict. */
const auth = crafted<
  OfVersion & { readonly state: readonly JsonObject[]; readonly expected: "allow" | "reject" }
>(["roomVersion", "state", "event", "expected"], (row, { crypto }) => {
  const { event } = row;
  const version = versionOf(row.roomVersion);
  const state = stateOf(crypto, version, row.state, event["room_id"]);
  const signatures = event["signatures"];
  // The signatures of these events are no part of the question: who signed is given.
  const verifiedSigners = new Set(Object.keys(signatures ?? {}));
  const verdict = authorize(event, state, crypto, { maxPairs: Infinity, verifiedSigners });
  const expected = isOurs(event) ? (row.expected === "allow" ? "Allow" : "Reject") : "NotOurs";
  return [{ question: "authorize", expected, said: verdict._tag }];
});

const authEventSelection = crafted<OfVersion & { readonly expected: readonly (readonly [string, string])[] }>(
  ["roomVersion", "event", "expected"],
  ({ roomVersion, event, expected }) => [
    {
      question: "selectAuthEvents",
      expected: sortedPlaces(expected),
      said: selectedPlaces(event, versionOf(roomVersion)),
    },
  ],
);

const canonical = crafted<
  Crafted & {
    readonly mode: "transform" | "strict" | "legacy" | "is-canonical";
    readonly input?: string;
    readonly inputHex?: string;
    readonly expected: string | boolean | null;
  }
>(["mode", "expected"], ({ mode, input, inputHex = "", expected }) => {
  const source = input ?? new Uint8Array(Buffer.from(inputHex, "hex"));
  const spelling = {
    transform: "integers",
    strict: "plain",
    legacy: "any",
    "is-canonical": "plain",
  } as const;
  const said = canonicalText(source, spelling[mode]);
  const isCanonical = said !== null && Buffer.from(said).equals(Buffer.from(source));
  return [{ question: "canonicalJson", expected, said: mode === "is-canonical" ? isCanonical : said }];
});

const eventHash = crafted<
  OfVersion & {
    readonly contentHash: string;
    readonly contentHashOk: boolean;
    readonly referenceHash: string;
    readonly eventId: string | null;
    readonly originalEventId?: string;
    readonly sameIdAsOriginal?: boolean;
    readonly signatures?: readonly (By & { readonly expected?: unknown })[];
  }
>(["roomVersion", "event", "contentHash", "referenceHash"], (row, { crypto }) => {
  const { event } = row;
  const version = versionOf(row.roomVersion);
  const id = orNull(eventId(crypto, event, version));
  return [
    {
      question: "contentHash",
      expected: row.contentHash,
      said: base64OrNull(contentHash(crypto, event, version)),
    },
    {
      question: "contentHashMatches",
      expected: row.contentHashOk,
      said: contentHashMatches(crypto, event, version),
    },
    {
      question: "referenceHash",
      expected: row.referenceHash,
      said: base64OrNull(referenceHash(crypto, event, version)),
    },
    // Versions 1 and 2 do not compute it.
    ...(row.eventId === null ? [] : [{ question: "eventId", expected: row.eventId, said: id }]),
    ...(row.sameIdAsOriginal === undefined
      ? []
      : [
          {
            question: "is the ID that of the original",
            expected: row.sameIdAsOriginal,
            said: id === row.originalEventId,
          },
        ]),
    ...(row.signatures ?? [])
      .filter(({ expected }) => expected !== undefined)
      .map((by) => verifyAnswer(crypto, event, version, by)),
  ];
});

const redaction = crafted<OfVersion & { readonly expected: JsonObject }>(
  ["roomVersion", "event", "expected"],
  ({ roomVersion, event, expected }) => [
    { question: "redact", expected, said: redact(event, versionOf(roomVersion)) },
  ],
);

const sign = crafted<
  Crafted & By & { readonly seed: string; readonly object: JsonObject; readonly expected: JsonObject }
>(["seed", "entity", "keyId", "object", "expected"], (row, { signingKey }) => {
  const key = signingKey(row.keyId, bytes(row.seed));
  return [
    { question: "signJson", expected: row.expected, said: orNull(signJson(row.object, row.entity, key)) },
  ];
});

const verify = crafted<Crafted & By & { readonly object: JsonObject; readonly expected: unknown }>(
  ["publicKey", "entity", "keyId", "object", "expected"],
  (row, { crypto }) => [
    {
      question: "verifyJson",
      expected: isValid(row.expected),
      said: verifyJson(crypto, row.object, decodeBy(row))._tag === "Right",
    },
  ],
);

const base64 = crafted<
  Crafted & {
    readonly input: string;
    readonly standardLenient: boolean;
    readonly keyDecoder: boolean;
    readonly bytesHex: string | null;
  }
>(["input", "standardLenient", "keyDecoder", "bytesHex"], (row) => {
  const hex = (alphabet: "standard" | "either"): string | null => {
    const decoded = decodeBase64(row.input, alphabet);
    return decoded === undefined ? null : Buffer.from(decoded).toString("hex");
  };
  return [
    {
      question: "decodeBase64 standard",
      expected: row.standardLenient ? row.bytesHex : null,
      said: hex("standard"),
    },
    { question: "decodeBase64 either", expected: row.keyDecoder ? row.bytesHex : null, said: hex("either") },
  ];
});

const ed25519 = crafted<
  Crafted & {
    readonly publicKeyHex: string;
    readonly messageHex: string;
    readonly signatureHex: string;
    readonly expected: unknown;
    readonly crypto?: { readonly libsodium: boolean };
  }
>(
  ["publicKeyHex", "messageHex", "signatureHex", "expected"],
  (row, { crypto }) => {
    const [key, message, signature] = [row.publicKeyHex, row.messageHex, row.signatureHex].map(
      (hex) => new Uint8Array(Buffer.from(hex, "hex")),
    ) as [Uint8Array, Uint8Array, Uint8Array];
    const expected = row.crypto?.libsodium ?? isValid(row.expected);
    return [{ question: "verifySignature", expected, said: verifies(crypto, key, message, signature) }];
  },
  ({ clarity, crypto }) => clarity !== "unclear" || crypto !== undefined,
);

const eventSign = crafted<
  OfVersion &
    By & { readonly seed: string; readonly expectedContentHash: string; readonly expectedSignature: string }
>(
  ["roomVersion", "seed", "entity", "keyId", "event", "expectedContentHash", "expectedSignature"],
  ({ roomVersion, event, entity, keyId, ...row }, { crypto, signingKey }) => {
    const version = versionOf(roomVersion);
    const sha256 = base64OrNull(contentHash(crypto, event, version));
    const hashed = { ...event, hashes: { sha256 } };
    const signed = orNull(signPdu(hashed, version, entity, signingKey(keyId, bytes(row.seed))));
    return [
      { question: "contentHash", expected: row.expectedContentHash, said: sha256 },
      {
        question: "signPdu",
        expected: row.expectedSignature,
        said: member(member(signed?.["signatures"], entity), keyId),
      },
    ];
  },
);

/** The signatures of one event, one or a list of them, and whether its content hash is right. */
const eventVerify: CaseReader = (row) => {
  const listed = Object.values(row).flatMap((value) => (Array.isArray(value) ? (value as unknown[]) : []));
  const asked = [row, ...listed].filter(
    (by): by is JsonObject & By => isJsonObject(by) && has(by, "entity", "keyId", "publicKey", "expected"),
  );
  const read = crafted<OfVersion & { readonly contentHashOk?: boolean }>(
    ["roomVersion", "event"],
    ({ roomVersion, event, contentHashOk }, { crypto }) => {
      const version = versionOf(roomVersion);
      return [
        ...asked.map((by) => verifyAnswer(crypto, event, version, by)),
        ...(contentHashOk === undefined
          ? []
          : [
              {
                question: "contentHashMatches",
                expected: contentHashOk,
                said: contentHashMatches(crypto, event, version),
              },
            ]),
      ];
    },
  );
  return asked.length > 0 || has(row, "contentHashOk") ? read(row) : undefined;
};

const signers = crafted<OfVersion & { readonly expected: readonly string[] }>(
  ["roomVersion", "event", "expected"],
  ({ roomVersion, event, expected }, { crypto }) => {
    const version = versionOf(roomVersion);
    return [
      {
        question: "requiredSigners",
        expected: [...expected].sort(),
        said: requiredSigners(event, version, contentHashMatches(crypto, event, version)),
      },
    ];
  },
);

const keyValidity = crafted<
  Crafted & {
    readonly roomVersion: string;
    readonly keyValidUntilTs: number;
    readonly originServerTs: number;
    readonly expected: unknown;
  }
>(["roomVersion", "keyValidUntilTs", "originServerTs", "expected"], (row) => [
  {
    question: "mayHaveSigned",
    expected: isValid(row.expected),
    // What is believed of a key's document in the future is no part of the question.
    said: mayHaveSigned({ validUntilTs: row.keyValidUntilTs }, versionOf(row.roomVersion), {
      originServerTs: row.originServerTs,
      now: row.originServerTs,
    }),
  },
]);

/** The lists that crafted cases come in, and how their rows are read; in `vectors` the shape of a row tells. */
export const lists: Readonly<Record<string, Readonly<Record<string, CaseReader>>>> = {
  vectors: { auth, canonicalJson: canonical, eventHash, redaction },
  authEventSelection: { authEventSelection },
  sign: { sign },
  verify: { verify },
  base64: { base64 },
  ed25519: { ed25519 },
  eventSign: { eventSign },
  eventVerify: { eventVerify },
  requiredSigners: { requiredSigners: signers },
  keyValidity: { keyValidity },
};
