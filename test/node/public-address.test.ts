import { BlockList, isIP } from "node:net";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { reachableAddress } from "../../src/node/public-address.js";

/** What is not the public network, from the registries of IANA, written here a second time on purpose. */
const refused4: readonly (readonly [string, number])[] = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 4],
  ["240.0.0.0", 4],
  ["255.255.255.255", 32],
];

const refused6: readonly (readonly [string, number])[] = [
  ["::", 96],
  ["::", 8],
  ["::ffff:0:0", 96],
  ["::ffff:0:0:0", 96],
  ["64:ff9b::", 96],
  ["64:ff9b:1::", 48],
  ["100::", 64],
  ["2001::", 32],
  ["2001:2::", 48],
  ["2001:10::", 28],
  ["2001:20::", 28],
  ["2001:db8::", 32],
  ["2002::", 16],
  ["3fff::", 20],
  ["4000::", 2],
  ["8000::", 1],
  ["fc00::", 7],
  ["fe80::", 10],
  ["fec0::", 10],
  ["ff00::", 8],
];

const isReachable = reachableAddress([]);

const write4 = (value: bigint): string =>
  [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 255n).join(".");

const groups = (value: bigint): string[] =>
  Array.from({ length: 8 }, (_, at) => ((value >> BigInt(112 - 16 * at)) & 0xffffn).toString(16));

/** An address of this many bits as a number, from the text of one that has no wrapped IPv4 in it. */
const read = (text: string, bits: 32 | 128): bigint => {
  if (bits === 32) return text.split(".").reduce((sum, part) => sum * 256n + BigInt(part), 0n);
  const [head = "", tail = ""] = text.split("::");
  const parts = (list: string): string[] => (list === "" ? [] : list.split(":"));
  const zeros = Array<string>(8 - parts(head).length - parts(tail).length).fill("0");
  return [...parts(head), ...zeros, ...parts(tail)].reduce(
    (sum, part) => sum * 65_536n + BigInt(`0x${part}`),
    0n,
  );
};

const within = (ranges: readonly (readonly [string, number])[], bits: 32 | 128): fc.Arbitrary<bigint> =>
  fc
    .constantFrom(...ranges)
    .chain(([base, prefix]) =>
      fc.bigInt(0n, 2n ** BigInt(bits - prefix) - 1n).map((offset) => read(base, bits) + offset),
    );

/** The ways in which a URL may write an IPv4 address. */
const spellings4: readonly ((value: bigint) => string)[] = [
  write4,
  (value) => String(value),
  (value) => `0x${value.toString(16)}`,
  (value) => `0${value.toString(8)}`,
  (value) => `${value >> 24n}.${value & 0xffffffn}`,
  (value) => `${value >> 24n}.${(value >> 16n) & 255n}.${value & 0xffffn}`,
  (value) => write4(value).replaceAll(/\d+/g, (part) => `0x${Number(part).toString(16).toUpperCase()}`),
  (value) => write4(value).replaceAll(/\d+/g, (part) => `0${Number(part).toString(8)}`),
  (value) => `${write4(value)}.`,
  (value) => write4(value).replaceAll(".", "。"),
  (value) => write4(value).replaceAll(/\d/g, (digit) => String.fromCodePoint(0xff10 + Number(digit))),
];

const spellings6: readonly ((value: bigint) => string)[] = [
  (value) => groups(value).join(":"),
  (value) =>
    groups(value)
      .map((group) => group.padStart(4, "0"))
      .join(":"),
  (value) => groups(value).join(":").toUpperCase(),
  (value) =>
    groups(value)
      .join(":")
      .replace(/(?:^|:)0(?::0)+(?::|$)/, "::"),
  (value) => `${groups(value).slice(0, 6).join(":")}:${write4(value & 0xffffffffn)}`,
];

/** The host of a URL as it is connected to. */
const hostOf = (written: string): string =>
  new URL(`https://${written}:8448/`).hostname.replace(/^\[|\]$/g, "");

describe("no address of a refused range is reachable, however it is written", () => {
  it("of IPv4", () => {
    fc.assert(
      fc.property(within(refused4, 32), fc.constantFrom(...spellings4), (value, spell) => {
        expect(hostOf(spell(value))).toBe(write4(value));
        expect(isReachable(hostOf(spell(value)))).toBe(false);
      }),
      { numRuns: 2_000 },
    );
  });

  it("of IPv6", () => {
    fc.assert(
      fc.property(within(refused6, 128), fc.constantFrom(...spellings6), (value, spell) => {
        expect(isIP(hostOf(`[${spell(value)}]`))).toBe(6);
        expect(isReachable(spell(value))).toBe(false);
        expect(isReachable(hostOf(`[${spell(value)}]`))).toBe(false);
      }),
      { numRuns: 2_000 },
    );
  });

  it("at its first and its last", () => {
    const edges = (ranges: readonly (readonly [string, number])[], bits: 32 | 128): bigint[] =>
      ranges.flatMap(([base, prefix]) => {
        const first = read(base, bits);
        return [first, first + 2n ** BigInt(bits - prefix) - 1n];
      });
    const texts = [
      ...edges(refused4, 32).map(write4),
      ...edges(refused6, 128).map((value) => groups(value).join(":")),
    ];
    expect(texts.filter(isReachable)).toEqual([]);
  });
});

