import { tokensOf } from "../../src/invite/invite-life.js";
import { serverOf } from "../../src/matrix/ids.js";
import type { InviteRecord, OwedRedemption, RedemptionId, Settlement, TokenOfUser } from "../../src/ports.js";
import type { OpenStorage } from "../../src/testing/contract/index.js";

/** What the toy can be told to do wrong: each is a mistake that a real adapter could make. */
export const faults = [
  "put answers without storing",
  "put overwrites",
  "put looks, and stores later",
  "put is never new",
  "put is new whatever it finds",
  "put is new to all that race",
  "replace does not compare",
  "replace compares, and stores later",
  "replace puts",
  "replace leaves the mark",
  "replace answers before it stores",
  "keys have no case",
  "details are cut at a NUL",
  "find finds something",
  "findByToken knows the newest token only",
  "findByToken finds the first",
  "findByToken forgets no token",
  "findByToken looks in all rooms",
  "findByToken takes wildcards",
  "list forgets those asked",
  "list lists all rooms",
  "owe adds one by one",
  "owe loses the last row",
  "owe takes 500 rows",
  "owe takes no empty list",
  "owe fails where another adds the row meanwhile",
  "owe revives what is settled",
  "owe overwrites what waits",
  "owe refuses a NUL",
  "a row is one by room and token",
  "signed loses __proto__",
  "lease holds nothing",
  "lease looks, and takes later",
  "a lease never ends",
  "lease ends after until",
  "lease ignores dueAt",
  "lease ignores the limit",
  "settle ignores the lease",
  "settle loses Dead",
  "settle keeps the lease",
  "settle counts no attempt",
  "settle refuses an expired lease",
  "a row is one by token and user",
  "owe owes what is redeemed",
  "Done blocks owe",
  "Dead blocks owe",
  "Redeemed ends one proof",
  "Redeemed ends all rows of the user",
  "Redeemed ends what nobody holds",
  "Redeemed leaves the leases of what it ends",
  "Redeemed ends what others hold with a lost lease",
  "Done ends all proofs",
  "Dead ends all proofs",
  "Again ends all proofs",
  "Again undoes a postponement",
  "Again leaves the row due when it was postponed to",
  "settle looks, and stores later",
  "settle fails where another settles the token meanwhile",
  "postpone ignores the sender",
  "postpone ends the lease",
  "postpone makes rows due earlier",
  "postpone brings rows back",
  "countWaiting counts what is done",
  "countWaiting leaves out what is leased",
  "countWaiting compares ends of names",
  "nextDueAt ignores leases",
  "nextDueAt counts what is settled",
  "a restart forgets leases",
  "a restart forgets the last write",
  "a restart counts from one again",
] as const;

export type Fault = (typeof faults)[number];

interface Row {
  readonly text: string;
  readonly state: "waiting" | "redeemed" | "done" | "dead";
  readonly lease?: { readonly id: string; readonly until: number };
}

/** All that the toy has. Another process that has the same state is another connection. */
export interface ToyState {
  readonly records: Map<string, { text: string; mark: string; tokens: readonly string[] }>;
  readonly rows: Map<string, Row>;
  /** Tokens of which a row is being settled. */
  readonly busy: Set<string>;
  count: number;
}

export const emptyToy = (): ToyState => ({ records: new Map(), rows: new Map(), busy: new Set(), count: 0 });

const ended = { Redeemed: "redeemed", Done: "done", Dead: "dead" } as const;

