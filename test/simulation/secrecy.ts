import { addressKey } from "./server.js";
import type { World } from "./world.js";

/** In the local part of each address of a run, and beyond what a redacted address shows. */
export const addressMark = "qzmark";

const bytes = Buffer.from(addressKey);

/** What may stand in nothing that leaves a server: addresses, access tokens, the key that addresses are stored under. */
const marks = [
  addressMark,
  "tokmark",
  "keymark",
  bytes.toString("base64").slice(0, 40).toLowerCase(),
  bytes.toString("hex"),
];

/** The first secret that a value gives away when it is written down. */
export const secretIn = (value: unknown): string | undefined => {
  const text = JSON.stringify([value]).toLowerCase();
  return marks.find((mark) => text.includes(mark));
};

export const keepsSecrets = (world: World, where: string, value: unknown): void => {
  const secret = secretIn(value);
  if (secret !== undefined) world.violate("secrecy", `${secret} stands in ${where}`);
};
