/**
 * Ed25519 written down plainly and slowly, to craft odd keys and signatures and to judge them by a third opinion.
 * A point holds the extended coordinates of RFC 8032, section 5.1.4.
 */
import { createHash } from "node:crypto";

const p = 2n ** 255n - 19n;

/** The order of the base point. */
export const order = 2n ** 252n + 27742317777372353535851937790883648493n;

export const modulo = (a: bigint, m: bigint): bigint => ((a % m) + m) % m;

const power = (base: bigint, exponent: bigint): bigint => {
  let result = 1n;
  for (let b = base, e = exponent; e > 0n; e >>= 1n) {
    if (e & 1n) result = (result * b) % p;
    b = (b * b) % p;
  }
  return result;
};

const inverse = (a: bigint): bigint => power(modulo(a, p), p - 2n);

const d = modulo(-121665n * inverse(121666n), p);
const rootOfMinusOne = power(2n, (p - 1n) / 4n);

export interface Point {
  readonly x: bigint;
  readonly y: bigint;
  readonly z: bigint;
  readonly t: bigint;
}

const affine = (x: bigint, y: bigint): Point => ({ x, y, z: 1n, t: (x * y) % p });

export const identity = affine(0n, 1n);

export const add = (a: Point, b: Point): Point => {
  const minus = modulo((a.y - a.x) * (b.y - b.x), p);
  const plus = ((a.y + a.x) * (b.y + b.x)) % p;
  const c = (2n * d * a.t * b.t) % p;
  const e = (2n * a.z * b.z) % p;
  const [left, right, below, above] = [plus - minus, plus + minus, e - c, e + c];
  return {
    x: modulo(left * below, p),
    y: modulo(above * right, p),
    z: modulo(below * above, p),
    t: modulo(left * right, p),
  };
};

export const negate = ({ x, y, z, t }: Point): Point => ({ x: modulo(-x, p), y, z, t: modulo(-t, p) });

export const multiply = (scalar: bigint, point: Point): Point => {
  let result = identity;
  for (let doubled = point, rest = scalar; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = add(result, doubled);
    doubled = add(doubled, doubled);
  }
  return result;
};

export const fromBytes = (bytes: Uint8Array): bigint =>
  bytes.reduceRight((number, value) => (number << 8n) | BigInt(value), 0n);

export const toBytes = (number: bigint, length = 32): Uint8Array =>
  Uint8Array.from({ length }, (_, at) => Number((number >> BigInt(8 * at)) & 0xffn));

export const encode = ({ x, y, z }: Point): Uint8Array => {
  const scale = inverse(z);
  return toBytes(((y * scale) % p) | ((((x * scale) % p) & 1n) << 255n));
};

/** The point of 32 bytes, or `undefined` off the curve; y is reduced first, as a lenient decoder does. */
export const decode = (bytes: Uint8Array): Point | undefined => {
  const number = fromBytes(bytes);
  const y = (number & (2n ** 255n - 1n)) % p;
  const u = modulo(y * y - 1n, p);
  const v = (d * y * y + 1n) % p;
  const candidate = (u * power(v, 3n) * power((u * power(v, 7n)) % p, (p - 5n) / 8n)) % p;
  const root = [candidate, (candidate * rootOfMinusOne) % p].find((x) => (v * x * x) % p === u);
  if (root === undefined) return undefined;
  return affine((root & 1n) === number >> 255n ? root : modulo(-root, p), y);
};

export const equal = (a: Point, b: Point): boolean =>
  modulo(a.x * b.z - b.x * a.z, p) === 0n && modulo(a.y * b.z - b.y * a.z, p) === 0n;

export const hasSmallOrder = (point: Point): boolean => equal(multiply(8n, point), identity);

const pointOfY = (y: bigint): Point => decode(toBytes(y)) ?? pointOfY(y + 1n);

export const base: Point = pointOfY((4n * inverse(5n)) % p);

/** All eight points whose order divides 8, the identity first. */
export const torsion: readonly Point[] = (() => {
  for (let y = 2n; ; y += 1n) {
    const point = multiply(order, pointOfY(y));
    if (!equal(multiply(4n, point), identity))
      return Array.from({ length: 8 }, (_, times) => multiply(BigInt(times), point));
  }
})();

/** Both signs of every y below 2^255 whose residue is the y of a point in `torsion`: 14 encodings. */
export const smallOrderEncodings: readonly Uint8Array[] = [
  ...new Set(torsion.map((point) => fromBytes(encode(point)) & (2n ** 255n - 1n))),
]
  .flatMap((y) => [y, y + p])
  .filter((y) => y < 2n ** 255n)
  .flatMap((y) => [toBytes(y), toBytes(y | (1n << 255n))]);

/** Both signs of every y that is not reduced. */
export const unreducedEncodings: readonly Uint8Array[] = Array.from(
  { length: 19 },
  (_, k) => p + BigInt(k),
).flatMap((y) => [toBytes(y), toBytes(y | (1n << 255n))]);

/** `h` of RFC 8032: what the signature binds the nonce, the key and the message with. */
export const challenge = (nonce: Uint8Array, key: Uint8Array, message: Uint8Array): bigint =>
  fromBytes(createHash("sha512").update(nonce).update(key).update(message).digest()) % order;

export const concatenate = (...parts: readonly Uint8Array[]): Uint8Array =>
  new Uint8Array(Buffer.concat(parts));

/** The scalars of a key and of a nonce. */
export interface Scalars {
  readonly a: bigint;
  readonly r: bigint;
}

/** Signs with any key point and any nonce point: S = r + h·a, whatever else those points hold. */
export const forge = (
  message: Uint8Array,
  { a, r }: Scalars,
  keyPoint: Point,
  noncePoint: Point,
): { readonly key: Uint8Array; readonly signature: Uint8Array } => {
  const [key, nonce] = [encode(keyPoint), encode(noncePoint)];
  const s = modulo(r + challenge(nonce, key, message) * a, order);
  return { key, signature: concatenate(nonce, toBytes(s)) };
};

/** The accept set of libsodium, by its definition. */
export const libsodiumAccepts = (key: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean => {
  if (key.length !== 32 || signature.length !== 64) return false;
  const [nonce, s] = [signature.slice(0, 32), fromBytes(signature.slice(32))];
  const [a, r] = [decode(key), decode(nonce)];
  if (s >= order || (fromBytes(key) & (2n ** 255n - 1n)) >= p) return false;
  if (a === undefined || hasSmallOrder(a) || (r !== undefined && hasSmallOrder(r))) return false;
  const expected = add(multiply(s, base), negate(multiply(challenge(nonce, key, message), a)));
  return Buffer.from(encode(expected)).equals(nonce);
};
