/**
 * Runs one homeserver: `npm start -- config.json` in this folder. docs/how-to/homeserver.md says what stands in the file,
 * and how to let it federate with a Synapse on the same machine.
 */
import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { guardedFetch } from "matrix-third-party-invites/node";
import { Homeserver } from "./homeserver.js";
import { at, parseJson, textAt } from "./json.js";
import { listen } from "./listen.js";

const file = process.argv[2];
if (file === undefined) throw new Error("Name a configuration file: npm start -- config.json");

const config = parseJson(readFileSync(file, "utf8"));
/** A path in the configuration is relative to its file. */
const pathAt = (name: string): string | undefined =>
  textAt(config, name) === "" ? undefined : resolve(dirname(file), textAt(config, name));
const fileAt = (name: string): string => {
  const path = pathAt(name);
  if (path === undefined) throw new Error(`The configuration has no "${name}".`);
  return readFileSync(path, "utf8");
};

const name = textAt(config, "server_name");
const port = at(config, "port");
if (name === "" || typeof port !== "number")
  throw new Error('The configuration needs "server_name" and "port".');
const authority = pathAt("ca");
const isLocal = at(config, "allow_private_addresses") === true;

const server = await Homeserver.open({
  name,
  folder: pathAt("data") ?? resolve(dirname(file), "data"),
  accounts: Object.fromEntries(
    Object.entries(at(config, "accounts") ?? {}).map(([localpart, token]) => [localpart, String(token)]),
  ),
  fetch: await guardedFetch({
    ...(isLocal ? { allow: { ranges: ["0.0.0.0/0", "::/0"] } } : {}),
    ...(authority === undefined ? {} : { ca: readFileSync(authority) }),
  }),
  onError: (cause) => {
    console.error(cause);
  },
});
const listener = await listen(server.handle, {
  port,
  host: textAt(config, "host") || "127.0.0.1",
  tls: { key: fileAt("tls_key"), cert: fileAt("tls_certificate") },
});
console.log(`${name} listens on port ${listener.port}.`);

const stop = async (): Promise<void> => {
  await listener.close();
  await server.stop();
};
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => void stop());