const soon = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A small adapter that keeps its contract, but for one fault. */
export const toy = (state: ToyState, fault?: Fault): OpenStorage => {
  const is = (one: Fault): boolean => fault === one;
  const next = (): string => String((state.count += 1));
  const keyOf = (key: string): string => (is("keys have no case") ? key.toLowerCase() : key);

  const recordOf = (kept: { text: string; mark: string }) => ({
    value: JSON.parse(kept.text) as InviteRecord,
    mark: kept.mark,
  });

  const store = (record: InviteRecord, mark = next()) => {
    const text = JSON.stringify(record);
    const before = state.records.get(keyOf(record.key))?.tokens ?? [];
    const kept = {
      text: is("details are cut at a NUL") ? text.replace(/\\u0000[^"]*/g, "") : text,
      mark,
      tokens: [...tokensOf(record.life), ...(is("findByToken forgets no token") ? before : [])],
    };
    if (!is("put answers without storing")) state.records.set(keyOf(record.key), kept);
    return recordOf({ text, mark });
  };

  const nameOf = ({ roomId, token, mxid, proof }: RedemptionId): string => {
    if (is("a row is one by room and token")) return JSON.stringify([roomId, token]);
    return JSON.stringify([roomId, token, mxid, is("a row is one by token and user") ? "" : proof]);
  };

  const read = ({ text }: Row): OwedRedemption => JSON.parse(text) as OwedRedemption;

  const isOf =
    ({ roomId, token, mxid }: TokenOfUser) =>
    ([, row]: readonly [string, Row]): boolean => {
      const other = read(row);
      return other.roomId === roomId && other.token === token && other.mxid === mxid;
    };

  const waiting = (): readonly Row[] => [...state.rows.values()].filter((row) => row.state === "waiting");

  const freeAt = (row: Row): number =>
    Math.max(is("lease ignores dueAt") ? 0 : read(row).dueAt, row.lease?.until ?? 0);

  const blocksOwe = (row: Row): boolean =>
    (row.state === "redeemed" && !is("owe owes what is redeemed")) ||
    (row.state === "done" && is("Done blocks owe")) ||
    (row.state === "dead" && is("Dead blocks owe"));

  const isRedeemed = (of: TokenOfUser): boolean => {
    // Rows are read only where one could be meant: there may be thousands.
    for (const entry of state.rows) if (blocksOwe(entry[1]) && isOf(of)(entry)) return true;
    return false;
  };

  const add = (name: string, text: string): void => {
    if (!state.rows.has(name) && isRedeemed(JSON.parse(text) as OwedRedemption)) return;
    const standing = state.rows.get(name);
    const isKept =
      standing !== undefined &&
      !(is("owe revives what is settled") && standing.state !== "waiting") &&
      !(is("owe overwrites what waits") && standing.state === "waiting");
    if (!isKept) state.rows.set(name, { text, state: "waiting" });
  };

  const dueAfter = ({ dueAt, owedAt }: OwedRedemption, asked: number): number => {
    if (is("Again undoes a postponement")) return asked;
    const isPostponed = dueAt > owedAt + 5;
    return is("Again leaves the row due when it was postponed to") && isPostponed
      ? dueAt
      : Math.max(dueAt, asked);
  };

  const endsAll = ({ _tag }: Settlement): boolean =>
    _tag === "Redeemed" ? !is("Redeemed ends one proof") : is(`${_tag} ends all proofs`);

  /** The rows of a token that wait are redeemed. */
  const endAll = (of: TokenOfUser): void => {
    const isMeant = is("Redeemed ends all rows of the user")
      ? ([, row]: readonly [string, Row]) => read(row).mxid === of.mxid
      : isOf(of);
    for (const [name, { lease, text }] of [...state.rows].filter(isMeant))
      if (state.rows.get(name)?.state === "waiting" && !(is("Redeemed ends what nobody holds") && lease))
        state.rows.set(name, {
          text,
          state: "redeemed",
          ...(is("Redeemed leaves the leases of what it ends") && lease ? { lease } : {}),
        });
  };

  const textOf = (row: OwedRedemption): string => {
    if (is("owe refuses a NUL") && row.token.includes("\0")) throw new Error("invalid byte sequence");
    return JSON.stringify(
      is("signed loses __proto__") ? Object.assign({}, row, { signed: copied(row) }) : row,
    );
  };

  return {
    invites: {
      putIfAbsent: async (record) => {
        const before = state.records.get(keyOf(record.key));
        if (is("put looks, and stores later") || is("put is new to all that race")) await soon();
        const standing = is("put looks, and stores later") ? before : state.records.get(keyOf(record.key));
        const isPut = standing === undefined || is("put overwrites");
        const isNew =
          (is("put is new to all that race") ? before === undefined : isPut) && !is("put is never new");
        return {
          ...(isPut ? store(record) : recordOf(standing)),
          isNew: isNew || is("put is new whatever it finds"),
        };
      },
      replace: async (record, mark) => {
        const standing = state.records.get(keyOf(record.key));
        if (is("replace compares, and stores later")) await soon();
        const isAllowed = standing === undefined ? is("replace puts") : standing.mark === mark;
        if (!isAllowed && !is("replace does not compare")) return { _tag: "Stale" };
        if (is("replace answers before it stores")) {
          const later = next();
          void soon().then(() => store(record, later));
          return { _tag: "Replaced", mark: later };
        }
        return { _tag: "Replaced", mark: store(record, is("replace leaves the mark") ? mark : next()).mark };
      },
      find: (key) => {
        const [any] = is("find finds something") ? state.records.values() : [];
        const kept = state.records.get(keyOf(key)) ?? any;
        return Promise.resolve(kept === undefined ? undefined : recordOf(kept));
      },
      findByToken: (roomId, token) => {
        const likes = (one: string): boolean =>
          is("findByToken takes wildcards")
            ? new RegExp(`^${token.replaceAll("%", ".*").replaceAll("_", ".")}$`).test(one)
            : one === token;
        const kept = [...state.records.values()].filter(
          ({ text, tokens }) =>
            (is("findByToken looks in all rooms") || (JSON.parse(text) as InviteRecord).roomId === roomId) &&
            tokens.slice(0, is("findByToken knows the newest token only") ? 1 : undefined).some(likes),
        );
        return Promise.resolve(
          kept.slice(0, is("findByToken finds the first") ? 1 : undefined).map((each) => recordOf(each)),
        );
      },
      list: (roomId) =>
        Promise.resolve(
          [...state.records.values()]
            .map((kept) => recordOf(kept).value)
            .filter((record) => is("list lists all rooms") || record.roomId === roomId)
            .filter(({ life }) => !is("list forgets those asked") || life._tag !== "Asked"),
        ),
    },

    redemptions: {
      owe: async (rows) => {
        if (is("owe takes 500 rows") && rows.length > 500) throw new Error("too many parameters");
        if (is("owe takes no empty list") && rows.length === 0) throw new Error("a syntax error");
        if (is("owe fails where another adds the row meanwhile")) {
          const fresh = rows.filter((row) => !state.rows.has(nameOf(row)));
          await soon();
          if (fresh.some((row) => state.rows.has(nameOf(row)))) throw new Error("a duplicate key");
        }
        if (is("owe adds one by one")) {
          for (const row of rows) {
            add(nameOf(row), textOf(row));
            await soon();
          }
          return;
        }
        const taken = is("owe loses the last row") && rows.length > 1 ? rows.slice(0, -1) : rows;
        for (const [name, text] of taken.map((row) => [nameOf(row), textOf(row)] as const)) add(name, text);
      },
      countWaiting: (of) => {
        const same = (one: string, other: string): boolean =>
          is("countWaiting compares ends of names") ? one.endsWith(other) : one === other;
        const counted = is("countWaiting counts what is done") ? [...state.rows.values()] : waiting();
        return Promise.resolve(
          counted.filter((row) => {
            const { mxid, sender } = read(row);
            if (is("countWaiting leaves out what is leased") && row.lease !== undefined) return false;
            return "mxid" in of ? mxid === of.mxid : same(serverOf(sender), of.destination);
          }).length,
        );
      },
      lease: async ({ now, until, limit }) => {
        const isFree = (row: Row): boolean => {
          if (is("a lease never ends") && row.lease !== undefined) return false;
          return is("lease ends after until") ? freeAt(row) < now : freeAt(row) <= now;
        };
        const free = waiting()
          .filter(isFree)
          .slice(0, is("lease ignores the limit") ? undefined : limit);
        if (is("lease looks, and takes later")) await soon();
        return free.map((row) => {
          const redemption = read(row);
          const lease = { id: next(), until };
          if (!is("lease holds nothing")) state.rows.set(nameOf(redemption), { ...row, lease });
          return { redemption, lease: lease.id };
        });
      },
      settle: async (id, lease, settlement) => {
        const row = state.rows.get(nameOf(id));
        if (row === undefined) return;
        const isHeld = row.lease?.id === lease || is("settle ignores the lease");
        if (isHeld && is("settle fails where another settles the token meanwhile")) {
          const name = JSON.stringify([id.roomId, id.token, id.mxid]);
          if (state.busy.has(name)) throw new Error("deadlock detected");
          state.busy.add(name);
          await soon();
          state.busy.delete(name);
        }
        const mayEnd = isHeld || is("Redeemed ends what others hold with a lost lease");
        if (mayEnd && endsAll(settlement)) endAll(id);
        if (!isHeld || is("settle refuses an expired lease")) return;
        if (is("settle looks, and stores later")) await soon();
        const held = is("settle keeps the lease") && row.lease !== undefined ? { lease: row.lease } : {};
        if (settlement._tag === "Again") {
          const before = read(row);
          const attempts = before.attempts + (is("settle counts no attempt") ? 0 : 1);
          const text = JSON.stringify({ ...before, dueAt: dueAfter(before, settlement.dueAt), attempts });
          state.rows.set(nameOf(id), { text, state: "waiting", ...held });
        } else if (settlement._tag !== "Dead" || !is("settle loses Dead"))
          state.rows.set(nameOf(id), { text: row.text, state: ended[settlement._tag], ...held });
      },
      postpone: (id, dueAt) => {
        for (const [name, row] of [...state.rows].filter(isOf(id))) {
          if (row.state !== "waiting" && !is("postpone brings rows back")) continue;
          const { lease, ...free } = row;
          const before = read(row);
          const later = is("postpone makes rows due earlier") ? dueAt : Math.max(before.dueAt, dueAt);
          if (before.sender === id.sender || is("postpone ignores the sender"))
            state.rows.set(name, {
              ...free,
              ...(lease === undefined || is("postpone ends the lease") ? {} : { lease }),
              text: JSON.stringify({ ...before, dueAt: later }),
              state: "waiting",
            });
        }
        return Promise.resolve();
      },
      nextDueAt: () => {
        const counted = is("nextDueAt counts what is settled") ? [...state.rows.values()] : waiting();
        const times = counted.map((row) => (is("nextDueAt ignores leases") ? read(row).dueAt : freeAt(row)));
        return Promise.resolve(times.length === 0 ? undefined : Math.min(...times));
      },
    },
  };
};

/** A copy that takes `__proto__` for the prototype, as an assignment does. */
const copied = ({ signed }: OwedRedemption): object => {
  const copy: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(signed)) copy[key] = value;
  return copy;
};

/** What another process finds when this one has died. */
export const restarted = (state: ToyState, fault?: Fault): ToyState => {
  const rows = [...state.rows].map(([name, { lease, ...row }]): [string, Row] => [
    name,
    lease === undefined || fault === "a restart forgets leases" ? row : { ...row, lease },
  ]);
  if (fault === "a restart forgets the last write") rows.pop();
  return {
    records: new Map(state.records),
    rows: new Map(rows),
    busy: new Set(),
    count: fault === "a restart counts from one again" ? 0 : state.count,
  };
};
