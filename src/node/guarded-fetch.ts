import { lookup } from "node:dns/promises";
import { type LookupFunction, isIP } from "node:net";
import type * as Undici from "undici";
import { loadUndici } from "./load-undici.js";
import { reachableAddress } from "./public-address.js";

export interface GuardedFetchOptions {
  /** What the operator wants reached although it is not public. A malformed entry is an error. */
  readonly allow?: {
    /** CIDR ranges: `"10.0.0.0/8"`, `"::1/128"`. */
    readonly ranges?: readonly string[];
    /**
     * Hosts, whatever addresses they have: `"id.internal"` (on port 443, as in a URL), `"id.internal:8443"`,
     * `"[fd00::1]:8443"`. No wildcards.
     */
    readonly hosts?: readonly string[];
  };
  /**
   * Certificates in PEM to trust *instead of* Node's own list; NODE_EXTRA_CA_CERTS adds to that list. A text or its
   * bytes, or several.
   */
  readonly ca?: string | Uint8Array | readonly (string | Uint8Array)[];
  /**
   * Until a connection stands, the look-up of its name and TLS included; 5 s. Sooner than a caller gives up: then nothing
   * was sent. An address of several has half of it, and then the next one is tried.
   */
  readonly connectTimeoutMs?: number;
  /** All addresses of a name; `dns.lookup` if absent. */
  readonly resolve?: (hostname: string) => Promise<readonly string[]>;
}

class TargetRefused extends Error {
  override readonly name = "TargetRefused";
  readonly code = "ERR_TARGET_REFUSED";
}

const systemResolve = async (hostname: string): Promise<readonly string[]> =>
  (await lookup(hostname, { all: true })).map(({ address }) => address);

const parseUrl = (text: string): URL | undefined => (URL.canParse(text) ? new URL(text) : undefined);

const hostName = /^(?:\[[\da-f:]+\]|[\w-]+(?:\.[\w-]+)*)$/;

