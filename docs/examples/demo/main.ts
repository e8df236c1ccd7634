/**
 * The whole life of third-party invites between two small homeservers and an identity server, over real HTTP on
 * loopback ports: `npm run demo`, or `npm run demo -- --json` for one JSON document with every request and every
 * event. Exits with 1 if anything differs from what is expected.
 *
 * `--data DIR` keeps everything in that folder, and a later run on it goes on with the first step that is not over.
 * `--steps N` stops after so many steps.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { encodeBase64 } from "matrix-third-party-invites/matrix";
import { readRun, writeRun } from "./kept-run.js";
import { tellStory } from "./story.js";
import { Transcript } from "./transcript.js";
import { idKeyId, idServer, openWorld } from "./world.js";

const {
  json: asJson,
  data,
  steps,
} = parseArgs({
  options: { json: { type: "boolean" }, data: { type: "string" }, steps: { type: "string" } },
}).values;

const print = (line: string): void => {
  if (asJson !== true) console.log(line);
};

/** Ends a run early, between two steps. */
class EnoughSteps extends Error {}

const folder = data ?? mkdtempSync(join(tmpdir(), "third-party-invites-demo-"));
const kept = readRun(folder);
const last = kept.steps.length + Number(steps ?? Infinity);
const transcript = new Transcript(print, {
  earlier: { ...kept, requests: [...kept.requests], events: [...kept.events], steps: [...kept.steps] },
  over: () => {
    const { requests, events, steps: over } = transcript;
    const { seed, deeds } = kept;
    writeRun(folder, { seed, deeds, requests, events, steps: over, aheadMs: world.network.aheadMs });
    if (over.length >= last) throw new EnoughSteps();
  },
});
const world = await openWorld(transcript, { ...kept, folder });
world.network.aheadMs = kept.aheadMs;
const rooms: { readonly roomVersion: string; readonly roomId: string }[] = [];

for (const name of [world.hs1.name, world.hs2.name, idServer])
  print(`${name} is ${world.network.find(name) ?? "nowhere"}`);

let isWhole = false;
try {
  for (const roomVersion of ["12", "10"])
    rooms.push({ roomVersion, roomId: await tellStory(world, roomVersion) });
  isWhole = true;
} catch (problem) {
  if (problem instanceof EnoughSteps) print(`\nStopped after ${transcript.steps.length} steps.`);
  else {
    console.error(
      `\nThe demo went otherwise than expected: ${problem instanceof Error ? problem.message : String(problem)}`,
    );
    process.exitCode = 1;
  }
} finally {
  await world.close();
  if (data === undefined) rmSync(folder, { recursive: true });
}

if (asJson === true) {
  const { identityServer, hs1, hs2 } = world;
  const document = {
    servers: [hs1, hs2].map(({ name, key }) => ({
      name,
      keyId: key.keyId,
      publicKey: encodeBase64(key.publicKey),
    })),
    identityServer: {
      name: identityServer.serverName,
      publicKey: identityServer.publicKey,
      keyId: idKeyId,
    },
    rooms,
    steps: transcript.steps.map(({ name, roomVersion, ok }) => ({ name, roomVersion, ok })),
    requests: transcript.requests.map(({ from, to, method, path, body, status, response }) => ({
      ...{ from, to, method, path, body, status, response },
    })),
    events: transcript.events,
  };
  console.log(JSON.stringify(document, null, 2));
} else if (isWhole) print(`\nAll ${transcript.steps.length} steps went as expected.`);
