import type { InviteRecord } from "../../invite/invite-life.js";
import { escapedText } from "../../invite/escaped-text.js";
import { inviteRow } from "../../invite/invite-row.js";
import type { InviteQuery, Invites } from "../../ports.js";
import { readInvite } from "../read-invite.js";
import { askMarked, markedBy, replaceRow } from "./marked.js";
import { number, only } from "./row.js";
import { type Database, type Sql, limitTo, listed, sql, written } from "./statement.js";

/**
 * The columns of a record. An index cannot reach into a list: as a rule a life has one token, which has a column of its
 * own, and the few that have more are looked through.
 */
const columnsOf = (record: InviteRecord) => {
  const row = inviteRow(record);
  const [token = null, ...more] = row.tokens;
  return {
    key: row.key,
    room_id: row.roomId,
    sender: row.sender,
    id_server: row.idServer,
    address_hash: row.addressHash,
    created_at: row.createdAt,
    token: more.length === 0 ? token : null,
    tokens: more.length === 0 ? null : JSON.stringify(row.tokens),
    record: row.record,
  };
};

const isBy = (by: InviteQuery["by"]): Sql => {
  if ("roomId" in by) return sql`room_id = ${escapedText(by.roomId)}`;
  if ("sender" in by) return sql`sender = ${escapedText(by.sender)}`;
  if ("idServer" in by) return sql`id_server = ${escapedText(by.idServer)}`;
  return sql`address_hash = ${escapedText(by.addressHash)}`;
};

const isAfter = (last: InviteQuery["after"]): Sql =>
  last === undefined
    ? written("")
    : sql`AND created_at <= ${last.createdAt}
        AND (created_at < ${last.createdAt} OR key > ${escapedText(last.key)})`;

export const sqlInvites = (database: Database): Invites => {
  const { dialect, ask, prefix } = database;
  const { newMark, texts } = dialect;
  const table = written(`${prefix}third_party_invites`);
  const [replace, askInvites] = [replaceRow(database, table), askMarked(database, readInvite)];

  return {
    putIfAbsent: async (record, given) => {
      const columns = columnsOf(record);
      // The statement answers with what stands there afterwards, and only a column can say what stood there before.
      const rows = await ask(
        sql`INSERT INTO ${table} (${written(Object.keys(columns).join(", "))}, mark, is_new)
        VALUES (${listed(Object.values(columns))}, ${newMark}, 1)
        ON CONFLICT (key) DO UPDATE SET is_new = 0
        RETURNING record, mark, is_new`,
        given,
      );
      const row = only(rows);
      return { ...markedBy(readInvite)(row), isNew: number(row, "is_new") === 1 };
    },

    replace: (record, mark, given) => replace(columnsOf(record), mark, given),

    find: async (key, given) =>
      (await askInvites(sql`SELECT record, mark FROM ${table} WHERE key = ${escapedText(key)}`, given))[0],

    findByToken: (roomId, token, given) => {
      const [room, one] = [escapedText(roomId), escapedText(token)];
      return askInvites(
        sql`SELECT record, mark FROM ${table} WHERE room_id = ${room} AND token = ${one}
        UNION ALL
        SELECT record, mark FROM ${table}
        WHERE room_id = ${room} AND tokens IS NOT NULL AND ${one} IN (${texts(written("tokens"))})`,
        given,
      );
    },

    list: ({ by, after, limit }, given) =>
      askInvites(
        sql`SELECT record, mark FROM ${table} WHERE ${isBy(by)} ${isAfter(after)}
        ORDER BY created_at DESC, key ${limitTo(limit)}`,
        given,
      ),
  };
};
