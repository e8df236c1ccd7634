import { describe, expect, test } from "vitest";
import { decodeBase64, encodeBase64 } from "../../src/matrix/base64.js";
import { type Proof, isProven, isRevoked, proveInvite } from "../../src/invite/proof.js";
import type { JsonObject } from "../../src/matrix/json.js";
import { authorize } from "../../src/invite/authorize.js";
import { explain } from "../../src/invite/explain.js";
import { redeem } from "../../src/invite/redeem.js";
import { parseSigned } from "../../src/invite/signed.js";
import { nodeCrypto } from "../../src/node/crypto.js";
import { portableCrypto } from "../../src/portable/crypto.js";
import {
  bob,
  codeOf,
  counting,
  decideOn,
  ephemeralKey,
  ephemeralUrl,
  idServer,
  inviteContent,
  longTermKey,
  rightOf,
  room,
  sign,
  signed,
  strangeKey,
  token,
  validityUrl,
  versionOf,
  written,
} from "./room.js";

const version = versionOf("10");
const prove = (value: JsonObject, content: JsonObject = inviteContent, maxPairs?: number): Proof => {
  const context = { crypto: portableCrypto, version, maxPairs };
  const proof = proveInvite(context, value, content);
  expect(proveInvite({ ...context, crypto: nodeCrypto }, value, content)).toEqual(proof);
  const proven = isProven(context, value, content);
  expect(proven).toEqual(proof._tag === "TooMuchWork" ? proof : proof._tag === "Proven");
  return proof;
};

const signatureText = (value: JsonObject): string => {
  const block = (value["signatures"] as Record<string, Record<string, string>>)[idServer];
  return block?.["ed25519:0"] ?? "";
};
const withSignatures = (signatures: unknown): JsonObject => ({ ...signed, signatures });

describe("every key that signed, with its own validity", () => {
  const long = { publicKey: written(longTermKey), validity: { _tag: "Ask", url: validityUrl } };
  const ephemeral = {
    publicKey: written(ephemeralKey, "urlsafe"),
    validity: { _tag: "Ask", url: ephemeralUrl },
  };

  test("the long-term key, which stands twice in the event", () => {
    expect(prove(signed)).toMatchObject({ _tag: "Proven", keys: [long, long] });
  });

  test("the ephemeral key, as it is written there", () => {
    expect(prove(sign({ mxid: bob, token }, ephemeralKey))).toMatchObject({
      _tag: "Proven",
      keys: [ephemeral],
    });
  });

  test("both", () => {
    const twice: JsonObject = {
      ...signed,
      signatures: {
        [idServer]: {
          "ed25519:0": signatureText(signed),
          "ed25519:1": signatureText(sign({ mxid: bob, token }, ephemeralKey)),
        },
      },
    };
    expect(prove(twice)).toMatchObject({ _tag: "Proven", keys: [long, long, ephemeral] });
  });

  test("one key with several URLs, with none, and with one that cannot be asked", () => {
    const public_key = written(longTermKey);
    const content = {
      public_key,
      public_keys: [
        { public_key, key_validity_url: validityUrl },
        { public_key: written(longTermKey, "urlsafe"), key_validity_url: "http://x" },
      ],
    };
    expect(prove(signed, content)).toMatchObject({
      _tag: "Proven",
      keys: [
        { publicKey: public_key, validity: { _tag: "Forever" } },
        long,
        { publicKey: written(longTermKey, "urlsafe"), validity: { _tag: "Unaskable" } },
      ],
    });
  });
});

