import { isLeft } from "fp-ts/lib/Either.js";
import type { InviteDetails } from "../invite/event-templates.js";
import type { AddressHash, InviteKey, InviteLife, InviteRecord, SettledLife } from "../invite/invite-life.js";
import { type IdentityServerKey, type StoredInvite, parseToken } from "../invite/stored-invite.js";
import { parseRoomId, parseServerName, parseUserId } from "../matrix/ids.js";
import { hasMember, member } from "../matrix/json.js";
import { parseThreepid } from "../threepid/threepid.js";
import { listIn, numberIn, parsedIn, textIn, unreadable } from "./stored-json.js";

const readKey = (json: unknown): IdentityServerKey => ({
  publicKey: textIn(json, "publicKey"),
  keyValidityUrl: textIn(json, "keyValidityUrl"),
});

const readToken = (value: unknown) => parsedIn(parseToken, { token: value }, "token");

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
    askedAt: numberIn(json, "askedAt"),
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
      return { _tag: "Redeemed", by: parsedIn(parseUserId, json, "by"), tokens: tokens() };
    case "Revoked":
      return { _tag: "Revoked", tokens: tokens() };
    case "Expired":
      return { _tag: "Expired", tokens: tokens() };
    default:
      throw unreadable("state");
  }
};

const readLife = (json: unknown): InviteLife => {
  if (member(json, "_tag") !== "Asked") return readSettled(json);
  return {
    _tag: "Asked",
    at: numberIn(json, "at"),
    ...(hasMember(json, "lostAt") ? { lostAt: numberIn(json, "lostAt") } : {}),
    ...(hasMember(json, "repeats") ? { repeats: numberIn(json, "repeats") } : {}),
    before: readSettled(member(json, "before")),
  };
};

const readDetails = (json: unknown): InviteDetails => {
  const isDirect = member(json, "isDirect");
  if (isDirect !== undefined && typeof isDirect !== "boolean") throw unreadable("isDirect");
  return {
    ...(isDirect === undefined ? {} : { isDirect }),
    ...(hasMember(json, "reason") ? { reason: textIn(json, "reason") } : {}),
  };
};

const readThreepid = (json: unknown): Pick<InviteRecord, "threepid"> => {
  if (json === undefined) return {};
  const threepid = parseThreepid(member(json, "medium"), member(json, "address"));
  if (isLeft(threepid)) throw unreadable("address");
  return { threepid: threepid.right };
};

/** The invite that `inviteRow` has made this record of. Throws where the text is not ours. */
export const readInvite = (record: string): InviteRecord => {
  const json: unknown = JSON.parse(record);
  return {
    key: textIn(json, "key") as InviteKey,
    addressHash: textIn(json, "addressHash") as AddressHash,
    roomId: parsedIn(parseRoomId, json, "roomId"),
    sender: parsedIn(parseUserId, json, "sender"),
    idServer: parsedIn(parseServerName, json, "idServer"),
    createdAt: numberIn(json, "createdAt"),
    details: readDetails(member(json, "details")),
    ...readThreepid(member(json, "threepid")),
    life: readLife(member(json, "life")),
  };
};
