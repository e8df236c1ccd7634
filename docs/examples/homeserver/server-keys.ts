import type { JsonObject } from "matrix-third-party-invites/ports";
import { type KeyName, type KnownKeys, type ServerKey, keysNeeded } from "matrix-third-party-invites/judge";
import type { RoomVersion } from "matrix-third-party-invites/judge";
import {
  type KnownServerKeys,
  encodeBase64,
  parseServerKeys,
  signJson,
} from "matrix-third-party-invites/matrix";
import { nodeCrypto } from "matrix-third-party-invites/node";
import type { SigningKey } from "matrix-third-party-invites/ports";
import type { Database } from "./database.js";
import { getJson } from "./federation-client.js";
import type { Options } from "./homeserver.js";
import { parseJson, writeJson } from "./json.js";

const day = 24 * 3_600_000;

/** After a failure, or for a key that the document does not have, a server is asked again in five seconds. */
const pauseMs = 5_000;

/** `GET /_matrix/key/v2/server`: this server's own keys. */
export const keyDocument = (name: string, key: SigningKey, now: number): JsonObject => {
  const document = {
    server_name: name,
    verify_keys: { [key.keyId]: { key: encodeBase64(key.publicKey) } },
    old_verify_keys: {},
    valid_until_ts: now + day,
  };
  const signed = signJson(document, name, key);
  if (signed._tag === "Left") throw new Error(signed.left._tag);
  return signed.right;
};

/** The keys of other servers: fetched from themselves when they are needed, and kept. */
export class ServerKeys {
  readonly #database: Database;
  readonly #options: Options;
  readonly #known = new Map<string, KnownServerKeys>();
  readonly #fetches = new Map<string, { readonly at: number; readonly done: Promise<void> }>();

  constructor(database: Database, options: Options, own: SigningKey) {
    this.#database = database;
    this.#options = options;
    this.#read(options.name, keyDocument(options.name, own, this.#now()));
    for (const row of database.rows("SELECT * FROM server_keys"))
      this.#read(String(row["server"]), parseJson(String(row["document"])));
  }

  #now(): number {
    return this.#options.now?.() ?? Date.now();
  }

  /** What is known when events are checked; `need` fetches before. */
  get known(): KnownKeys {
    return { keyOf: (server, keyId) => this.#known.get(server)?.keys.get(keyId), now: this.#now() };
  }

  #read(server: string, document: unknown): boolean {
    const read = parseServerKeys(nodeCrypto, document, { serverName: server, now: this.#now() });
    if (read._tag === "Right") this.#known.set(server, read.right);
    return read._tag === "Right";
  }

  #isFresh({ server, keyId }: KeyName): boolean {
    const known = this.#known.get(server);
    const isOwn = server === this.#options.name;
    return isOwn || (known?.keys.has(keyId) === true && known.validUntilTs > this.#now());
  }

  async #fetch(server: string): Promise<void> {
    const answer = await getJson(this.#options.fetch, server, "/_matrix/key/v2/server").catch(
      () => undefined,
    );
    if (answer?.status !== 200 || !this.#read(server, answer.body)) return;
    this.#database.rows(
      "INSERT OR REPLACE INTO server_keys (server, document) VALUES (?, ?)",
      ...[server, writeJson(answer.body)],
    );
  }

  /** Has these keys fetched, if they can be had. */
  async need(names: readonly KeyName[]): Promise<void> {
    const servers = new Set(names.filter((one) => !this.#isFresh(one)).map(({ server }) => server));
    const all = [...servers].map((server) => {
      const last = this.#fetches.get(server);
      const isRecent = last !== undefined && this.#now() - last.at < pauseMs;
      const fetch = isRecent ? last : { at: this.#now(), done: this.#fetch(server) };
      this.#fetches.set(server, fetch);
      return fetch.done;
    });
    await Promise.all(all);
  }

  needFor(pdus: readonly JsonObject[], version: RoomVersion): Promise<void> {
    return this.need(pdus.flatMap((pdu) => keysNeeded(nodeCrypto, pdu, version)));
  }

  /**
   * The key that signs requests: `Unknown` where the server's document does not have it, or has it as expired; `Unavailable`
   * where no document can be had now, which says nothing about the request.
   */
  async forRequest(name: KeyName): Promise<ServerKey | "Unknown" | "Unavailable"> {
    await this.need([name]);
    const known = this.#known.get(name.server);
    if (known === undefined || known.validUntilTs <= this.#now()) return "Unavailable";
    const key = known.keys.get(name.keyId);
    return key === undefined || key.expiredTs !== undefined ? "Unknown" : key;
  }
}
