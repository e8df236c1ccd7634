import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import {
  type InboundInvite,
  type Ports,
  type ThirdPartyInvites,
  createThirdPartyInvites,
} from "matrix-third-party-invites";
import { inviteRoomState } from "matrix-third-party-invites/decisions";
import { type KnownKeys, type RoomVersion, checkPdu, roomVersion } from "matrix-third-party-invites/judge";
import { type SignedPdu, domainOf, isJsonObject, mergeCoSigned } from "matrix-third-party-invites/matrix";
import type { JsonObject, RoomId, SigningKey } from "matrix-third-party-invites/ports";
import { identityServerClient } from "matrix-third-party-invites/http";
import { nodeCrypto, nodeSigningKey } from "matrix-third-party-invites/node";
import {
  type AppendHooks,
  type AppendRefused,
  type MemoryRedemptions,
  type MemoryRooms,
  memoryInvites,
  memoryLimits,
  memoryRedemptions,
  memoryRooms,
  memoryUsers,
} from "matrix-third-party-invites/testing";
import { clientRoutes } from "./client-endpoints.js";
import { type AskServer, federationClient, federationPort } from "./federation-client.js";
import { federationRoutes } from "./federation-endpoints.js";
import { type Handle, router } from "./http.js";
import { textAt } from "./json.js";
import type { Network } from "./network.js";
import type { Transcript } from "./transcript.js";

/**
 * A small homeserver. Its rooms and storage are the library's, in memory; everything else is what a homeserver writes to
 * use the library. An access token is the user ID itself, in place of a login.
 */
export class Homeserver {
  readonly name: string;
  readonly key: SigningKey = nodeSigningKey("ed25519:demo", randomBytes(32));
  readonly network: Network;
  readonly handle: Handle;
  readonly ask: AskServer;
  readonly memory: MemoryRooms;
  readonly redemptions: MemoryRedemptions = memoryRedemptions();
  readonly ports: Ports;
  /** The library, over these ports. */
  readonly flows: ThirdPartyInvites;
  /** Invites to rooms that this server does not have, by room and user: where to join through. */
  readonly invites = new Map<string, Pick<InboundInvite, "sender" | "strippedState">>();
  readonly #transcript: Transcript;
  #work: Promise<void> = Promise.resolve();
  #alarm: NodeJS.Timeout | undefined;

  /** `ports` take the place of the server's own. */
  constructor(
    name: string,
    accounts: readonly string[],
    network: Network,
    transcript: Transcript,
    ports: Partial<Ports> = {},
  ) {
    this.name = name;
    this.network = network;
    this.#transcript = transcript;
    this.ask = federationClient(network, name, this.key);
    this.memory = memoryRooms({
      crypto: nodeCrypto,
      serverName: name,
      key: this.key,
      ...this.#appendHooks(),
    });
    this.ports = {
      config: { serverName: name, addressKey: randomBytes(32) },
      crypto: nodeCrypto,
      rooms: this.memory.rooms,
      events: this.memory.events,
      identityServer: identityServerClient({ fetch: network.as(name) }),
      invites: memoryInvites(),
      redemptions: this.redemptions,
      limits: memoryLimits(),
      federation: federationPort(this.ask),
      users: memoryUsers(new Map(accounts.map((localpart) => [`@${localpart}:${name}`, {}]))),
      clock: { now: () => Date.now() + network.aheadMs },
      random: { fraction: Math.random },
      ...ports,
    };
    this.flows = createThirdPartyInvites(this.ports);
    this.handle = router([...clientRoutes(this), ...federationRoutes(this)]);
  }

