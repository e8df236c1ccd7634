import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Line, placesInLine } from "../../src/invite/redemption-line.js";

const nobody: Line = { firstTurn: undefined, waiting: [] };

const names = Array.from({ length: 8 }, (_, at) => `s${at}.example`);
const destinations = fc.array(fc.constantFrom(...names), { maxLength: 60 });

/** What waits for a user, each server once. */
const waiting = fc.uniqueArray(fc.record({ destination: fc.constantFrom(...names), rows: fc.nat(200) }), {
  selector: ({ destination }) => destination,
});
const lines: fc.Arbitrary<Line> = fc.record({
  firstTurn: fc.option(fc.nat(1_000_000), { nil: undefined }),
  waiting,
});

const numbersOf = (line: Line, asked: readonly string[]) => placesInLine(line, asked).map(({ turn }) => turn);

/** How many others may be worked on before a row with this turn; storage is free to order rows of one turn. */
const before = (turns: readonly number[], turn: number): number =>
  turns.filter((other) => other <= turn).length - 1;

describe("one user", () => {
  test.each<readonly [string, Line, readonly string[], readonly number[]]>([
    ["nothing", nobody, [], []],
    ["one", nobody, ["a"], [0]],
    ["one server: one after the other", nobody, ["a", "a", "a"], [0, 1, 2]],
    ["two servers: in turns", nobody, ["a", "a", "a", "b", "b"], [0, 2, 4, 1, 3]],
    [
      "behind what waits there",
      { firstTurn: 7, waiting: [{ destination: "a", rows: 2 }] },
      ["a", "a"],
      [9, 10],
    ],
    [
      "another server before most of them",
      { firstTurn: 7, waiting: [{ destination: "a", rows: 1_000 }] },
      ["b"],
      [8],
    ],
    ["others wait: beside the first of them", { firstTurn: 500, waiting: [] }, ["a"], [500]],
  ])("%s", (_, line, asked, turns) => {
    expect(numbersOf(line, asked)).toEqual(turns);
  });

  test("each row has its own place, behind the first of all, and in its order for its server", () => {
    fc.assert(
      fc.property(lines, destinations, (line, asked) => {
        const places = placesInLine(line, asked);
        expect(places).toHaveLength(asked.length);
        for (const { turn, depth } of places) {
          expect(Number.isSafeInteger(depth) && depth >= 0).toBe(true);
          expect(turn).toBe((line.firstTurn ?? 0) + depth);
        }
        expect(new Set(places.map(({ depth }) => depth)).size).toBe(asked.length);
        for (const name of names) {
          const there = places.filter((_, at) => asked[at] === name).map(({ turn }) => turn);
          expect(there).toEqual([...there].sort((a, b) => a - b));
        }
      }),
    );
  });

  test("where nothing waits, servers take turns whatever the order in the delivery", () => {
    fc.assert(
      fc.property(destinations, (asked) => {
        const places = placesInLine(nobody, asked);
        const order = asked
          .map((name, at) => ({ name, turn: places[at]?.turn ?? -1 }))
          .sort((a, b) => a.turn - b.turn);
        const left = new Map(names.map((name) => [name, asked.filter((one) => one === name).length]));
        const done = new Map<string, number>();
        for (const { name } of order) {
          done.set(name, (done.get(name) ?? 0) + 1);
          left.set(name, (left.get(name) ?? 0) - 1);
          // Nobody who still waits is more than one behind.
          for (const [other, rows] of left)
            if (rows > 0) expect((done.get(name) ?? 0) - (done.get(other) ?? 0)).toBeLessThanOrEqual(1);
        }
      }),
    );
  });

  test("a flood for one server keeps none of another back: a new server's first is within the first round", () => {
    fc.assert(
      fc.property(lines, (line) => {
        const place = placesInLine(line, ["new.example"])[0];
        expect(place?.depth).toBeLessThanOrEqual(line.waiting.length);
      }),
    );
  });

  test("the order in which storage counts the servers moves a row by less than one round", () => {
    fc.assert(
      fc.property(lines, fc.constantFrom(...names), (line, name) => {
        const one = placesInLine(line, [name])[0]?.depth ?? NaN;
        const other = placesInLine({ ...line, waiting: line.waiting.toReversed() }, [name])[0]?.depth ?? NaN;
        const round = new Set([...line.waiting.map(({ destination }) => destination), name]).size;
        expect(Math.abs(one - other)).toBeLessThan(round);
      }),
    );
  });
});

describe("several users", () => {
  /** Users who come one after the other and of whose rows nobody has worked on any. */
  const arrive = (users: readonly (readonly string[])[]): readonly (readonly number[])[] => {
    let firstTurn: number | undefined;
    return users.map((asked) => {
      const turns = numbersOf({ firstTurn, waiting: [] }, asked);
      firstTurn = Math.min(firstTurn ?? Infinity, ...turns);
      return turns;
    });
  };

  test("take turns: whoever has few rows waits for as many of each other user, not for all of theirs", () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.constant("a"), { minLength: 1, maxLength: 30 }), { minLength: 1 }),
        (users) => {
          const turns = arrive(users);
          const all = turns.flat();
          for (const mine of turns)
            for (const [place, turn] of mine.entries())
              expect(before(all, turn)).toBeLessThan(users.length * (place + 1));
        },
      ),
    );
  });

  test("a proof that comes after 10,000 of another user stands among the first", () => {
    const flood = arrive([Array.from({ length: 10_000 }, () => "a"), ["b"]]);
    expect(before(flood.flat(), flood[1]?.[0] ?? NaN)).toBe(1);
    const wide = arrive([Array.from({ length: 10_000 }, (_, at) => `s${at}`), ["b"]]);
    expect(before(wide.flat(), wide[1]?.[0] ?? NaN)).toBe(1);
  });

  test("a proof that comes after 1,000 other users with 10 each waits for one of each at most", () => {
    const ten = Array.from({ length: 10 }, () => "a");
    const turns = arrive([...Array.from({ length: 1_000 }, () => ten), ["b"]]);
    expect(before(turns.flat(), turns.at(-1)?.[0] ?? NaN)).toBeLessThanOrEqual(1_000);
  });

  test("whose rows have been worked on for long does not stand before others who come anew", () => {
    // A thousand of the first user's rows are done; the rest begins at 1,000.
    const line: Line = { firstTurn: 1_000, waiting: [{ destination: "a", rows: 500 }] };
    const [again] = numbersOf(line, ["a"]);
    const [anew] = numbersOf({ firstTurn: 1_000, waiting: [] }, ["b"]);
    expect([again, anew]).toEqual([1_500, 1_000]);
  });
});
