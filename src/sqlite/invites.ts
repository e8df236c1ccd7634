import { escapedText } from "../invite/escaped-text.js";
import type { Invites } from "../ports.js";
import { inviteFilter, inviteOf, inviteParams, onlyRow, textOf } from "../storage/sql-row.js";
import { type Ask, tables } from "./client.js";

const table = tables.invites;

const columns = "key, mark, room_id, sender, id_server, address_hash, created_at, tokens, record";
/** The last is the new mark. */
const values = "?1, ?9, ?2, ?3, ?4, ?5, ?6, ?7, ?8";

/** The `invites` port on SQLite. Each version of a record has a mark of its own, a UUID. */
export const sqliteInvites = (ask: Ask): Invites => ({
  putIfAbsent: async (record, options) => {
    const mark = crypto.randomUUID();
    const rows = await ask(
      `INSERT INTO ${table} (${columns}) VALUES (${values})
        ON CONFLICT (key) DO UPDATE SET key = ${table}.key
        RETURNING record, mark`,
      [...inviteParams(record), mark],
      options,
    );
    const stored = inviteOf(onlyRow(rows));
    // Nobody else has drawn this mark.
    return { ...stored, isNew: stored.mark === mark };
  },

  replace: async (record, mark, options) => {
    const [row] = await ask(
      `UPDATE ${table} SET (${columns}) = (${values}) WHERE key = ?1 AND mark = ?10 RETURNING mark`,
      [...inviteParams(record), crypto.randomUUID(), escapedText(mark)],
      options,
    );
    return row === undefined ? { _tag: "Stale" } : { _tag: "Replaced", mark: textOf(row, "mark") };
  },

  find: async (key, options) => {
    const [row] = await ask(`SELECT record, mark FROM ${table} WHERE key = ?1`, [escapedText(key)], options);
    return row === undefined ? undefined : inviteOf(row);
  },

  findByToken: async (roomId, token, options) => {
    const rows = await ask(
      `SELECT record, mark FROM ${table}
        WHERE room_id = ?1 AND EXISTS (SELECT 1 FROM json_each(tokens) WHERE value = ?2)
        ORDER BY created_at, key`,
      [escapedText(roomId), escapedText(token)],
      options,
    );
    return rows.map(inviteOf);
  },

  list: async ({ by, after, limit }, options) => {
    const [column, value] = inviteFilter(by);
    const rows = await ask(
      `SELECT record, mark FROM ${table}
        WHERE ${column} = ?1 AND created_at <= ?2 AND (created_at < ?2 OR key > ?3)
        ORDER BY created_at DESC, key LIMIT ?4`,
      [escapedText(value), after?.createdAt ?? Number.MAX_VALUE, escapedText(after?.key ?? ""), limit ?? -1],
      options,
    );
    return rows.map(inviteOf);
  },
});
