import { type SqlClient, type SqlHost, postgresStorage } from "matrix-third-party-invites/postgres";
import { readRedemption, redemptionRow, waitingLanes } from "matrix-third-party-invites/storage";
import { connectPool, hostOf, migratedSchema, newSchema, postgresUrl } from "../postgres/servers.js";
import { type Figure, type Found, worstOf } from "./figure.js";
import {
  type AsyncBatch,
  type AsyncComparison,
  type Effort,
  atEffort,
  measureAsync,
  quantile,
  ratio,
  summarise,
} from "./harness.js";
import { queue010 } from "./peers/queue-0-1-0.js";

/** A table in which rows wait, and what a worker does there. */
interface Queue {
  readonly table: string;
  /** Adds rows that are due, with numbers of their own. */
  readonly add: (first: number, last: number) => Promise<unknown>;
  /** Takes one or some rows and ends them; says how many. */
  readonly turn: (limit: number) => Promise<number>;
  /** Which rows have ended. */
  readonly isEnded: string;
}

const now = 1_000_000;
const until = now + 120_000;
const due = { from: 0, to: now };
const lanes = waitingLanes.map((lane) => ({ lane, except: [] }));

/** Stands in the sample for the number of a row. */
const number = "0123456789";
const user = `@zoe${number}:example.org`;
const signed = {
  mxid: user,
  sender: "@alice:example.net",
  token: number.padEnd(64, "x"),
  signatures: { "id.example.com": { "ed25519:0": "A".repeat(86) } },
};
const sample = readRedemption(
  JSON.stringify({
    id: number.padEnd(43, "x"),
    roomId: `!room${number}:example.net`,
    token: signed.token,
    mxid: user,
    sender: signed.sender,
    owedAt: 0,
    state: {
      _tag: "Waiting",
      signed: JSON.stringify(signed),
      isVouched: false,
      turn: 0,
      depth: 0,
      dueAt: 0,
      attempts: 0,
    },
  }),
);

const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** One statement that adds rows like this one, each with its number. */
const addition = (table: string, row: object, first: number, last: number): string => {
  const values = Object.values(row).map((value: unknown) =>
    typeof value === "string" && value.includes(number)
      ? `replace(${quoted(value)}, '${number}', lpad(n::text, 10, '0'))`
      : value === 0
        ? "n / 1e6"
        : quoted(String(value)),
  );
  return `INSERT INTO ${table} (${Object.keys(row).join(", ")})
    SELECT ${values.join(", ")} FROM generate_series(${first}, ${last}) AS n`;
};

type Make = (client: SqlClient, host: SqlClient & SqlHost) => Promise<Queue>;

const oursWith = async (client: SqlClient, host: SqlClient & SqlHost, looks: boolean): Promise<Queue> => {
  const schema = await migratedSchema(host);
  const { redemptions } = postgresStorage(client, { schema });
  const table = `"${schema.replaceAll('"', '""')}".third_party_redemptions`;
  return {
    table,
    add: (first, last) =>
      client.query(addition(table, { ...redemptionRow(sample), mark: "m" }, first, last), []),
    turn: async (limit) => {
      const claimed = await redemptions.claim({ lanes, due, until, limit: Math.min(limit, 8) }, {});
      for (const { value, mark } of claimed) {
        if (looks) await redemptions.known(value, {});
        const answer = await redemptions.replace(
          { ...value, state: { _tag: "Done", endedAt: now } },
          mark,
          {},
        );
        if (answer._tag !== "Replaced") throw new Error("Somebody else has ended the row.");
      }
      return claimed.length;
    },
    isEnded: "lane = 'done'",
  };
};

/** Claims and endings alone. */
const ours: Make = (client, host) => oursWith(client, host, false);

/** With the look at what is known of the token, that a worker takes between the two, and that 0.1.0 did not. */
const oursLooking: Make = (client, host) => oursWith(client, host, true);

const theirs: Make = async (client) => {
  const table = `"${(await newSchema(client)).replaceAll('"', '""')}".third_party_redemptions`;
  const { create, lease, settle } = queue010(client, table);
  for (const statement of create) await client.query(statement, []);
  const { roomId: room_id, token, mxid, id: proof, sender } = sample;
  const row = {
    room_id,
    token,
    mxid,
    proof,
    sender,
    destination: "example.net",
    signed: JSON.stringify(signed),
  };
  return {
    table,
    add: (first, last) =>
      client.query(addition(table, { ...row, owed_at: 0, due_at: 0, attempts: "0" }, first, last), []),
    turn: async () => {
      const held = await lease(now, until);
      if (held === undefined) return 0;
      await settle(held);
      return 1;
    },
    isEnded: "state = 'done'",
  };
};

const batchRows = 320;

