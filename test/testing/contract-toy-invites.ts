import { type InviteRecord, tokensOf } from "../../src/invite/invite-life.js";
import type { InviteQuery, Invites } from "../../src/ports.js";
import type { Fault } from "./contract-faults.js";
import { type ToyState, nextMark, soon } from "./contract-toy-state.js";

const isBy = ({ record, by }: { record: InviteRecord; by: InviteQuery["by"] }, isLoose: boolean): boolean =>
  Object.entries(by).every(([name, value]) =>
    Object.entries(record).some(
      ([key, is]) => key === name && (is === value || (isLoose && String(is).startsWith(String(value)))),
    ),
  );

/** The invites of the toy, but for one fault. */
export const toyInvites = (state: ToyState, fault?: Fault): Invites => {
  const is = (one: Fault): boolean => fault === one;
  const keyOf = (key: string): string => (is("keys have no case") ? key.toLowerCase() : key);

  const recordOf = (kept: { text: string; mark: string }) => ({
    value: JSON.parse(kept.text) as InviteRecord,
    mark: kept.mark,
  });

  const store = (record: InviteRecord, mark = nextMark(state)) => {
    const text = JSON.stringify(record);
    const before = state.records.get(keyOf(record.key))?.tokens ?? [];
    const kept = {
      text: is("details are cut at a NUL") ? text.replace(/\\u0000[^"]*/g, "") : text,
      mark,
      tokens: [...tokensOf(record.life), ...(is("findByToken forgets no token") ? before : [])],
    };
    if (!is("putIfAbsent answers without storing")) state.records.set(keyOf(record.key), kept);
    return recordOf({ text, mark });
  };

  const inOrder = (one: InviteRecord, other: InviteRecord): number => {
    const newest = other.createdAt - one.createdAt;
    const byKey = is("list has no order among those of one time")
      ? 0
      : Number(one.key > other.key) - Number(one.key < other.key);
    return is("list has the oldest first") ? -newest || byKey : newest || byKey;
  };

  return {
    putIfAbsent: async (record) => {
      await soon();
      const before = state.records.get(keyOf(record.key));
      if (is("putIfAbsent looks, and stores later") || is("putIfAbsent is new to all that race"))
        await soon();
      const standing = is("putIfAbsent looks, and stores later")
        ? before
        : state.records.get(keyOf(record.key));
      const isPut = standing === undefined || is("putIfAbsent overwrites");
      const isNew =
        (is("putIfAbsent is new to all that race") ? before === undefined : isPut) &&
        !is("putIfAbsent is never new");
      return {
        ...(isPut ? store(record) : recordOf(standing)),
        isNew: isNew || is("putIfAbsent is new whatever it finds"),
      };
    },
    replace: async (record, mark) => {
      await soon();
      const standing = state.records.get(keyOf(record.key));
      if (is("replace of an invite compares, and stores later")) await soon();
      const isAllowed = standing === undefined ? is("replace puts an invite") : standing.mark === mark;
      if (!isAllowed && !is("replace of an invite does not compare")) return { _tag: "Stale" };
      if (is("replace of an invite answers before it stores")) {
        const later = nextMark(state);
        void soon()
          .then(soon)
          .then(() => store(record, later));
        return { _tag: "Replaced", mark: later };
      }
      const next = is("replace of an invite leaves the mark") ? mark : nextMark(state);
      return { _tag: "Replaced", mark: store(record, next).mark };
    },
    find: async (key) => {
      await soon();
      const [any] = is("find finds something") ? state.records.values() : [];
      const kept = state.records.get(keyOf(key)) ?? any;
      return kept === undefined ? undefined : recordOf(kept);
    },
    findByToken: async (roomId, token) => {
      await soon();
      const likes = (one: string): boolean =>
        is("findByToken takes wildcards")
          ? new RegExp(`^${token.replaceAll("%", ".*").replaceAll("_", ".")}$`).test(one)
          : one === token;
      const kept = [...state.records.values()].filter(
        ({ text, tokens }) =>
          (is("findByToken looks in all rooms") || (JSON.parse(text) as InviteRecord).roomId === roomId) &&
          tokens.slice(0, is("findByToken knows the newest token only") ? 1 : undefined).some(likes),
      );
      return kept.slice(0, is("findByToken finds the first") ? 1 : undefined).map((each) => recordOf(each));
    },
    list: async ({ by, after, limit }) => {
      await soon();
      const isAfter = ({ value }: { readonly value: InviteRecord }): boolean => {
        if (after === undefined) return true;
        if (is("list pages by the time alone")) return value.createdAt < after.createdAt;
        return inOrder({ ...value, ...after }, value) < 0;
      };
      return [...state.records.values()]
        .map(recordOf)
        .filter(({ value: record }) => isBy({ record, by }, is("list takes beginnings")))
        .filter(({ value }) => !is("list forgets those asked") || value.life._tag !== "Asked")
        .sort(({ value: one }, { value: other }) => inOrder(one, other))
        .filter(isAfter)
        .slice(0, limit);
    },
  };
};
