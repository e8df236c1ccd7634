import { isLeft } from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { ThreepidInvite } from "../../invite/parse-invite-request.js";
import { type UserId, parseUserId } from "../../matrix/ids.js";
import type { IdentityServerError } from "../../ports.js";
import { type FailureCode, type PortFailure, failure } from "../../refusal.js";
import { lookupHash, lookupInClear } from "../../threepid/lookup-hash.js";
import { callPort } from "./call-port.js";
import type { Context } from "./context.js";
import type { Step } from "./step.js";

/** Errors about the address or the mail that the inviter can act on keep their errcode. */
const passedOn: ReadonlySet<string> = new Set([
  "M_INVALID_EMAIL",
  "M_INVALID_ADDRESS",
  "M_EMAIL_SEND_ERROR",
  "M_SEND_ERROR",
]);

/** Each error of the protocol as a failure of its own (D-7); `undefined` for what is none of the protocol's errors. */
export const identityServerFailure = (error: IdentityServerError): PortFailure | undefined => {
  switch (error._tag) {
    case "Unauthorized":
      return failure("IdentityServerUnauthorized");
    case "TermsNotSigned":
      return failure("IdentityServerTerms");
    case "RateLimited":
      return failure("IdentityServerLimit", { retryAfterMs: error.retryAfterMs });
    case "Rejected":
      return failure(
        "IdentityServerRefused",
        passedOn.has(error.errcode) ? { answer: { errcode: error.errcode, status: 424 } } : {},
      );
    case "Malformed":
      return failure("IdentityServerMalformed");
    case "Unreachable":
      return failure(error.timedOut === true ? "IdentityServerTimeout" : "IdentityServerUnreachable", {
        cause: error.cause,
      });
  }
};

/** Ends a step with the error of an identity server. */
export const failed = (error: IdentityServerError): Step<never> | undefined => {
  const problem = identityServerFailure(error);
  return problem === undefined ? undefined : TE.left(problem);
};

const fail = (code: FailureCode): Step<never> => TE.left(failure(code));

/** A user that an identity server names. */
const namedUser = (userId: unknown): Step<UserId> => {
  const parsed = parseUserId(userId);
  return isLeft(parsed) ? fail("IdentityServerMalformed") : TE.right(parsed.right);
};

/** A pepper that was rotated is asked for once more. */
const maxTries = 2;

/** The algorithm to look up with: hashed wherever it is offered, in clear only where the host allows it (D-8). */
const algorithmOf = (offered: readonly string[], allowClear: boolean): "sha256" | "none" | undefined =>
  offered.includes("sha256") ? "sha256" : allowClear && offered.includes("none") ? "none" : undefined;

/**
 * Who is bound to an address. A failed lookup is not "nobody": it ends the flow. A rotated pepper is asked for once more
 * (D-9). `unsent` is run where the first request has surely not left.
 */
export const lookUpUser = (
  context: Context<"crypto" | "identityServer">,
  { idServer, idAccessToken, threepid }: ThreepidInvite,
  unsent: Step<void>,
): Step<UserId | undefined> => {
  const access = { idServer, accessToken: idAccessToken };
  const { config, crypto } = context.ports;

  const lookUp = (algorithm: "sha256" | "none", pepper: string, tries: number): Step<UserId | undefined> => {
    const asked = algorithm === "sha256" ? lookupHash(crypto, threepid, pepper) : lookupInClear(threepid);
    const request = { ...access, algorithm, pepper, addresses: [asked] };
    return callPort(context, "identityServer", "lookup", request).read((answer) => {
      if (answer._tag === "InvalidPepper") return tries === 1 ? fail("PepperRotating") : attempt(tries - 1);
      if (answer._tag !== "Mappings") return failed(answer);
      const bound = answer.userIds.get(asked);
      return bound === undefined ? TE.right(undefined) : namedUser(bound);
    });
  };

  const attempt = (tries: number): Step<UserId | undefined> =>
    callPort(context, "identityServer", "hashDetails", access).read((details) => {
      if (details._tag === "Unreachable" && !details.sent && tries === maxTries)
        return pipe(
          unsent,
          TE.flatMap(() => failed(details) ?? fail("IdentityServerUnreachable")),
        );
      if (details._tag !== "HashDetails") return failed(details);
      const algorithm = algorithmOf(details.algorithms, config.allowClearLookup ?? false);
      return algorithm === undefined ? fail("LookupAlgorithm") : lookUp(algorithm, details.pepper, tries);
    });

  return attempt(maxTries);
};

/**
 * Who has an address that the identity server says is in use. Where it names nobody, one more lookup tells: somebody has
 * bound the address since the one before.
 */
export const boundUser = (
  context: Context<"crypto" | "identityServer">,
  invite: ThreepidInvite,
  named: unknown,
): Step<UserId> =>
  pipe(
    namedUser(named),
    TE.orElse((problem) =>
      pipe(
        lookUpUser(context, invite, TE.right(undefined)),
        TE.flatMap((found) => (found === undefined ? TE.left(problem) : TE.right(found))),
      ),
    ),
  );
