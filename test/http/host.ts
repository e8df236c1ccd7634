import type { RequesterCommand } from "matrix-third-party-invites";
import type { JsonObject } from "matrix-third-party-invites/ports";
import {
  type Endpoint,
  type ExchangeHost,
  type InviteHost,
  type OnBindHost,
  exchangeEndpoint,
  inviteEndpoint,
  onBindEndpoint,
} from "matrix-third-party-invites/http";
import { type World, openWorld, pend } from "../flows/ports.js";
import { address, alice, anna, bob, room, signedBy } from "../flows/samples.js";

export const origin = "https://a.example";
export const secretToken = "secret-token";

const requester: RequesterCommand = { userId: alice };
const user = { _tag: "User", requester } as const;
const server = { _tag: "Server", origin: "b.example" } as const;

export const inviteBody: JsonObject = {
  id_server: "id.example",
  id_access_token: secretToken,
  medium: "email",
  address,
};

export const entryOf = (token: string, more: JsonObject = {}): JsonObject => ({
  medium: "email",
  address,
  mxid: anna,
  room_id: room,
  sender: bob,
  token,
  signed: signedBy(anna, token),
  ...more,
});

export const onBindBody = (invites: unknown = [entryOf("t1")]): JsonObject => ({
  medium: "email",
  address,
  mxid: anna,
  invites,
});

export const exchangeBody = (more: JsonObject = {}): JsonObject => ({
  type: "m.room.member",
  room_id: room,
  sender: alice,
  state_key: bob,
  content: { membership: "invite", third_party_invite: { signed: signedBy(bob, "t1") } },
  ...more,
});

export type Options = Partial<
  Pick<InviteHost, "maxBytes" | "timeoutMs" | "roomId"> & {
    readonly wake: NonNullable<OnBindHost["wake"]>;
    readonly user: InviteHost["authenticate"];
    readonly server: ExchangeHost["authenticate"];
  }
>;

/** One of the endpoints, where it lives, and a request that it answers with 200. */
export interface Mounted {
  readonly name: "invite" | "onbind" | "exchange";
  readonly open: (world: World, options?: Options) => Endpoint;
  readonly path: string;
  readonly method: "POST" | "PUT";
  readonly methods: readonly string[];
  readonly isForBrowsers: boolean;
  readonly body: JsonObject;
}

const limits = ({ maxBytes, timeoutMs, roomId }: Options) => ({
  ...(roomId === undefined ? {} : { roomId }),
  ...(maxBytes === undefined ? {} : { maxBytes }),
  ...(timeoutMs === undefined ? {} : { timeoutMs }),
});

export const mountedInvite: Mounted = {
  name: "invite",
  open: (world, options = {}) =>
    inviteEndpoint(world.invites, {
      ...limits(options),
      authenticate: options.user ?? (() => Promise.resolve(user)),
    }),
  path: `/_matrix/client/v3/rooms/${room}/invite`,
  method: "POST",
  methods: ["POST"],
  isForBrowsers: true,
  body: inviteBody,
};

export const mountedOnBind: Mounted = {
  name: "onbind",
  open: (world, options = {}) =>
    onBindEndpoint(world.invites, {
      ...limits(options),
      ...(options.wake === undefined ? {} : { wake: options.wake }),
    }),
  path: "/_matrix/federation/v1/3pid/onbind",
  method: "PUT",
  methods: ["PUT", "POST"],
  isForBrowsers: false,
  body: onBindBody(),
};

export const mountedExchange: Mounted = {
  name: "exchange",
  open: (world, options = {}) =>
    exchangeEndpoint(world.invites, {
      ...limits(options),
      authenticate: options.server ?? (() => Promise.resolve(server)),
    }),
  path: `/_matrix/federation/v1/exchange_third_party_invite/${room}`,
  method: "PUT",
  methods: ["PUT"],
  isForBrowsers: false,
  body: exchangeBody(),
};

export const everyEndpoint = [mountedInvite, mountedOnBind, mountedExchange] as const;

/** A homeserver in which each of the endpoints' own requests is answered with 200. */
export const openHost = (options: Parameters<typeof openWorld>[0] = {}): World => {
  const world = openWorld(options);
  world.users.set(anna, {});
  pend(world, "t1");
  return world;
};

export type Bytes = string | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>;

/** A request to an endpoint: its own method, path and type, unless something else is asked for. */
export const requestTo = (
  { path, method }: Mounted,
  body: Bytes | null,
  more: {
    readonly method?: string;
    readonly path?: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly signal?: AbortSignal;
  } = {},
): Request =>
  new Request(`${origin}${more.path ?? path}`, {
    method: more.method ?? method,
    headers: more.headers ?? { "content-type": "application/json" },
    ...(body === null ? {} : { body }),
    ...(body instanceof ReadableStream ? { duplex: "half" } : {}),
    ...(more.signal === undefined ? {} : { signal: more.signal }),
  });

export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly body: JsonObject;
}

export const answerOf = async (response: Response | Promise<Response>): Promise<Answered> => {
  const { status, headers, ...rest } = await (async () => {
    const settled = await response;
    return { status: settled.status, headers: settled.headers, text: await settled.text() };
  })();
  return { status, headers, body: JSON.parse(rest.text) as JsonObject };
};

/** What came back to a request, short enough for a table. */
export const shortly = ({ status, body }: Answered): readonly [number, unknown] => [status, body["errcode"]];

/** A body that comes in these pieces. */
export const inPieces = (pieces: Iterable<Uint8Array>, end: "close" | "break" | "never" = "close") => {
  const waiting = pieces[Symbol.iterator]();
  return new ReadableStream<Uint8Array>({
    pull: async (controller) => {
      const next = waiting.next();
      if (next.done !== true) controller.enqueue(next.value);
      else if (end === "close") controller.close();
      else if (end === "break") controller.error(new Error("The line broke."));
      else await new Promise(() => undefined);
    },
  });
};

export const utf8 = (text: string): Uint8Array<ArrayBuffer> => new Uint8Array(new TextEncoder().encode(text));