/** A queue in which so many rows wait, on connections for eight workers. */
interface Filled {
  /** As many wait again as before, and nothing else is there. */
  readonly refill: () => Promise<void>;
  /** So many workers, until a batch has ended. */
  readonly workers: (amount: number) => AsyncBatch;
  /** Statements and bytes of the log for each redemption. */
  readonly cost: () => Promise<string>;
}

const filled = async (make: Make, rows: number): Promise<Filled> => {
  const pool = connectPool(8);
  let statements = 0;
  const client: SqlClient = {
    query: (text, params) => {
      statements += 1;
      return pool.query(text, params);
    },
  };
  const { table, add, turn, isEnded } = await make(client, hostOf(pool));
  let last = rows;
  await add(1, rows);
  await client.query(`VACUUM ANALYZE ${table}`, []);

  const numberOf = async (statement: string): Promise<number> => {
    const { rows: found } = await client.query(statement, []);
    return Number(found[0]?.["found"]);
  };
  const workers = (amount: number) => async (): Promise<number> => {
    let [remaining, ended] = [batchRows, 0];
    const work = async (): Promise<void> => {
      while (remaining > 0) {
        const limit = Math.min(remaining, 8);
        remaining -= limit;
        const done = await turn(limit);
        if (done === 0) throw new Error("Nothing was due, though rows wait.");
        remaining += limit - done;
        ended += done;
      }
    };
    await Promise.all(Array.from({ length: amount }, work));
    return ended;
  };
  return {
    workers,
    refill: async () => {
      const ended = await numberOf(
        `WITH ended AS (DELETE FROM ${table} WHERE ${isEnded} RETURNING 1) SELECT count(*) AS found FROM ended`,
      );
      await add(last + 1, last + ended);
      last += ended;
    },
    cost: async () => {
      const written = () => numberOf("SELECT pg_current_wal_insert_lsn() - '0/0' AS found");
      const [before, asked] = [await written(), statements];
      const ended = await workers(4)();
      const sent = statements - asked;
      const bytes = (await written()) - before;
      return `${(sent / ended).toFixed(2)} statements, ${Math.round(bytes / ended)} bytes of WAL`;
    },
  };
};

/** Tables stay for the other figures; connections close when nobody has used them for a while. */
const tables = new Map<string, Promise<Filled>>();

const tableOf = (make: Make, rows: number): Promise<Filled> => {
  const name = `${make.name} ${rows}`;
  const made = tables.get(name) ?? filled(make, rows);
  tables.set(name, made);
  return made;
};

const perSecond = (nanoseconds: readonly number[]): number => Math.round(1e9 / quantile(nanoseconds, 0.5));

/** Of one, two, four and eight workers the worst; what each came to is told beside it. */
const over = async (measured: Filled, against: Filled, effort: Effort): Promise<Found> => {
  const found: Found[] = [];
  const notes: string[] = [];
  for (const amount of effort === "smoke" ? [4] : [1, 2, 4, 8]) {
    const comparison: AsyncComparison = {
      size: batchRows,
      warmUp: 1,
      rounds: 5,
      prepare: async () => {
        await measured.refill();
        await against.refill();
        return { measured: measured.workers(amount), against: against.workers(amount) };
      },
    };
    const rounds = await measureAsync(atEffort(comparison, effort));
    const [one, other] = [rounds.map((round) => round.measured), rounds.map((round) => round.against)];
    found.push(summarise(rounds.map(ratio)));
    notes.push(`${amount} at work: ${perSecond(one)} a second, against ${perSecond(other)}`);
  }
  return { ...worstOf(found.map((each) => ({ ...each, name: "" }))), notes };
};

const absent = postgresUrl === undefined ? { absent: "There is no PostgreSQL here." } : {};

const smallest = 1_000;
const largest = 1_000_000;

/** Taking redemptions and ending them, over the statements of 0.1.0; and where most wait, over where fewest do. */
export const queueFigures: readonly Figure[] = [
  ...(
    [
      ["", ours, smallest],
      ["", ours, 100_000],
      ["", ours, largest],
      [".known", oursLooking, 100_000],
    ] as const
  ).map(([more, make, rows]): Figure => ({
    name: `queue.${rows}over010${more}`,
    unit: "ratio",
    target: 0.5,
    ...absent,
    find: async (effort) => {
      const waiting = effort === "smoke" ? smallest : rows;
      const [own, peer] = [await tableOf(make, waiting), await tableOf(theirs, waiting)];
      const found = await over(own, peer, effort);
      await own.refill();
      await peer.refill();
      return {
        ...found,
        notes: [...(found.notes ?? []), `${await own.cost()}; 0.1.0: ${await peer.cost()}`],
      };
    },
  })),
  {
    name: `queue.${largest}over${smallest}`,
    unit: "ratio",
    target: 1.5,
    ...absent,
    find: async (effort) => {
      const large = await tableOf(ours, effort === "smoke" ? smallest * 4 : largest);
      return over(large, await tableOf(ours, smallest), effort);
    },
  },
];
