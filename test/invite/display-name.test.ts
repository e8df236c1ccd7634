import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { safeDisplayName } from "../../src/invite/display-name.js";
import { parseThreepid } from "../../src/threepid/threepid.js";
import { email, rightOf } from "./room.js";

const zoe = email("zoe@example.com");
const phone = rightOf(parseThreepid("msisdn", "18005552067"));

describe("what the identity server says stands", () => {
  test.each(["z...@e...", "Zoe...@Exa...", "Zoë", "zoe@...", "...@example.com", "x".repeat(255)])(
    "%j",
    (name) => {
      expect(safeDisplayName(name, zoe)).toBe(name);
    },
  );
});

describe("what gives the address away is replaced", () => {
  test.each(["zoe@example.com", "Zoe <ZOE@EXAMPLE.COM>", "example.com: zoe", "zoe (at) example.com"])(
    "%j",
    (name) => {
      expect(safeDisplayName(name, zoe)).toBe("zo...@ex...");
    },
  );

  test.each(["18005552067", "+1 (800) 555-2067", "1.800.555.2067"])("%j", (name) => {
    expect(safeDisplayName(name, phone)).toBe("...");
  });

  test("folded as addresses are", () => {
    expect(safeDisplayName("STRASSE@ß.example", email("straße@ss.example"))).toBe("st...@ss...");
  });
});

describe("what is no name is replaced", () => {
  test.each([undefined, "", " \n\t", "x".repeat(256), "a\udc00"])("%j", (name) => {
    expect(safeDisplayName(name, zoe)).toBe("zo...@ex...");
    expect(safeDisplayName(name, phone)).toBe("...");
  });
});

/** By their code points: what they look like in an editor says little. */
const odd = [
  0x0000, 0x0007, 0x001b, 0x007f, 0x0085, 0x00ad, 0x034f, 0x061c, 0x115f, 0x17b4, 0x180e, 0x200b, 0x200d,
  0x200e, 0x2028, 0x2029, 0x202e, 0x2060, 0x2066, 0x2800, 0x3164, 0xe000, 0xfe0f, 0xfeff, 0xffa0, 0xfff9,
  0xffff, 0xe0001, 0xe0041, 0xf0000,
];

describe("what nobody sees, or what changes how the rest is shown, is replaced", () => {
  test.each(odd.map((code) => [code.toString(16), String.fromCodePoint(code)] as const))(
    "U+%s",
    (_, character) => {
      for (const name of [character, `z${character}...`, `z...${character}`, character.repeat(3)])
        expect(safeDisplayName(name, zoe)).toBe("zo...@ex...");
    },
  );

  test.each(["z...\r\n@e...", "\t", "\u00a0\u3000", "\u0301\u0301"])("%j", (name) => {
    expect(safeDisplayName(name, zoe)).toBe("zo...@ex...");
  });

  test.each(["José", "Jose\u0301", "张伟", "محمد", "😀", "O’Neil-Smith, Jr."])("%s is shown", (name) => {
    expect(safeDisplayName(name, zoe)).toBe(name);
  });
});

describe("our own", () => {
  test.each([
    ["a@b", "...@..."],
    ["ab@cd", "...@..."],
    ["abc@def", "ab...@de..."],
    ["😀😀😀@x.example", "😀😀...@x...."],
  ])("shows never the whole of a part: %s", (address, name) => {
    const shown = safeDisplayName(undefined, email(address));
    expect(shown).toBe(name === "😀😀...@x...." ? "😀😀...@x...." : name);
  });

  test("never holds the address, whatever was given", () => {
    const part = fc.stringMatching(/^[a-z0-9]{1,20}$/);
    fc.assert(
      fc.property(part, part, fc.string(), fc.boolean(), (local, domain, noise, careless) => {
        const address = `${local}@${domain}.example`;
        const name = safeDisplayName(careless ? `${noise}${address}` : undefined, email(address));
        expect(name).not.toContain(address);
        expect(name.length).toBeGreaterThan(0);
      }),
    );
  });
});