describe("server names and key IDs", () => {
  test.each(["id.example", "", "__proto__", "constructor", "0"])("server name %j has no say", (name) => {
    const signatures = Object.fromEntries([[name, { "ed25519:0": signatureText(signed) }]]);
    expect(prove(withSignatures(signatures))._tag).toBe("Proven");
  });

  test.each(["ed25519:0", "ed25519:", "ed25519:a:b", "ed25519:__proto__"])(
    "key ID %j has no say",
    (keyId) => {
      expect(prove(withSignatures({ x: { [keyId]: signatureText(signed) } }))._tag).toBe("Proven");
    },
  );

  test.each(["rsa:0", "ed25519", "Ed25519:0", "", "__proto__"])(
    "the algorithm of %j is not Ed25519",
    (keyId) => {
      const block = Object.fromEntries([[keyId, signatureText(signed)]]);
      expect(prove(withSignatures({ x: block }))._tag).toBe("NotProven");
    },
  );
});

describe("base64 is compared by its bytes", () => {
  const bytes = decodeBase64(signatureText(signed)) ?? new Uint8Array();
  test.each([
    ["URL-safe", encodeBase64(bytes, "urlsafe")],
    ["padded", `${encodeBase64(bytes)}==`],
  ])("a signature %s", (_name, text) => {
    expect(prove(withSignatures({ x: { "ed25519:0": text } }))._tag).toBe("Proven");
  });

  test.each([
    ["standard", written(longTermKey)],
    ["URL-safe", written(longTermKey, "urlsafe")],
    ["padded", `${written(longTermKey)}=`],
  ])("a key %s", (_name, public_key) => {
    expect(prove(signed, { public_key })._tag).toBe("Proven");
  });
});

describe("what is malformed is passed over", () => {
  test.each([
    null,
    7,
    "x",
    [],
    {},
    { x: null },
    { x: [] },
    { x: { "ed25519:0": null } },
    { x: { "ed25519:0": "!" } },
  ])("signatures %j", (signatures) => {
    expect(prove(withSignatures(signatures))).toEqual({ _tag: "NotProven" });
  });

  test.each([
    {},
    { public_key: null },
    { public_keys: {} },
    { public_keys: [null, 7, "x", [], {}] },
    { public_key: "AA" },
  ])("keys %j", (content) => {
    expect(prove(signed, content)).toEqual({ _tag: "NotProven" });
  });

  test("signed that is no canonical JSON", () => {
    expect(prove({ ...signed, x: 0.5 })).toEqual({ _tag: "NotProven" });
    expect(prove({ ...signed, x: "\ud800" })).toEqual({ _tag: "NotProven" });
  });
});

describe("all of signed is covered but signatures and unsigned", () => {
  test.each([{ sender: "@a:b" }, { mxid: "@x:y" }, { token: "x" }, { display_name: "" }])(
    "%j changed",
    (change) => {
      expect(prove({ ...signed, ...change })._tag).toBe("NotProven");
    },
  );

  test("unsigned may change", () => {
    expect(prove({ ...signed, unsigned: { x: 0.5 } })._tag).toBe("Proven");
  });
});

