import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { AddressHash, InviteKey, InviteLife, InviteRecord } from "../../src/invite/invite-life.js";
import { inviteRow } from "../../src/invite/invite-row.js";
import { parseToken } from "../../src/invite/stored-invite.js";
import { readInvite } from "../../src/storage/index.js";
import { email, rightOf } from "./room.js";
import { anyText, lifeNames, lives, recordOf, t1, t2 } from "./records.js";

const tokens = fc
  .string({ minLength: 1, maxLength: 255, unit: fc.constantFrom("a", "Z", "0", "_", "-", ".", "=") })
  .map((text) => rightOf(parseToken(text)));

const anyLife: fc.Arbitrary<InviteLife> = fc
  .record({
    token: tokens,
    earlierTokens: fc.array(tokens, { maxLength: 3 }),
    displayName: anyText,
    url: anyText,
    at: fc.nat(),
    lostAt: fc.option(fc.nat(), { nil: undefined }),
    name: fc.constantFrom(...lifeNames),
  })
  .map(({ token, earlierTokens, displayName, url, at, lostAt, name }): InviteLife => {
    const key = { publicKey: "key", keyValidityUrl: url };
    const storedInvite = { token, publicKeys: [key, key] as const, displayName };
    const life = lives[name];
    if (life._tag === "Pending" || life._tag === "TokenStored")
      return { ...life, storedInvite, askedAt: at, earlierTokens };
    if (life._tag === "Asked") return { ...life, at, ...(lostAt === undefined ? {} : { lostAt }) };
    return life;
  });

const records: fc.Arbitrary<InviteRecord> = fc
  .record({
    life: anyLife,
    key: anyText,
    addressHash: anyText,
    createdAt: fc.double({ min: 0, max: 8.64e15, noNaN: true }).map((at) => at + 0),
    details: fc.record({ isDirect: fc.boolean(), reason: anyText }, { requiredKeys: [] }),
    hasAddress: fc.boolean(),
  })
  .map(({ life, key, addressHash, hasAddress, ...more }) =>
    recordOf(life, {
      ...more,
      key: key as InviteKey,
      addressHash: addressHash as AddressHash,
      ...(hasAddress ? { threepid: email("zo\u00eb+\u{1f98a}'@two.example") } : {}),
    }),
  );

describe("what is stored of an invite", () => {
  test("is read as it was written", () => {
    fc.assert(
      fc.property(records, (record) => {
        expect(readInvite(inviteRow(record).record)).toEqual(record);
      }),
    );
  });

  test.each(lifeNames)("is read as it was written, and found by its tokens: %s", (name) => {
    const record = recordOf(lives[name]);
    const row = inviteRow(record);
    expect(readInvite(row.record)).toEqual(record);
    const found = {
      Intended: [],
      Asked: [],
      "TokenStored over t1": [t2, t1],
      "Pending over t1": [t2, t1],
      "Asked, it was Pending over t1": [t2, t1],
    };
    expect(row.tokens).toEqual(Object.hasOwn(found, name) ? found[name as keyof typeof found] : [t1]);
  });

  test("is text that every database holds, and other texts stay others", () => {
    fc.assert(
      fc.property(records, records, (one, other) => {
        const [row, otherRow] = [inviteRow(one), inviteRow(other)];
        for (const column of [
          row.key,
          row.addressHash,
          row.roomId,
          row.sender,
          row.idServer,
          row.record,
          ...row.tokens,
        ]) {
          expect(column.isWellFormed()).toBe(true);
          expect(column).not.toContain("\u0000");
        }
        expect(row.key === otherRow.key).toBe(one.key === other.key);
        expect(row.addressHash === otherRow.addressHash).toBe(one.addressHash === other.addressHash);
      }),
    );
  });

  const stored = JSON.parse(inviteRow(recordOf(lives["Pending over t1"])).record) as Record<string, unknown>;
  const life = stored["life"] as Record<string, unknown>;

  test.each([
    ["nothing", "null"],
    ["no object", "[]"],
    ["no key", JSON.stringify({ ...stored, key: undefined })],
    ["no hash of the address", JSON.stringify({ ...stored, addressHash: 1 })],
    ["no room ID", JSON.stringify({ ...stored, roomId: "secret" })],
    ["an odd state", JSON.stringify({ ...stored, life: { _tag: "secret" } })],
    [
      "no public keys",
      JSON.stringify({
        ...stored,
        life: { ...life, storedInvite: { token: "t", publicKeys: [], displayName: "" } },
      }),
    ],
    ["an odd token", JSON.stringify({ ...stored, life: { ...life, earlierTokens: ["secret token"] } })],
    ["an odd detail", JSON.stringify({ ...stored, details: { isDirect: "secret" } })],
    ["an odd address", JSON.stringify({ ...stored, threepid: { medium: "email", address: "secret" } })],
  ])("is not read where there is %s, and not repeated", (_, text) => {
    expect(() => readInvite(text)).toThrow(/^What is stored has no readable (?!.*secret)/);
  });
});
