import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { outputOf } from "./command.js";
import type { Row } from "./row.js";

/** Of the Workers' runtime on this machine. */
export const workers = { name: "workers", package: ["miniflare", "4"] } as const;

const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

const program = `import { readFileSync } from "node:fs";
import { Miniflare, Request as WorkerRequest, Response as WorkerResponse } from "miniflare";
import { runWorkerLife } from "./worker-life.mjs";

let worker;
try {
  await runWorkerLife(async ({ variables, outbound }) => {
    worker = new Miniflare({
      modules: [{ type: "ESModule", path: "worker.mjs", contents: readFileSync("worker.mjs", "utf8") }],
      compatibilityDate: "2026-04-01",
      compatibilityFlags: ["nodejs_compat"],
      d1Databases: ["DB"],
      bindings: variables,
      outboundService: async (request) => {
        const { url, method, headers } = request;
        const body = method === "GET" ? undefined : await request.arrayBuffer();
        const answer = await outbound(new Request(url, { method, headers: [...headers], body }));
        return new WorkerResponse(await answer.arrayBuffer(), { status: answer.status, headers: [...answer.headers] });
      },
    });
    return {
      database: await worker.getD1Database("DB"),
      fetch: async (request) => {
        const { url, method, headers } = request;
        const init = { method, headers: [...headers], body: await request.arrayBuffer() };
        const answer = await worker.dispatchFetch(url, init);
        return new Response(await answer.arrayBuffer(), { status: answer.status, headers: [...answer.headers] });
      },
      runCron: async () => {
        const { outcome } = await (await worker.getWorker()).scheduled({ cron: "* * * * *" });
        if (outcome !== "ok") throw new Error(\`the cron run ended with \${outcome}\`);
      },
    };
  });
} finally {
  await worker?.dispose();
}
console.log("the life of an invite on D1");
`;

/** Bundles the example with the library that is installed in `folder`, as a deployment does. */
const bundleWorker = async (folder: string): Promise<void> => {
  const common = { bundle: true, format: "esm", target: "es2023", tsconfigRaw: {} } as const;
  const installed = ["matrix-third-party-invites", "matrix-third-party-invites/*"];
  const [own, life] = [join(folder, "own-worker.mjs"), join(folder, "worker-life.mjs")];
  const entry = path("../../docs/examples/workers/worker.ts");
  await build({ ...common, entryPoints: [entry], outfile: own, external: installed });
  await build({
    ...common,
    platform: "node",
    entryPoints: [path("worker-life.ts")],
    outfile: life,
    external: installed,
  });
  await build({
    ...common,
    entryPoints: [own],
    outfile: join(folder, "worker.mjs"),
    conditions: ["workerd", "worker"],
    external: ["node:*", "undici"],
  });
};

/** Runs docs/examples/workers in the Workers' runtime, on D1. */
export const inWorker = async (folder: string): Promise<Row> => {
  await bundleWorker(folder);
  await writeFile(join(folder, "workers.mjs"), program);
  const began = performance.now();
  const said = await outputOf(process.execPath, ["workers.mjs"], folder);
  const milliseconds = Math.round(performance.now() - began);
  return { name: workers.name, verdict: "good", milliseconds, notes: [said.trim()] };
};
