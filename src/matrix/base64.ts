/** RFC 4648 without padding: `standard` has `+` and `/`, `urlsafe` has `-` and `_`. */
export type Base64Alphabet = "standard" | "urlsafe";

const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const alphabets: Readonly<Record<Base64Alphabet, string>> = {
  standard: `${letters}+/`,
  urlsafe: `${letters}-_`,
};

const none = 0xff;

const values = (alphabet: Base64Alphabet): Uint8Array => {
  const table = new Uint8Array(128).fill(none);
  for (let i = 0; i < 64; i += 1) table[alphabets[alphabet].charCodeAt(i)] = i;
  return table;
};

const decoders: Readonly<Record<Base64Alphabet, Uint8Array>> = {
  standard: values("standard"),
  urlsafe: values("urlsafe"),
};

/**
 * Unpadded base64 of `bytes`; the standard alphabet unless told otherwise (signatures and hashes).
 *
 * Matrix writes signatures and hashes without padding: https://spec.matrix.org/v1.19/appendices/#unpadded-base64
 */
export const encodeBase64 = (bytes: Uint8Array, alphabet: Base64Alphabet = "standard"): string => {
  const digits = alphabets[alphabet];
  let text = "";
  for (let i = 0; i < bytes.length; i += 3) {
    const left = bytes.length - i;
    const group = ((bytes[i] ?? 0) << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    text += digits.charAt(group >> 18) + digits.charAt((group >> 12) & 63);
    if (left > 1) text += digits.charAt((group >> 6) & 63);
    if (left > 2) text += digits.charAt(group & 63);
  }
  return text;
};

/**
 * The bytes of a base64 text, or `undefined` where it is none. Padding may be there or not, the bits
 * that a last digit has to spare are ignored. `either` takes a text in one alphabet or the other, which is what
 * identity-server keys need.
 *
 * A decoder takes base64 with and without padding: https://spec.matrix.org/v1.19/appendices/#unpadded-base64
 * The URL-safe alphabet has `-` and `_`: https://spec.matrix.org/v1.19/appendices/#url-safe-unpadded-base64
 *
 * @example
 * decodeBase64("Zm9v"); // the bytes of "foo"
 */
export const decodeBase64 = (
  text: string,
  alphabet: Base64Alphabet | "either" = "either",
): Uint8Array | undefined => {
  let end = text.length;
  if (end % 4 === 0 && text.endsWith("=")) end -= text.endsWith("==") ? 2 : 1;
  if (end % 4 === 1) return undefined;
  const table = decoders[alphabet === "either" ? (/[-_]/.test(text) ? "urlsafe" : "standard") : alphabet];
  const bytes = new Uint8Array((end * 3) >> 2);
  let bits = 0;
  let held = 0;
  let at = 0;
  for (let i = 0; i < end; i += 1) {
    const value = table[text.charCodeAt(i)] ?? none;
    if (value === none) return undefined;
    held = (held << 6) | value;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes[at] = held >> bits;
      at += 1;
    }
  }
  return bytes;
};
