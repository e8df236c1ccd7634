import { type InviteKey, type InviteRecord, tokensOf } from "../invite/invite-life.js";
import type { Invites, PortOptions, Marked } from "../ports.js";
import { type PostgresOptions, type SqlClient, type SqlRow, tablesOf } from "./client.js";
import { storedText } from "./encoding.js";
import { number, rawText, roomIdIn, serverNameIn, text, userIdIn } from "./row.js";
import { parseDetails, parseLife, parseStoredThreepid } from "./stored-life.js";

const columns = "key, mark::text AS mark, room_id, sender, id_server, created_at, details, threepid, life";

const readRecord = (row: SqlRow): InviteRecord => ({
  key: text(row, "key") as InviteKey,
  roomId: roomIdIn(row, "room_id"),
  sender: userIdIn(row, "sender"),
  idServer: serverNameIn(row, "id_server"),
  createdAt: number(row, "created_at"),
  details: parseDetails(rawText(row, "details")),
  ...(row["threepid"] === null ? {} : { threepid: parseStoredThreepid(rawText(row, "threepid")) }),
  life: parseLife(rawText(row, "life")),
});

const readStored = (row: SqlRow): Marked<InviteRecord> => ({
  value: readRecord(row),
  mark: rawText(row, "mark"),
});

/** The parameters $1 to $9 of a statement that writes a record. */
const written = (record: InviteRecord): (string | null)[] => [
  storedText(record.key),
  storedText(record.roomId),
  storedText(record.sender),
  storedText(record.idServer),
  String(record.createdAt),
  JSON.stringify(record.details),
  record.threepid === undefined ? null : JSON.stringify(record.threepid),
  JSON.stringify(record.life),
  JSON.stringify(tokensOf(record.life).map(storedText)),
];

const values = `$1::text, gen_random_uuid(), $2::text, $3::text, $4::text, $5::double precision, $6::text, $7::text,
  $8::text, ARRAY(SELECT json_array_elements_text($9::json))`;

/**
 * The `invites` port on PostgreSQL 13 or later, over one statement for each call. `migrate` makes its table. A mark is a
 * UUID that the database draws for each version of a record.
 *
 * @example
 * const invites = postgresInvites(new Pool({ connectionString }));
 * const { mark } = await invites.putIfAbsent(record, {});
 * await invites.replace(later, mark, {}); // { _tag: "Replaced", mark: "…" }
 */
export const postgresInvites = (client: SqlClient, options: PostgresOptions = {}): Invites => {
  const { invites: table } = tablesOf(options);

  const ask = async (
    statement: string,
    params: (string | null)[],
    { signal }: PortOptions,
  ): Promise<readonly SqlRow[]> => {
    signal?.throwIfAborted();
    return (await client.query(statement, params)).rows;
  };

  const first = async (rows: Promise<readonly SqlRow[]>): Promise<Marked<InviteRecord> | undefined> => {
    const [row] = await rows;
    return row === undefined ? undefined : readStored(row);
  };

  return {
    putIfAbsent: async (record, given) => {
      // An update that changes nothing waits for whoever stores the same key, and answers with what stands then.
      const [row] = await ask(
        `INSERT INTO ${table} AS present
            (key, mark, room_id, sender, id_server, created_at, details, threepid, life, tokens)
          VALUES (${values})
          ON CONFLICT (key) DO UPDATE SET key = present.key
          RETURNING ${columns}, (xmax = 0)::text AS is_new`,
        written(record),
        given,
      );
      if (row === undefined) throw new Error("The database neither stored an invite nor has one.");
      // A row that was inserted has no xmax; one that was updated has.
      return { ...readStored(row), isNew: rawText(row, "is_new") === "true" };
    },

    replace: async (record, mark, given) => {
      const [row] = await ask(
        `UPDATE ${table}
        SET (key, mark, room_id, sender, id_server, created_at, details, threepid, life, tokens) = ROW (${values})
        WHERE key = $1::text AND mark::text = $10::text
        RETURNING mark::text AS mark`,
        [...written(record), storedText(mark)],
        given,
      );
      return row === undefined ? { _tag: "Stale" } : { _tag: "Replaced", mark: rawText(row, "mark") };
    },

    find: (key, given) =>
      first(ask(`SELECT ${columns} FROM ${table} WHERE key = $1::text`, [storedText(key)], given)),

    findByToken: async (roomId, token, given) =>
      (
        await ask(
          `SELECT ${columns} FROM ${table}
          WHERE tokens @> ARRAY[$2::text] AND room_id = $1::text
          ORDER BY created_at, key`,
          [storedText(roomId), storedText(token)],
          given,
        )
      ).map(readStored),

    list: async (roomId, given) =>
      (
        await ask(
          `SELECT ${columns} FROM ${table} WHERE room_id = $1::text ORDER BY created_at, key`,
          [storedText(roomId)],
          given,
        )
      ).map(readRecord),
  };
};
