import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { validityRequestUrl } from "../../invite/key-validity.js";
import type { MatchedKey } from "../../invite/proof.js";
import { type PortFailure, failure, refusal } from "../../refusal.js";
import { callPort } from "./call-port.js";
import type { Context } from "./context.js";
import { idServerOf } from "./id-server-of.js";
import type { Step } from "./step.js";

/** A hostile event may write one key many times over; each URL costs a request to somebody. */
const maxRequests = 8;

/** Every way to learn that one of these keys is valid, in the order of the event, none twice. */
const requestUrls = (keys: readonly MatchedKey[]): readonly string[] => {
  const urls = keys.flatMap(({ publicKey, validity }) =>
    validity._tag === "Ask" ? [validityRequestUrl(validity.url, publicKey)] : [],
  );
  return [...new Set(urls)].slice(0, maxRequests);
};

type Validity = { readonly valid: boolean } | { readonly valid: "unknown"; readonly failure: PortFailure };

const unknownFrom = (url: string, of: object = {}): Validity => ({
  valid: "unknown",
  failure: failure("KeyValidityUnknown", {
    idServer: idServerOf(url),
    cause: "cause" in of ? of.cause : undefined,
  }),
});

/** What a URL says, remembered for a while; a host is asked two things at a time at most. */
const readValidity = (
  context: Context<"identityServer" | "clock">,
  url: string,
  { isUrgent }: { readonly isUrgent: boolean },
): Step<Validity> => {
  const { clock } = context.ports;
  const { validity, validityTurns } = context.memory;
  const known = (): Validity | undefined => {
    const valid = validity.find(url, clock.now());
    if (valid === undefined) return undefined;
    return valid === "unknown" ? unknownFrom(url) : { valid };
  };
  const ask: Step<Validity> = pipe(
    callPort(context, "identityServer", "keyValidity", url).read((answer): Step<Validity> => {
      const valid: unknown = answer._tag === "Validity" ? answer.valid : undefined;
      return TE.right(typeof valid === "boolean" ? { valid } : unknownFrom(url, answer));
    }),
    TE.orElse((problem): Step<Validity> =>
      problem.code === "Cancelled"
        ? TE.left(problem)
        : // A port that breaks leaves this key unknown; the next may still be valid.
          TE.right(unknownFrom(url, problem)),
    ),
    TE.tapIO(({ valid }) => () => {
      validity.note(url, clock.now(), valid);
    }),
  );
  const orKnown = (otherwise: Step<Validity>): Step<Validity> =>
    pipe(
      TE.fromIO(known),
      TE.flatMap((found) => (found === undefined ? otherwise : TE.right(found))),
    );
  // Whoever has waited for a turn looks again: somebody may have asked the same meanwhile. What has no host waits together.
  return orKnown(validityTurns({ name: idServerOf(url) ?? "", isUrgent }, orKnown(ask)));
};

/**
 * Whether any key that signed is still valid (D-29): a key without URL is valid for ever, one `valid: true` suffices. All
 * say false → `KeyRevoked`. Otherwise nobody knows now → `KeyValidityUnknown`. Answers are remembered, so a second round
 * of an append asks nobody again.
 */
export const checkKeyValidity = (
  context: Context<"identityServer" | "clock">,
  { isUrgent }: { readonly isUrgent: boolean },
): ((keys: readonly MatchedKey[]) => Step<void>) => {
  const askFrom = (urls: readonly string[], unknown: PortFailure | undefined): Step<void> => {
    const [url, ...rest] = urls;
    if (url === undefined) return TE.left(unknown ?? refusal("KeyRevoked"));
    return pipe(
      readValidity(context, url, { isUrgent }),
      TE.flatMap((answer): Step<void> => {
        if (answer.valid === "unknown") return askFrom(rest, answer.failure);
        return answer.valid ? TE.right(undefined) : askFrom(rest, unknown);
      }),
    );
  };

  return (keys) =>
    keys.some((key) => key.validity._tag === "Forever")
      ? TE.right(undefined)
      : askFrom(requestUrls(keys), undefined);
};
