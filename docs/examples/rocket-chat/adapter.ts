/**
 * The ports of matrix-third-party-invites over `federationSDK` of `@rocket.chat/federation-sdk` 0.8.0, which is AGPL-3.0: a program
 * that ships both is under that licence. docs/how-to/rocket-chat.md describes this file.
 */
import {
  type EventTemplate,
  type Ports,
  type ThirdPartyInvites,
  createThirdPartyInvites,
} from "matrix-third-party-invites";
import { inviteStateEntries } from "matrix-third-party-invites/decisions";
import { type RoomState, authorize, selectAuthEvents } from "matrix-third-party-invites/judge";
import { domainOf, isJsonObject, member, stringMember } from "matrix-third-party-invites/matrix";
import type {
  Events,
  Federation,
  JsonObject,
  Rooms,
  StateEntry,
  Users,
} from "matrix-third-party-invites/ports";
import {
  type Endpoint,
  type ExchangeHost,
  exchangeEndpoint,
  onBindEndpoint,
} from "matrix-third-party-invites/http";
import { nodeCrypto } from "matrix-third-party-invites/node";
import { authEventStateKeys, stateView, versionOf } from "./rules.js";
import type { FederationSdk, SdkEvent, SdkRequestError, SdkState } from "./sdk.js";

const createOf = (state: SdkState): SdkEvent => {
  const create = state.get("m.room.create:");
  if (create === undefined) throw new Error("A room without its create event.");
  return create;
};

/** The room, or `undefined` where no user of this server is joined. */
const readRoom = async (
  sdk: FederationSdk,
  roomId: string,
): Promise<(RoomState & { readonly events: SdkState }) | undefined> => {
  try {
    const events = await sdk.getLatestRoomState(roomId);
    const ours = sdk.getConfig("serverName");
    const isResident = [...events.values()].some(
      (event) =>
        event.type === "m.room.member" &&
        event.getContent()["membership"] === "join" &&
        domainOf(event.stateKey ?? "") === ours,
    );
    return isResident ? { ...stateView(roomId, versionOf(createOf(events)), events), events } : undefined;
  } catch (error) {
    if (error instanceof Error && error.name === "UnknownRoomError") return undefined;
    throw error;
  }
};

const standsAt = (state: SdkState, { type, stateKey }: StateEntry): string =>
  state.get(`${type}:${stateKey}`)?.eventId ?? "";

const nameOf = ({ type, stateKey }: StateEntry): string => JSON.stringify([type, stateKey]);

/** The SDK has no revision of a room's state. The revision here is the event IDs of the entries that were asked for. */
export const roomsPort = (sdk: FederationSdk): Rooms => ({
  snapshot: async (roomId, entries) => {
    const room = await readRoom(sdk, roomId);
    if (room === undefined) return { _tag: "NotResident" };
    if (await sdk.stateService.isRoomStatePartial(roomId)) return { _tag: "Incomplete" };
    return {
      _tag: "Snapshot",
      roomVersion: room.version.id,
      revision: JSON.stringify(entries.map((entry) => [nameOf(entry), standsAt(room.events, entry)])),
      get: room.get,
    };
  },
  tokens: async (roomId) => {
    const room = await readRoom(sdk, roomId);
    if (room === undefined) return { _tag: "NotResident" };
    if (await sdk.stateService.isRoomStatePartial(roomId)) return { _tag: "Incomplete" };
    const invites = [...room.events.values()].filter(({ type }) => type === "m.room.third_party_invite");
    return { _tag: "Tokens", tokens: invites.flatMap(({ stateKey }) => stateKey ?? []) };
  },
});

/** The answer to a signed request: the body of a success, or the status and errcode. */
type Answer =
  | { readonly _tag: "Ok"; readonly body: unknown }
  | {
      readonly _tag: "Refused";
      readonly status: number;
      readonly errcode: string;
      readonly message?: string;
    }
  | { readonly _tag: "Unreachable" };

/** The message of a `FederationRequestError` does not have the server's answer, but its response can still be read. */
const isRequestError = (error: unknown): error is SdkRequestError =>
  error instanceof Error && "response" in error;

