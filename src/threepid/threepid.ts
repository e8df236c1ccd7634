import { type Either, left, right } from "fp-ts/lib/Either.js";
import type { Branded } from "../matrix/ids.js";
import { utf8Length } from "../matrix/utf8.js";
import { foldCase } from "./case-fold.js";
import { hasInvisible } from "./invisible.js";

/** An address in the one canonical form of its medium. Never put one into an event or a log. */
export type CanonicalAddress = Branded<string, "CanonicalAddress">;

/** A third-party identifier: who is meant, by e-mail address or by phone number. */
export interface Threepid {
  readonly medium: "email" | "msisdn";
  readonly address: CanonicalAddress;
}

/** Why a medium and an address are no third-party identifier. The address is not repeated. */
export type NotThreepid =
  { readonly _tag: "UnknownMedium" } | { readonly _tag: "BadAddress"; readonly why: string };

const badAddress = (why: string): Either<NotThreepid, never> => left({ _tag: "BadAddress", why });

/** RFC 5321 allows a path of 256 octets with its angle brackets. */
const maxEmailBytes = 254;

// No display name, angle brackets, quotes or blanks; one @ with something on either side.
const email = /^[^\s@<>"]+@[^\s@<>"]+$/;

const canonicalEmail = (address: string): Either<NotThreepid, CanonicalAddress> => {
  if (address.length > maxEmailBytes) return badAddress("An e-mail address has 254 bytes at most.");
  if (/^mailto:/i.test(address)) return badAddress("Leave out mailto:.");
  // With a zero-width space it would be another address that looks like this one.
  if (!email.test(address) || hasInvisible(address))
    return badAddress("It must be user@domain and nothing else.");
  const folded = foldCase(address);
  return utf8Length(folded) > maxEmailBytes
    ? badAddress("An e-mail address has 254 bytes at most.")
    : right(folded as CanonicalAddress);
};

// E.164: a country code, which never begins with 0, and 15 digits in all at most.
const e164 = /^\+?([1-9][0-9]{1,14})$/;

const canonicalMsisdn = (address: string): Either<NotThreepid, CanonicalAddress> => {
  const digits = e164.exec(address)?.[1];
  return digits === undefined
    ? badAddress("It must be an international phone number: country code first, digits only.")
    : right(digits as CanonicalAddress);
};

/**
 * Brings a medium and an address, as a client sent them, into canonical form: an
 * e-mail address fully case-folded, a phone number as its digits. No other repair is made.
 *
 * An e-mail address is case-folded: https://spec.matrix.org/v1.19/appendices/#e-mail
 * A phone number is its digits after the `+`: https://spec.matrix.org/v1.19/appendices/#pstn-phone-numbers
 *
 * @example
 * parseThreepid("email", "Strauß@Example.com"); // right({ medium: "email", address: "strauss@example.com" })
 * parseThreepid("msisdn", "+18005552067"); // right({ medium: "msisdn", address: "18005552067" })
 */
export const parseThreepid = (medium: unknown, address: unknown): Either<NotThreepid, Threepid> => {
  if (medium !== "email" && medium !== "msisdn") return left({ _tag: "UnknownMedium" });
  if (typeof address !== "string") return badAddress("It must be a text.");
  const canonical = medium === "email" ? canonicalEmail(address) : canonicalMsisdn(address);
  return canonical._tag === "Left" ? canonical : right({ medium, address: canonical.right });
};
