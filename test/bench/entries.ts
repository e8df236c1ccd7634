import { createThirdPartyInvites } from "matrix-third-party-invites";
import type { JsonObject } from "matrix-third-party-invites/ports";
import { nodeCrypto, nodeSigningKey } from "matrix-third-party-invites/node";
import { memoryPorts } from "matrix-third-party-invites/testing";
import { type Figure, comparedAsync } from "./figure.js";
import { type AsyncComparison, ratio } from "./harness.js";
import { nobodysIdentityServer } from "./identity-server.js";
import { parse } from "./inputs.js";

const serverName = "example.org";
const mxid = `@zoe:${serverName}`;
const key = nodeSigningKey("ed25519:1", new Uint8Array(32).fill(3));
const manyWait = {
  maxOnBindEntries: 1_000_000,
  queue: { unvouchedPerUser: 1_000_000, unvouched: 1_000_000, unvouchedBytes: 2 ** 40 },
};

/** As an identity server delivers them: each of its own room and token, of fifty inviting servers. */
const delivery = (entries: number): string =>
  JSON.stringify({
    medium: "email",
    address: "zoe@mail.example",
    mxid,
    invites: Array.from({ length: entries }, (_, n) => ({
      medium: "email",
      address: "zoe@mail.example",
      mxid,
      room_id: `!room${n}:server-${n % 50}.example.net`,
      sender: `@alice-${n}:server-${n % 50}.example.net`,
      signed: {
        mxid,
        token: `token${n}`.padEnd(64, "x"),
        signatures: { "id.example.com": { "ed25519:0": "A".repeat(86) } },
      },
    })),
  });

/** A server that knows nobody's proof yet. */
const newServer = () =>
  createThirdPartyInvites(
    memoryPorts({
      crypto: nodeCrypto,
      serverName,
      key,
      identityServer: nobodysIdentityServer,
      users: new Map([[mxid, {}]]),
      config: manyWait,
    }),
  );

/** Delivers each body to a server of its own; says how many entries were taken. */
const deliver = (bodies: readonly JsonObject[]) => {
  const each = bodies.map((body) => ({ body, server: newServer() }));
  return async (): Promise<number> => {
    let taken = 0;
    for (const { body, server } of each) {
      const result = await server.receiveOnBind({ body });
      if (result._tag === "Right") taken += result.right.accepted;
    }
    return taken;
  };
};

/** One delivery of `entries` over as many entries in deliveries of ten. */
export const perEntry = (entries: number, rounds: number): AsyncComparison => {
  const [large, small] = [delivery(entries), delivery(10)];
  return {
    size: entries,
    warmUp: Math.ceil(rounds / 4),
    rounds,
    prepare: () =>
      Promise.resolve({
        measured: deliver([parse(large)]),
        against: deliver(Array.from({ length: entries / 10 }, () => parse(small))),
      }),
  };
};

export const entryFigures: readonly Figure[] = [
  comparedAsync(
    { name: "perEntry.1000over10", unit: "ratio", target: 1.1 },
    () => Promise.resolve(perEntry(1000, 80)),
    ratio,
  ),
  comparedAsync(
    { name: "perEntry.10000over10", unit: "ratio", target: 1.1 },
    (effort) => Promise.resolve(perEntry(effort === "smoke" ? 2000 : 10_000, 16)),
    ratio,
  ),
];
