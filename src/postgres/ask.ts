import type { PortOptions } from "../ports.js";
import type { SqlRow } from "../storage/sql-row.js";
import type { SqlClient } from "./client.js";

/** Runs one statement, unless the caller has stopped. */
export type Ask = (
  statement: string,
  params: (string | null)[],
  options: PortOptions,
) => Promise<readonly SqlRow[]>;

export const askOf =
  (client: SqlClient): Ask =>
  async (statement, params, { signal }) => {
    signal?.throwIfAborted();
    return (await client.query(statement, params)).rows;
  };
