import { readFileSync, readdirSync } from "node:fs";

/** What somebody asked a real identity server, and what it said. */
export interface CapturedExchange {
  /** The file and the name there. */
  readonly name: string;
  readonly request: {
    readonly method: string;
    readonly path: string;
    /** Absent where the capture kept none, or where it is not needed here. */
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: unknown;
  };
  readonly response: {
    readonly status: number;
    readonly headers?: Readonly<Record<string, string>>;
    readonly body: unknown;
  };
}

const directory = new URL("../fixtures/transcripts/", import.meta.url);

const read = (file: string): unknown => JSON.parse(readFileSync(new URL(file, directory), "utf8"));

const filesNamed = (pattern: RegExp): readonly string[] =>
  readdirSync(directory).filter((file) => pattern.test(file));

/** The name under which the captured identity server was asked. */
export const capturedServerName = "localhost:28443";

/** What clients asked the identity server for. */
export const clientExchanges: readonly CapturedExchange[] = filesNamed(/^sydent-/).flatMap((file) =>
  (read(file) as { readonly exchanges: readonly CapturedExchange[] }).exchanges.map((exchange) => ({
    ...exchange,
    name: `${file.replace(/^sydent-|\.json$/g, "")}: ${exchange.name}`,
  })),
);

/** What homeservers asked it for; without headers. */
export const homeserverExchanges: readonly CapturedExchange[] = filesNamed(/^synapse-/).flatMap((file) =>
  (
    read(file) as { readonly serverExchanges: readonly (CapturedExchange & { readonly to: string })[] }
  ).serverExchanges
    .filter(({ to }) => to === "is")
    .map((exchange, at) => ({ ...exchange, name: `${file.replace(/\.json$/, "")}: ${at + 1}` })),
);
