/** What the inviter's server answered to an exchange, where it did not accept it. */
export interface ExchangeRefusal {
  readonly status: number;
  readonly errcode?: string;
}

/** What such an answer says of the invite, and of the server. */
export type ExchangeVerdict =
  /** The server's own refusal of this invite. */
  | "Refused"
  /** It does not have the room or the invite; it may come to have it. */
  | "NotFound"
  /** A homeserver's answer that we do not know: it may be made later. */
  | "Unclear"
  /** A failure of this request: another time it may be made. */
  | "Failed"
  /** The server cannot work now, or what answered is not a homeserver: ask it nothing for a while. */
  | "Down";

const refusals: Readonly<Record<number, ReadonlySet<string>>> = {
  400: new Set([
    "M_BAD_JSON",
    "M_INVALID_PARAM",
    "M_MISSING_PARAM",
    "M_BAD_STATE",
    "M_UNSUPPORTED_ROOM_VERSION",
    "M_INCOMPATIBLE_ROOM_VERSION",
  ]),
  403: new Set(["M_FORBIDDEN", "M_INVITE_BLOCKED"]),
  413: new Set(["M_TOO_LARGE"]),
};

/** What proxies, and servers that lack the endpoint, answer as well. */
const saysNothing: ReadonlySet<string> = new Set(["M_UNKNOWN", "M_UNRECOGNIZED"]);

/** Statuses with which a homeserver says that it could not do it now. */
const passing: ReadonlySet<number> = new Set([401, 408, 424, 425]);

/**
 * Reads the answer to an exchange. A proof comes once, so only a homeserver's own refusal counts against it: not the 403
 * of a proxy, not a redirect, not a page that is no JSON. Synapse answers 500 for an invite that was revoked.
 *
 * The request: https://spec.matrix.org/v1.19/server-server-api/#put_matrixfederationv1exchange_third_party_inviteroomid
 */
export const exchangeVerdict = ({ status, errcode }: ExchangeRefusal): ExchangeVerdict => {
  if (errcode === undefined || status === 429 || status === 503) return "Down";
  if (refusals[status]?.has(errcode) === true) return "Refused";
  if (status === 404 && errcode === "M_NOT_FOUND") return "NotFound";
  if (passing.has(status) || status >= 500) return "Failed";
  return saysNothing.has(errcode) ? "Down" : "Unclear";
};