describe("an address of the public network is reachable", () => {
  // Anycast for name servers and multicast relays, which no identity server has.
  const special4: typeof refused4 = [
    ["192.31.196.0", 24],
    ["192.52.193.0", 24],
    ["192.175.48.0", 24],
  ];
  const special6: typeof refused6 = [
    ["2001::", 23],
    ["2620:4f:8000::", 48],
  ];
  const [blocked4, blocked6] = [new BlockList(), new BlockList()];
  for (const [base, prefix] of [...refused4, ...special4]) blocked4.addSubnet(base, prefix, "ipv4");
  for (const [base, prefix] of [...refused6, ...special6]) blocked6.addSubnet(base, prefix, "ipv6");

  it("of IPv4", () => {
    const all = fc.bigInt(0n, 2n ** 32n - 1n).map(write4);
    fc.assert(
      fc.property(
        all.filter((text) => !blocked4.check(text, "ipv4")),
        (text) => isReachable(text),
      ),
      { numRuns: 2_000 },
    );
  });

  it("of IPv6", () => {
    const all = fc
      .bigInt(read("2000::", 128), read("4000::", 128) - 1n)
      .map((value) => groups(value).join(":"));
    fc.assert(
      fc.property(
        all.filter((text) => !blocked6.check(text, "ipv6")),
        (text) => isReachable(text),
      ),
      { numRuns: 2_000 },
    );
  });

  it.each(["1.1.1.1", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "172.15.255.255"])(
    "%s",
    (text) => {
      expect(isReachable(text)).toBe(true);
    },
  );

  it.each(["172.32.0.0", "192.167.255.255", "192.169.0.0", "223.255.255.255", "2600::1", "2a00:1450::1"])(
    "%s",
    (text) => {
      expect(isReachable(text)).toBe(true);
    },
  );
});

describe("a listed range", () => {
  it.each([
    ["10.0.0.0/8", "10.255.255.255", true],
    ["10.0.0.0/8", "11.0.0.1", true],
    ["10.0.0.0/8", "127.0.0.1", false],
    ["10.1.2.3/32", "10.1.2.3", true],
    ["10.1.2.3/32", "10.1.2.2", false],
    ["::1/128", "::1", true],
    ["::1/128", "127.0.0.1", false],
    ["::1/128", "::2", false],
    ["fd00::/8", "fd12::1", true],
    ["fd00::/8", "fc00::1", false],
    ["0.0.0.0/0", "127.0.0.1", true],
    ["0.0.0.0/0", "::1", false],
    ["::/0", "fd00::1", true],
    ["::/0", "127.0.0.1", false],
    // No address by another name.
    ["10.0.0.0/8", "::ffff:10.0.0.1", false],
    ["10.0.0.0/8", "64:ff9b::10.0.0.1", false],
    ["::/0", "::ffff:127.0.0.1", false],
    ["::/0", "::ffff:0:127.0.0.1", false],
    ["::/0", "64:ff9b::127.0.0.1", false],
    ["::/0", "2002:7f00:1::1", false],
    ["64:ff9b::/96", "64:ff9b::10.0.0.1", false],
    ["64:ff9b::/96", "64:ff9b::1.1.1.1", true],
    ["2002::/16", "2002:101:101::1", true],
    ["2002::/16", "2002:a00:1::1", false],
    // Zones name an interface of this machine.
    ["fe80::/10", "fe80::1%lo", false],
    ["fe80::/10", "fe80::1", true],
    // What is no address.
    ["0.0.0.0/0", "", false],
    ["0.0.0.0/0", "localhost", false],
    ["0.0.0.0/0", "127.1", false],
    ["0.0.0.0/0", "010.0.0.1", false],
    ["::/0", "[::1]", false],
  ])("%s, %s: %s", (range, address, expected) => {
    expect(reachableAddress([range])(address)).toBe(expected);
  });

  it("of IPv4 and of what wraps it: both must be listed", () => {
    const both = reachableAddress(["64:ff9b::/96", "10.0.0.0/8"]);
    expect(["64:ff9b::10.0.0.1", "64:ff9b::127.0.0.1"].map(both)).toEqual([true, false]);
  });
});
