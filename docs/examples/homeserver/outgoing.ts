import { randomBytes } from "node:crypto";
import type { SignedPdu } from "matrix-third-party-invites/matrix";
import type { Database } from "./database.js";
import type { AskServer } from "./federation-client.js";
import { parseJson, writeJson } from "./json.js";

const maxPdus = 50;
const [firstPauseMs, longestPauseMs] = [1_000, 5 * 60_000];

/** Events for other servers: one transaction at a time for each, again until it is taken, in their order. */
export class Outgoing {
  readonly #database: Database;
  readonly #name: string;
  readonly #ask: AskServer;
  readonly #prefix: string;
  readonly #running = new Map<string, Promise<void>>();
  /** When a server that has failed is asked again. */
  readonly #failing = new Map<string, NodeJS.Timeout>();
  readonly #stop = new AbortController();

  constructor(database: Database, name: string, ask: AskServer) {
    this.#database = database;
    this.#name = name;
    this.#ask = ask;
    // Row IDs begin anew in a new database, and transaction IDs must not.
    this.#prefix = database.setting("transactions", () => randomBytes(6).toString("hex"));
  }

  /** Call it in the transaction that stores the event. */
  put(destinations: Iterable<string>, { pdu }: SignedPdu): void {
    for (const destination of destinations)
      this.#database.rows(
        "INSERT INTO outgoing (destination, pdu) VALUES (?, ?)",
        ...[destination, writeJson(pdu)],
      );
  }

  /** Sends what waits, but not to servers that have just failed. */
  wake(): void {
    for (const row of this.#database.rows("SELECT DISTINCT destination FROM outgoing")) {
      const destination = String(row["destination"]);
      if (!this.#failing.has(destination)) this.#run(destination);
    }
  }

  #run(destination: string, pauseMs?: number): void {
    if (this.#running.has(destination) || this.#stop.signal.aborted) return;
    const run = this.#send(destination, pauseMs).finally(() => this.#running.delete(destination));
    this.#running.set(destination, run);
  }

  /** A server that speaks to us is up again. */
  heardFrom(server: string): void {
    clearTimeout(this.#failing.get(server));
    if (this.#failing.delete(server)) this.wake();
  }

  async #send(destination: string, pauseMs = firstPauseMs): Promise<void> {
    for (;;) {
      const rows = this.#database.rows(
        `SELECT id, pdu FROM outgoing WHERE destination = ? ORDER BY id LIMIT ${maxPdus}`,
        destination,
      );
      if (rows.length === 0) return;
      const [first, last] = [Number(rows[0]?.["id"]), Number(rows.at(-1)?.["id"])];
      // The same events have the same ID each time, so they are not taken twice.
      const uri = `/_matrix/federation/v1/send/${this.#prefix}-${first}-${last}`;
      const content = {
        origin: this.#name,
        origin_server_ts: Date.now(),
        pdus: rows.map((row) => parseJson(String(row["pdu"]))),
      };
      const answer = await this.#ask(destination, "PUT", uri, content).catch(() => undefined);
      if (this.#stop.signal.aborted) return;
      if (answer?.status !== 200) {
        this.#pause(destination, pauseMs);
        return;
      }
      this.#database.rows("DELETE FROM outgoing WHERE destination = ? AND id <= ?", ...[destination, last]);
    }
  }

  #pause(destination: string, pauseMs: number): void {
    const alarm = setTimeout(() => {
      this.#failing.delete(destination);
      this.#run(destination, Math.min(2 * pauseMs, longestPauseMs));
    }, pauseMs);
    this.#failing.set(destination, alarm);
  }

  /** Until everything is sent that can be sent now. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running.values());
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    for (const alarm of this.#failing.values()) clearTimeout(alarm);
    await this.settled();
  }
}
