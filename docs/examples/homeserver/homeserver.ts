import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { Hono } from "hono";
import { type Ports, type ThirdPartyInvites, createThirdPartyInvites } from "matrix-third-party-invites";
import { type Fetch, identityServerClient } from "matrix-third-party-invites/http";
import { type SignedPdu, domainOf, eventId, isJsonObject } from "matrix-third-party-invites/matrix";
import { nodeCrypto, nodeSigningKey } from "matrix-third-party-invites/node";
import type { JsonObject, SigningKey } from "matrix-third-party-invites/ports";
import { sqliteStorage } from "matrix-third-party-invites/sqlite";
import { build } from "../event-builder/build.js";
import type { Host } from "../event-builder/co-sign.js";
import { eventsPort } from "../event-builder/events.js";
import { roomsPort } from "../event-builder/rooms.js";
import { whyNotAllowed } from "./auth-rules.js";
import { addClientEndpoints } from "./client-endpoints.js";
import { type Database, openDatabase } from "./database.js";
import { type AskServer, federationClient, federationPort } from "./federation-client.js";
import { addFederationEndpoints } from "./federation-endpoints.js";
import { at } from "./json.js";
import { Outgoing } from "./outgoing.js";
import { RoomStore } from "./room-store.js";
import { ServerKeys } from "./server-keys.js";

export interface Options {
  /** The part after the `:` of its users' IDs; other servers reach it under this name. */
  readonly name: string;
  /** Where its database is; in memory if left out. */
  readonly folder?: string | undefined;
  /** The access token of each account, by the part of the user ID before the `:`. */
  readonly accounts: Readonly<Record<string, string>>;
  readonly keyId?: string;
  /** What carries its requests to other servers. */
  readonly fetch: Fetch;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  /** Called for each event that has come into a room. */
  readonly onEvent?: (roomId: string, version: string, event: SignedPdu) => void;
  readonly onError?: (cause: unknown) => void;
  /** In place of the server's own ports. */
  readonly ports?: Partial<Ports>;
}

/** A small homeserver: rooms, federation, and the library in the middle of it. */
export class Homeserver {
  readonly name: string;
  readonly options: Options;
  readonly key: SigningKey;
  readonly database: Database;
  readonly store: RoomStore;
  readonly keys: ServerKeys;
  readonly ask: AskServer;
  readonly outgoing: Outgoing;
  readonly host: Host;
  readonly ports: Ports;
  readonly invites: ThirdPartyInvites;
  /** Answers a request; `serve` of @hono/node-server takes it as `fetch`. */
  readonly handle: (request: Request) => Promise<Response>;
  #work: Promise<void> = Promise.resolve();
  #alarm: NodeJS.Timeout | undefined;
  #isStopped = false;

  static async open(options: Options): Promise<Homeserver> {
    return new Homeserver(options, await openDatabase(options.folder));
  }

