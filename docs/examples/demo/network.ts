import type { Fetch } from "matrix-third-party-invites/http";
import { parseJson } from "../homeserver/json.js";
import type { Transcript } from "./transcript.js";

/**
 * The network of the demo: an address book in place of DNS and certificates. Everybody asks for `https://hs1.example/…`, as
 * they would outside (the library takes key validity URLs with https only), and the address book turns the name into a
 * loopback port that speaks plain HTTP.
 */
export class Network {
  /** How far the clocks of the homeservers are ahead: a step can take place later. */
  aheadMs = 0;
  readonly #urls = new Map<string, string>();
  readonly #transcript: Transcript;

  constructor(transcript: Transcript) {
    this.#transcript = transcript;
  }

  register(name: string, url: string): void {
    this.#urls.set(name, url);
  }

  find(name: string): string | undefined {
    return this.#urls.get(name);
  }

  /** A `fetch` for one party, every request of which is written down. */
  as(from: string): Fetch {
    return async (url, init) => {
      const { hostname: to, pathname, search } = new URL(url);
      const place = this.#urls.get(to);
      if (place === undefined) throw new Error(`The address book has no ${to}.`);
      const path = pathname + search;
      const body = typeof init.body === "string" ? parseJson(init.body) : null;
      const answered = this.#transcript.request({ from, to, method: init.method ?? "GET", path, body });
      try {
        const response = await fetch(place + path, init);
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
