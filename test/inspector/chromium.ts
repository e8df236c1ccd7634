/**
 * Drives a Chromium through the pipe that it offers for that. Where none is installed the tests that need one are
 * skipped, and count as skipped; the variable CHROMIUM names one that is not on the path.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { accessSync, constants, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { isJsonObject, member, stringMember } from "matrix-third-party-invites/matrix";

const isExecutable = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
};

const candidates = (): readonly string[] => {
  const { CHROMIUM, PATH = "" } = process.env;
  const names = ["chromium", "chromium-browser", "google-chrome"];
  const onPath = PATH.split(delimiter).flatMap((folder) => names.map((name) => join(folder, name)));
  return CHROMIUM === undefined ? onPath : [CHROMIUM];
};

/** Where a Chromium is, if anywhere. */
export const chromium = candidates().find(isExecutable);

type Parameters = Readonly<Record<string, unknown>>;

/** Something that the browser tells without being asked. */
interface Told {
  readonly method: string;
  readonly params: unknown;
}

export interface Page {
  readonly send: (method: string, params?: Parameters) => Promise<unknown>;
  /** What an expression gives in the page, awaited there; throws what it throws. */
  readonly evaluate: (expression: string) => Promise<unknown>;
  /** Loads an address as a new visit would. */
  readonly visit: (address: string) => Promise<void>;
  /** Presses a key, with what it types if it types anything. */
  readonly press: (key: string, text?: string) => Promise<void>;
  readonly told: (method: string) => readonly unknown[];
  readonly close: () => Promise<void>;
}

const flags = [
  "--headless=new",
  "--remote-debugging-pipe",
  "--no-sandbox",
  "--no-first-run",
  "--disable-gpu",
  "--disable-dev-shm-usage",
  "--disable-background-networking",
  "--disable-component-update",
];

/** Messages are JSON, each with a NUL behind it. */
const readMessages = (from: Readable, each: (message: unknown) => void): void => {
  let rest = "";
  from.setEncoding("utf8");
  from.on("data", (chunk: string) => {
    const messages = (rest + chunk).split("\0");
    rest = messages.pop() ?? "";
    for (const message of messages) each(JSON.parse(message));
  });
};

/** Its helpers outlive a browser that is killed for a while, and write into its folder; asked, it ends them first. */
const stop = async (browser: ChildProcess, folder: string, ask: () => Promise<unknown>): Promise<void> => {
  const gone = new Promise((resolve) => browser.once("exit", resolve));
  const last = setTimeout(() => browser.kill("SIGKILL"), 60_000);
  void ask();
  await gone;
  clearTimeout(last);
  rmSync(folder, { recursive: true, force: true, maxRetries: 20 });
};

/** Starts a browser with one page. */
export const openPage = async (executable: string): Promise<Page> => {
  const folder = mkdtempSync(join(tmpdir(), "chromium-"));
  const browser = spawn(executable, [...flags, `--user-data-dir=${folder}`, "about:blank"], {
    stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"],
  });
  const [, , , input, output] = browser.stdio as unknown as [null, null, null, Writable, Readable];
  const waiting = new Map<unknown, (answer: unknown) => void>();
  const told: Told[] = [];
  const listeners = new Set<(one: Told) => void>();
  readMessages(output, (message) => {
    const method = stringMember(message, "method");
    if (method === undefined) {
      const id = member(message, "id");
      waiting.get(id)?.(message);
      waiting.delete(id);
      return;
    }
    const one = { method, params: member(message, "params") };
    told.push(one);
    for (const listener of listeners) listener(one);
  });

  let last = 0;
  const ask = async (method: string, params: Parameters, sessionId?: string): Promise<unknown> => {
    last += 1;
    const id = last;
    const answer = new Promise((resolve) => waiting.set(id, resolve));
    input.write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    const answered = await answer;
    const error = member(answered, "error");
    if (error !== undefined) throw new Error(`${method}: ${JSON.stringify(error)}`);
    return member(answered, "result");
  };

  const { targetId } = (await ask("Target.createTarget", { url: "about:blank" })) as { targetId: string };
  const attached = await ask("Target.attachToTarget", { targetId, flatten: true });
  const sessionId = stringMember(attached, "sessionId");
  const send: Page["send"] = (method, params = {}) => ask(method, params, sessionId);
  for (const domain of ["Page", "Runtime", "Log", "Network", "Accessibility"]) await send(`${domain}.enable`);
  // Keys go to the page that is in front.
  await send("Page.bringToFront");
  await send("Emulation.setFocusEmulationEnabled", { enabled: true });

  const next = (method: string): Promise<void> =>
    new Promise((resolve) => {
      const listener = (one: Told): void => {
        if (one.method !== method) return;
        listeners.delete(listener);
        resolve();
      };
      listeners.add(listener);
    });

  const load = async (url: string): Promise<void> => {
    const loaded = next("Page.loadEventFired");
    await send("Page.navigate", { url });
    await loaded;
  };

  const evaluate: Page["evaluate"] = async (expression) => {
    const answer = await send("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true });
    const thrown = member(answer, "exceptionDetails");
    if (isJsonObject(thrown)) throw new Error(JSON.stringify(member(thrown, "exception")));
    return member(member(answer, "result"), "value");
  };

  return {
    send,
    evaluate,
    visit: async (address) => {
      // Where only the fragment differs from where the page is, nothing would be loaded.
      await load("about:blank");
      await load(address);
    },
    press: async (key, text) => {
      const code = { key, code: key, windowsVirtualKeyCode: { Tab: 9, Enter: 13, Home: 36 }[key] ?? 0 };
      await send("Input.dispatchKeyEvent", {
        type: "keyDown",
        ...code,
        ...(text === undefined ? {} : { text }),
      });
      await send("Input.dispatchKeyEvent", { type: "keyUp", ...code });
    },
    told: (method) => told.filter((one) => one.method === method).map(({ params }) => params),
    close: () => stop(browser, folder, () => ask("Browser.close", {})),
  };
};