  /** What happens around each append: the invitee's server signs first, the room's servers hear of it after. */
  #appendHooks(): AppendHooks {
    return {
      beforeAppend: async (pdus, roomId) => {
        const signed: SignedPdu[] = [];
        for (const event of pdus) {
          const isInvite = textAt(event.pdu, "content", "membership") === "invite";
          const destination = domainOf(textAt(event.pdu, "state_key"));
          if (!isInvite || destination === this.name) {
            signed.push(event);
            continue;
          }
          const answer = await this.#inviteRemotely(destination, roomId, event);
          if (!("pdu" in answer)) return answer;
          signed.push(answer);
        }
        return { _tag: "Go", pdus: signed };
      },
      afterAppend: async (pdus, roomId) => {
        this.record(roomId, pdus);
        await this.sendToRoom(roomId, pdus);
      },
    };
  }

  /** `PUT /invite` to the invitee's server; gives the event with that server's signature on it. */
  async #inviteRemotely(
    destination: string,
    roomId: RoomId,
    { eventId, pdu }: SignedPdu,
  ): Promise<SignedPdu | AppendRefused> {
    const state = this.memory.state(roomId);
    const { version } = state;
    const path = `/_matrix/federation/v2/invite/${encodeURIComponent(roomId)}/${encodeURIComponent(eventId)}`;
    const { status, body } = await this.ask(destination, "PUT", path, {
      room_version: version.id,
      event: pdu,
      invite_room_state: inviteRoomState(state, textAt(pdu, "sender")),
    });
    const refused = (errcode: string, message: string): AppendRefused => ({
      _tag: "Refused",
      status: 403,
      errcode,
      message,
    });
    if (status !== 200) return refused(textAt(body, "errcode"), textAt(body, "error"));
    const coSigned = mergeCoSigned(nodeCrypto, pdu, body, {
      version,
      server: destination,
      keys: this.#keys(),
    });
    return coSigned._tag === "Left"
      ? refused("M_FORBIDDEN", "The event came back otherwise.")
      : { eventId, pdu: coSigned.right };
  }

  #keys(): KnownKeys {
    return { keyOf: this.network.keyOf.bind(this.network), now: Date.now() };
  }

  /** What a received event's ID, content hash and signatures say, before any rule is asked. */
  check(pdu: JsonObject, version: RoomVersion): ReturnType<typeof checkPdu> {
    return checkPdu(nodeCrypto, pdu, version, this.#keys());
  }

  /** An invite by another server: if it is whole, the one that is spoken of, and signed by that server. */
  checkInvite(
    pdu: unknown,
    version: RoomVersion,
    { eventId, origin }: { readonly eventId: string; readonly origin: string },
  ): JsonObject | undefined {
    const checked = isJsonObject(pdu) ? this.check(pdu, version) : undefined;
    if (checked?._tag !== "Right") return undefined;
    const found = checked.right;
    const isGood = found.eventId === eventId && found.hashMatches && found.signers.has(origin);
    return isGood ? found.pdu : undefined;
  }

  /** Sends events to the other servers whose users are in the room. */
  async sendToRoom(roomId: string, pdus: readonly SignedPdu[], except?: string): Promise<void> {
    const members = this.memory
      .stateEvents(roomId)
      .filter(({ pdu }) => textAt(pdu, "content", "membership") === "join");
    const servers = new Set(members.map(({ pdu }) => domainOf(textAt(pdu, "state_key"))));
    for (const server of servers) {
      if (server === this.name || server === except) continue;
      const path = `/_matrix/federation/v1/send/${randomBytes(6).toString("hex")}`;
      const transaction = {
        origin: this.name,
        origin_server_ts: Date.now(),
        pdus: pdus.map(({ pdu }) => pdu),
      };
      // A real server keeps a queue for those that cannot be reached now.
      await this.ask(server, "PUT", path, transaction).catch(() => undefined);
    }
  }

  /** The room's version, if this server is in the room. */
  async residentVersion(roomId: RoomId): Promise<RoomVersion | undefined> {
    const snapshot = await this.memory.rooms.snapshot(roomId, [], {});
    return snapshot._tag === "Snapshot" ? roomVersion(snapshot.roomVersion) : undefined;
  }

  record(roomId: string, pdus: readonly SignedPdu[]): void {
    const { version } = this.memory.state(roomId);
    for (const event of pdus) this.#transcript.appended(this.name, roomId, version.id, event);
  }

  /** Takes an event from another server into the room, once; it has been judged. */
  receive(roomId: string, pdu: JsonObject): void {
    const known = this.memory.timeline(roomId).length;
    const event = this.memory.receive(roomId, pdu);
    if (this.memory.timeline(roomId).length > known) this.record(roomId, [event]);
  }

  /** Has the proofs that an identity server delivered worked on: soon, but not while it waits for our answer. */
  deliverSoon(): void {
    this.#work = this.#work.then(() => sleep(25)).then(() => this.#deliver());
  }

  async #deliver(): Promise<void> {
    const result = await this.flows.deliverOwed();
    if (result._tag === "Left" || result.right.nextDueAt === undefined) return;
    clearTimeout(this.#alarm);
    this.#alarm = setTimeout(
      () => {
        this.deliverSoon();
      },
      Math.max(0, result.right.nextDueAt - this.ports.clock.now()),
    );
  }

  /** Until nothing is being delivered any more. */
  settled(): Promise<void> {
    return this.#work;
  }

  async stop(): Promise<void> {
    clearTimeout(this.#alarm);
    await this.#work;
  }
}
