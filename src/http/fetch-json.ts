import { isLeft } from "fp-ts/lib/Either.js";
import type { IdentityServerError } from "../ports.js";
import { longestMs, parseBody, readBody } from "./read-body.js";

/** As much of `fetch` as is needed here. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export interface FetchLimits {
  /** Until the answer begins, connecting included. */
  readonly headersTimeoutMs: number;
  readonly bodyTimeoutMs: number;
  readonly maxBytes: number;
}

/** What another server answered: its status, and its body if that is JSON. */
export interface Answer {
  readonly _tag: "Answer";
  readonly status: number;
  readonly body: unknown;
  readonly retryAfter: string | null;
}

type NoAnswer = Extract<IdentityServerError, { readonly _tag: "Unreachable" | "Malformed" }>;

/**
 * What goes wrong before a request is on its way, as Node, undici, Bun and the guarded fetch name it: names that do not
 * resolve, connections that are refused or take too long, certificates that are not trusted. Other troubles of TLS
 * (`ERR_SSL_*`) are not among them: they come in the middle of an answer, too.
 */
const beforeSending =
  /^(?:ENOTFOUND|EAI_\w+|ECONNREFUSED|ConnectionRefused|UND_ERR_CONNECT_TIMEOUT|ERR_TARGET_REFUSED|ERR_TLS_CERT_\w+|CERT_\w+|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_\w+|INVALID_CA|INVALID_PURPOSE|HOSTNAME_MISMATCH)$/;

/** A network that is gone is no proof by itself: reads and writes of a connection that stood fail so, too. */
const connecting = /^(?:connect|getaddrinfo|query\w+)$/;

const lateCodes: ReadonlySet<unknown> = new Set([
  "ETIMEDOUT",
  "UND_ERR_CONNECT_TIMEOUT",
  "UND_ERR_HEADERS_TIMEOUT",
  "UND_ERR_BODY_TIMEOUT",
]);

interface Failure {
  readonly code: string | undefined;
  readonly syscall: string | undefined;
}

const unknownFailure: Failure = { code: undefined, syscall: undefined };

const textOf = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);

/**
 * The failures that an error comes down to: `fetch` hides them behind `cause`, and a name with several addresses behind
 * `errors`, one for each attempt.
 */
const failuresIn = (thrown: unknown, depth = 0): readonly Failure[] => {
  if (typeof thrown !== "object" || thrown === null || depth > 4) return [unknownFailure];
  const { code, syscall, cause, errors } = thrown as Readonly<Record<string, unknown>>;
  if (Array.isArray(errors) && errors.length > 0)
    return (errors as unknown[]).flatMap((one) => failuresIn(one, depth + 1));
  if (typeof cause === "object" && cause !== null) return failuresIn(cause, depth + 1);
  return [{ code: textOf(code), syscall: textOf(syscall) }];
};

/** Only where every attempt at a connection failed was surely nothing sent. */
const wasSent = (failures: readonly Failure[]): boolean =>
  !failures.every(({ code = "", syscall = "" }) => beforeSending.test(code) || connecting.test(syscall));

/** Whether there is something to send at all: an https URL, and headers that can be written. */
const canBeSent = (url: string, { headers }: RequestInit): boolean => {
  try {
    new Headers(headers);
    return new URL(url).protocol === "https:";
  } catch {
    return false;
  }
};

/**
 * One request to another server, and its answer within time and size. Only https is spoken, and redirects are not
 * followed: an answer elsewhere is none of the server that was asked. Rejects only where the caller's own signal stopped
 * it.
 */
export const fetchJson = async (
  fetch: Fetch,
  url: string,
  init: RequestInit,
  { limits, signal }: { readonly limits: FetchLimits; readonly signal: AbortSignal | undefined },
): Promise<Answer | NoAnswer> => {
  signal?.throwIfAborted();
  if (!canBeSent(url, init)) return { _tag: "Unreachable", sent: false };
  const controller = new AbortController();
  const stop = (): void => {
    controller.abort();
  };
  const headers = { areLate: false };
  const timer = setTimeout(
    () => {
      headers.areLate = true;
      stop();
    },
    Math.min(limits.headersTimeoutMs, longestMs),
  );
  signal?.addEventListener("abort", stop, { once: true });
  try {
    const response = await fetch(url, { ...init, redirect: "manual", signal: controller.signal });
    clearTimeout(timer);
    const read = await readBody(response.body, {
      maxBytes: limits.maxBytes,
      timeoutMs: limits.bodyTimeoutMs,
    });
    signal?.throwIfAborted();
    switch (read._tag) {
      case "TimedOut":
        return { _tag: "Unreachable", sent: true, timedOut: true };
      case "Broken":
        return { _tag: "Unreachable", sent: true };
      case "TooLarge":
        return { _tag: "Malformed" };
      case "Body": {
        const body = parseBody(read.bytes, "any");
        return {
          _tag: "Answer",
          status: response.status,
          body: isLeft(body) ? undefined : body.right,
          retryAfter: response.headers.get("retry-after"),
        };
      }
    }
  } catch (thrown) {
    signal?.throwIfAborted();
    if (headers.areLate) return { _tag: "Unreachable", sent: true, timedOut: true, cause: thrown };
    const failures = failuresIn(thrown);
    const isLate = failures.some(({ code }) => lateCodes.has(code));
    return {
      _tag: "Unreachable",
      sent: wasSent(failures),
      ...(isLate ? { timedOut: true } : {}),
      cause: thrown,
    };
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", stop);
    // What is left of the answer is not wanted.
    stop();
  }
};
