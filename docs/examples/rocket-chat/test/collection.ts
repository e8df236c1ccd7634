/** As much of a MongoDB collection as the SDK's repositories ask for, in memory. */
export type Row = Record<string, unknown>;

const isRow = (value: unknown): value is Row =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const valueAt = (row: Row, path: string): unknown =>
  path.split(".").reduce<unknown>((inner, name) => (isRow(inner) ? inner[name] : undefined), row);

const fits = (value: unknown, wanted: unknown): boolean => {
  if (!isRow(wanted)) return value === wanted;
  return Object.entries(wanted).every(([operator, by]) => {
    switch (operator) {
      case "$in":
        return Array.isArray(by) && by.includes(value);
      case "$nin":
        return Array.isArray(by) && !by.includes(value);
      case "$ne":
        return value !== by;
      case "$exists":
        return (value !== undefined) === by;
      default:
        throw new Error(`The stub does not know ${operator}.`);
    }
  });
};

const matches = (row: Row, filter: Row): boolean =>
  Object.entries(filter).every(([path, wanted]) =>
    path === "$or"
      ? Array.isArray(wanted) && wanted.some((one: unknown) => isRow(one) && matches(row, one))
      : fits(valueAt(row, path), wanted),
  );

const order = (a: unknown, b: unknown): number => {
  const [one, other] = [a, b].map((value) => (value instanceof Date ? value.getTime() : (value as number)));
  return one === other || one === undefined || other === undefined ? 0 : one < other ? -1 : 1;
};

const sorted = (rows: readonly Row[], by: Row = {}): Row[] =>
  [...rows].sort((a, b) => {
    for (const [path, direction] of Object.entries(by)) {
      const found = order(valueAt(a, path), valueAt(b, path));
      if (found !== 0) return found * Number(direction);
    }
    return 0;
  });

const copy = (row: Row): Row => structuredClone(row);

interface Options {
  readonly sort?: Row;
  readonly limit?: number;
  readonly upsert?: boolean;
}

class Cursor {
  #rows: unknown[];
  constructor(rows: unknown[]) {
    this.#rows = rows;
  }
  map(by: (row: never) => unknown): Cursor {
    return new Cursor(this.#rows.map((row) => by(row as never)));
  }
  sort(by: Row): Cursor {
    return new Cursor(sorted(this.#rows as Row[], by));
  }
  limit(count: number): Cursor {
    return new Cursor(this.#rows.slice(0, count));
  }
  toArray(): Promise<unknown[]> {
    return Promise.resolve(this.#rows);
  }
  async *[Symbol.asyncIterator](): AsyncGenerator {
    yield* await this.toArray();
  }
}

export class Collection {
  readonly collectionName = "stub";
  readonly rows: Row[] = [];

  createIndex(): Promise<string> {
    return Promise.resolve("");
  }

  #found(filter: Row, { sort, limit }: Options = {}): Row[] {
    return sorted(
      this.rows.filter((row) => matches(row, filter)),
      sort,
    ).slice(0, limit);
  }

  find(filter: Row, options?: Options): Cursor {
    return new Cursor(this.#found(filter, options).map(copy));
  }

  findOne(filter: Row, options?: Options): Promise<Row | null> {
    const [row] = this.#found(filter, options);
    return Promise.resolve(row === undefined ? null : copy(row));
  }

  insertOne(row: Row): Promise<void> {
    if (this.rows.some(({ _id }) => _id === row["_id"]))
      return Promise.reject(new Error("E11000 duplicate key"));
    this.rows.push(copy(row));
    return Promise.resolve();
  }

  #update(rows: readonly Row[], filter: Row, update: Row, { upsert }: Options = {}): void {
    const targets = [...rows];
    if (targets.length === 0 && upsert === true) {
      const made = { ...copy(filter), ...copy((update["$setOnInsert"] ?? {}) as Row) };
      this.rows.push(made);
      targets.push(made);
    }
    for (const row of targets) {
      Object.assign(row, copy((update["$set"] ?? {}) as Row));
      for (const [name, by] of Object.entries((update["$inc"] ?? {}) as Row))
        row[name] = Number(row[name] ?? 0) + Number(by);
    }
  }

  updateOne(filter: Row, update: Row, options?: Options): Promise<void> {
    this.#update(this.#found(filter).slice(0, 1), filter, update, options);
    return Promise.resolve();
  }

  updateMany(filter: Row, update: Row): Promise<void> {
    this.#update(this.#found(filter), filter, update);
    return Promise.resolve();
  }

  findOneAndUpdate(filter: Row, update: Row, options?: Options): Promise<Row | null> {
    const found = this.#found(filter, options).slice(0, 1);
    const before = found.map(copy)[0] ?? null;
    this.#update(found, filter, update, options);
    return Promise.resolve(before);
  }

  deleteOne(filter: Row): Promise<void> {
    const [row] = this.#found(filter);
    if (row !== undefined) this.rows.splice(this.rows.indexOf(row), 1);
    return Promise.resolve();
  }

  /** The one aggregation that is asked for: the state before a node of the graph, by following `previousNode`. */
  aggregate(stages: readonly { readonly $match?: Row }[]): Cursor {
    const [start] = this.#found(stages[0]?.$match ?? {});
    if (start === undefined) return new Cursor([]);
    const nodes: Row[] = [];
    for (let at: Row | undefined = start; at !== undefined;) {
      const before: unknown = at["previousNode"];
      at = this.rows.find(({ _id }) => _id === before);
      if (at !== undefined) nodes.unshift(at);
    }
    const stateMap = Object.fromEntries(
      nodes.map((node) => [`${String(node["type"])}:${String(node["stateKey"])}`, node["eventId"]]),
    );
    return new Cursor([{ stateMap }]);
  }
}
