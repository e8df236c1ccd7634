import pg from "pg";
import { type Ports, createThirdPartyInvites } from "matrix-third-party-invites";
import { signJson } from "matrix-third-party-invites/matrix";
import { nodeCrypto, nodeSigningKey } from "matrix-third-party-invites/node";
import { type SqlClient, postgresStorage } from "matrix-third-party-invites/postgres";
import { migrate as migrateSqlite, sqliteStorage } from "matrix-third-party-invites/sqlite";
import {
  memoryInvites,
  memoryLimits,
  memoryPorts,
  memoryRedemptions,
} from "matrix-third-party-invites/testing";
import { connectPool, hostOf, migratedSchema, postgresUrl } from "../postgres/servers.js";
import { openWasm } from "../sqlite/drivers.js";
import type { Figure, Found } from "./figure.js";
import { type Effort, atEffort, measureAsync, ratio, summarise } from "./harness.js";
import { idServerKey, stubIdentityServer } from "./identity-server.js";
import { type Call, recorded, replay, watched } from "./recording.js";
import { got } from "./room.js";

type Storage = Pick<Ports, "invites" | "limits" | "redemptions">;

/** A storage, and how many bytes its log has; its calls, or its statements where it has some, can be made again of a twin. */
interface Opened {
  readonly storage: Storage;
  readonly bytesWritten?: () => Promise<number>;
  readonly close: () => Promise<void>;
}

type Open = (keep: (call: Call) => void) => Promise<Opened>;

const newMemory = () => ({
  invites: memoryInvites(),
  limits: memoryLimits(),
  redemptions: memoryRedemptions(),
});

const openMemory: Open = (keep) => {
  const [one, other] = [newMemory(), newMemory()];
  return Promise.resolve({
    storage: {
      invites: recorded(one.invites, other.invites, keep),
      limits: recorded(one.limits, other.limits, keep),
      redemptions: recorded(one.redemptions, other.redemptions, keep),
    },
    close: () => Promise.resolve(),
  });
};

const openSqlite: Open = async (keep) => {
  const [one, other] = [openWasm(), openWasm()];
  for (const { client } of [one, other]) await migrateSqlite(client);
  return {
    storage: sqliteStorage(recorded(one.client, other.client, keep)),
    close: () => {
      one.close();
      other.close();
      return Promise.resolve();
    },
  };
};

/** Each has a connection of its own, on which the same statement finds the tables of its own schema. */
const openPostgres: Open = async (keep) => {
  const pool = connectPool(1);
  const host = hostOf(pool);
  const connected = async (): Promise<pg.Client> => {
    const schema = await migratedSchema(host);
    const client = new pg.Client({ connectionString: postgresUrl });
    await client.connect();
    await client.query(`SET search_path TO "${schema.replaceAll('"', '""')}"`);
    return client;
  };
  const [one, other] = [await connected(), await connected()];
  const asked = (client: pg.Client): SqlClient => ({ query: (text, params) => client.query(text, params) });
  return {
    storage: postgresStorage(recorded(asked(one), asked(other), keep)),
    bytesWritten: async () => {
      const { rows } = await pool.query<{ at: string }>("SELECT pg_current_wal_insert_lsn() - '0/0' AS at");
      return Number(rows[0]?.at);
    },
    close: async () => {
      await Promise.all([one.end(), other.end(), pool.end()]);
    },
  };
};

const serverName = "example.org";
const alice = `@alice:${serverName}`;
const idServer = "id.example.com";
const many = { burst: 1_000_000, intervalMs: 1 };

/** A server over this storage, and what it was asked beside. */
const newServer = (storage: Storage, keep: (call: Call) => void) => {
  const users = new Map([[alice, { profile: { displayname: "Alice" } }]]);
  const identityServer = stubIdentityServer("token");
  const ports = memoryPorts({
    crypto: nodeCrypto,
    serverName,
    key: nodeSigningKey("ed25519:1", new Uint8Array(32).fill(3)),
    identityServer,
    users,
    config: { inviteLimits: { sender: many, address: many } },
  });
  const roomId = ports.memory.create({ version: "12", creator: alice });
  let [calls, hostMs] = [0, 0];
  const counted = <Port extends object>(port: Port): Port =>
    watched(port, (_, __, method) => {
      calls += 1;
      return method();
    });
  /** The host's own work, which is nobody's to compare. */
  const hosts = <Port extends object>(port: Port): Port =>
    watched(port, async (_, __, method) => {
      calls += 1;
      const start = performance.now();
      try {
        return await method();
      } finally {
        hostMs += performance.now() - start;
      }
    });
  const { verify } = recorded({ verify: nodeCrypto.verify }, { verify: nodeCrypto.verify }, keep);
  const library = createThirdPartyInvites({
    ...ports,
    crypto: { ...nodeCrypto, verify },
    rooms: hosts(ports.rooms),
    events: hosts(ports.events),
    users: hosts(ports.users),
    identityServer: hosts(identityServer),
    invites: counted(storage.invites),
    redemptions: counted(storage.redemptions),
    limits: storage.limits === "off" ? "off" : counted(storage.limits),
  });
  let invited = 0;
  /** An invite by address that was not made yet, and what proves it for somebody afterwards. */
  const next = (home: string) => {
    invited += 1;
    const mxid = `@zoe-${invited}:${home}`;
    if (home === serverName) users.set(mxid, { profile: { displayname: "Zoe" } });
    const address = `zoe-${invited}@mail.example`;
    const body = { id_server: idServer, id_access_token: "access", medium: "email", address };
    const toSign = { mxid, sender: alice, token: `token-${invited}` };
    return {
      mxid,
      address,
      signed: got(signJson(toSign, idServer, idServerKey)),
      invite: async (): Promise<boolean> => {
        const made = await library.invite({ roomId, requester: { userId: alice }, body });
        return made._tag === "Right" && made.right._tag === "ThirdPartyInvite";
      },
    };
  };
  return { library, roomId, next, portCalls: () => calls, hostMs: () => hostMs };
};

