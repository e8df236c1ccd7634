import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { type Server, createServer } from "node:http";
import { delimiter, join } from "node:path";
import { text } from "node:stream/consumers";

const names = ["chromium", "chromium-browser", "google-chrome"];

export const findChromium = (): string | undefined =>
  (process.env["PATH"] ?? "")
    .split(delimiter)
    .flatMap((folder) => names.map((name) => join(folder, name)))
    .find((path) => existsSync(path));

/** Nothing but the page: no first-run page, no look for updates, no profile but its own. */
const options = (profile: string): readonly string[] => [
  "--headless",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  `--user-data-dir=${profile}`,
  // Its sandbox does not start for root.
  ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
];

const page = `<!doctype html><meta charset="utf-8"><title>suite</title><script>
const report = (body) => fetch("/report", { method: "POST", body });
addEventListener("error", ({ message }) => report("failed: " + message));
addEventListener("unhandledrejection", ({ reason }) => report("failed: " + reason));
</script><script type="module" src="/suite.js"></script>`;

/** A server of the page and its module, and what the module posts to `/report`. */
const serve = async (script: string, reported: (body: Promise<string>) => void): Promise<Server> => {
  const server = createServer((request, response) => {
    if (request.url === "/report") {
      reported(text(request));
      response.end();
    } else {
      const isScript = request.url === "/suite.js";
      response.setHeader("content-type", isScript ? "text/javascript" : "text/html");
      response.end(isScript ? script : page);
    }
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
};

const portOf = (server: Server): number => {
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
};

/** Runs a module in a page of headless Chromium, and gives what the module posts to `/report`. */
export const runInChromium = async (binary: string, script: string, profile: string): Promise<string> => {
  let reported: (body: Promise<string>) => void = () => undefined;
  const report = new Promise<string>((resolve) => {
    reported = resolve;
  });
  const server = await serve(script, reported);
  const url = `http://127.0.0.1:${portOf(server)}/`;
  const browser = spawn(binary, [...options(profile), url], { stdio: "ignore" });
  const ended = new Promise<string>((resolve) => {
    browser.once("error", ({ message }) => {
      resolve(`failed: ${message}`);
    });
    browser.once("exit", (code) => {
      resolve(`failed: it ended with ${code ?? "a signal"} before it had reported`);
    });
  });
  const patience = setTimeout(() => browser.kill(), 300_000);
  try {
    return await Promise.race([report, ended]);
  } finally {
    clearTimeout(patience);
    browser.kill();
    await ended;
    server.closeAllConnections();
    server.close();
  }
};
