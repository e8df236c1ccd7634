import { escapedText } from "../invite/escaped-text.js";
import type { Invites } from "../ports.js";
import { inviteFilter, inviteOf, inviteParams, onlyRow, textOf } from "../storage/sql-row.js";
import type { Ask } from "./ask.js";

const columns = "key, mark, room_id, sender, id_server, address_hash, created_at, tokens, record";

/** The last is the new mark. */
const values = `$1::text, $9::uuid, $2::text, $3::text, $4::text, $5::text, $6::double precision,
  ARRAY(SELECT json_array_elements_text($7::json)), $8::text`;

const answer = "record, mark::text AS mark";

/** The `invites` port on PostgreSQL. Each version of a record has a mark of its own, a UUID. */
export const postgresInvites = (ask: Ask, table: string): Invites => ({
  putIfAbsent: async (record, options) => {
    const mark = crypto.randomUUID();
    // An update that changes nothing waits for whoever stores the same key, and answers with what stands then.
    const rows = await ask(
      `INSERT INTO ${table} AS present (${columns}) VALUES (${values})
        ON CONFLICT (key) DO UPDATE SET key = present.key
        RETURNING ${answer}`,
      [...inviteParams(record).map(String), mark],
      options,
    );
    const stored = inviteOf(onlyRow(rows));
    // Nobody else has drawn this mark.
    return { ...stored, isNew: stored.mark === mark };
  },

  replace: async (record, mark, options) => {
    const [row] = await ask(
      `UPDATE ${table} SET (${columns}) = ROW (${values})
        WHERE key = $1::text AND mark::text = $10::text
        RETURNING mark::text AS mark`,
      [...inviteParams(record).map(String), crypto.randomUUID(), escapedText(mark)],
      options,
    );
    return row === undefined ? { _tag: "Stale" } : { _tag: "Replaced", mark: textOf(row, "mark") };
  },

  find: async (key, options) => {
    const [row] = await ask(
      `SELECT ${answer} FROM ${table} WHERE key = $1::text`,
      [escapedText(key)],
      options,
    );
    return row === undefined ? undefined : inviteOf(row);
  },

  findByToken: async (roomId, token, options) => {
    const rows = await ask(
      `SELECT ${answer} FROM ${table}
        WHERE tokens @> ARRAY[$2::text] AND room_id = $1::text
        ORDER BY created_at, key`,
      [escapedText(roomId), escapedText(token)],
      options,
    );
    return rows.map(inviteOf);
  },

  list: async ({ by, after, limit }, options) => {
    const [column, value] = inviteFilter(by);
    const rows = await ask(
      `SELECT ${answer} FROM ${table}
        WHERE ${column} = $1::text AND created_at <= $2::double precision
          AND (created_at < $2::double precision OR key > $3::text)
        ORDER BY created_at DESC, key LIMIT $4::bigint`,
      [
        escapedText(value),
        String(after?.createdAt ?? Number.MAX_VALUE),
        escapedText(after?.key ?? ""),
        limit === undefined ? null : String(limit),
      ],
      options,
    );
    return rows.map(inviteOf);
  },
});
