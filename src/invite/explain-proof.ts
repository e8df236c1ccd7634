import { maxEventBytes } from "../matrix/event-format.js";
import { isLeft } from "fp-ts/lib/Either.js";
import { decodeBase64 } from "../matrix/base64.js";
import type { NotCanonicalJson } from "../matrix/canonical-json.js";
import { type JsonObject, hasMember, member } from "../matrix/json.js";
import { isEd25519 } from "../matrix/signed-json.js";
import { decodeUtf8 } from "../matrix/utf8.js";
import {
  type Key,
  type ProofContext,
  type Search,
  type Signature,
  defaultMaxPairs,
  search,
  untried,
} from "./proof.js";
import { type Shown, cut, shown } from "./shown.js";

/** What came of a key or a signature. Nothing is tried where nothing can be signed, or where there are too many pairs. */
export type ProofFinding<Unusable extends string> = "matches" | "matches nothing" | "not tried" | Unusable;

/** A key of the third-party invite, as it is written there. */
export interface ShownKey {
  /** At the top of the content, or in its list, counted from 0. */
  readonly place: "public_key" | number;
  readonly publicKey: Shown;
  readonly finding: ProofFinding<
    "no public_key" | "not a text" | "not base64" | "not 32 bytes" | "not canonical, or weak"
  >;
}

/** What stands under `signatures`, as it is written there. */
export interface ShownSignature {
  readonly server: string;
  readonly keyId: string;
  readonly signature: Shown;
  readonly finding: ProofFinding<
    "not ed25519" | "not a text" | "not base64" | "not 64 bytes" | "not canonical, or weak"
  >;
}

/** A key and a signature that go together, named as each is written first. */
export interface MatchingPair {
  readonly publicKey: string;
  readonly server: string;
  readonly keyId: string;
}

/** All that the search for a proof had before it. */
export interface ShownProof {
  /** The canonical JSON that the signatures must be of, cut where no event could hold it, and how many bytes it has. */
  readonly signed:
    | { readonly _tag: "Canonical"; readonly text: string; readonly bytes: number }
    | { readonly _tag: "NotCanonical"; readonly reason: NotCanonicalJson["reason"] };
  /** The first hundred, and how many more there are. */
  readonly keys: readonly ShownKey[];
  readonly moreKeys: number;
  readonly signatures: readonly ShownSignature[];
  readonly moreSignatures: number;
  /** Distinct usable keys times distinct usable signatures, and how many of them may be tried. */
  readonly pairs: number;
  readonly maxPairs: Shown;
  /** All that match, though one is enough. */
  readonly matching: readonly MatchingPair[];
}

/** More than stand in any honest event. */
const maxListed = 100;

const unusableKey = (holder: unknown): ShownKey["finding"] => {
  if (!hasMember(holder, "public_key")) return "no public_key";
  const publicKey = member(holder, "public_key");
  if (typeof publicKey !== "string") return "not a text";
  const bytes = decodeBase64(publicKey);
  if (bytes === undefined) return "not base64";
  return bytes.length === 32 ? "not canonical, or weak" : "not 32 bytes";
};

const unusableSignature = (keyId: string, text: unknown): ShownSignature["finding"] => {
  if (!isEd25519(keyId)) return "not ed25519";
  if (typeof text !== "string") return "not a text";
  const bytes = decodeBase64(text);
  if (bytes === undefined) return "not base64";
  return bytes.length === 64 ? "not canonical, or weak" : "not 64 bytes";
};

/** What is listed of things that may be many. */
class Listing<A> {
  readonly listed: A[] = [];
  more = 0;

  add(item: () => A): void {
    if (this.listed.length < maxListed) this.listed.push(item());
    else this.more += 1;
  }
}

type Pair = readonly [key: Key, signature: Signature];

const matchingPairs = ({ keys, signatures, matches }: Search): readonly Pair[] =>
  keys.flatMap((key) =>
    signatures.filter((signature) => matches(key, signature)).map((signature): Pair => [key, signature]),
  );

const signedText = ({ message }: Search): ShownProof["signed"] =>
  isLeft(message)
    ? { _tag: "NotCanonical", reason: message.left.reason }
    : {
        _tag: "Canonical",
        text: cut(decodeUtf8(message.right) ?? "", maxEventBytes),
        bytes: message.right.length,
      };

const namedPair = ([{ written }, { places }]: Pair): MatchingPair => ({
  publicKey: written[0]?.publicKey ?? "",
  server: cut(places[0]?.server ?? ""),
  keyId: cut(places[0]?.keyId ?? ""),
});

/**
 * The search for a proof with all that it finds, where `isProven` stops at the first match. The same pairs within the
 * same budget, so the answer is the same: proven if anything is in `matching`, {@link untried} by the same guard.
 */
export const explainProof = (context: ProofContext, signed: JsonObject, content: JsonObject): ShownProof => {
  const { maxPairs = defaultMaxPairs } = context;
  const keys = new Listing<{ place: ShownKey["place"]; holder: unknown; read: Key | undefined }>();
  const signatures = new Listing<
    Omit<ShownSignature, "finding"> & { text: unknown; read: Signature | undefined }
  >();
  let place = -1;
  const sought = search(context, signed, content, {
    key: (holder, read) => {
      const at = place;
      place += 1;
      // The top of the content comes first, and need not have one.
      if (at >= 0 || hasMember(holder, "public_key"))
        keys.add(() => ({ place: at < 0 ? "public_key" : at, holder, read }));
    },
    signature: (server, keyId, text, read) => {
      signatures.add(() => ({ server: cut(server), keyId: cut(keyId), signature: shown(text), text, read }));
    },
  });
  const isTried = sought.message._tag === "Right" && untried(sought, maxPairs) === undefined;
  const matching = isTried ? matchingPairs(sought) : [];
  const matched = new Set<Key | Signature>(matching.flat());
  const finding = (one: Key | Signature): ProofFinding<never> =>
    !isTried ? "not tried" : matched.has(one) ? "matches" : "matches nothing";
  return {
    signed: signedText(sought),
    keys: keys.listed.map(({ place, holder, read }) => ({
      place,
      publicKey: shown(member(holder, "public_key")),
      finding: read === undefined ? unusableKey(holder) : finding(read),
    })),
    moreKeys: keys.more,
    signatures: signatures.listed.map(({ server, keyId, signature, text, read }) => ({
      server,
      keyId,
      signature,
      finding: read === undefined ? unusableSignature(keyId, text) : finding(read),
    })),
    moreSignatures: signatures.more,
    pairs: sought.pairs,
    maxPairs: shown(maxPairs),
    matching: matching.map(namedPair),
  };
};
