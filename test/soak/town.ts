/** What the processes of the homeserver share and none of them can take down: its rooms, and the identity server. */
import { isLeft } from "fp-ts/lib/Either.js";
import type { EventLike, Ports } from "matrix-third-party-invites";
import { parseRoomId } from "matrix-third-party-invites/matrix";
import type { Rooms } from "matrix-third-party-invites/ports";
import { identityServerClient } from "matrix-third-party-invites/http";
import { nodeCrypto, nodeSigningKey } from "matrix-third-party-invites/node";
import { type MemoryRooms, createIdentityServer, memoryRooms } from "matrix-third-party-invites/testing";
import { idServer, inviter, serverName } from "./messages.js";

/** A snapshot as it goes from process to process, where a function cannot. */
export type PlainSnapshot =
  | Exclude<Awaited<ReturnType<Rooms["snapshot"]>>, { readonly _tag: "Snapshot" }>
  | {
      readonly _tag: "Snapshot";
      readonly roomVersion: string;
      readonly revision: string;
      readonly events: readonly EventLike[];
    };

export interface Town {
  readonly roomIds: readonly string[];
  readonly memory: MemoryRooms;
  readonly identityServer: ReturnType<typeof createIdentityServer>;
  /** Answers a call that a process makes to one of the shared ports. */
  readonly answer: (port: string, method: string, args: readonly unknown[]) => Promise<unknown>;
}

/** `deliver` brings an onbind to some process, and answers with its status. */
export const openTown = (rooms: number, deliver: (body: unknown) => Promise<number>): Town => {
  const key = nodeSigningKey("ed25519:0", new Uint8Array(32).fill(1));
  const memory = memoryRooms({ crypto: nodeCrypto, serverName, key });
  const roomIds = Array.from({ length: rooms }, () => memory.create({ version: "11", creator: inviter }));
  const identityServer = createIdentityServer({
    serverName: idServer,
    baseUrl: `https://${idServer}`,
    fetch: async (_url, { body }) =>
      new Response("{}", { status: await deliver(JSON.parse(typeof body === "string" ? body : "")) }),
  });
  const client = identityServerClient({
    fetch: (input, init) => identityServer.handle(new Request(input, init)),
  });
  const accessToken = identityServer.account(inviter);

  const snapshot = async (roomId: unknown, entries: unknown): Promise<PlainSnapshot> => {
    const room = parseRoomId(roomId);
    if (isLeft(room) || !Array.isArray(entries)) throw new Error("No snapshot was asked for.");
    const asked = entries as Parameters<Rooms["snapshot"]>[1];
    const answer = await memory.rooms.snapshot(room.right, asked, {});
    if (answer._tag !== "Snapshot") return answer;
    const { _tag, roomVersion, revision, get } = answer;
    const events = asked.flatMap(({ type, stateKey }) => get(type, stateKey) ?? []);
    return { _tag, roomVersion, revision, events };
  };

  const shared: Pick<Ports, "events" | "identityServer" | "users"> & { readonly rooms: object } = {
    rooms: { snapshot, tokens: memory.rooms.tokens },
    events: memory.events,
    identityServer: client,
    users: { find: () => Promise.resolve({ _tag: "User" }) },
  };

  return {
    roomIds,
    memory,
    identityServer,
    answer: (port, method, args) => {
      const target: unknown = Reflect.get(shared, port);
      if (typeof target !== "object" || target === null) throw new Error(`There is no port ${port}.`);
      const called: unknown = Reflect.get(target, method);
      if (typeof called !== "function") throw new Error(`There is no ${port}.${method}.`);
      // The processes know the inviter by name; the identity server wants a token of its own.
      const given = port === "identityServer" ? args.map((arg) => withToken(arg, accessToken)) : args;
      return Promise.resolve(Reflect.apply(called, target, [...given, {}]));
    },
  };
};

const withToken = (arg: unknown, accessToken: string): unknown =>
  typeof arg === "object" && arg !== null && "accessToken" in arg ? { ...arg, accessToken } : arg;
