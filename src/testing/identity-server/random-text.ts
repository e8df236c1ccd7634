/** Where chance comes from: a function that gives as many random bytes as it is asked for. */
export type Random = (bytes: number) => Uint8Array;

export const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
export const lettersAndDigits = `${letters}0123456789`;

/**
 * A random text over an alphabet. It draws two bytes a character and always the same number of bytes, so that a
 * seeded source gives the same texts again; what is left of a bias is below one in a thousand.
 */
export const randomText = (random: Random, length: number, alphabet: string): string => {
  const bytes = random(length * 2);
  let text = "";
  for (let at = 0; at < bytes.length; at += 2)
    text += alphabet.charAt((((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)) % alphabet.length);
  return text;
};

/** A session ID as real servers make it: a number below 2^31, in decimal. */
export const randomNumberText = (random: Random): string => {
  const [a = 0, b = 0, c = 0, d = 0] = random(4);
  return String((((a & 0x7f) << 24) | (b << 16) | (c << 8) | d) >>> 0);
};