/** Host and port as `URL.host` spells them, without the port 443. */
const parseHost = (entry: string): string => {
  const url = /^[^\s\p{Cc}/\\?#@]+(?<!:)$/u.test(entry) ? parseUrl(`https://${entry}`) : undefined;
  if (url === undefined || !hostName.test(url.hostname))
    throw new TypeError(`allow.hosts: "${entry}" is neither a host nor host:port`);
  return url.host;
};

interface Found {
  readonly address: string;
  readonly family: number;
}

/**
 * What Node asks for the addresses that it then connects to. The check stands here and nowhere earlier, so that a name
 * cannot answer differently between check and connection. One refused address refuses the name: no honest name needs
 * us to choose.
 */
const checkedLookup =
  (
    resolve: (hostname: string) => Promise<readonly string[]>,
    isReachable: (address: string) => boolean,
  ): LookupFunction =>
  (hostname, { all }, callback) => {
    const find = async (): Promise<[Found, ...Found[]]> => {
      const found = (await resolve(hostname)).map((address) => {
        if (!isReachable(address))
          throw new TargetRefused(`${hostname} has the address ${address}, which is not public`);
        return { address, family: isIP(address) };
      });
      const [first, ...rest] = found;
      if (first === undefined) throw new TargetRefused(`${hostname} has no address`);
      return [first, ...rest];
    };
    find().then(
      (found) => {
        if (all === true) callback(null, found);
        else callback(null, found[0].address, found[0].family);
      },
      (error: unknown) => {
        callback(error instanceof Error ? error : new Error(String(error)), []);
      },
    );
  };

/** As `node:tls` has them. Its types would make everybody who imports ours install those of Node. */
const certificates = (ca: NonNullable<GuardedFetchOptions["ca"]>): (string | Buffer)[] =>
  [ca].flat().map((one) => (typeof one === "string" ? one : Buffer.from(one)));

/** fetch repeats a request that is answered with 421: it would make two mails go out of one store-invite. */
const once: Undici.Dispatcher.DispatcherComposeInterceptor = (dispatch) => {
  let isSent = false;
  return (options, handler) => {
    if (isSent) throw new Error("The server answered 421 Misdirected Request.");
    isSent = true;
    return dispatch(options, handler);
  };
};

/** What a timer can wait; one that is asked for more goes off at once. */
const longestMs = 2 ** 31 - 1;

/** undici rejects with a TypeError that has the refusal as its cause. */
const refusalIn = (error: unknown): TargetRefused | undefined =>
  error instanceof TargetRefused
    ? error
    : error instanceof Error && error.cause !== undefined
      ? refusalIn(error.cause)
      : undefined;

/**
 * A `fetch` for targets that strangers choose: an identity server that a client names, a `key_validity_url` in a room.
 * It reaches public addresses, over https, and what `allow` lists; it follows no redirect, uses no proxy, and sends a
 * request once at most. Addresses are checked as the connection is made. A request with `connection: close` has a
 * connection of its own. It needs the package undici, version 7.
 *
 * A refused target rejects with an error whose `code` is `"ERR_TARGET_REFUSED"`: nothing was sent. Other failures
 * reject as those of `fetch` do. Time and size of an answer are the caller's to bound. Making it rejects where
 * `allow` is malformed, `connectTimeoutMs` is no time, undici is missing, or what was loaded in its place would drop the
 * check of addresses; `cause` is then what was thrown.
 *
 * @example
 * const fetch = await guardedFetch({ allow: { hosts: ["id.internal:8443"] } });
 * await fetch("https://id.example/_matrix/identity/v2", { method: "GET" }); // a Response
 * await fetch("https://169.254.169.254/", { method: "GET" }); // rejects: ERR_TARGET_REFUSED
 */
export const guardedFetch = async (
  options: GuardedFetchOptions = {},
): Promise<(url: string, init: RequestInit) => Promise<Response>> => {
  const { allow = {}, ca, connectTimeoutMs = 5_000, resolve = systemResolve } = options;
  // undici takes what is no number, and 0, for no limit at all.
  if (!(connectTimeoutMs > 0))
    throw new TypeError("connectTimeoutMs must be a number of milliseconds above 0.");
  const isReachable = reachableAddress(allow.ranges ?? []);
  const hosts = new Set((allow.hosts ?? []).map(parseHost));
  const { Agent, send } = await loadUndici();

  const timeout = Math.min(connectTimeoutMs, longestMs);
  const agent = (isAllowed: (address: string) => boolean, options: Undici.Agent.Options): Undici.Dispatcher =>
    new Agent({
      ...options,
      connect: {
        lookup: checkedLookup(resolve, isAllowed),
        timeout,
        // Node gives up an address after 250 ms, as soon as there is another.
        autoSelectFamily: true,
        autoSelectFamilyAttemptTimeout: Math.ceil(timeout / 2),
        ...(ca === undefined ? {} : { ca: certificates(ca) }),
      },
    });
  /** Two: one that keeps connections, and one that never uses a connection twice. */
  const agents = (isAllowed: (address: string) => boolean) => ({
    keeping: agent(isAllowed, {}),
    closing: agent(isAllowed, { pipelining: 0 }),
  });
  const guarded = agents(isReachable);
  const listed = agents((address) => isIP(address) !== 0);

  const targetOf = (text: string): URL => {
    const url = parseUrl(text);
    if (url?.protocol !== "https:") throw new TargetRefused("The target is no https URL");
    const { host, hostname } = url;
    if (url.username !== "" || url.password !== "")
      throw new TargetRefused(`A URL of ${host} has credentials in it`);
    if (hostname.endsWith(".")) throw new TargetRefused(`${host} ends in a dot, which no certificate names`);
    // Node does not look an address up, so a literal is checked here.
    const literal = hostname.replace(/^\[(.*)\]$/, "$1");
    if (isIP(literal) !== 0 && !hosts.has(host) && !isReachable(literal))
      throw new TargetRefused(`${literal} is not a public address`);
    return url;
  };

  return async (text, init = {}) => {
    const url = targetOf(text);
    const { keeping, closing } = hosts.has(url.host) ? listed : guarded;
    const isLast = new Headers(init.headers).get("connection") === "close";
    const dispatcher = (isLast ? closing : keeping).compose(once);
    try {
      return await send(url, { ...init, redirect: "manual", dispatcher });
    } catch (error) {
      throw refusalIn(error) ?? error;
    }
  };
};
