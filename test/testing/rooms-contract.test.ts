import { describe, expect, it } from "vitest";
import { nodeCrypto, nodeSigningKey } from "matrix-third-party-invites/node";
import {
  type AppendHooks,
  type MemoryRooms,
  type OpenRooms,
  type RoomsAdapter,
  type Signer,
  memoryRooms,
  roomsContract,
} from "matrix-third-party-invites/testing";
import { parseUserId } from "../../src/matrix/ids.js";
import { isAll } from "../all.js";
import { type NamedChecks, collectChecks, failures } from "./contract-runs.js";
import { aExample, alice, bob, must } from "./memory/samples.js";
import { type Fault, catches, caughtBy, faults } from "./rooms-contract-faults.js";
import {
  type ToyRooms,
  emptyDisk,
  key,
  pduOf,
  rebooted,
  serverName,
  toyRooms,
} from "./rooms-contract-toy.js";

const theirs: Signer = {
  serverName: "b.example",
  key: nodeSigningKey("ed25519:2", new Uint8Array(32).fill(2)),
};
const invitee = must(parseUserId("@zoe:a.example"));

type MemoryHost = OpenRooms & { readonly memory: MemoryRooms };

/** The rooms in memory die with their process, but no later than it. */
const inMemory = (version: string, hooks: AppendHooks = {}): RoomsAdapter<MemoryHost> => ({
  open: () => {
    const memory = memoryRooms({ crypto: nodeCrypto, serverName: aExample, key, ...hooks });
    return Promise.resolve({
      memory,
      rooms: memory.rooms,
      events: memory.events,
      room: () => {
        const powerLevels = { users: { [alice]: 100, [bob]: 100 } };
        const roomId = memory.create({ version, creator: alice, powerLevels });
        memory.append(
          roomId,
          { type: "m.room.member", sender: bob, state_key: bob, content: { membership: "join" } },
          theirs,
        );
        return Promise.resolve({ roomId, ours: alice, theirs: bob, invitee });
      },
      change: (roomId, event) => {
        memory.append(roomId, event, event.sender === bob ? theirs : undefined);
        return Promise.resolve();
      },
      leave: (roomId) => {
        memory.leave(roomId);
        return Promise.resolve();
      },
    });
  },
  sent: {
    serverName: aExample,
    key,
    pdu: ({ memory }, roomId, eventId) =>
      Promise.resolve(memory.timeline(roomId).find((event) => event.eventId === eventId)?.pdu),
  },
});

describe.each(["1", "10", "12"])("the rooms in memory keep the contract in version %s", (version) => {
  roomsContract({ describe, it }, inMemory(version));
});

/** As where another server signs: everybody has looked before anybody stores. */
const slow: AppendHooks = {
  beforeAppend: async () => {
    await new Promise((resolve) => setImmediate(resolve));
    return { _tag: "Go" };
  },
};

describe("the rooms in memory keep the contract where an append takes its time", () => {
  roomsContract({ describe, it }, inMemory("11", slow));
});

const toyAdapter = (fault?: Fault): RoomsAdapter<ToyRooms> => ({
  open: () => Promise.resolve(toyRooms(emptyDisk(), fault)),
  connect: ({ disk }) => Promise.resolve(toyRooms(disk, fault)),
  reopen: (toy) => Promise.resolve(rebooted(toy, fault)),
  dieAfter: ({ dieAfter }, writes) => {
    dieAfter(writes);
  },
  sent: { serverName, key, pdu: (toy, roomId, eventId) => Promise.resolve(pduOf(toy, roomId, eventId)) },
});

describe("an adapter that keeps the contract passes", () => {
  roomsContract({ describe, it }, toyAdapter());
});

const checksOf = <Own extends OpenRooms>(adapter: RoomsAdapter<Own>, skipped?: string[]) =>
  collectChecks((runner) => {
    roomsContract(runner, adapter);
  }, skipped);

/** What must catch a fault, and what has no fault of its own but must catch this one too. */
const checksFor = (fault: Fault): NamedChecks => {
  const names = new Set([caughtBy[fault], ...Object.keys(catches).filter((name) => catches[name] === fault)]);
  return new Map([...checksOf(toyAdapter(fault))].filter(([name]) => names.has(name)));
};

describe("an adapter that breaks the contract fails, by the name of what it breaks", () => {
  const caught = new Set<string>();

  it.each(faults)("%s", async (fault) => {
    const failed = await failures(isAll ? checksOf(toyAdapter(fault)) : checksFor(fault));
    for (const name of failed.keys()) caught.add(name);
    expect([...failed.keys()]).toContain(caughtBy[fault]);
    const { name, message } = failed.get(caughtBy[fault]) ?? new Error("no failure");
    // An adapter's own error is passed on as it is.
    expect(message).toMatch(name === "ContractBroken" ? /\.$/ : /^aborted$/);
  });

  it("leaves no check that catches nothing", () => {
    const idle = [...checksOf(toyAdapter()).keys()].filter((name) => !caught.has(name));
    expect(idle, "add them to `catches`, each with a fault; TEST_ALL=1 tries them all").toEqual([]);
  });
});

describe("roomsContract", () => {
  it("says with skip what it cannot check without reopen, dieAfter and sent", () => {
    const skipped: string[] = [];
    const { open } = toyAdapter();
    const checks = checksOf({ open }, skipped);
    expect(skipped).toHaveLength(8);
    expect(checks.size + skipped.length).toBe(checksOf(toyAdapter()).size);
  });

  it("tells an author whose dieAfter does nothing", async () => {
    const checks = checksOf({ ...toyAdapter(), dieAfter: () => undefined });
    const [[name, { message }] = ["", new Error("no failure")]] = await failures(checks);
    expect(name).toMatch(/^an append leaves all/);
    expect(message).toBe("An append was answered for that had written nothing.");
  });
});