describe("the budget", () => {
  const content = {
    public_keys: [longTermKey, ephemeralKey, strangeKey].map((key) => ({ public_key: written(key) })),
  };

  test("distinct pairs over it: nothing is tried", () => {
    const engine = counting(portableCrypto);
    expect(proveInvite({ crypto: engine, version, maxPairs: 2 }, signed, content)).toEqual({
      _tag: "TooMuchWork",
      pairs: 3,
    });
    expect(isProven({ crypto: engine, version, maxPairs: 2 }, signed, content)).toEqual({
      _tag: "TooMuchWork",
      pairs: 3,
    });
    expect(engine.calls()).toBe(0);
  });

  test("just within it", () => {
    const engine = counting(portableCrypto);
    expect(proveInvite({ crypto: engine, version, maxPairs: 3 }, signed, content)._tag).toBe("Proven");
    expect(engine.calls()).toBe(3);
  });

  test("the judge stops at the first match", () => {
    const engine = counting(portableCrypto);
    expect(isProven({ crypto: engine, version, maxPairs: 3 }, signed, content)).toBe(true);
    expect(engine.calls()).toBe(1);
  });

  test.each([NaN, -1, -Infinity, "many"])("%j allows nothing, and nothing is tried", (budget) => {
    const maxPairs = budget as number;
    const engine = counting(portableCrypto);
    const tooMuch = { _tag: "TooMuchWork", pairs: 3 };
    const context = { crypto: engine, version, maxPairs };
    expect(proveInvite(context, signed, content)).toEqual(tooMuch);
    expect(isProven(context, signed, content)).toEqual(tooMuch);
    const made = room("10", { invite: content });
    expect(authorize(made.redeemed(), made.state, engine, { maxPairs })).toEqual(tooMuch);
    expect(explain(made.redeemed(), made.state, engine, { maxPairs }).verdict).toEqual(tooMuch);
    const redeemed = decideOn(
      redeem,
      made.state,
      { signed: rightOf(parseSigned(signed)) },
      { crypto: engine, maxPairs },
    );
    expect(codeOf(redeemed)).toBe("TooManyPairs");
    expect(engine.calls()).toBe(0);
  });

  test.each([Infinity, 3, "3"])("%j is a number", (budget) => {
    expect(prove(signed, content, budget as number)._tag).toBe("Proven");
  });

  test("without keys, signatures or anything that could be signed there is no work, even for a budget of none", () => {
    expect(prove(signed, {}, 0)).toEqual({ _tag: "NotProven" });
    expect(prove(withSignatures({}), content, 0)).toEqual({ _tag: "NotProven" });
    expect(prove({ ...signed, x: 0.5 }, content, 0)).toEqual({ _tag: "NotProven" });
  });
});

describe("one signature under many key IDs", () => {
  const text = signatureText(signed);
  const under = (count: number): JsonObject =>
    withSignatures({
      x: Object.fromEntries(Array.from({ length: count }, (_, at) => [`ed25519:${at}`, text])),
    });

  /** How many items are taken out of lists while this runs: copying a list takes all of them. */
  const stepsOf = (work: () => void): number => {
    const values = Array.prototype.values;
    const own = Object.getOwnPropertyDescriptor(Array.prototype, Symbol.iterator);
    let steps = 0;
    Object.defineProperty(Array.prototype, Symbol.iterator, {
      ...own,
      value: function* (this: unknown[]) {
        const list = values.call(this);
        for (let next = list.next(); next.done !== true; next = list.next()) {
          steps += 1;
          yield next.value;
        }
      },
    });
    try {
      work();
    } finally {
      Object.defineProperty(Array.prototype, Symbol.iterator, own ?? {});
    }
    return steps;
  };

  const sizes = [75, 150, 300, 600];

  test("is verified once for each key, and its places are all kept", () => {
    for (const size of sizes) {
      const engine = counting(portableCrypto);
      const proof = proveInvite({ crypto: engine, version }, under(size), {
        public_key: written(longTermKey),
      });
      expect(proof).toMatchObject({ signatures: under(size)["signatures"] as JsonObject });
      expect(engine.calls()).toBe(1);
    }
  });

  test("costs steps in proportion to its places", () => {
    const steps = sizes.map((size) => {
      const value = under(size);
      return stepsOf(() => {
        proveInvite({ crypto: portableCrypto, version }, value, { public_key: written(longTermKey) });
      });
    });
    steps.forEach((count, at) => {
      expect(count).toBeGreaterThan(sizes[at] ?? 0);
      if (at > 0) expect(count / (steps[at - 1] ?? 0)).toBeLessThan(2.5);
    });
  });
});

describe("revoked", () => {
  test.each([{}, { display_name: "x" }, { key_validity_url: "https://x" }])("%j is", (content) => {
    expect(isRevoked(content)).toBe(true);
  });

  test.each([inviteContent, { public_key: null }, { public_keys: [] }])(
    "%j names keys, be they what they may",
    (content) => {
      expect(isRevoked(content)).toBe(false);
    },
  );
});
