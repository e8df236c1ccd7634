import { type InviteRecord, tokensOf } from "../../invite/invite-life.js";
import type { InviteQuery, Invites, Marked } from "../../ports.js";
import { frozenCopy } from "./frozen-copy.js";

const isBy = (record: InviteRecord, by: InviteQuery["by"]): boolean => {
  if ("roomId" in by) return record.roomId === by.roomId;
  if ("sender" in by) return record.sender === by.sender;
  if ("idServer" in by) return record.idServer === by.idServer;
  return record.addressHash === by.addressHash;
};

type Place = Pick<InviteRecord, "createdAt" | "key">;

const newestFirst = (one: Place, other: Place): number =>
  other.createdAt - one.createdAt || Number(one.key > other.key) - Number(one.key < other.key);

/**
 * The `invites` port in memory: it takes nothing, and forgets everything with the process. What it keeps and answers
 * are frozen copies, so that no caller can change what is stored.
 *
 * @example
 * const invites = memoryInvites();
 * const { mark } = await invites.putIfAbsent(record, {});
 * await invites.replace(later, mark, {}); // { _tag: "Replaced", mark: "2" }
 * await invites.replace(later, mark, {}); // { _tag: "Stale" }
 */
export const memoryInvites = (): Invites => {
  const stored = new Map<string, Marked<InviteRecord>>();
  let marks = 0;

  const put = (record: InviteRecord): Marked<InviteRecord> => {
    const value = frozenCopy(record);
    marks += 1;
    const kept = Object.freeze({ value, mark: String(marks) });
    stored.set(value.key, kept);
    return kept;
  };

  /* eslint-disable @typescript-eslint/require-await -- async turns a throw into the rejection that the contract names */
  return {
    putIfAbsent: async (record) => {
      const present = stored.get(record.key);
      return present === undefined ? { ...put(record), isNew: true } : { ...present, isNew: false };
    },
    replace: async (record, mark) =>
      stored.get(record.key)?.mark === mark
        ? { _tag: "Replaced", mark: put(record).mark }
        : { _tag: "Stale" },
    find: async (key) => stored.get(key),
    findByToken: async (roomId, token) =>
      [...stored.values()].filter(
        ({ value }) => value.roomId === roomId && tokensOf(value.life).includes(token),
      ),
    list: async ({ by, after, limit = Infinity }) =>
      [...stored.values()]
        .filter(({ value }) => isBy(value, by))
        .sort(({ value: one }, { value: other }) => newestFirst(one, other))
        .filter(({ value }) => after === undefined || newestFirst(after, value) < 0)
        .slice(0, limit),
  };
};
