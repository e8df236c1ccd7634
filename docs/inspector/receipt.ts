import {
  type RoomVersion,
  type ServerKey,
  checkEventFormat,
  type KnownKeys,
  mayHaveSigned,
  requiredSigners,
} from "matrix-third-party-invites/judge";
import {
  contentHashMatches,
  decodeBase64,
  eventId,
  isJsonObject,
  member,
  stringMember,
  verifyPdu,
} from "matrix-third-party-invites/matrix";
import type { CryptoEngine, JsonObject } from "matrix-third-party-invites/ports";

/** One line of the checks that a server makes of an event before any rule. */
export interface Finding {
  readonly name: string;
  readonly outcome: "good" | "bad" | "unknown";
  readonly text: string;
}

/** Verifying takes a browser milliseconds each, and whoever made a link is a stranger. */
const maxKeys = 32;
const maxOthers = 20;

const entriesOf = (value: unknown): readonly (readonly [string, unknown])[] =>
  isJsonObject(value) ? Object.entries(value) : [];

/** Key documents, also in a list or as `server_keys` of an answer. */
export const keyDocuments = (value: unknown): readonly JsonObject[] => {
  const listed = Array.isArray(value) ? (value as readonly unknown[]) : member(value, "server_keys");
  const all = Array.isArray(listed) ? (listed as readonly unknown[]) : [value];
  return all
    .filter(isJsonObject)
    .filter((one) => stringMember(one, "server_name") !== undefined && isJsonObject(one["verify_keys"]));
};

interface NamedKey extends ServerKey {
  readonly server: unknown;
  readonly keyId: string;
}

const keysOf = (document: JsonObject): readonly NamedKey[] =>
  (["verify_keys", "old_verify_keys"] as const).flatMap((list) =>
    entriesOf(document[list]).flatMap(([keyId, key]) => {
      const publicKey = decodeBase64(stringMember(key, "key") ?? "");
      if (publicKey === undefined) return [];
      const until = list === "verify_keys" ? document["valid_until_ts"] : member(key, "expired_ts");
      const time = list === "verify_keys" ? "validUntilTs" : "expiredTs";
      const known = { server: document["server_name"], keyId, publicKey };
      return [typeof until === "number" ? { ...known, [time]: until } : known];
    }),
  );

/** The keys in these documents, up to a limit. A time that is no number is left out. */
export const keysIn = (documents: readonly JsonObject[], now: number): KnownKeys => {
  const keys = documents.flatMap(keysOf).slice(0, maxKeys);
  return { now, keyOf: (server, keyId) => keys.find((key) => key.server === server && key.keyId === keyId) };
};

/** What the signatures of one server come to. */
const signatureOf = (
  crypto: CryptoEngine,
  pdu: JsonObject,
  version: RoomVersion,
  { server, keys }: { readonly server: string; readonly keys: KnownKeys },
): Omit<Finding, "name"> => {
  const time = pdu["origin_server_ts"];
  const originServerTs = typeof time === "number" ? time : Infinity;
  const signatures = entriesOf(member(pdu["signatures"], server));
  if (signatures.length === 0)
    return { outcome: "bad", text: "This server must sign the event and did not." };
  const known = signatures.flatMap(([keyId]) => {
    const key = keys.keyOf(server, keyId);
    return key === undefined ? [] : [{ keyId, ...key }];
  });
  if (known.length === 0)
    return { outcome: "unknown", text: "Not checked: the key of this server is not given (see More)." };
  const usable = known.filter((key) => mayHaveSigned(key, version, { originServerTs, now: keys.now }));
  if (usable.length === 0) return { outcome: "bad", text: "The key was not valid when the event was made." };
  const isValid = usable.every(
    ({ keyId, publicKey }) =>
      verifyPdu(crypto, pdu, version, { entity: server, keyId, publicKey })._tag === "Right",
  );
  return isValid
    ? { outcome: "good", text: "The signature is valid." }
    : { outcome: "bad", text: "The signature is not valid: another key made it, or the event was changed." };
};

/** What a server that receives the event finds before it asks any rule: format, ID, content hash, signatures. */
export const checkReceipt = (
  crypto: CryptoEngine,
  pdu: JsonObject,
  version: RoomVersion,
  keys: KnownKeys,
): readonly Finding[] => {
  const format = checkEventFormat(pdu, version);
  const hash = stringMember(pdu["hashes"], "sha256");
  const hashMatches = contentHashMatches(crypto, pdu, version);
  const required = requiredSigners(pdu, version, hashMatches);
  const others = entriesOf(pdu["signatures"])
    .flatMap(([name]) => (required.includes(name) ? [] : [name]))
    .slice(0, maxOthers);
  const id = eventId(crypto, pdu, version);
  const signatures = [...required, ...others].map((server): Finding => ({
    name: `Signature of ${server}`,
    ...signatureOf(crypto, pdu, version, { server, keys }),
  }));
  return [
    format._tag === "Right"
      ? { name: "Format", outcome: "good", text: "All fields are there and have the right form." }
      : {
          name: "Format",
          outcome: "bad",
          text:
            format.left.field === "event"
              ? "The event is too large, or has a number that it may not have."
              : `The field ${format.left.field} is missing or has the wrong form.`,
        },
    ...(id._tag === "Right" ? [{ name: "Event ID", outcome: "good", text: id.right } as const] : []),
    hash === undefined
      ? {
          name: "Content hash",
          outcome: "unknown",
          text: "The event has none. Clients get events without it.",
        }
      : hashMatches
        ? { name: "Content hash", outcome: "good", text: "It fits: the event is as its sender made it." }
        : {
            name: "Content hash",
            outcome: "bad",
            text: "It does not fit: the event was changed. Servers keep only its redacted form.",
          },
    ...signatures,
  ];
};
