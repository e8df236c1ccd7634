/**
 * What the adapter asks of `federationSDK`, the one object that `@rocket.chat/federation-sdk` 0.8.0 (AGPL-3.0) exports for this. These
 * are our own types, and nothing here imports the package: its declarations do not compile without `skipLibCheck`. Whoever ships these
 * files together with the SDK ships the whole under its licence.
 */
import type { JsonObject } from "matrix-third-party-invites/ports";

/** An event as the SDK wraps it (`PersistentEventBase`). */
export interface SdkEvent {
  readonly eventId: string;
  readonly version: string;
  readonly type: string;
  readonly roomId: string;
  readonly sender: string;
  readonly stateKey?: string | undefined;
  readonly depth: number;
  /** The whole PDU. Each look at it hashes it anew. */
  readonly event: JsonObject;
  getContent(): JsonObject;
  getPreviousEventIds(): readonly string[];
  getAuthEventIds(): readonly string[];
  addSignature(server: string, keyId: string, signature: string): unknown;
}

/** The state of a room, by `type:state_key`. */
export type SdkState = ReadonlyMap<string, SdkEvent>;

export interface SdkResponse {
  json(): Promise<unknown>;
}

/** Its `FederationRequestError`; without a status where no server answered. */
export interface SdkRequestError {
  readonly response: SdkResponse & { readonly status?: number };
}

export interface FederationSdk {
  getConfig(name: "serverName"): string;
  getLatestRoomState(roomId: string): Promise<SdkState>;
  /** The state right after an event. */
  findStateAtEvent(eventId: string): Promise<SdkState>;
  /** Adds what is empty of `auth_events` and `prev_events`, hashes and signs. */
  buildEvent(event: JsonObject, roomVersion: string): Promise<SdkEvent>;
  handlePdu(event: SdkEvent): Promise<void>;
  sendEventToAllServersInRoom(event: SdkEvent, except?: readonly string[]): Promise<void>;
  /** `body` would be hashed and signed like an event; `signedBody` goes out as it is. */
  makeSignedRequest(request: {
    readonly method: string;
    readonly domain: string;
    readonly uri: string;
    readonly signedBody: JsonObject;
  }): Promise<SdkResponse>;
  verifyRequestSignature(
    authorization: string,
    method: string,
    uri: string,
    body?: JsonObject,
  ): Promise<string | undefined>;
  /** `null` for users of other servers, and where there is none. */
  queryProfile(
    userId: string,
  ): Promise<{ readonly displayname?: string; readonly avatar_url?: string } | null>;
  readonly eventEmitterService: { emit(name: string, data: JsonObject): Promise<unknown> };

  /** Private in its TypeScript, there at run time. */
  readonly stateService: {
    isRoomStatePartial(roomId: string): Promise<boolean>;
    _resolveStateAtEvent(event: SdkEvent): Promise<void>;
  };
  readonly serverService: { getPublicKey(server: string, keyId: string): Promise<string> };
}
