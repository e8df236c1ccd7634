/**
 * What an option must be, asked when it is given: a limit that is NaN, or a text that is no number, would compare as false with
 * everything and so limit nothing.
 */
const require = (isGood: boolean, name: string, what: string): void => {
  if (!isGood) throw new TypeError(`${name} must be ${what}.`);
};

export const requireBytes = (name: string, value: unknown): void => {
  require(Number.isSafeInteger(value) && Number(value) >= 0, name, "a whole number of bytes, 0 or more");
};

/** `Infinity` is as long as a timer can wait. */
export const requireMs = (name: string, value: unknown): void => {
  require(typeof value === "number" && value >= 0, name, "a number of milliseconds, 0 or more");
};

export const requireObject = (name: string, value: unknown): void => {
  require(typeof value === "object" && value !== null, name, "an object");
};

/** What a host forgot is found out when something is made of it, not when it is asked. */
export const requireFunction = (name: string, value: unknown): void => {
  require(typeof value === "function", name, "a function");
};
