import { isLeft, isRight } from "fp-ts/lib/Either.js";
import { parseIdentityServerName } from "../invite/identity-server-name.js";
import { parseServerName } from "../matrix/ids.js";
import type { Config, InviteLimit, Limits, Ports, QueueLimits } from "../ports.js";
import { limitOf } from "./steps/charge-invite.js";
import { defaultQueueLimits } from "./steps/queue-limits.js";

const minKeyBytes = 32;

/** Whatever realm it is from: test runners have several. */
const isBytes = (value: unknown): boolean => Object.prototype.toString.call(value) === "[object Uint8Array]";

const isObject = (value: unknown): value is object => typeof value === "object" && value !== null;

type FieldOf<Type> = {
  [Field in keyof Config]-?: NonNullable<Config[Field]> extends Type ? Field : never;
}[keyof Config];

/** Every number of the configuration, with the least that it may be. A lease of no time would be everybody's. */
const least: Readonly<Record<FieldOf<number>, number>> = {
  maxPairs: 0,
  maxOnBindEntries: 0,
  askedForMs: 0,
  redemptionAgeMs: 0,
  leaseMs: 1,
  maxInFlight: 1,
};

const queueFault = (queue: Partial<QueueLimits> | undefined): string | undefined => {
  if (queue === undefined) return undefined;
  if (!isObject(queue)) return "config.queue must be an object.";
  const odd = Object.keys(defaultQueueLimits).find((field) => !isNumber(Reflect.get(queue, field), 0));
  return odd === undefined ? undefined : `config.queue.${odd} must be a whole number, 0 or more.`;
};

/** Finite, since these go into storage, and no NaN: a limit of NaN compares as if it were none. */
const isNumber = (value: unknown, from: number): boolean =>
  value === undefined || (Number.isSafeInteger(value) && Number(value) >= from);

const limitFault = (limits: Config["inviteLimits"]): string | undefined => {
  if (limits === undefined) return undefined;
  if (!isObject(limits)) return "config.inviteLimits must be an object.";
  const fields: readonly (keyof InviteLimit)[] = ["burst", "intervalMs"];
  for (const of of ["sender", "address"] as const) {
    const given: unknown = limits[of];
    if (given === undefined) continue;
    if (!isObject(given)) return `config.inviteLimits.${of} must be an object.`;
    for (const field of fields)
      if (!isNumber(Reflect.get(given, field), 1))
        return `config.inviteLimits.${of}.${field} must be a whole number, 1 or more.`;
    const { burst, intervalMs } = limitOf({ inviteLimits: limits }, of);
    // Else no storage could hold when the bucket is full.
    if (!Number.isSafeInteger(2 * burst * intervalMs))
      return `config.inviteLimits.${of}: burst times intervalMs must be less than 2^52.`;
  }
  return undefined;
};

const switches: Readonly<Record<FieldOf<boolean>, true>> = {
  allowClearLookup: true,
  storeAddresses: true,
  strictInviteState: true,
};

const isSwitch = (value: unknown): boolean => value === undefined || typeof value === "boolean";

const isTexts = (value: unknown): boolean =>
  Array.isArray(value) && value.every((text) => typeof text === "string");

const isIdentityServer = (name: unknown): boolean => isRight(parseIdentityServerName(name));

/** Of any realm, as above. */
const isPinnedKeys = (value: unknown): boolean =>
  value === undefined ||
  (Object.prototype.toString.call(value) === "[object Map]" &&
    [...(value as ReadonlyMap<unknown, unknown>)].every(
      ([name, keys]) => isIdentityServer(name) && isTexts(keys),
    ));

/** A list that is misspelt would allow what it is to forbid. */
const isNameLists = (value: unknown): boolean =>
  value === undefined ||
  (isObject(value) &&
    Object.prototype.toString.call(value) === "[object Object]" &&
    Object.entries(value).every(
      ([list, names]: readonly [string, unknown]) =>
        (list === "allow" || list === "deny") &&
        (names === undefined || (Array.isArray(names) && names.every(isIdentityServer))),
    ));

const optionalFault = (config: Config): string | undefined => {
  const number = Object.entries(least).find(([field, from]) => !isNumber(Reflect.get(config, field), from));
  if (number !== undefined)
    return `config.${number[0]} must be a whole number, ${String(number[1])} or more.`;
  const odd = Object.keys(switches).find((field) => !isSwitch(Reflect.get(config, field)));
  if (odd !== undefined) return `config.${odd} must be true or false.`;
  if (!isPinnedKeys(config.pinnedKeys))
    return "config.pinnedKeys must be a Map of lists of keys, by the names of identity servers.";
  return isNameLists(config.identityServers)
    ? (queueFault(config.queue) ?? limitFault(config.inviteLimits))
    : "config.identityServers must have lists of the names of identity servers: allow, deny.";
};

/**
 * What is wrong with the configuration, as a sentence. A server that does not know its own name would refuse every proof
 * as another server's, and they come only once; a short key would give the addresses away; a limit that is no number
 * would be none; the text "false" would allow what it is to forbid.
 */
const configFault = (config: Config | undefined): string | undefined => {
  if (!isObject(config)) return "config must be an object.";
  const { serverName, addressKey } = config;
  if (isLeft(parseServerName(serverName))) return "config.serverName must be a server name.";
  return isBytes(addressKey) && addressKey.length >= minKeyBytes
    ? optionalFault(config)
    : `config.addressKey must be a Uint8Array of at least ${minKeyBytes} bytes.`;
};

type Called = Omit<Required<Ports>, "config" | "observe" | "limits"> & { readonly limits: Limits };

/** The methods of every port. */
const methods: { readonly [P in keyof Called]: Readonly<Record<keyof Called[P] & string, true>> } = {
  crypto: { verify: true, sha256: true, hmacSha256: true },
  rooms: { snapshot: true, tokens: true },
  events: { append: true },
  identityServer: { hashDetails: true, lookup: true, storeInvite: true, keyValidity: true },
  invites: { putIfAbsent: true, replace: true, find: true, findByToken: true, list: true },
  redemptions: {
    put: true,
    line: true,
    sizes: true,
    claim: true,
    replace: true,
    known: true,
    list: true,
    remove: true,
    nextDueAt: true,
  },
  federation: { exchangeThirdPartyInvite: true },
  users: { find: true },
  clock: { now: true },
  random: { fraction: true },
  limits: { take: true, forget: true },
  policy: { mayInvite: true },
};

const isOptional = (port: keyof Called): boolean => port === "policy";

const methodFault = (port: keyof Called, given: unknown): string | undefined => {
  if (given === undefined && isOptional(port)) return undefined;
  if (port === "limits") {
    if (given === "off") return undefined;
    if (!isObject(given)) return 'limits must be an object, or "off".';
  }
  if (!isObject(given) && typeof given !== "function") return `${port} must be an object.`;
  const missing = Object.keys(methods[port]).find((name) => typeof Reflect.get(given, name) !== "function");
  return missing === undefined ? undefined : `${port}.${missing} must be a function.`;
};

/** What is wrong with the ports that these flows need, as a sentence that names the field. */
export const portsFault = (ports: Partial<Ports>, needs: Iterable<keyof Ports>): string | undefined => {
  if (!isObject(ports)) return "The ports must be an object.";
  const { config, observe } = ports;
  const fault = configFault(config);
  if (fault !== undefined) return fault;
  if (observe !== undefined && typeof observe !== "function") return "observe must be a function.";
  for (const need of needs) {
    const wrong = need === "config" || need === "observe" ? undefined : methodFault(need, ports[need]);
    if (wrong !== undefined) return wrong;
  }
  return undefined;
};
