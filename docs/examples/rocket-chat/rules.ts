/**
 * Replaces code inside `@rocket.chat/federation-sdk` (AGPL-3.0): the rules, the auth events, the redaction, the checks of a received event.
 * docs/how-to/rocket-chat.md says where each call goes.
 */
import {
  type CheckedPdu,
  type EventLike,
  type RoomState,
  type RoomVersion,
  type ServerKey,
  authorize,
  checkPdu,
  requiredSigners,
  roomVersion,
  selectAuthEvents,
} from "matrix-third-party-invites/judge";
import { contentHashMatches, decodeBase64, member, redact } from "matrix-third-party-invites/matrix";
import type { JsonObject } from "matrix-third-party-invites/ports";
import { nodeCrypto } from "matrix-third-party-invites/node";
import type { FederationSdk, SdkEvent, SdkState } from "./sdk.js";

export const versionOf = (event: { readonly version: string }): RoomVersion => {
  const version = roomVersion(event.version);
  if (version === undefined) throw new Error(`Room version ${event.version} is not known.`);
  return version;
};

const viewOf = (event: SdkEvent): EventLike => ({
  type: event.type,
  sender: event.sender,
  room_id: event.roomId,
  state_key: event.stateKey,
  content: event.getContent(),
});

/** A type may contain a colon, so the entry under a name must be checked. */
export const stateView = (roomId: string, version: RoomVersion, state: SdkState): RoomState => ({
  roomId,
  version,
  get: (type, stateKey) => {
    const event = state.get(`${type}:${stateKey}`);
    return event?.type === type && event.stateKey === stateKey ? viewOf(event) : undefined;
  },
});

/** True: allowed. False: an event of another kind, for the SDK's own rules. Throws the error that `reject` makes of the reason. */
export const allowsThirdPartyInvite = (
  event: SdkEvent,
  state: SdkState,
  reject: (reason: string) => Error,
): boolean => {
  const verdict = authorize(viewOf(event), stateView(event.roomId, versionOf(event), state), nodeCrypto);
  switch (verdict._tag) {
    case "Allow":
      return true;
    case "NotOurs":
      return false;
    case "Reject":
      throw reject(`${verdict.refusal.code}, rule ${verdict.refusal.rule ?? "?"}`);
    case "TooMuchWork":
      // No verdict: the event stays in the staging area and comes again.
      throw new Error(`${verdict.pairs} pairs of signature and key are too many to try at once.`);
  }
};

/** For `getAuthEventStateKeys`. */
export const authEventStateKeys = (event: SdkEvent): string[] =>
  selectAuthEvents(viewOf(event), versionOf(event)).map(({ type, stateKey }) => `${type}:${stateKey}`);

/** For `_getRedactedEvent`. */
export const redactedEvent = (wrapper: { readonly version: string }, event: JsonObject): JsonObject => ({
  signatures: {},
  unsigned: {},
  ...redact(event, versionOf(wrapper)),
});

/** The result of `checkPdu`, with the keys of the servers that must have signed. No other server is asked for keys. */
export const checkReceived = async (
  sdk: Pick<FederationSdk, "serverService">,
  pdu: JsonObject,
  version: RoomVersion,
): Promise<CheckedPdu> => {
  const keys = new Map<string, ServerKey>();
  for (const server of requiredSigners(pdu, version, contentHashMatches(nodeCrypto, pdu, version)))
    for (const keyId of Object.keys(member(member(pdu, "signatures"), server) ?? {})) {
      const key = await sdk.serverService.getPublicKey(server, keyId).catch(() => "");
      const publicKey = decodeBase64(key);
      if (publicKey?.length === 32) keys.set(`${server} ${keyId}`, { publicKey });
    }
  const keyOf = (server: string, keyId: string) => keys.get(`${server} ${keyId}`);
  const checked = checkPdu(nodeCrypto, pdu, version, { keyOf, now: Date.now() });
  if (checked._tag === "Left") throw new Error(`The event is dropped: ${JSON.stringify(checked.left)}.`);
  return checked.right;
};

/** For `validateEvent`, instead of `checkSignAndHashes`. An event with a wrong hash is dropped, as the SDK does today. */
export const checkWhole = async (
  sdk: Pick<FederationSdk, "serverService">,
  pdu: JsonObject,
  version: RoomVersion,
): Promise<void> => {
  const { hashMatches } = await checkReceived(sdk, pdu, version);
  if (!hashMatches) throw new Error("The event is dropped: its content hash is wrong.");
};
