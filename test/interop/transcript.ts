import { readFileSync } from "node:fs";
import { type Either, isLeft } from "fp-ts/lib/Either.js";
import { type RoomState, type RoomVersion, roomState, roomVersion } from "matrix-third-party-invites/judge";
import { decodeBase64, parseRoomId } from "matrix-third-party-invites/matrix";
import type { JsonObject, RoomId } from "matrix-third-party-invites/ports";

interface ServerKeys {
  readonly server_name: string;
  readonly verify_keys: Readonly<Record<string, { readonly key: string }>>;
}

export interface Exchange {
  readonly name?: string;
  readonly to?: "hs1" | "hs2" | "is";
  /** Who signed the request, by its X-Matrix header. */
  readonly origin?: string;
  readonly request: { readonly method: string; readonly path: string; readonly body: JsonObject };
  readonly response: { readonly status: number; readonly body: JsonObject };
}

interface Flow {
  readonly address: string;
  readonly token: string;
  readonly thirdPartyInviteEventId: string;
  readonly inviteEventId: string;
  readonly joinEventId?: string;
  readonly revocationEventId?: string;
}

interface StoredEvent {
  readonly eventId: string;
  readonly pdu: JsonObject;
}

interface Capture {
  readonly software: string;
  readonly server: string;
  readonly serverKeys: ServerKeys;
  readonly otherServer: { readonly name: string; readonly serverKeys: ServerKeys };
  /** With what it answered whenever it was asked for hash details. */
  readonly identityServer: { readonly name: string; readonly hashDetails: JsonObject };
  readonly roomVersion: string;
  readonly roomId: string;
  readonly users: Readonly<Record<"alice" | "bob" | "carol" | "dave" | "eve", string>>;
  readonly flows: Readonly<
    Record<"local" | "remote" | "signed" | "revoked" | "bound" | "redacted" | "pending", Flow>
  >;
  readonly events: readonly StoredEvent[];
  readonly clientExchanges: readonly Exchange[];
  readonly serverExchanges: readonly Exchange[];
}

/** A room between two real homeservers and an identity server, as it was captured. */
export interface Transcript extends Omit<Capture, "roomId" | "roomVersion"> {
  readonly roomId: RoomId;
  readonly version: RoomVersion;
  readonly event: (eventId: string) => JsonObject;
  /** The state just before an event, or at the end. */
  readonly stateBefore: (eventId?: string) => RoomState;
  /** What the homeservers and the identity server were asked under this path. */
  readonly asked: (path: RegExp) => readonly Exchange[];
  /** The key of a server, by its name and key ID. */
  readonly serverKey: (server: string, keyId: string) => Uint8Array;
}

export const rightOf = <A>(either: Either<unknown, A>): A => {
  if (isLeft(either)) throw new Error(`expected a right, got ${JSON.stringify(either.left)}`);
  return either.right;
};

export const leftOf = <E>(either: Either<E, unknown>): E => {
  if (!isLeft(either)) throw new Error(`expected a left, got ${JSON.stringify(either.right)}`);
  return either.left;
};

/** What is there by construction of the fixture. */
export const present = <T>(value: T | undefined): T => {
  if (value === undefined) throw new Error("the transcript lacks something");
  return value;
};

/** The parts of an event that a maker decides; time, place in the graph, hashes and signatures are its server's own. */
export const made = (pdu: JsonObject): JsonObject => ({
  type: pdu["type"],
  room_id: pdu["room_id"],
  sender: pdu["sender"],
  state_key: pdu["state_key"],
  content: pdu["content"],
});

const load = (name: string): Transcript => {
  const file = new URL(`../fixtures/transcripts/synapse-hs1-v${name}.json`, import.meta.url);
  const capture = JSON.parse(readFileSync(file, "utf8")) as Capture;
  const version = present(roomVersion(capture.roomVersion));
  const roomId = rightOf(parseRoomId(capture.roomId));
  const { events } = capture;
  return {
    ...capture,
    roomId,
    version,
    event: (eventId) => present(events.find((stored) => stored.eventId === eventId)).pdu,
    stateBefore: (eventId) => {
      const end = eventId === undefined ? events.length : events.findIndex((one) => one.eventId === eventId);
      return roomState(
        roomId,
        version,
        events.slice(0, end).map(({ pdu }) => pdu),
      );
    },
    asked: (path) => capture.serverExchanges.filter(({ request }) => path.test(request.path)),
    serverKey: (server, keyId) => {
      const all = [capture.serverKeys, capture.otherServer.serverKeys];
      const keys = present(all.find(({ server_name }) => server_name === server));
      return present(decodeBase64(present(keys.verify_keys[keyId]).key));
    },
  };
};

export const transcripts: readonly (readonly [version: string, Transcript])[] = ["1", "6", "10", "12"].map(
  (name) => [name, load(name)] as const,
);
