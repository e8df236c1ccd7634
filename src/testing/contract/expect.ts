import { WrittenNumber } from "../../matrix/written-number.js";
import { ContractBroken } from "./runner.js";

/** Whether two values of plain data are the same. A member that is undefined is none. */
export const isSame = (one: unknown, other: unknown): boolean => {
  if (typeof one !== "object" || typeof other !== "object" || one === null || other === null)
    return one === other || (Number.isNaN(one) && Number.isNaN(other));
  // A number of room versions 1 to 5 shows its spelling to those only who ask for it.
  if (one instanceof WrittenNumber || other instanceof WrittenNumber)
    return one instanceof WrittenNumber && other instanceof WrittenNumber && String(one) === String(other);
  if (Array.isArray(one) !== Array.isArray(other)) return false;
  const [members, others] = [presentMembers(one), presentMembers(other)];
  return (
    members.size === others.size &&
    [...members].every(([key, value]) => others.has(key) && isSame(value, others.get(key)))
  );
};

const presentMembers = (object: object): ReadonlyMap<string, unknown> =>
  new Map(Object.entries(object).filter(([, value]) => value !== undefined));

const shown = (value: unknown): string => {
  const text = value === undefined ? "nothing" : JSON.stringify(value);
  return text.length > 600 ? `${text.slice(0, 600)}…` : text;
};

export const fail = (what: string): never => {
  throw new ContractBroken(what);
};

/** `what` is a sentence about what was expected. */
export const expectSame = (actual: unknown, expected: unknown, what: string): void => {
  if (!isSame(actual, expected)) fail(`${what} Expected ${shown(expected)}, got ${shown(actual)}.`);
};

export const expectTrue = (isTrue: boolean, what: string): void => {
  if (!isTrue) fail(what);
};

export const expectPresent = <A>(value: A | undefined, what: string): A => value ?? fail(what);

/** The only one of a list. */
export const expectOne = <A>(list: readonly A[], what: string): A => {
  const [first, ...rest] = list;
  if (first === undefined || rest.length > 0) return fail(`${what} Expected one, got ${list.length}.`);
  return first;
};
