import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type ExchangeVerdict, exchangeVerdict } from "../../src/invite/exchange-answer.js";

const verdictOf = (status: number, errcode?: string): ExchangeVerdict =>
  exchangeVerdict({ status, ...(errcode === undefined ? {} : { errcode }) });

const refusals: readonly (readonly [number, string])[] = [
  [400, "M_BAD_JSON"],
  [400, "M_INVALID_PARAM"],
  [400, "M_MISSING_PARAM"],
  [400, "M_BAD_STATE"],
  [400, "M_UNSUPPORTED_ROOM_VERSION"],
  [400, "M_INCOMPATIBLE_ROOM_VERSION"],
  [403, "M_FORBIDDEN"],
  [403, "M_INVITE_BLOCKED"],
  [413, "M_TOO_LARGE"],
];

const statuses = [
  200, 201, 204, 301, 302, 304, 307, 308, 400, 401, 402, 403, 404, 405, 406, 408, 409, 410, 413, 418, 421,
  422, 424, 425, 429, 431, 451, 500, 501, 502, 503, 504, 508, 520, 524, 599,
] as const;

/** A homeserver's answers in other words, and what is none. */
const odd = [0, -1, 1, 99, 100, 199, 600, 999, 1_000, 0.5, 403.5, NaN, Infinity, -Infinity, 2 ** 53];

describe("the server's own refusal of this invite", () => {
  test.each(refusals)("%i %s", (status, errcode) => {
    expect(verdictOf(status, errcode)).toBe("Refused");
  });

  test("is one with its own status alone", () => {
    const pairs = new Set(refusals.map((pair) => pair.join(" ")));
    for (const [, errcode] of refusals)
      for (const status of [...statuses, ...odd])
        expect([status, errcode, verdictOf(status, errcode) === "Refused"]).toEqual([
          status,
          errcode,
          pairs.has(`${status} ${errcode}`),
        ]);
  });

  test.each(["m_forbidden", "M_FORBIDDEN ", " M_FORBIDDEN", "FORBIDDEN", "M_FORBIDDEN\u0000", "__proto__"])(
    "is none with another spelling: %j",
    (errcode) => {
      expect(verdictOf(403, errcode)).toBe("Unclear");
    },
  );
});

describe("each other answer", () => {
  const table: readonly (readonly [string, number, string | undefined, ExchangeVerdict])[] = [
    ["it does not have the room or the invite", 404, "M_NOT_FOUND", "NotFound"],
    ["our keys could not be had", 401, "M_UNAUTHORIZED", "Failed"],
    ["our keys could not be had, in Synapse's words", 401, "M_FORBIDDEN", "Failed"],
    ["the request took too long", 408, "M_UNKNOWN", "Failed"],
    ["a third party failed", 424, "M_CONNECTION_FAILED", "Failed"],
    ["it is too early", 425, "M_UNKNOWN", "Failed"],
    ["it broke", 500, "M_UNKNOWN", "Failed"],
    ["it was revoked, in Synapse's words", 500, "M_UNKNOWN", "Failed"],
    ["it lacks the endpoint, in its own words", 501, "M_UNRECOGNIZED", "Failed"],
    ["what is behind it broke", 502, "M_UNKNOWN", "Failed"],
    ["what is behind it is slow", 504, "M_UNKNOWN", "Failed"],
    ["a status that only proxies have", 524, "M_UNKNOWN", "Failed"],
    ["it limits us", 429, "M_LIMIT_EXCEEDED", "Down"],
    ["it limits us, in other words", 429, "M_FORBIDDEN", "Down"],
    ["it is overloaded", 503, "M_UNKNOWN", "Down"],
    ["it is overloaded, in other words", 503, "M_FORBIDDEN", "Down"],
    ["it does not know the endpoint", 404, "M_UNRECOGNIZED", "Down"],
    ["it does not know the method", 405, "M_UNRECOGNIZED", "Down"],
    ["it does not know what is wrong", 400, "M_UNKNOWN", "Down"],
    ["it does not know what is wrong, but forbids it", 403, "M_UNKNOWN", "Down"],
    ["a redirect with JSON", 302, "M_UNKNOWN", "Down"],
    ["a redirect with a reason", 307, "M_FORBIDDEN", "Unclear"],
    ["nothing there, with a reason", 204, "M_FORBIDDEN", "Unclear"],
    ["misdirected, with a reason", 421, "M_FORBIDDEN", "Unclear"],
    ["a success that is an error", 200, "M_FORBIDDEN", "Unclear"],
    ["not found for another reason", 404, "M_FORBIDDEN", "Unclear"],
    ["forbidden for a reason of its own", 403, "ORG.EXAMPLE_REASON", "Unclear"],
    ["a bad request for a reason of its own", 400, "ORG.EXAMPLE_REASON", "Unclear"],
    ["too large, in other words", 413, "M_UNKNOWN", "Down"],
    ["an empty errcode", 403, "", "Unclear"],
  ];

  test.each(table)("%s: %i %s → %s", (_, status, errcode, verdict) => {
    expect(verdictOf(status, errcode)).toBe(verdict);
  });
});

describe("without errcode it is not a homeserver that answers", () => {
  test.each([...statuses, ...odd])("%d", (status) => {
    expect(verdictOf(status)).toBe("Down");
  });
});

describe("whatever the status and the errcode", () => {
  const status = fc.oneof(fc.constantFrom(...statuses), fc.constantFrom(...odd), fc.integer(), fc.double());
  const errcode = fc.oneof(
    fc.constantFrom(
      ...refusals.map(([, one]) => one),
      "M_NOT_FOUND",
      "M_UNKNOWN",
      "M_UNRECOGNIZED",
      "constructor",
      "__proto__",
    ),
    fc.string(),
    fc.constant(undefined),
  );

  test("only what the two tables name counts against the invite", () => {
    fc.assert(
      fc.property(status, errcode, (given, code) => {
        const verdict = verdictOf(given, code);
        expect(verdict === "Refused").toBe(refusals.some(([s, c]) => s === given && c === code));
        expect(verdict === "NotFound").toBe(given === 404 && code === "M_NOT_FOUND");
      }),
      { numRuns: 2_000 },
    );
  });
});