type Server = ReturnType<typeof newServer>;

/** Makes what one needs beforehand, and gives what is measured; it says whether all went well. */
const operations: Readonly<Record<string, (server: Server) => Promise<() => Promise<boolean>>>> = {
  invite: ({ next }) => Promise.resolve(next("other.example.net").invite),
  redemption: async ({ library, roomId, next }) => {
    const { mxid, address, signed, invite } = next(serverName);
    await invite();
    const entry = { medium: "email", address, mxid, room_id: roomId, sender: alice, signed };
    const body = { medium: "email", address, mxid, invites: [entry] };
    return async () => {
      const stored = await library.receiveOnBind({ body });
      if (stored._tag === "Left" || stored.right.added !== 1) return false;
      const delivered = await library.deliverOwed();
      return delivered._tag === "Right" && delivered.right.done === 1;
    };
  },
  exchange: async ({ library, roomId, next }) => {
    const origin = "other.example.net";
    const { mxid, signed, invite } = next(origin);
    await invite();
    const content = { membership: "invite", third_party_invite: { signed } };
    const body = { type: "m.room.member", room_id: roomId, sender: alice, state_key: mxid, content };
    return async () => (await library.receiveExchange({ roomId, origin, body }))._tag === "Right";
  },
};

const perRound = 4;

const find = async (name: string, open: Open, effort: Effort): Promise<Found> => {
  let calls: Call[] = [];
  const keep = (call: Call): void => {
    calls.push(call);
  };
  const { storage, bytesWritten, close } = await open(keep);
  const server = newServer(storage, keep);
  const operation = operations[name];
  if (operation === undefined) throw new Error("There is no such operation.");
  const marks = new Map<string, string>();

  /** What is done before, unmeasured, and how to do and repeat what is measured. */
  const begin = async () => {
    calls = [];
    const work: (() => Promise<boolean>)[] = [];
    for (let n = 0; n < perRound; n += 1) work.push(await operation(server));
    const before = calls;
    const made: { calls: readonly Call[] } = { calls: [] };
    return {
      before,
      made,
      run: async (): Promise<number> => {
        calls = [];
        let count = 0;
        for (const each of work) if (await each()) count += 1;
        made.calls = calls;
        return count;
      },
    };
  };
  try {
    // The twin does each round one later.
    let last = await begin();
    const [calledBefore, writtenBefore] = [server.portCalls(), await bytesWritten?.()];
    if ((await last.run()) !== perRound) throw new Error("Not all of it was done.");
    const portCalls = server.portCalls() - calledBefore;
    const written = writtenBefore === undefined ? undefined : ((await bytesWritten?.()) ?? 0) - writtenBefore;
    const notes = [noteOf(last.made.calls, portCalls, written)];
    const comparison = {
      size: perRound,
      warmUp: 40,
      rounds: 80,
      prepare: async () => {
        const before = last;
        await replay(before.before, marks);
        const now = await begin();
        last = now;
        return {
          measured: now.run,
          against: async () => {
            await replay(before.made.calls, marks);
            return perRound;
          },
        };
      },
    };
    const clock = (): number => performance.now() - server.hostMs();
    const rounds = await measureAsync(atEffort(comparison, effort), clock);
    return { ...summarise(rounds.map(ratio)), notes };
  } finally {
    await close();
  }
};

/** One of the operations of the first round. */
const noteOf = (calls: readonly Call[], portCalls: number, written: number | undefined): string => {
  const each = (amount: number): string => (amount / perRound).toFixed(1).replace(/\.0$/, "");
  const texts = calls.map(({ args }) => args[0]).filter((text) => typeof text === "string");
  const sql = texts.filter((text) => /^\s*(SELECT|INSERT|UPDATE|DELETE)/.test(text)).length;
  const verifications = calls.filter(({ args }) => args[0] instanceof Uint8Array).length;
  return [
    ...(sql === 0 ? [] : [`${each(sql)} statements`]),
    `${each(portCalls)} calls of ports`,
    `${each(verifications)} verifications`,
    ...(written === undefined ? [] : [`${Math.round(written / perRound)} bytes of WAL`]),
  ].join(", ");
};

const storages: readonly (readonly [string, Open, boolean])[] = [
  ["memory", openMemory, true],
  ["sqlite", openSqlite, true],
  ["postgres", openPostgres, postgresUrl !== undefined],
];

/** Whole requests, without the host's own work, over their statements and verifications alone. */
export const endToEndFigures: readonly Figure[] = Object.keys(operations).flatMap((name) =>
  storages.map(([on, open, isThere]): Figure => ({
    name: `endToEnd.${name}.${on}`,
    unit: "ratio",
    target: 1.6,
    ...(isThere ? {} : { absent: "There is no PostgreSQL here." }),
    find: (effort) => find(name, open, effort),
  })),
);
