import { type Either, isLeft, right } from "fp-ts/lib/Either.js";
import { type ServerName, type UserId, parseServerName, parseUserId } from "../matrix/ids.js";
import { hasMember, isJsonObject, member } from "../matrix/json.js";
import { type Refusal, refuse } from "../refusal.js";
import { type NotThreepid, type Threepid, parseThreepid } from "../threepid/threepid.js";

/** An invite by third-party identifier, as the client asked for it (CLI-4). */
export interface ThreepidInvite {
  readonly _tag: "ByThreepid";
  readonly idServer: ServerName;
  /** The user's token at the identity server: a secret of theirs. */
  readonly idAccessToken: string;
  readonly threepid: Threepid;
}

/** An invite by user ID. */
export interface UserInvite {
  readonly _tag: "ByUserId";
  readonly userId: UserId;
  readonly reason?: string;
}

export type InviteRequest = ThreepidInvite | UserInvite;

const threepidFields = ["id_server", "id_access_token", "medium", "address"] as const;

const notThreepid = (why: NotThreepid): Either<Refusal, never> => {
  switch (why._tag) {
    case "UnknownMedium":
      return refuse("MediumUnsupported");
    case "BadAddress":
      return refuse("AddressMalformed", { detail: why.why });
  }
};

/**
 * The object of the four fields that names an invitee by third-party identifier: the body of
 * `POST /rooms/{roomId}/invite`, or one entry of `invite_3pid` of `createRoom` (CLI-4, CLI-20).
 * Refuses with `FieldMissing`, `FieldMalformed`, `MediumUnsupported` or `AddressMalformed` (CLI-E4, CLI-E5, CLI-E8).
 */
export const parseThreepidInvite = (body: unknown): Either<Refusal, ThreepidInvite> => {
  if (!isJsonObject(body)) return refuse("BodyNotObject");
  const missing = threepidFields.filter((field) => !hasMember(body, field));
  if (missing.length > 0) return refuse("FieldMissing", { detail: missing.join(", ") });
  const odd = threepidFields.filter((field) => typeof body[field] !== "string");
  if (odd.length > 0) return refuse("FieldMalformed", { detail: odd.join(", ") });
  const idServer = parseServerName(body["id_server"]);
  if (isLeft(idServer)) return refuse("FieldMalformed", { detail: `id_server. ${idServer.left.why}` });
  const idAccessToken = member(body, "id_access_token");
  if (typeof idAccessToken !== "string" || idAccessToken === "" || /[^\x21-\x7e]/.test(idAccessToken))
    return refuse("FieldMalformed", { detail: "id_access_token" });
  const threepid = parseThreepid(body["medium"], body["address"]);
  if (isLeft(threepid)) return notThreepid(threepid.left);
  return right({
    _tag: "ByThreepid",
    idServer: idServer.right,
    idAccessToken,
    threepid: threepid.right,
  });
};

const parseUserInvite = (body: Readonly<Record<string, unknown>>): Either<Refusal, UserInvite> => {
  const userId = parseUserId(body["user_id"]);
  if (isLeft(userId)) return refuse("FieldMalformed", { detail: `user_id. ${userId.left.why}` });
  const reason = member(body, "reason");
  if (reason !== undefined && typeof reason !== "string")
    return refuse("FieldMalformed", { detail: "reason" });
  return right({ _tag: "ByUserId", userId: userId.right, ...(reason === undefined ? {} : { reason }) });
};

/**
 * Which of the two documented forms a body of `POST /rooms/{roomId}/invite` is (CLI-1), and what it says. A body
 * with `user_id` and any field of the other form is refused (`BothForms`): whom to invite would be a guess (AMB-1).
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
