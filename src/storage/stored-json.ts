import { type Either, isLeft } from "fp-ts/lib/Either.js";
import { member } from "../matrix/json.js";

/** What is stored is not as this library writes it. What stands there is not repeated. */
export const unreadable = (what: string): Error => new Error(`What is stored has no readable ${what}.`);

export const textIn = (json: unknown, name: string): string => {
  const value = member(json, name);
  if (typeof value !== "string") throw unreadable(name);
  return value;
};

export const numberIn = (json: unknown, name: string): number => {
  const value = member(json, name);
  if (typeof value !== "number") throw unreadable(name);
  return value;
};

export const listIn = (json: unknown, name: string): readonly unknown[] => {
  const value = member(json, name);
  if (!Array.isArray(value)) throw unreadable(name);
  return value;
};

export const parsedIn = <A>(
  parse: (value: unknown) => Either<unknown, A>,
  json: unknown,
  name: string,
): A => {
  const value = parse(member(json, name));
  if (isLeft(value)) throw unreadable(name);
  return value.right;
};
