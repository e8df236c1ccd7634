import type { Fetch } from "matrix-third-party-invites/http";
import { parseJson } from "./json.js";
import type { Transcript } from "./transcript.js";

/** Where a server is, and the key that its signatures are checked with. */
export interface Address {
  readonly url: string;
  readonly keyId: string;
  readonly publicKey: Uint8Array;
}

/**
 * The network of the demo: an address book in place of DNS, certificates and key servers. Everybody asks for
 * `https://hs1.example/…`, as they would outside (the library takes key validity URLs with https only), and the
 * address book turns the name into a loopback port that speaks plain HTTP.
 */
export class Network {
  /** How far the clocks of all servers are ahead: a step can take place later. */
  aheadMs = 0;
  readonly #addresses = new Map<string, Address>();
  readonly #transcript: Transcript;

  constructor(transcript: Transcript) {
    this.#transcript = transcript;
  }

  register(name: string, address: Address): void {
    this.#addresses.set(name, address);
  }

  find(name: string): Address | undefined {
    return this.#addresses.get(name);
  }

  /** A server's key, if it has one of this ID. */
  keyOf(name: string, keyId: string): Address | undefined {
    const address = this.find(name);
    return address?.keyId === keyId ? address : undefined;
  }

  /** A `fetch` for one party, every request of which is written down. */
  as(from: string): Fetch {
    return async (url, init) => {
      const { host: to, pathname, search } = new URL(url);
      const address = this.#addresses.get(to);
      if (address === undefined) throw new Error(`The address book has no ${to}.`);
      const path = pathname + search;
      const body = typeof init.body === "string" ? parseJson(init.body) : null;
      const answered = this.#transcript.request({ from, to, method: init.method ?? "GET", path, body });
      try {
        const response = await fetch(address.url + path, init);
        const text = await response.text();
        answered(response.status, parseJson(text));
        return new Response(text, response);
      } catch (cause) {
        answered(0, null);
        throw cause;
      }
    };
  }
}
