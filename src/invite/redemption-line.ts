/** What waits untried for one user: the least turn of all, and how many rows of theirs are for which server. */
export interface Line {
  readonly firstTurn: number | undefined;
  readonly waiting: readonly { readonly destination: string; readonly rows: number }[];
}

/** Where a redemption stands in the line. */
export interface Place {
  readonly turn: number;
  readonly depth: number;
}

/**
 * The places of new redemptions of one user, each by its destination. Users take turns, and inside a user destinations
 * do: the k-th row for the i-th of D destinations stands k·D + i places behind the first of all.
 */
export const placesInLine = (line: Line, destinations: readonly string[]): readonly Place[] => {
  const rows = new Map(line.waiting.map(({ destination, rows }) => [destination, rows]));
  for (const destination of destinations) if (!rows.has(destination)) rows.set(destination, 0);
  const positions = new Map([...rows.keys()].map((destination, position) => [destination, position]));
  const first = line.firstTurn ?? 0;
  return destinations.map((destination) => {
    const before = rows.get(destination) ?? 0;
    rows.set(destination, before + 1);
    const depth = before * rows.size + (positions.get(destination) ?? 0);
    return { turn: first + depth, depth };
  });
};
