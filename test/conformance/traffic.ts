import { parseStoredInvite, validityRequestUrl } from "matrix-third-party-invites/decisions";
import { parseStrict } from "matrix-third-party-invites/judge";
import {
  canonicalJson,
  decodeBase64,
  isJsonObject,
  parseThreepid,
  stringMember,
  verifyJson,
} from "matrix-third-party-invites/matrix";
import type { JsonObject } from "matrix-third-party-invites/ports";
import { isLeft } from "fp-ts/lib/Either.js";
import { canonicalText, orNull } from "./ask.js";
import { type Answer, type Case, type Engine, has } from "./case.js";

/** What an identity server and a homeserver said to each other. */
interface Exchange extends JsonObject {
  readonly name: string;
  readonly request: { readonly method: string; readonly path: string; readonly body?: unknown };
  readonly response: { readonly status: number; readonly body?: unknown };
}

interface Capture extends JsonObject {
  readonly serverName: string;
  readonly publicKey: string;
  readonly exchanges: readonly Exchange[];
}

/** Every object in a body, itself and those within, that carries signatures. */
const signedWithin = (value: unknown): readonly JsonObject[] => {
  if (Array.isArray(value)) return value.flatMap(signedWithin);
  if (!isJsonObject(value)) return [];
  const inner = Object.entries(value).flatMap(([key, one]) =>
    key === "signatures" ? [] : signedWithin(one),
  );
  return has(value, "signatures") ? [value, ...inner] : inner;
};

const signatureAnswers = (
  { serverName, publicKey }: Capture,
  { request, response }: Exchange,
  { crypto, signingKey }: Engine,
): readonly Answer[] => {
  // What signs on a client's behalf is given the key to do it with.
  const seed = decodeBase64(stringMember(request.body, "private_key") ?? "");
  const keys = [
    decodeBase64(publicKey),
    seed?.length === 32 ? signingKey("ed25519:0", seed).publicKey : undefined,
  ];
  return [request.body, response.body].flatMap(signedWithin).map((object) => ({
    question: `verifyJson ${serverName}`,
    expected: true,
    said: keys.some(
      (key) =>
        key !== undefined &&
        verifyJson(crypto, object, { entity: serverName, keyId: "ed25519:0", publicKey: key })._tag ===
          "Right",
    ),
  }));
};

/** A token and its keys, as they were given, can be used. */
const storeInviteAnswers = ({ request, response }: Exchange): readonly Answer[] => {
  if (!request.path.endsWith("/store-invite") || response.status !== 200) return [];
  const threepid = parseThreepid("email", stringMember(request.body, "address") ?? "a@b.example");
  const storedInvite = isLeft(threepid)
    ? undefined
    : orNull(parseStoredInvite(response.body, threepid.right));
  return [
    {
      question: "parseStoredInvite",
      expected: stringMember(response.body, "token"),
      said: storedInvite?.token,
    },
  ];
};

/** The server vouches for a key where it is asked as we would ask. */
const validityAnswers = ({ request, response }: Exchange): readonly Answer[] => {
  const [path = "", query = ""] = request.path.split("?");
  const key = new URLSearchParams(query.replaceAll("+", "%2B")).get("public_key");
  if (key === null || !isJsonObject(response.body) || response.body["valid"] !== true) return [];
  return [
    {
      question: "validityRequestUrl",
      expected: `https://id.example${request.path}`,
      said: validityRequestUrl(`https://id.example${path}`, key),
    },
  ];
};

/** A body has one canonical form; a page of HTML has none. */
const bodyAnswers = ({ request, response }: Exchange): readonly Answer[] =>
  [request.body, response.body].flatMap((body): readonly Answer[] => {
    if (typeof body === "string")
      return [{ question: "parseStrict", expected: "Left", said: parseStrict(body)._tag }];
    if (!isJsonObject(body)) return [];
    const canonical = orNull(canonicalJson(body));
    return [
      {
        question: "canonicalJson",
        expected: canonical ?? "a canonical form",
        said: canonicalText(JSON.stringify(body), "plain"),
      },
    ];
  });

/** The captured traffic of an identity server: a case for each exchange. `undefined` for what is none. */
export const trafficCases = (document: JsonObject): readonly Case[] | undefined => {
  if (!has(document, "exchanges", "serverName", "publicKey")) return undefined;
  const capture = document as Capture;
  return capture.exchanges.map((exchange, at) => ({
    name: `${at} ${exchange.name}`,
    isDecided: true,
    ask: (engine) => [
      ...bodyAnswers(exchange),
      ...signatureAnswers(capture, exchange, engine),
      ...storeInviteAnswers(exchange),
      ...validityAnswers(exchange),
    ],
  }));
};
