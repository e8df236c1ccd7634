import {
  canonicalJson,
  decodeBase64,
  isJsonObject,
  member,
  publicKeyBytes,
  stringMember,
} from "matrix-third-party-invites/matrix";
import { crypto } from "./keys.js";

const keysIn = (content: unknown): readonly string[] => {
  const list = member(content, "public_keys");
  const keys = (Array.isArray(list) ? list : []).map((item: unknown) => stringMember(item, "public_key"));
  return [stringMember(content, "public_key"), ...keys].filter((key) => key !== undefined);
};

const signaturesIn = (signed: unknown): readonly Uint8Array[] => {
  const blocks = member(signed, "signatures");
  return Object.values(isJsonObject(blocks) ? blocks : {})
    .flatMap((block) => Object.values(isJsonObject(block) ? block : {}))
    .flatMap((text) => (typeof text === "string" ? (decodeBase64(text) ?? []) : []))
    .filter((bytes) => bytes instanceof Uint8Array && bytes.length === 64);
};

/**
 * The keys of a third-party invite, as they are written there, that signed an object: told with the engine alone, so
 * that what the library says of a proof is not judged by itself.
 */
export const keysThatProve = (signed: unknown, content: unknown): readonly string[] => {
  if (!isJsonObject(signed)) return [];
  const { signatures: _, unsigned: __, ...rest } = signed;
  const message = canonicalJson(rest);
  if (message._tag === "Left") return [];
  const bytes = new TextEncoder().encode(message.right);
  const signatures = signaturesIn(signed);
  return keysIn(content).filter((text) => {
    const raw = decodeBase64(text);
    const key = raw === undefined ? undefined : publicKeyBytes(raw);
    return key !== undefined && signatures.some((signature) => crypto.verify(key, bytes, signature));
  });
};
