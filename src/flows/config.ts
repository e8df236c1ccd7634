import { isLeft } from "fp-ts/lib/Either.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { parseServerName } from "../matrix/ids.js";
import type { Config, Ports } from "../ports.js";
import { failure } from "../refusal.js";
import type { Step } from "./run.js";

const minKeyBytes = 32;

/** Whatever realm it is from: test runners have several. */
const isBytes = (value: unknown): boolean => Object.prototype.toString.call(value) === "[object Uint8Array]";

/**
 * What is wrong with the configuration, as a sentence. A server that does not know its own name would refuse every proof
 * as another server's, and they come only once; a short key would give the addresses away.
 */
export const configFault = ({ serverName, addressKey }: Config): string | undefined => {
  if (isLeft(parseServerName(serverName))) return "config.serverName must be a server name.";
  return isBytes(addressKey) && addressKey.length >= minKeyBytes
    ? undefined
    : `config.addressKey must be a Uint8Array of at least ${minKeyBytes} bytes.`;
};

/** The first step of a flow that lives by its configuration. */
export const configured =
  ({ config }: Pick<Ports, "config">): Step<void> =>
  () => {
    const message = configFault(config);
    return (message === undefined ? TE.right(undefined) : TE.left(failure("ConfigBroken", { message })))();
  };
