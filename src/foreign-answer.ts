import { type JsonObject, isJsonObject, withoutMembers } from "./matrix/json.js";

/** What somebody else (the host, its policy, another server) wants answered instead. */
export interface ForeignAnswer {
  /** Where they gave none, the code's own. */
  readonly errcode?: string;
  readonly status: number;
  readonly message?: string;
  /** What else their error has, such as `info_uri`; it is passed on as it is. */
  readonly members?: JsonObject;
}

/**
 * Errors that speak of a client's own session: clients log out on them, or show the terms of their server, whatever the
 * status. What went wrong between two servers is none of that.
 */
const ofSession: ReadonlySet<unknown> = new Set([
  "M_UNKNOWN_TOKEN",
  "M_MISSING_TOKEN",
  "M_CONSENT_NOT_GIVEN",
  "M_USER_LOCKED",
]);

/** Members that speak of a session, and those that an error of ours has by itself. */
const notPassedOn = ["soft_logout", "consent_uri", "errcode", "error"];

/**
 * What of it our client is told. All, but for what would log it out: a 401 becomes a 424, for it is not *its* token that
 * is no good. Nor is that a 403: servers that cannot check a signature now may well do so later.
 */
export const passedOn = ({ errcode, status, message, members }: ForeignAnswer): ForeignAnswer => {
  const further = isJsonObject(members) ? withoutMembers(members, notPassedOn) : {};
  const named = status === 401 || ofSession.has(errcode) ? "M_FORBIDDEN" : errcode;
  return {
    status: status === 401 ? 424 : status,
    ...(named === undefined ? {} : { errcode: named }),
    ...(message === undefined ? {} : { message }),
    ...(Object.keys(further).length === 0 ? {} : { members: further }),
  };
};