const put = async (
  sdk: FederationSdk,
  domain: string,
  uri: string,
  signedBody: JsonObject,
): Promise<Answer> => {
  try {
    const response = await sdk.makeSignedRequest({ method: "PUT", domain, uri, signedBody });
    return { _tag: "Ok", body: await response.json() };
  } catch (error) {
    if (!isRequestError(error) || error.response.status === undefined) return { _tag: "Unreachable" };
    const said = await error.response.json().catch(() => undefined);
    const message = stringMember(said, "error");
    return {
      _tag: "Refused",
      status: error.response.status,
      errcode: stringMember(said, "errcode") ?? "M_UNKNOWN",
      ...(message === undefined ? {} : { message }),
    };
  }
};

/** The `federation` port. */
export const federationPort = (sdk: FederationSdk): Federation => ({
  exchangeThirdPartyInvite: async ({ destination, roomId, body }) => {
    const path = `/_matrix/federation/v1/exchange_third_party_invite/${encodeURIComponent(roomId)}`;
    const answer = await put(sdk, destination, path, body);
    return answer._tag === "Ok" ? { _tag: "Accepted" } : answer;
  },
});

/** For the endpoints of `matrix-third-party-invites/http`. */
export const authenticateServer =
  (sdk: FederationSdk): ExchangeHost["authenticate"] =>
  async (request, content) => {
    const { pathname, search } = new URL(request.url);
    const authorization = request.headers.get("authorization") ?? "";
    const body = isJsonObject(content) ? content : {};
    const origin = await sdk.verifyRequestSignature(authorization, request.method, pathname + search, body);
    return origin === undefined
      ? {
          _tag: "Denied",
          status: 401,
          body: { errcode: "M_UNAUTHORIZED", error: "The request is not signed by a known server." },
        }
      : { _tag: "Server", origin };
  };

/** Puts an event that the rules allow into the room. */
export type Store = (event: SdkEvent) => Promise<void>;

/** For an SDK whose own rules call `allowsThirdPartyInvite`. */
export const storeByHandlePdu =
  (sdk: FederationSdk): Store =>
  (event) =>
    sdk.handlePdu(event);

/**
 * For the published SDK. Its rules cannot be replaced from outside, but they skip create events, so an event that our rules have allowed is
 * passed to it as one. Only for events on top of the room's latest state.
 */
export const storeAsJudged =
  (sdk: FederationSdk): Store =>
  async (event) => {
    const judged: unknown = Object.create(event, {
      isCreateEvent: { value: () => true },
      getAuthEventStateKeys: { value: () => authEventStateKeys(event) },
    });
    await sdk.stateService._resolveStateAtEvent(judged as SdkEvent);
  };

/** Completes a template by the SDK's builder: on top of `previous`, or of the room's latest events. */
const build = async (
  sdk: FederationSdk,
  template: EventTemplate,
  state: SdkState,
  previous: SdkEvent | undefined,
): Promise<SdkEvent> => {
  const version = versionOf(createOf(state));
  const places = selectAuthEvents(template, version);
  return sdk.buildEvent(
    {
      ...template,
      auth_events: places.map((place) => standsAt(state, place)).filter((id) => id !== ""),
      prev_events: previous === undefined ? [] : [previous.eventId],
      depth: previous === undefined ? 0 : previous.depth + 1,
      origin_server_ts: Date.now(),
    },
    version.id,
  );
};

/** `PUT /invite` to the invitee's server; adds its signature to the event. */
const coSign = async (sdk: FederationSdk, event: SdkEvent, state: SdkState): Promise<Answer> => {
  const server = domainOf(event.stateKey ?? "");
  const [roomId, eventId] = [event.roomId, event.eventId].map(encodeURIComponent);
  const answer = await put(sdk, server, `/_matrix/federation/v2/invite/${roomId}/${eventId}`, {
    event: event.event,
    room_version: event.version,
    invite_room_state: inviteStateEntries(event.sender).flatMap(
      ({ type, stateKey }) => state.get(`${type}:${stateKey}`)?.event ?? [],
    ),
  });
  if (answer._tag !== "Ok") return answer;
  const signatures = member(member(member(answer.body, "event"), "signatures"), server);
  for (const [keyId, signature] of Object.entries(isJsonObject(signatures) ? signatures : {}))
    if (typeof signature === "string") event.addSignature(server, keyId, signature);
  return answer;
};

/**
 * Sends an event to the room's other servers. The SDK reads every state key as a user ID, and does not send to the sender's server. Both are
 * wrong for these events, so the SDK gets a copy without a state key and with this server as its origin.
 */
