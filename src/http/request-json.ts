import { type Either, isLeft, left, right } from "fp-ts/lib/Either.js";
import type { NotStrictJson, NumberSpelling } from "../matrix/strict-json.js";
import { type BodyLimits, parseBody, parseLoosely, readBody } from "./read-body.js";

/** An error that a Matrix endpoint answers before any rule is asked. */
export interface HttpError {
  readonly status: number;
  readonly errcode: string;
  readonly error: string;
}

const httpError = (status: number, errcode: string, error: string): HttpError => ({ status, errcode, error });

export const unrecognized = (status: 404 | 405): HttpError =>
  httpError(
    status,
    "M_UNRECOGNIZED",
    status === 404 ? "There is no such endpoint." : "Not with this method.",
  );

export const internalError = httpError(500, "M_UNKNOWN", "The server failed to answer.");

const tooLarge = httpError(413, "M_TOO_LARGE", "The body is too large.");
const late = httpError(408, "M_UNKNOWN", "The body took too long to come.");
const brokenOff = httpError(400, "M_NOT_JSON", "The body broke off.");
const notJson = httpError(400, "M_NOT_JSON", "The body is not JSON in UTF-8.");
const read = httpError(500, "M_UNKNOWN", "The body had been read before it came here.");

export interface JsonRules extends BodyLimits {
  readonly numbers: NumberSpelling;
  /** Whether the flow judges each entry of a list by itself, so that one bad value must not refuse the whole. */
  readonly hasEntries?: boolean;
}

/** What spoils one value, and leaves no doubt what the others are. */
const ofOneValue: ReadonlySet<NotStrictJson["reason"]> = new Set(["number", "lone surrogate", "too deep"]);

/**
 * The JSON body of a request, read within limits and strictly: two servers must not read two things. The content type is not
 * looked at: the specification does not require the header, and `fetch` sends text as `text/plain`.
 */
export const requestJson = async (
  request: Request,
  { numbers, hasEntries = false, ...limits }: JsonRules,
): Promise<Either<HttpError, unknown>> => {
  // What a framework has parsed already cannot be read again; the host must give the request to us first.
  if (request.bodyUsed || request.body?.locked === true) return left(read);
  const declared = Number(request.headers.get("content-length") ?? 0);
  if (declared > limits.maxBytes) return left(tooLarge);
  const body = await readBody(request.body, limits);
  switch (body._tag) {
    case "TooLarge":
      return left(tooLarge);
    case "TimedOut":
      return left(late);
    case "Broken":
      return left(brokenOff);
    case "Body": {
      // A body that broke off would be broken; one that is declared and clean empty went to a parser of the host's.
      if (declared > 0 && body.bytes.length === 0) return left(read);
      const strict = parseBody(body.bytes, numbers);
      const isOneValue = hasEntries && isLeft(strict) && ofOneValue.has(strict.left.reason);
      const parsed = isOneValue ? parseLoosely(body.bytes) : strict;
      if (!isLeft(parsed)) return right(parsed.right);
      const { reason, at } = parsed.left;
      return reason === "not JSON" || reason === "invalid UTF-8"
        ? left(notJson)
        : left(httpError(400, "M_BAD_JSON", `The JSON cannot be used (${reason} at ${at}).`));
    }
  }
};
