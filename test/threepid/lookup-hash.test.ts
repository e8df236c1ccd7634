import { createHash } from "node:crypto";
import { isRight } from "fp-ts/lib/Either.js";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { nodeCrypto } from "../../src/node/crypto.js";
import { portableCrypto } from "../../src/portable/crypto.js";
import { lookupHash, lookupInClear } from "../../src/threepid/lookup-hash.js";
import { type Threepid, parseThreepid } from "../../src/threepid/threepid.js";
import { vectors } from "../matrix/vectors.js";

const threepid = (medium: string, address: string): Threepid => {
  const result = parseThreepid(medium, address);
  if (!isRight(result)) throw new Error(`${address} is no address.`);
  return result.right;
};

const engines = [
  ["node", nodeCrypto],
  ["portable", portableCrypto],
] as const;

describe.each(engines)("lookupHash with the %s engine", (_name, crypto) => {
  it.each([
    ["email", "alice@example.com", "4kenr7N9drpCJ4AfalmlGQVsOn3o2RHjkADUpXJWZUc"],
    ["email", "bob@example.com", "LJwSazmv46n0hlMlsb_iYxI0_HXEqy_yj6Jm636cdT8"],
    ["msisdn", "18005552067", "nlo35_T5fzSGZzJApqu8lgIudJvmOQtDaHtr-I4rU7I"],
  ])("%s %s", (medium, address, hash) => {
    expect(lookupHash(crypto, threepid(medium, address), "matrixrocks")).toBe(hash);
  });

  it("the address is hashed in its canonical form", () => {
    expect(lookupHash(crypto, threepid("email", "Strauß@Example.com"), "matrixrocks")).toBe(
      "Wvo9OL_UvrDZsRecvnhshdTeilXXGbhk0J5l5rX55Ok",
    );
  });

  it.each(vectors("lookup").filter((one) => one.kind === "hash"))("$id", (one) => {
    const given = threepid(one.medium, one.address);
    expect(given.address).toBe(one.address);
    expect(lookupHash(crypto, given, one.pepper)).toBe(one.sha256);
  });

  it("for any pepper it is SHA-256 in URL-safe base64", () => {
    const alice = threepid("email", "alice@example.com");
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (pepper) => {
        const expected = createHash("sha256").update(`alice@example.com email ${pepper}`).digest("base64url");
        expect(lookupHash(crypto, alice, pepper)).toBe(expected);
      }),
    );
  });
});

describe("lookupInClear", () => {
  it.each([
    ["email", "Alice@Example.com", "alice@example.com email"],
    ["msisdn", "+18005552067", "18005552067 msisdn"],
  ])("%s %s", (medium, address, entry) => {
    expect(lookupInClear(threepid(medium, address))).toBe(entry);
  });
});