const send = async (sdk: FederationSdk, event: SdkEvent): Promise<void> => {
  const invited = event.type === "m.room.member" ? [domainOf(event.stateKey ?? "")] : [];
  const shown: unknown = Object.create(event, {
    stateKey: { value: undefined },
    origin: { value: sdk.getConfig("serverName") },
  });
  await sdk.sendEventToAllServersInRoom(shown as SdkEvent, invited);
};

/**
 * The `events` port. All events are judged before the first is stored. But the SDK cannot store several events all or none, and it holds no
 * lock between our last read and its write: two appends at the same time make a fork, which its state resolution resolves.
 */
export const eventsPort = (sdk: FederationSdk, store: Store): Events => ({
  append: async ({ roomId, revision, reads, events }) => {
    const room = await readRoom(sdk, roomId);
    if (room === undefined) return { _tag: "Conflict" };
    const seen = new Map(JSON.parse(revision) as readonly (readonly [string, string])[]);
    const isChanged = (state: SdkState): boolean =>
      reads.some((entry) => seen.get(nameOf(entry)) !== standsAt(state, entry));
    if (isChanged(room.events)) return { _tag: "Conflict" };

    const ours = sdk.getConfig("serverName");
    const state = new Map(room.events);
    const built: SdkEvent[] = [];
    for (const template of events) {
      const verdict = authorize(template, stateView(roomId, room.version, state), nodeCrypto);
      if (verdict._tag !== "Allow")
        return { _tag: "Refused", status: 403, errcode: "M_FORBIDDEN", message: verdict._tag };
      const event = await build(sdk, template, state, built.at(-1));
      state.set(`${template.type}:${template.state_key}`, event);
      built.push(event);
    }
    for (const event of built) {
      const invited = event.type === "m.room.member" ? domainOf(event.stateKey ?? "") : undefined;
      if (invited !== undefined && invited !== ours) {
        const answer = await coSign(sdk, event, room.events);
        if (answer._tag === "Unreachable") return { _tag: "Unavailable" };
        if (answer._tag === "Refused") return answer;
        const now = await readRoom(sdk, roomId);
        if (now === undefined || isChanged(now.events)) return { _tag: "Conflict" };
      }
      await store(event);
      if (event.type === "m.room.member")
        await sdk.eventEmitterService.emit("homeserver.matrix.membership", {
          event_id: event.eventId,
          event: event.event,
        });
      void send(sdk, event).catch(() => undefined);
    }
    return { _tag: "Appended", eventIds: built.map(({ eventId }) => eventId) };
  },
});

/** The `users` port. The SDK knows only the accounts of this server. */
export const usersPort = (sdk: FederationSdk): Users => ({
  find: async ({ userId }) => {
    const profile = await sdk.queryProfile(userId);
    if (profile === null)
      return domainOf(userId) === sdk.getConfig("serverName") ? { _tag: "NoSuchUser" } : { _tag: "User" };
    const { displayname, avatar_url: avatarUrl } = profile;
    return {
      _tag: "User",
      profile: {
        ...(displayname === undefined ? {} : { displayname }),
        ...(avatarUrl === undefined ? {} : { avatarUrl }),
      },
    };
  },
});

/** The ports that Rocket.Chat provides itself. */
export type OwnPorts = Pick<Ports, "identityServer" | "invites" | "redemptions" | "limits"> & {
  readonly addressKey: Uint8Array;
};

export const portsOf = (sdk: FederationSdk, { addressKey, ...own }: OwnPorts, store: Store): Ports => ({
  config: { serverName: sdk.getConfig("serverName"), addressKey },
  crypto: nodeCrypto,
  rooms: roomsPort(sdk),
  events: eventsPort(sdk, store),
  federation: federationPort(sdk),
  users: usersPort(sdk),
  clock: { now: Date.now },
  random: { fraction: Math.random },
  ...own,
});

/** All of the library, over the SDK. */
export const invitesOf = (sdk: FederationSdk, own: OwnPorts, store: Store): ThirdPartyInvites =>
  createThirdPartyInvites(portsOf(sdk, own, store));

/** Web-standard handlers. Rocket.Chat's own clients speak another protocol: for them, call `invites.invite`. */
export const endpointsOf = (
  sdk: FederationSdk,
  invites: ThirdPartyInvites,
): { readonly onBind: Endpoint; readonly exchange: Endpoint } => ({
  onBind: onBindEndpoint(invites, { wake: () => invites.deliverOwed() }),
  exchange: exchangeEndpoint(invites, { authenticate: authenticateServer(sdk) }),
});
