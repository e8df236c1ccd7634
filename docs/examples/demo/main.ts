/**
 * The whole life of third-party invites between two small homeservers and an identity server, over real HTTP on
 * loopback ports: `npm run demo`, or `npm run demo -- --json` for one JSON document with every request and every
 * event. Exits with 1 if anything differs from what is expected.
 */
import { encodeBase64 } from "matrix-third-party-invites/matrix";
import { tellStory } from "./story.js";
import { Transcript } from "./transcript.js";
import { idKeyId, idServer, openWorld } from "./world.js";

const asJson = process.argv.includes("--json");

const print = (line: string): void => {
  if (!asJson) console.log(line);
};

const transcript = new Transcript(print);
const world = await openWorld(transcript);
const rooms: { readonly roomVersion: string; readonly roomId: string }[] = [];

for (const name of [world.hs1.name, world.hs2.name, idServer])
  print(`${name} is ${world.network.find(name)?.url ?? "nowhere"}`);

try {
  for (const roomVersion of ["12", "10"])
    rooms.push({ roomVersion, roomId: await tellStory(world, roomVersion) });
} catch (problem) {
  console.error(
    `\nThe demo went otherwise than expected: ${problem instanceof Error ? problem.message : String(problem)}`,
  );
  process.exitCode = 1;
} finally {
  await world.close();
}

if (asJson) {
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
    steps: transcript.steps,
    requests: transcript.requests.map(({ from, to, method, path, body, status, response }) => ({
      ...{ from, to, method, path, body, status, response },
    })),
    events: transcript.events,
  };
  console.log(JSON.stringify(document, null, 2));
} else if (process.exitCode !== 1) print(`\nAll ${transcript.steps.length} steps went as expected.`);
