import { type Either, left } from "fp-ts/lib/Either.js";
import type { JsonObject } from "../../matrix/json.js";

/** The error codes that this server answers with, and Sydent's for a malformed body. */
export type Errcode =
  | "M_BAD_JSON"
  | "M_FORBIDDEN"
  | "M_INVALID_EMAIL"
  | "M_INVALID_PARAM"
  | "M_INVALID_PEPPER"
  | "M_MISSING_PARAMS"
  | "M_NO_VALID_SESSION"
  | "M_NOT_FOUND"
  | "M_SESSION_EXPIRED"
  | "M_SESSION_NOT_VALIDATED"
  | "M_TERMS_NOT_SIGNED"
  | "M_THREEPID_IN_USE"
  | "M_TOKEN_INCORRECT"
  | "M_UNAUTHORIZED"
  | "M_UNKNOWN"
  | "M_UNKNOWN_TOKEN"
  | "M_UNRECOGNIZED";

/** A request that failed: what to answer. The state stays as it was. */
export interface Fault {
  readonly status: number;
  readonly errcode: Errcode;
  readonly error: string;
  /** Members of the body beside `errcode` and `error`. */
  readonly more: JsonObject;
}

export const fault = (
  status: number,
  errcode: Errcode,
  error: string,
  more: JsonObject = {},
): Either<Fault, never> => left({ status, errcode, error, more });
