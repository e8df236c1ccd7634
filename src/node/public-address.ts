import { isIP } from "node:net";
import ipaddr from "ipaddr.js";

type Address = ipaddr.IPv4 | ipaddr.IPv6;
type Range = [base: Address, bits: number];

/** Strict notation only: no octal, no short forms, no zone, which names an interface of this machine. */
const parseAddress = (text: string): Address | undefined =>
  isIP(text) !== 0 && !text.includes("%") && ipaddr.isValid(text) ? ipaddr.parse(text) : undefined;

const isIn = (address: Address, range: Range): boolean =>
  address.kind() === range[0].kind() && address.match(range);

/** All that is handed out for the public network, so that what nobody has named yet is refused as well. */
const globalUnicast = ipaddr.parseCIDR("2000::/3");

const isPublic = (address: Address): boolean =>
  address.range() === "unicast" && (address.kind() === "ipv4" || isIn(address, globalUnicast));

/** Ranges whose addresses stand for an IPv4 address, and the byte at which that begins. */
const wraps: readonly (readonly [Range, number])[] = [
  [ipaddr.parseCIDR("::ffff:0:0/96"), 12],
  [ipaddr.parseCIDR("::ffff:0:0:0/96"), 12],
  [ipaddr.parseCIDR("64:ff9b::/96"), 12],
  [ipaddr.parseCIDR("2002::/16"), 2],
];

const wrapped = (address: Address): Address | undefined => {
  const at = wraps.find(([range]) => isIn(address, range))?.[1];
  return at === undefined ? undefined : ipaddr.fromByteArray(address.toByteArray().slice(at, at + 4));
};

const networkOf = (range: string, base: Address): Address =>
  base.kind() === "ipv4"
    ? ipaddr.IPv4.networkAddressFromCIDR(range)
    : ipaddr.IPv6.networkAddressFromCIDR(range);

const parseRange = (text: string): Range => {
  const [start = "", bits = ""] = text.split("/");
  const base = parseAddress(start);
  if (base === undefined || !/^\d{1,3}$/.test(bits) || !ipaddr.isValidCIDR(text))
    throw new TypeError(`allow.ranges: "${text}" is no CIDR range such as "10.0.0.0/8"`);
  // Whoever writes 10.1.2.3/8 meant one address or sixteen million: not ours to guess.
  if (networkOf(text, base).toString() !== base.toString())
    throw new TypeError(`allow.ranges: "${text}" has bits set behind its prefix`);
  return [base, Number(bits)];
};

/**
 * Which addresses may be connected to: the public ones, and those in these CIDR ranges. An IPv6 address that stands for
 * an IPv4 address is refused; where its range is listed, the IPv4 address decides, so that `64:ff9b::/96` opens a NAT64
 * and not the private network behind it. Throws where a range is malformed.
 *
 * @example
 * const isReachable = reachableAddress(["10.0.0.0/8"]);
 * isReachable("10.1.2.3"); // true
 * isReachable("127.0.0.1"); // false
 */
export const reachableAddress = (ranges: readonly string[]): ((address: string) => boolean) => {
  const listed = ranges.map(parseRange);
  const isReachable = (address: Address): boolean => {
    if (isPublic(address)) return true;
    if (!listed.some((range) => isIn(address, range))) return false;
    const inner = wrapped(address);
    return inner === undefined || isReachable(inner);
  };
  return (text) => {
    const address = parseAddress(text);
    return address !== undefined && isReachable(address);
  };
};
