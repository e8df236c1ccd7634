import { type Ports, createThirdPartyInvites } from "matrix-third-party-invites";
import type { Observation } from "matrix-third-party-invites/ports";
import { waitingLanes } from "matrix-third-party-invites/storage";
import { nodeCrypto, nodeSigningKey } from "matrix-third-party-invites/node";
import { createIdentityServer, memoryPorts } from "matrix-third-party-invites/testing";
import { identityServerClient } from "matrix-third-party-invites/http";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  type WorkerOptions,
  startWorker as startWorkerOf,
} from "../../docs/examples/several-workers/worker.js";

/** A worker over these ports. */
const startWorker = (ports: Ports, options?: WorkerOptions) =>
  startWorkerOf(createThirdPartyInvites(ports), options);

const alice = "@alice:example.org";
const names = Array.from({ length: 12 }, (_, index) => `user${index}`);

beforeEach(() => {
  vi.useFakeTimers({ now: Date.UTC(2026, 0, 1) });
});
afterEach(() => {
  vi.useRealTimers();
});

/** A server with an invite for each of some addresses; `bind` has one redeemed. */
const open = async () => {
  const identity = createIdentityServer({ serverName: "id.example", baseUrl: "https://id.example" });
  const redeemed: string[] = [];
  const memory = memoryPorts({
    crypto: nodeCrypto,
    serverName: "example.org",
    key: nodeSigningKey("ed25519:1", new Uint8Array(32).fill(1)),
    identityServer: identityServerClient({ fetch: (url, init) => identity.handle(new Request(url, init)) }),
    users: new Map(names.map((name) => [`@${name}:example.org`, {}])),
    observe: (observation: Observation) => {
      if (observation._tag === "Redeemed") redeemed.push(observation.target);
    },
  });
  const ports: Ports = { ...memory, clock: { now: Date.now } };
  const roomId = memory.memory.create({ version: "12", creator: alice });
  const id_access_token = identity.account(alice);
  const invites = createThirdPartyInvites(ports);
  await invites.inviteAll({
    roomId,
    requester: { userId: alice },
    invites: names.map((name) => ({
      id_server: "id.example",
      id_access_token,
      medium: "email",
      address: `${name}@example.org`,
    })),
  });
  const bind = async (name: string): Promise<void> => {
    const threepid = { medium: "email", address: `${name}@example.org` };
    await invites.receiveOnBind({ body: identity.bindDirectly(threepid, `@${name}:example.org`) });
  };
  return { ports, bind, redeemed, states: () => memory.redemptions.all().map(({ state }) => state._tag) };
};

/** Lets everything run that waits for no timer. */
const settled = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0);

describe("the worker of docs/how-to/several-workers.md", () => {
  it("two of them make each invite once", async () => {
    const { ports, bind, redeemed, states } = await open();
    for (const name of names) await bind(name);
    const workers = [startWorker(ports), startWorker(ports)];
    await settled();
    for (const { stop } of workers) await stop();
    expect(redeemed.toSorted()).toEqual(names.map((name) => `@${name}:example.org`).toSorted());
    expect(new Set(states())).toEqual(new Set(["Redeemed"]));
  });

  it("what comes while it looks for the last time is not left to the timer", async () => {
    const { ports, bind, redeemed } = await open();
    let asked = 0;
    const redemptions: Ports["redemptions"] = {
      ...ports.redemptions,
      nextDueAt: async (options) => {
        const found = await ports.redemptions.nextDueAt(options);
        asked += 1;
        if (asked === 1) {
          await bind("user0");
          worker.wake();
        }
        return found;
      },
    };
    const worker = startWorker({ ...ports, redemptions });
    await settled();
    await worker.stop();
    expect(redeemed).toEqual(["@user0:example.org"]);
  });

  it("what could not be done is tried when it is due, and not before", async () => {
    const { ports, bind, redeemed } = await open();
    let isDown = true;
    const identityServer: Ports["identityServer"] = {
      ...ports.identityServer,
      keyValidity: (url, options) =>
        isDown
          ? Promise.resolve({ _tag: "Unreachable", sent: false })
          : ports.identityServer.keyValidity(url, options),
    };
    await bind("user0");
    const worker = startWorker({ ...ports, identityServer });
    await settled();
    isDown = false;
    await vi.advanceTimersByTimeAsync(1_499);
    expect(redeemed).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    await worker.stop();
    expect(redeemed).toEqual(["@user0:example.org"]);
  });

  it("what another process has stored and told nobody of is found within the longest pause", async () => {
    const { ports, bind, redeemed } = await open();
    const worker = startWorker(ports);
    await settled();
    await bind("user0");
    await vi.advanceTimersByTimeAsync(59_999);
    expect(redeemed).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    await worker.stop();
    expect(redeemed).toEqual(["@user0:example.org"]);
  });

  it("storage that fails is told, and asked again", async () => {
    const { ports, bind, redeemed } = await open();
    await bind("user0");
    let isDown = true;
    const redemptions: Ports["redemptions"] = {
      ...ports.redemptions,
      claim: (question, options) =>
        isDown ? Promise.reject(new Error("away")) : ports.redemptions.claim(question, options),
    };
    const failures: string[] = [];
    const worker = startWorker({ ...ports, redemptions }, { onFailure: ({ code }) => failures.push(code) });
    await settled();
    isDown = false;
    await vi.advanceTimersByTimeAsync(60_000);
    await worker.stop();
    expect([failures, redeemed]).toEqual([["PortBroken"], ["@user0:example.org"]]);
  });

  it("stop gives back what is being worked on, and nothing is done after", async () => {
    const { ports, bind, redeemed, states } = await open();
    let release: (() => void) | undefined;
    const identityServer: Ports["identityServer"] = {
      ...ports.identityServer,
      keyValidity: async (url, options) => {
        await new Promise<void>((resolve, reject) => {
          release = resolve;
          options.signal?.addEventListener("abort", () => {
            reject(new Error("stopped"));
          });
        });
        return ports.identityServer.keyValidity(url, options);
      },
    };
    await bind("user0");
    const worker = startWorker({ ...ports, identityServer });
    await settled();
    expect(release).toBeDefined();
    await worker.stop();
    worker.wake();
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect([redeemed, states(), vi.getTimerCount()]).toEqual([[], ["Waiting"], 0]);
    const now = Date.now();
    const due = { from: 0, to: now };
    const lanes = waitingLanes.map((lane) => ({ lane, except: [] }));
    expect(await ports.redemptions.claim({ lanes, due, until: now + 1, limit: 1 }, {})).toHaveLength(1);
  });
});
