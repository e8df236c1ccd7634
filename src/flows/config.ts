import { isLeft } from "fp-ts/lib/Either.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { parseServerName } from "../matrix/ids.js";
import type { Config, Ports } from "../ports.js";
import { failure } from "../refusal.js";
import type { Step } from "./run.js";

const minKeyBytes = 32;

/** Whatever realm it is from: test runners have several. */
const isBytes = (value: unknown): boolean => Object.prototype.toString.call(value) === "[object Uint8Array]";

type NumberField = {
  [Field in keyof Config]-?: NonNullable<Config[Field]> extends number ? Field : never;
}[keyof Config];

/** Every number of the configuration, with the least that it may be. A lease of no time would be everybody's. */
const least: Readonly<Record<NumberField, number>> = {
  maxPairs: 0,
  maxOnBindEntries: 0,
  maxWaitingPerUser: 0,
  maxWaitingPerServer: 0,
  askedForMs: 0,
  redemptionAgeMs: 0,
  leaseMs: 1,
};

/** Finite, since these go into storage, and no NaN: a limit of NaN compares as if it were none. */
const isNumber = (value: unknown, from: number): boolean =>
  value === undefined || (Number.isSafeInteger(value) && Number(value) >= from);

const numberFault = (config: Config): string | undefined => {
  const given: Readonly<Record<string, unknown>> = { ...config };
  const wrong = Object.entries(least).find(([field, from]) => !isNumber(given[field], from));
  return wrong === undefined
    ? undefined
    : `config.${wrong[0]} must be a whole number, ${String(wrong[1])} or more.`;
};

/**
 * What is wrong with the configuration, as a sentence. A server that does not know its own name would refuse every proof
 * as another server's, and they come only once; a short key would give the addresses away; a limit that is no number
 * would be none.
 */
export const configFault = (config: Config): string | undefined => {
  const { serverName, addressKey } = config;
  if (isLeft(parseServerName(serverName))) return "config.serverName must be a server name.";
  return isBytes(addressKey) && addressKey.length >= minKeyBytes
    ? numberFault(config)
    : `config.addressKey must be a Uint8Array of at least ${minKeyBytes} bytes.`;
};

/** The first step of a flow that lives by its configuration. */
export const configured =
  ({ config }: Pick<Ports, "config">): Step<void> =>
  () => {
    const message = configFault(config);
    return (message === undefined ? TE.right(undefined) : TE.left(failure("ConfigBroken", { message })))();
  };
