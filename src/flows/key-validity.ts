import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { validityRequestUrl } from "../invite/key-validity.js";
import type { MatchedKey } from "../invite/proof.js";
import type { Ports } from "../ports.js";
import { type PortFailure, failure, refusal } from "../refusal.js";
import { type Problem, type Step, answered, ask } from "./run.js";

type Answer = Awaited<ReturnType<Ports["identityServer"]["keyValidity"]>>;

/** A hostile event may write one key many times over; each URL costs a request to somebody. */
const maxRequests = 8;

/** Every way to learn that one of these keys is valid, in the order of the event, none twice. */
const requestUrls = (keys: readonly MatchedKey[]): readonly string[] => {
  const urls = keys.flatMap(({ publicKey, validity }) =>
    validity._tag === "Ask" ? [validityRequestUrl(validity.url, publicKey)] : [],
  );
  return [...new Set(urls)].slice(0, maxRequests);
};

const causeOf = (of: Answer | Problem): unknown => ("cause" in of ? of.cause : undefined);

/**
 * Whether any key that signed is still valid: a key without URL is for ever, one
 * `valid: true` suffices. All say false → `KeyRevoked`. Otherwise nobody knows now → `KeyValidityUnknown`. It
 * remembers its answer, so that a second round of an append asks nobody again.
 */
export const validity = (
  ports: Pick<Ports, "identityServer">,
  signal: AbortSignal | undefined,
): ((keys: readonly MatchedKey[]) => Step<void>) => {
  const valid = new Set<string>();

  const askFrom = (urls: readonly string[], unknown: PortFailure | undefined): Step<void> => {
    const [url, ...rest] = urls;
    if (url === undefined) return TE.left(unknown ?? refusal("KeyRevoked"));
    if (valid.has(url)) return TE.right(undefined);
    return pipe(
      ask<Answer>(
        "identityServer.keyValidity",
        () => ports.identityServer.keyValidity(url, { signal }),
        signal,
      ),
      // A port that breaks leaves this key unknown; the next may still be valid.
      TE.orElse((problem): Step<Answer> =>
        problem.code === "Cancelled"
          ? TE.left(problem)
          : TE.right({ _tag: "Unreachable", sent: true, cause: causeOf(problem) }),
      ),
      answered("identityServer.keyValidity", (answer): Step<void> => {
        const said: unknown = answer._tag === "Validity" ? answer.valid : undefined;
        if (said === false) return askFrom(rest, unknown);
        if (said !== true) return askFrom(rest, failure("KeyValidityUnknown", { cause: causeOf(answer) }));
        valid.add(url);
        return TE.right(undefined);
      }),
    );
  };

  return (keys) =>
    keys.some((key) => key.validity._tag === "Forever")
      ? TE.right(undefined)
      : askFrom(requestUrls(keys), undefined);
};
