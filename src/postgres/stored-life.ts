import { isLeft } from "fp-ts/lib/Either.js";
import type { InviteDetails } from "../invite/event-templates.js";
import type { InviteLife, SettledLife } from "../invite/invite-life.js";
import {
  type StoredInvite,
  type IdentityServerKey,
  type Token,
  parseToken,
} from "../invite/stored-invite.js";
import { type UserId, parseUserId } from "../matrix/ids.js";
import { member } from "../matrix/json.js";
import { type Threepid, parseThreepid } from "../threepid/threepid.js";

const unreadable = (what: string): Error => new Error(`The stored invite has no readable ${what}.`);

const textIn = (json: unknown, name: string): string => {
  const value = member(json, name);
  if (typeof value !== "string") throw unreadable(name);
  return value;
};

const timeIn = (json: unknown, name: string): number => {
  const value = member(json, name);
  if (typeof value !== "number") throw unreadable(name);
  return value;
};

const listIn = (json: unknown, name: string): readonly unknown[] => {
  const value = member(json, name);
  if (!Array.isArray(value)) throw unreadable(name);
  return value;
};

const readToken = (value: unknown): Token => {
  const token = parseToken(value);
  if (isLeft(token)) throw unreadable("token");
  return token.right;
};

const readUser = (value: unknown): UserId => {
  const user = parseUserId(value);
  if (isLeft(user)) throw unreadable("user");
  return user.right;
};

const readKey = (json: unknown): IdentityServerKey => ({
  publicKey: textIn(json, "publicKey"),
  keyValidityUrl: textIn(json, "keyValidityUrl"),
});

const readStoredInvite = (json: unknown): StoredInvite => {
  const [first, ...rest] = listIn(json, "publicKeys").map(readKey);
  if (first === undefined) throw unreadable("publicKeys");
  return {
    token: readToken(member(json, "token")),
    publicKeys: [first, ...rest],
    displayName: textIn(json, "displayName"),
  };
};

const readSettled = (json: unknown): SettledLife => {
  const made = () => ({
    storedInvite: readStoredInvite(member(json, "storedInvite")),
    askedAt: timeIn(json, "askedAt"),
    earlierTokens: listIn(json, "earlierTokens").map(readToken),
  });
  const tokens = () => listIn(json, "tokens").map(readToken);
  switch (member(json, "_tag")) {
    case "Intended":
      return { _tag: "Intended" };
    case "TokenStored":
      return { _tag: "TokenStored", ...made() };
    case "Pending":
      return { _tag: "Pending", ...made() };
    case "Redeemed":
      return { _tag: "Redeemed", by: readUser(member(json, "by")), tokens: tokens() };
    case "Revoked":
      return { _tag: "Revoked", tokens: tokens() };
    case "Expired":
      return { _tag: "Expired", tokens: tokens() };
    default:
      throw unreadable("state");
  }
};

/** The life of an invite, out of the text of its column. */
export const parseLife = (text: string): InviteLife => {
  const json: unknown = JSON.parse(text);
  if (member(json, "_tag") !== "Asked") return readSettled(json);
  return {
    _tag: "Asked",
    at: timeIn(json, "at"),
    ...(member(json, "lostAt") === undefined ? {} : { lostAt: timeIn(json, "lostAt") }),
    before: readSettled(member(json, "before")),
  };
};

/** Who was invited, out of the text of its column. */
export const parseStoredThreepid = (text: string): Threepid => {
  const json: unknown = JSON.parse(text);
  const threepid = parseThreepid(member(json, "medium"), member(json, "address"));
  if (isLeft(threepid)) throw unreadable("address");
  return threepid.right;
};

/** What the inviter said, out of the text of its column. */
export const parseDetails = (text: string): InviteDetails => {
  const json: unknown = JSON.parse(text);
  const isDirect = member(json, "isDirect");
  if (isDirect !== undefined && typeof isDirect !== "boolean") throw unreadable("isDirect");
  return {
    ...(isDirect === undefined ? {} : { isDirect }),
    ...(member(json, "reason") === undefined ? {} : { reason: textIn(json, "reason") }),
  };
};