  private constructor(options: Options, database: Database) {
    const { name, fetch, now = Date.now } = options;
    const secret = (of: string) =>
      Buffer.from(
        database.setting(of, () => randomBytes(32).toString("hex")),
        "hex",
      );
    this.name = name;
    this.options = options;
    this.database = database;
    this.key = nodeSigningKey(options.keyId ?? "ed25519:1", secret("signing key"));
    this.keys = new ServerKeys(database, options, this.key);
    this.ask = federationClient(fetch, name, this.key);
    this.outgoing = new Outgoing(database, name, this.ask);
    this.store = new RoomStore(database, name, {
      accepted: (roomId, event) => {
        this.tell(roomId, event);
      },
      send: (servers, event) => {
        this.outgoing.put(
          [...servers].filter((server) => server !== name),
          event,
        );
      },
    });
    this.host = {
      serverName: name,
      key: this.key,
      now: Date.now,
      keyOf: (server, keyId) => this.keys.known.keyOf(server, keyId),
      // They were put into the queue when they were stored.
      send: () => {
        this.outgoing.wake();
      },
      putInvite: async (destination, roomId, eventId, body) => {
        const path = `/_matrix/federation/v2/invite/${encodeURIComponent(roomId)}/${encodeURIComponent(eventId)}`;
        const answer = await this.ask(destination, "PUT", path, body);
        const signatures = at(answer.body, "event", "signatures", destination);
        const keyIds = isJsonObject(signatures) ? Object.keys(signatures) : [];
        await this.keys.need(keyIds.map((keyId) => ({ server: destination, keyId })));
        return answer;
      },
    };
    this.ports = {
      config: { serverName: name, addressKey: secret("address key") },
      crypto: nodeCrypto,
      rooms: roomsPort(this.store),
      events: eventsPort(this.store, this.host),
      identityServer: identityServerClient({ fetch }),
      ...sqliteStorage(database.client),
      federation: federationPort(this.ask),
      users: {
        find: ({ userId }) =>
          Promise.resolve(
            domainOf(userId) !== name || this.tokenOf(userId) !== undefined
              ? { _tag: "User" }
              : { _tag: "NoSuchUser" },
          ),
      },
      clock: { now },
      random: { fraction: Math.random },
      ...options.ports,
    };
    this.invites = createThirdPartyInvites(this.ports);
    // What the last run has left.
    this.outgoing.wake();
    this.deliverSoon();
    const app = new Hono();
    addClientEndpoints(app, this);
    addFederationEndpoints(app, this);
    app.notFound((c) => c.json({ errcode: "M_UNRECOGNIZED", error: "There is no such endpoint." }, 404));
    app.onError((cause, c) => {
      options.onError?.(cause);
      return c.json({ errcode: "M_UNKNOWN", error: "The server failed to answer." }, 500);
    });
    this.handle = async (request) => app.fetch(request);
  }

  /** The access token of an account. */
  tokenOf(userId: string): string | undefined {
    const [, localpart = ""] = /^@([^:]*):/.exec(userId) ?? [];
    const isAccount =
      `@${localpart}:${this.name}` === userId && Object.hasOwn(this.options.accounts, localpart);
    return isAccount ? this.options.accounts[localpart] : undefined;
  }

  /** The user whose access token it is. */
  userOf(token: string): string | undefined {
    const [localpart] = Object.entries(this.options.accounts).find(([, own]) => own === token) ?? [];
    return localpart === undefined ? undefined : `@${localpart}:${this.name}`;
  }

  /** The ID of an event of a room whose version is known. */
  eventIdOf(roomId: string, pdu: JsonObject): string | undefined {
    const version = this.store.version(roomId);
    const id = version === undefined ? undefined : eventId(nodeCrypto, pdu, version);
    return id?._tag === "Right" ? id.right : undefined;
  }

  /** Says that an event has come into a room. */
  tell(roomId: string, event: SignedPdu): void {
    this.options.onEvent?.(roomId, this.store.version(roomId)?.id ?? "", event);
  }

  /** An event by a user of this server, judged like any other; why it is refused, if it is. */
  async put(roomId: string, template: JsonObject): Promise<SignedPdu | string> {
    const result = await this.store.transaction(roomId, (room, write) => {
      if (room === undefined) return "This server is not in the room.";
      const [event] = build(room, [{ ...template, room_id: roomId }], this.host) ?? [];
      if (event === undefined) return "The event cannot be made.";
      const refused = whyNotAllowed(event.pdu, this.store.stateNow(roomId), new Set([this.name]));
      if (refused !== undefined) return refused;
      write(event);
      return event;
    });
    this.outgoing.wake();
    return result;
  }

  /** Has the proofs that an identity server delivered worked on: soon, but not while it waits for our answer. */
  deliverSoon(): void {
    this.#work = this.#work.then(() => sleep(25)).then(() => this.#deliver());
  }

  async #deliver(): Promise<void> {
    const result = await this.invites.deliverOwed();
    if (result._tag === "Left" || result.right.nextDueAt === undefined || this.#isStopped) return;
    clearTimeout(this.#alarm);
    this.#alarm = setTimeout(
      () => {
        this.deliverSoon();
      },
      Math.min(Math.max(0, result.right.nextDueAt - this.ports.clock.now()), 3_600_000),
    );
  }

  /** Until nothing is being delivered any more. */
  async settled(): Promise<void> {
    await this.#work;
    await this.outgoing.settled();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#work;
    clearTimeout(this.#alarm);
    await this.outgoing.stop();
    this.database.close();
  }
}
