import sqlite from "node-sqlite3-wasm";
import { afterEach, expect, it, vi } from "vitest";
import worker from "../../docs/examples/workers/worker.js";
import type { D1Rooms } from "../../docs/examples/workers/rooms.js";
import { runWorkerLife } from "../runtimes/worker-life.js";

afterEach(() => {
  vi.unstubAllGlobals();
});

/** A binding of D1, over the SQLite that is installed here. */
const openD1 = () => {
  const database = new sqlite.Database(":memory:");
  let statements = 0;
  const binding: D1Rooms = {
    prepare: (statement) => ({
      bind: (...params) => ({
        all: () => {
          statements += 1;
          return Promise.resolve({ results: database.all(statement, params) });
        },
      }),
    }),
    batch: (all) => {
      database.exec("BEGIN");
      try {
        // Each has run when it answers, so no other request comes between them.
        for (const one of all) void one.all();
        database.exec("COMMIT");
      } catch (thrown) {
        database.exec("ROLLBACK");
        return Promise.reject(thrown instanceof Error ? thrown : new Error(String(thrown)));
      }
      return Promise.resolve();
    },
  };
  return { binding, count: () => statements };
};

it("the Worker of docs/how-to/workers.md carries an invite through its life (npm run test:runtimes runs it in workerd)", async () => {
  const { binding, count } = openD1();
  const perCall: number[] = [];
  await runWorkerLife(({ variables, outbound }) => {
    vi.stubGlobal("fetch", (url: string, init: RequestInit) => outbound(new Request(url, init)));
    const env = { ...variables, DB: binding };
    const counted = async <A>(
      call: (waitUntil: (work: Promise<unknown>) => void) => Promise<A>,
    ): Promise<A> => {
      const before = count();
      const works: Promise<unknown>[] = [];
      const answer = await call((work) => works.push(work));
      await Promise.all(works);
      perCall.push(count() - before);
      return answer;
    };
    return Promise.resolve({
      database: binding,
      fetch: (request) => counted((waitUntil) => worker.fetch(request, env, { waitUntil })),
      runCron: () => counted(() => worker.scheduled({}, env)),
    });
  });
  // D1 runs 50 in one invocation of the free plan. The two invites run at once, so each has counted those of both.
  expect(Math.max(...perCall)).toBeLessThanOrEqual(30);
});
