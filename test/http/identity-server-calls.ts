import { isRight } from "fp-ts/lib/Either.js";
import { parseServerName } from "matrix-third-party-invites/matrix";
import type { IdentityServer, ServerName } from "matrix-third-party-invites/ports";

export const serverNamed = (name: string): ServerName => {
  const parsed = parseServerName(name);
  if (!isRight(parsed)) throw new Error(`${name} names no server`);
  return parsed.right;
};

export const idServer = serverNamed("id.example");
export const accessToken = "secret-token";
export const access = { idServer, accessToken };
export const validityUrl = "https://id.example/_matrix/identity/v2/pubkey/isvalid?public_key=a%2Bb";

export const lookupRequest = {
  ...access,
  algorithm: "sha256",
  pepper: "pepper",
  addresses: ["asked", "__proto__", "constructor"],
} as const;

export const inviteRequest = {
  ...access,
  invite: {
    medium: "email",
    address: "zoe@mail.example",
    room_id: "!room:example.org",
    sender: "@alice:example.org",
  },
} as const;

export type CallName = keyof IdentityServer;

type Outcome = Awaited<ReturnType<IdentityServer[CallName]>>;

/** Each of the port's calls, with a question that always is the same. */
export const calls: Readonly<
  Record<CallName, (client: IdentityServer, signal?: AbortSignal) => Promise<Outcome>>
> = {
  hashDetails: (client, signal) => client.hashDetails(access, { signal }),
  lookup: (client, signal) => client.lookup(lookupRequest, { signal }),
  storeInvite: (client, signal) => client.storeInvite(inviteRequest, { signal }),
  keyValidity: (client, signal) => client.keyValidity(validityUrl, { signal }),
};

export const callNames = Object.keys(calls) as readonly CallName[];

/** What a server says that gives each call what it asks for. */
export const goodAnswers: Readonly<Record<CallName, unknown>> = {
  hashDetails: { lookup_pepper: "pepper", algorithms: ["sha256"] },
  lookup: { mappings: { asked: "@zoe:example.org" } },
  storeInvite: { token: "token" },
  keyValidity: { valid: true },
};

export const goodOutcomes: Readonly<Record<CallName, Outcome>> = {
  hashDetails: { _tag: "HashDetails", pepper: "pepper", algorithms: ["sha256"] },
  lookup: { _tag: "Mappings", userIds: new Map([["asked", "@zoe:example.org"]]) },
  storeInvite: { _tag: "Stored", answer: { token: "token" } },
  keyValidity: { _tag: "Validity", valid: true },
};

const isText = (value: unknown): boolean => typeof value === "string";

const isWait = (value: unknown): boolean =>
  value === undefined || (Number.isSafeInteger(value) && Number(value) >= 0);

const isErrorOutcome = (outcome: Outcome): boolean => {
  switch (outcome._tag) {
    case "Unauthorized":
    case "TermsNotSigned":
    case "Malformed":
      return true;
    case "RateLimited":
      return isWait(outcome.retryAfterMs);
    case "Rejected":
      return isText(outcome.errcode) && Number.isInteger(outcome.status);
    case "Unreachable":
      return typeof outcome.sent === "boolean";
    default:
      return false;
  }
};

/** Whether an outcome is one that the port's contract has for this call, its members included. */
export const isOutcomeOf = (name: CallName, outcome: Outcome): boolean => {
  switch (outcome._tag) {
    case "HashDetails":
      return name === "hashDetails" && isText(outcome.pepper) && outcome.algorithms.every(isText);
    case "Mappings":
      return name === "lookup" && [...outcome.userIds].flat().every(isText);
    case "InvalidPepper":
      return name === "lookup";
    case "Stored":
      return name === "storeInvite" && typeof outcome.answer === "object";
    case "AlreadyBound":
      return name === "storeInvite";
    case "Validity":
      return name === "keyValidity" && typeof outcome.valid === "boolean";
    default:
      return isErrorOutcome(outcome);
  }
};
