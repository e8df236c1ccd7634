import { type Either, flatMap, isLeft, map, right } from "fp-ts/lib/Either.js";
import { type ServerName, type UserId, parseUserId } from "../matrix/ids.js";
import { type JsonObject, hasMember, isJsonObject, member, stringMember } from "../matrix/json.js";
import { type Refusal, refuse } from "../refusal.js";
import { type NotThreepid, type Threepid, parseThreepid } from "../threepid/threepid.js";
import { parseIdentityServerName } from "./identity-server-name.js";

/** Whom an invite by third-party identifier is for, and the identity server that is to know. */
export interface Addressee {
  readonly idServer: ServerName;
  readonly threepid: Threepid;
}

/** An invite by third-party identifier, as the client asked for it. */
export interface ThreepidInvite extends Addressee {
  readonly _tag: "ByThreepid";
  /** The user's token at the identity server: a secret of theirs. */
  readonly idAccessToken: string;
}

/** An invite by user ID. */
export interface UserInvite {
  readonly _tag: "ByUserId";
  readonly userId: UserId;
  readonly reason?: string;
}

export type InviteRequest = ThreepidInvite | UserInvite;

const addresseeFields = ["id_server", "medium", "address"] as const;
const threepidFields = ["id_server", "id_access_token", "medium", "address"] as const;

const notThreepid = (why: NotThreepid): Either<Refusal, never> => {
  switch (why._tag) {
    case "UnknownMedium":
      return refuse("MediumUnsupported");
    case "BadAddress":
      return refuse("AddressMalformed", { detail: why.why });
  }
};

/** An object with a text under each of the names. */
const withTexts = (body: unknown, fields: readonly string[]): Either<Refusal, JsonObject> => {
  if (!isJsonObject(body)) return refuse("BodyNotObject");
  const missing = fields.filter((field) => !hasMember(body, field));
  if (missing.length > 0) return refuse("FieldMissing", { detail: missing.join(", ") });
  const odd = fields.filter((field) => typeof body[field] !== "string");
  return odd.length > 0 ? refuse("FieldMalformed", { detail: odd.join(", ") }) : right(body);
};

const addresseeIn = (body: JsonObject): Either<Refusal, Addressee> => {
  // Server names are compared by their letters, and one identity server has one pending invite, however it is spelt.
  const idServer = parseIdentityServerName(stringMember(body, "id_server"));
  if (isLeft(idServer)) return refuse("FieldMalformed", { detail: `id_server. ${idServer.left.why}` });
  const threepid = parseThreepid(body["medium"], body["address"]);
  return isLeft(threepid)
    ? notThreepid(threepid.left)
    : right({ idServer: idServer.right, threepid: threepid.right });
};

/**
 * Whom an invite was for, out of an object with `id_server`, `medium` and `address`: what `revokeInvite` takes in
 * place of a token. Refuses as `parseThreepidInvite` does.
 *
 * @example
 * parseAddressee({ id_server: "vector.im", medium: "email", address: "Zoe@example.org" });
 * // right({ idServer: "vector.im", threepid: { medium: "email", address: "zoe@example.org" } })
 */
export const parseAddressee = (body: unknown): Either<Refusal, Addressee> =>
  flatMap(addresseeIn)(withTexts(body, addresseeFields));

/**
 * The object of the four fields that names an invitee by third-party identifier: the body of
 * `POST /rooms/{roomId}/invite`, or one entry of `invite_3pid` of `createRoom`.
 * Refuses with `FieldMissing`, `FieldMalformed`, `MediumUnsupported` or `AddressMalformed`.
 *
 * All four fields are required: https://spec.matrix.org/v1.19/client-server-api/#thirdparty_post_matrixclientv3roomsroomidinvite
 */
export const parseThreepidInvite = (body: unknown): Either<Refusal, ThreepidInvite> => {
  const texts = withTexts(body, threepidFields);
  if (isLeft(texts)) return texts;
  const idAccessToken = stringMember(texts.right, "id_access_token");
  if (idAccessToken === undefined || idAccessToken === "" || /[^\x21-\x7e]/.test(idAccessToken))
    return refuse("FieldMalformed", { detail: "id_access_token" });
  return map((addressee: Addressee): ThreepidInvite => ({ _tag: "ByThreepid", ...addressee, idAccessToken }))(
    addresseeIn(texts.right),
  );
};

const parseUserInvite = (body: Readonly<Record<string, unknown>>): Either<Refusal, UserInvite> => {
  const userId = parseUserId(body["user_id"]);
  if (isLeft(userId)) return refuse("FieldMalformed", { detail: `user_id. ${userId.left.why}` });
  const reason = member(body, "reason");
  if (reason !== undefined && !(typeof reason === "string" && reason.isWellFormed()))
    return refuse("FieldMalformed", { detail: "reason" });
  return right({ _tag: "ByUserId", userId: userId.right, ...(reason === undefined ? {} : { reason }) });
};

/**
 * Which of the two documented forms a body of `POST /rooms/{roomId}/invite` is, and what it says. A body
 * with `user_id` and any field of the other form is refused (`BothForms`): whom to invite would be a guess (D-1).
 *
 * The body with `user_id` invites a user of Matrix: https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3roomsroomidinvite
 *
 * @example
 * parseInviteRequest({ user_id: "@bob:example.org" }); // right({ _tag: "ByUserId", userId: "@bob:example.org" })
 */
export const parseInviteRequest = (body: unknown): Either<Refusal, InviteRequest> => {
  if (!isJsonObject(body)) return refuse("BodyNotObject");
  const byThreepid = threepidFields.some((field) => hasMember(body, field));
  if (!hasMember(body, "user_id"))
    return byThreepid
      ? parseThreepidInvite(body)
      : refuse("FieldMissing", { detail: `user_id, or ${threepidFields.join(", ")}` });
  return byThreepid ? refuse("BothForms") : parseUserInvite(body);
};
