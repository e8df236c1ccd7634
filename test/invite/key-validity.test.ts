import { describe, expect, test } from "vitest";
import {
  isHttpsUrl,
  readValidity,
  secondVersionOf,
  validityRequestUrl,
} from "../../src/invite/key-validity.js";
import { longTermKey, written } from "./room.js";

describe("the URL as it stands in the event", () => {
  test.each([
    ["https://id.example/isvalid", "https://id.example/isvalid?public_key=k"],
    ["https://id.example", "https://id.example?public_key=k"],
    ["https://id.example/v?x=1", "https://id.example/v?x=1&public_key=k"],
    ["https://id.example/v?", "https://id.example/v?&public_key=k"],
    ["https://id.example/v#frag?x", "https://id.example/v?public_key=k"],
    ["https://id.example/v?x=1#frag", "https://id.example/v?x=1&public_key=k"],
  ])("%s (D-29, D-48)", (url, request) => {
    expect(validityRequestUrl(url, "k")).toBe(request);
  });
});

describe("the key exactly as written, percent-encoded", () => {
  test.each(["a+b/c", "a-b_c", "abc=", written(longTermKey), written(longTermKey, "urlsafe")])(
    "%s",
    (key) => {
      const url = new URL(validityRequestUrl("https://id.example/isvalid", key));
      expect(url.searchParams.get("public_key")).toBe(key);
      expect(url.searchParams.size).toBe(1);
    },
  );

  test("a + never stays one, which would read as a blank", () => {
    expect(validityRequestUrl("https://id.example/v", "a+b/c=")).toBe(
      "https://id.example/v?public_key=a%2Bb%2Fc%3D",
    );
  });

  test("nothing in a key adds a parameter", () => {
    expect(validityRequestUrl("https://id.example/v", "a&b=c#d")).toBe(
      "https://id.example/v?public_key=a%26b%3Dc%23d",
    );
  });
});

describe("how validity is learnt", () => {
  test("no URL beside the key: for ever", () => {
    expect(readValidity({ public_key: "k" })).toEqual({ _tag: "Forever" });
  });

  test("an https URL: ask there", () => {
    const url = "https://id.example/isvalid";
    expect(readValidity({ key_validity_url: url })).toEqual({ _tag: "Ask", url });
  });

  test.each([null, undefined, 7, "", "http://id.example/", "/isvalid", {}])(
    "%j stands there: nobody can vouch for the key, and for ever it is not",
    (key_validity_url) => {
      expect(readValidity({ key_validity_url })).toEqual({ _tag: "Unaskable" });
    },
  );
});

describe("only an https URL of a plain server", () => {
  test.each([
    "https://id.example",
    "HTTPS://id.example/",
    "https://id.example:8448/a?b#c",
    "https://[::1]/v",
    `https://id.example/${"x".repeat(2048 - 19)}`,
  ])("%s", (url) => {
    expect(isHttpsUrl(url)).toBe(true);
  });

  test.each([
    "http://id.example/",
    "https:/id.example",
    "https://",
    "https:///v",
    "//id.example/v",
    "javascript:alert(1)//https://id.example",
    "https://user@id.example/",
    "https://user:pass@id.example/",
    "https://id.example /",
    "https://id.example/\u0000",
    "https://id.example/a b",
    "https://id.example\\@evil.example/",
    " https://id.example/",
    "https://id.example/\n",
    `https://id.example/${"x".repeat(2048 - 18)}`,
  ])("%j is none", (url) => {
    expect(isHttpsUrl(url)).toBe(false);
  });
});

describe("the v2 form of a v1 URL", () => {
  const [v1, v2] = ["/_matrix/identity/api/v1/pubkey/", "/_matrix/identity/v2/pubkey/"];

  test.each([
    [`https://id.example${v1}isvalid`, `https://id.example${v2}isvalid`],
    [`https://id.example${v1}ephemeral/isvalid`, `https://id.example${v2}ephemeral/isvalid`],
    [`https://id.example:8090/a/b${v1}isvalid?x=${v1}`, `https://id.example:8090/a/b${v2}isvalid?x=${v1}`],
  ])("%s", (url, second) => {
    expect(secondVersionOf(url)).toBe(second);
    expect(secondVersionOf(second)).toBeUndefined();
  });

  test.each([
    "https://id.example/isvalid",
    `https://id.example${v1}ed25519:0`,
    `https://id.example${v1}isvalid/more`,
    `https://id.example/?next=${v1}isvalid`,
    `https://id.example/#${v1}isvalid`,
  ])("%s has none", (url) => {
    expect(secondVersionOf(url)).toBeUndefined();
  });
});
