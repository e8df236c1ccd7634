/**
 * One of the processes of a homeserver: the library over the database that they share, and over rooms and an identity server that are the
 * parent's. It takes orders, works on the queue without being told, and may be killed at any moment.
 */
import { isLeft } from "fp-ts/lib/Either.js";
import {
  type FlowResult,
  type Ports,
  type ThirdPartyInvites,
  createThirdPartyInvites,
} from "matrix-third-party-invites";
import { roomState, roomVersion } from "matrix-third-party-invites/judge";
import { nodeCrypto } from "matrix-third-party-invites/node";
import { postgresStorage } from "matrix-third-party-invites/postgres";
import { sqliteStorage } from "matrix-third-party-invites/sqlite";
import pg from "pg";
import {
  type FromProcess,
  type Order,
  type Outcome,
  type StoragePlace,
  type ToProcess,
  idServer,
  inviter,
  serverName,
} from "./messages.js";
import { openSqlite } from "./sqlite-client.js";
import type { PlainSnapshot } from "./town.js";

const say = (message: FromProcess): void => {
  process.send?.(message);
};

const waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
let calls = 0;

const call = (port: string, method: string, args: readonly unknown[]): Promise<unknown> =>
  new Promise((resolve, reject) => {
    calls += 1;
    waiting.set(calls, { resolve, reject });
    say({ _tag: "Call", id: calls, port, method, args });
  });

/** A port whose every method is a call to the parent; an `AbortSignal` stays here. */
const remote = (port: string): object =>
  new Proxy(
    {},
    {
      get:
        (_target, method) =>
        (...args: readonly unknown[]) =>
          call(port, String(method), args.slice(0, -1)),
    },
  );

let aheadMs = 0;
const now = (): number => Date.now() + aheadMs;

/** How long a statement waits for the other process: its event loop stands still meanwhile. */
const busyMs = 50;

const openStorage = async (place: StoragePlace): Promise<Pick<Ports, "invites" | "redemptions">> => {
  if (place._tag === "SQLite") return sqliteStorage((await openSqlite(place.file, busyMs)).client);
  const pool = new pg.Pool({ connectionString: place.url, max: 4 });
  // A server that goes away is the next query's failure, not the end of this process.
  pool.on("error", () => undefined);
  return postgresStorage(pool, { schema: place.schema });
};

const openPorts = async (place: StoragePlace): Promise<Ports> => {
  const rooms = remote("rooms") as Ports["rooms"];
  return {
    config: { serverName, addressKey: new Uint8Array(32).fill(7), leaseMs: 2_000, askedForMs: 500 },
    crypto: nodeCrypto,
    rooms: {
      tokens: rooms.tokens,
      snapshot: async (roomId, entries) => {
        const plain = (await call("rooms", "snapshot", [roomId, entries])) as PlainSnapshot;
        if (plain._tag !== "Snapshot") return plain;
        const version = roomVersion(plain.roomVersion);
        if (version === undefined) throw new Error("The parent has a room of no version.");
        return { ...plain, get: roomState(roomId, version, plain.events).get };
      },
    },
    events: remote("events") as Ports["events"],
    identityServer: remote("identityServer") as Ports["identityServer"],
    ...(await openStorage(place)),
    limits: "off",
    federation: { exchangeThirdPartyInvite: () => Promise.resolve({ _tag: "Unreachable" }) },
    users: remote("users") as Ports["users"],
    clock: { now },
    random: { fraction: Math.random },
  };
};

const outcomeOf = async (result: FlowResult<unknown>): Promise<Outcome> => {
  const settled = await result;
  return isLeft(settled) ? { _tag: "Left", code: settled.left.code } : { _tag: "Done" };
};

const carryOut = (invites: ThirdPartyInvites, order: Order): Promise<Outcome> => {
  const requester = { userId: inviter };
  switch (order._tag) {
    case "Invite": {
      const { roomId, address, resend } = order;
      const body = { id_server: idServer, id_access_token: inviter, medium: "email", address };
      return outcomeOf(invites.invite({ roomId, requester, body, resend }));
    }
    case "Revoke": {
      const { roomId, address } = order;
      const body = { id_server: idServer, medium: "email", address };
      return outcomeOf(invites.revokeInvite({ roomId, requester, body }));
    }
    case "OnBind":
      return outcomeOf(invites.receiveOnBind({ body: order.body }));
    case "CleanUp":
      return outcomeOf(invites.cleanUpInvites({ roomId: order.roomId }));
    case "Skip":
      aheadMs = order.ms;
      return Promise.resolve({ _tag: "Done" });
  }
};

/** A scheduler as a host has one: again when the queue says so, and now and then in any case. */
const keepDelivering = async (invites: ThirdPartyInvites): Promise<never> => {
  for (;;) {
    const delivered = await invites.deliverOwed({ limit: 16 });
    const nextDueAt = isLeft(delivered) ? undefined : delivered.right.nextDueAt;
    const pause = Math.min(200, Math.max(5, (nextDueAt ?? Infinity) - now()));
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
};

let invites: ThirdPartyInvites | undefined;

process.on("message", (message: ToProcess) => {
  switch (message._tag) {
    case "Start":
      aheadMs = message.aheadMs;
      void openPorts(message.storage).then((ports) => {
        invites = createThirdPartyInvites(ports);
        void keepDelivering(invites);
        say({ _tag: "Ready" });
      });
      break;
    case "Order":
      if (invites !== undefined)
        void carryOut(invites, message.order).then((outcome) => {
          say({ _tag: "Outcome", id: message.id, outcome });
        });
      break;
    case "Answer":
      waiting.get(message.id)?.resolve(message.value);
      waiting.delete(message.id);
      break;
    case "Failed":
      waiting.get(message.id)?.reject(new Error(message.why));
      waiting.delete(message.id);
      break;
  }
});
// Without a parent there is nothing to live for.
process.on("disconnect", () => process.exit(0));
