import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { validityRequestUrl } from "../../invite/key-validity.js";
import type { MatchedKey } from "../../invite/proof.js";
import type { KeyValidityAnswer } from "../../ports.js";
import { type PortFailure, failure, refusal } from "../../refusal.js";
import { callPort } from "./call-port.js";
import type { Context } from "./context.js";
import { idServerOf } from "./id-server-of.js";
import type { Problem, Step } from "./step.js";

/** A hostile event may write one key many times over; each URL costs a request to somebody. */
const maxRequests = 8;

/** Every way to learn that one of these keys is valid, in the order of the event, none twice. */
const requestUrls = (keys: readonly MatchedKey[]): readonly string[] => {
  const urls = keys.flatMap(({ publicKey, validity }) =>
    validity._tag === "Ask" ? [validityRequestUrl(validity.url, publicKey)] : [],
  );
  return [...new Set(urls)].slice(0, maxRequests);
};

const unknownFrom = (url: string, of: KeyValidityAnswer | Problem): PortFailure =>
  failure("KeyValidityUnknown", {
    idServer: idServerOf(url),
    cause: "cause" in of ? of.cause : undefined,
  });

/**
 * Whether any key that signed is still valid (D-29): a key without URL is valid for ever, one `valid: true` suffices. All
 * say false → `KeyRevoked`. Otherwise nobody knows now → `KeyValidityUnknown`. It remembers its answers, so that a
 * second round of an append asks nobody again.
 */
export const checkKeyValidity = (
  context: Context<"identityServer">,
): ((keys: readonly MatchedKey[]) => Step<void>) => {
  const valid = new Set<string>();

  const askFrom = (urls: readonly string[], unknown: PortFailure | undefined): Step<void> => {
    const [url, ...rest] = urls;
    if (url === undefined) return TE.left(unknown ?? refusal("KeyRevoked"));
    if (valid.has(url)) return TE.right(undefined);
    return pipe(
      callPort(context, "identityServer", "keyValidity", url).read((answer): Step<KeyValidityAnswer> =>
        TE.right(answer._tag === "Validity" ? { _tag: "Validity", valid: answer.valid } : answer),
      ),
      TE.matchE(
        // A port that breaks leaves this key unknown; the next may still be valid.
        (problem): Step<void> =>
          problem.code === "Cancelled" ? TE.left(problem) : askFrom(rest, unknownFrom(url, problem)),
        (answer) => {
          const said: unknown = answer._tag === "Validity" ? answer.valid : undefined;
          if (said === false) return askFrom(rest, unknown);
          if (said !== true) return askFrom(rest, unknownFrom(url, answer));
          valid.add(url);
          return TE.right(undefined);
        },
      ),
    );
  };

  return (keys) =>
    keys.some((key) => key.validity._tag === "Forever")
      ? TE.right(undefined)
      : askFrom(requestUrls(keys), undefined);
};
