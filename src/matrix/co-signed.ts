import { type Either, isLeft, isRight, left, right } from "fp-ts/lib/Either.js";
import { canonicalJson } from "./canonical-json.js";
import { type KnownKeys, verifiedSigners } from "./check-pdu.js";
import type { CryptoEngine } from "./crypto-engine.js";
import { type BadFormat, checkEventFormat } from "./event-format.js";
import { type JsonObject, entriesOf, isJsonObject, member, withoutMembers } from "./json.js";
import { onTheWire } from "./pdu.js";
import { type RoomVersion, numbersOf } from "./room-version.js";
import { isEd25519 } from "./signed-json.js";

/** Why an answer does not give an event that was sent the signature of the server that answered. */
export type NotCoSigned =
  | BadFormat
  | { readonly _tag: "NoEvent" }
  /** It differs from the one that was sent in more than `signatures` and `unsigned`. */
  | { readonly _tag: "OtherEvent" }
  | { readonly _tag: "NotSignedBy"; readonly server: string };

/** What is the same in an event before and after somebody signs it. */
const unchanged = (pdu: JsonObject, version: RoomVersion): string | undefined => {
  const text = canonicalJson(
    withoutMembers(onTheWire(pdu, version), ["signatures", "unsigned"]),
    numbersOf(version),
  );
  return isRight(text) ? text.right : undefined;
};

/**
 * The event that was sent to another server for its signature, with that signature out of the server's answer. Nothing
 * else of the answer is taken. Takes the bodies of `/v2/invite` and `/v1/invite`, unchecked, and never throws.
 *
 * The invited server adds its signature and changes nothing else: https://spec.matrix.org/v1.19/server-server-api/#put_matrixfederationv2inviteroomideventid
 *
 * @example
 * mergeCoSigned(nodeCrypto, pdu, body, { version, server: "far.example", keys: { keyOf, now } }); // right({ …, signatures: { … } })
 */
export const mergeCoSigned = (
  crypto: CryptoEngine,
  sent: JsonObject,
  answer: unknown,
  by: { readonly version: RoomVersion; readonly server: string; readonly keys: KnownKeys },
): Either<NotCoSigned, JsonObject> => {
  const { version, server, keys } = by;
  // Version 1 of the endpoint answers with a list: 200, and what version 2 answers.
  const event = member(Array.isArray(answer) ? answer[1] : answer, "event");
  if (!isJsonObject(event)) return left({ _tag: "NoEvent" });
  const ours = unchanged(sent, version);
  if (ours === undefined || unchanged(event, version) !== ours) return left({ _tag: "OtherEvent" });

  const block = member(member(event, "signatures"), server);
  const added = Object.fromEntries(
    entriesOf(block).filter(([keyId]) => isEd25519(keyId) && keys.keyOf(server, keyId) !== undefined),
  );
  const signatures = member(sent, "signatures");
  const own = member(signatures, server);
  const merged: JsonObject = {
    ...sent,
    signatures: {
      ...(isJsonObject(signatures) ? signatures : {}),
      [server]: { ...(isJsonObject(own) ? own : {}), ...added },
    },
  };
  const isAdded = entriesOf(added).length > 0;
  if (!isAdded || !verifiedSigners(crypto, merged, version, keys).has(server))
    return left({ _tag: "NotSignedBy", server });
  const format = checkEventFormat(merged, version);
  return isLeft(format) ? format : right(merged);
};
