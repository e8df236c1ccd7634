import type { JsonObject } from "../../matrix/json.js";
import type { Mail } from "./effects.js";
import type { Random } from "./random-text.js";
import type { OpenIdToken } from "./request.js";

/** What an embedded identity server is made of. */
export interface IdentityServerOptions {
  /** Its name: what it signs as, and what `id_server` would be. */
  readonly serverName: string;
  /** Where it is reached, such as `https://is.example.org`: the beginning of the validity URLs. */
  readonly baseUrl: string;
  /** Random bytes; a seeded source makes everything reproducible, one that repeats itself makes tokens collide. */
  readonly random?: Random;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  /**
   * The owner of an OpenID token, which a real server would ask `serverName` for; `undefined` where there is none.
   * By default the token *is* the user ID that it claims: anybody is who they say, so keep it to tests.
   */
  readonly resolveOpenId?: (openId: OpenIdToken) => string | undefined | Promise<string | undefined>;
  /** The base URL of a homeserver; by default `https://{serverName}`, without any server discovery. */
  readonly homeserverUrl?: (serverName: string) => string;
  /** What onbind is sent with; by default the global `fetch`. */
  readonly fetch?: (url: string, init: RequestInit) => Promise<Response>;
  /** By default POST, as real servers do; the specification's endpoint is PUT. */
  readonly onbindMethod?: "POST" | "PUT";
}

/** What became of the deliveries that were due. */
export interface DeliveryReport {
  readonly delivered: number;
  /** How many are left, those included that are being sent at this moment. */
  readonly waiting: number;
  /** When to call again, in milliseconds since 1970; absent when nothing waits. */
  readonly nextDueAt?: number;
}

/** An identity server within this process. */
export interface EmbeddedIdentityServer {
  readonly serverName: string;
  /** The long-term public key of today: unpadded base64 in the standard alphabet. */
  readonly publicKey: string;
  /** All mails so far, oldest first; the list grows. */
  readonly outbox: readonly Mail[];
  /**
   * Serves the identity service API: `/_matrix/identity/v2/…`. Never rejects unless `random` or `now` throws; a failure
   * is JSON with `errcode` and `error`. Put it behind any server that speaks `Request` and `Response`, or give it to a
   * client as its `fetch`.
   *
   * @example
   * const fetch = (url: string, init: RequestInit) => identityServer.handle(new Request(url, init));
   */
  readonly handle: (request: Request) => Promise<Response>;
  /**
   * An access token for a user, without the way over `/account/register`. Throws a `TypeError` for what is no user ID.
   *
   * @example
   * const headers = { authorization: `Bearer ${identityServer.account("@alice:example.org")}` };
   */
  readonly account: (userId: string) => string;
  /**
   * Binds an address as validating and binding it would, to any user, also somebody else's: the
   * homeserver of the user is sent an onbind with all invites that wait. Gives the signed association.
   * Throws a `TypeError` for what is no address or no user ID.
   *
   * @example
   * identityServer.bindDirectly({ medium: "email", address: "zoe@example.org" }, "@zoe:example.org");
   * await identityServer.deliverDue();
   */
  readonly bindDirectly: (
    threepid: { readonly medium: string; readonly address: string },
    mxid: string,
  ) => JsonObject;
  /**
   * Sends every onbind that is due, one after the other, and puts those that failed off: by 1, 2, 4, 8 … s, until the
   * homeserver answers exactly 200. Nothing is sent unless this is called. Never rejects.
   *
   * @example
   * const { waiting, nextDueAt } = await identityServer.deliverDue();
   */
  readonly deliverDue: () => Promise<DeliveryReport>;
  /**
   * Another long-term key under the same name `ed25519:0`: `/pubkey/isvalid` knows it alone from now on, while
   * ephemeral keys stay valid. Takes a seed or makes one; gives the new public key. Throws a `TypeError` for a seed
   * that has not 32 bytes.
   */
  readonly rotateKey: (seed?: Uint8Array) => string;
  /**
   * Another pepper: a lookup with the old one is 400 `M_INVALID_PEPPER`. Takes one or makes one, and gives it.
   *
   * @example
   * identityServer.rotatePepper("matrixrocks");
   */
  readonly rotatePepper: (pepper?: string) => string;
  /** Asks everybody to accept terms of service before anything else: 403 `M_TERMS_NOT_SIGNED`. */
  readonly requireTerms: (on?: boolean) => void;
  /** Refuses whatever sends mail: 429 with `M_UNKNOWN` and without a `Retry-After`, as real servers do. */
  readonly rateLimit: (on?: boolean) => void;
}
