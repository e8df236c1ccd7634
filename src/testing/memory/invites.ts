import { type InviteRecord, tokensOf } from "../../invite/invite-life.js";
import type { Invites, Marked } from "../../ports.js";
import { frozenCopy } from "./frozen-copy.js";

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
    list: async (roomId) =>
      [...stored.values()].map(({ value }) => value).filter((record) => record.roomId === roomId),
  };
};
