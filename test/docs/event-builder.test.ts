import { execFile } from "node:child_process";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { createThirdPartyInvites } from "matrix-third-party-invites";
import { roomVersion } from "matrix-third-party-invites/judge";
import {
  type SignedPdu,
  hashAndSignPdu,
  isJsonObject,
  member,
  signPdu,
} from "matrix-third-party-invites/matrix";
import type { EventTemplate, JsonObject, RoomId } from "matrix-third-party-invites/ports";
import { nodeCrypto, nodeSigningKey } from "matrix-third-party-invites/node";
import { createIdentityServer, memoryPorts } from "matrix-third-party-invites/testing";
import { identityServerClient } from "matrix-third-party-invites/http";
import { describe, expect, it } from "vitest";
import type { Host } from "../../docs/examples/event-builder/co-sign.js";
import { put as putEvent } from "../../docs/examples/event-builder/create-room.js";
import { eventsPort } from "../../docs/examples/event-builder/events.js";
import { roomsPort } from "../../docs/examples/event-builder/rooms.js";
import { openStore } from "../../docs/examples/event-builder/store.js";
import { parseRoomId, parseUserId } from "../../src/matrix/ids.js";
import { must, present } from "../testing/memory/samples.js";

type Answer = Awaited<ReturnType<Host["putInvite"]>>;

const [ours, theirs] = ["example.org", "far.example"];
const keys = {
  [ours]: nodeSigningKey("ed25519:1", new Uint8Array(32).fill(1)),
  [theirs]: nodeSigningKey("ed25519:2", new Uint8Array(32).fill(2)),
};
const [alice, zoe] = [must(parseUserId("@alice:example.org")), must(parseUserId("@zoe:far.example"))];
const roomId: RoomId = must(parseRoomId("!room:example.org"));
const version = present(roomVersion("11"));
const levels = { type: "m.room.power_levels", stateKey: "" };

const invitation: EventTemplate = {
  type: "m.room.member",
  room_id: roomId,
  sender: alice,
  state_key: zoe,
  content: { membership: "invite" },
};

/** A room, and the two ports over it; `putInvite` is the other server. */
const open = async (putInvite: Host["putInvite"]) => {
  const store = openStore();
  const sent: SignedPdu[] = [];
  const host: Host = {
    serverName: ours,
    key: present(keys[ours]),
    now: Date.now,
    send: (_, events) => sent.push(...events),
    keyOf: (server) => keys[server],
    putInvite,
  };
  const put = (type: string, state_key: string, content: JsonObject) =>
    putEvent(store, host, roomId, { type, sender: alice, state_key, content });
  store.create(roomId, "11");
  await put("m.room.create", "", { room_version: "11" });
  await put("m.room.member", alice, { membership: "join" });
  await put("m.room.power_levels", "", { users: { [alice]: 100 } });
  await put("m.room.join_rules", "", { join_rule: "invite" });
  const [rooms, events] = [roomsPort(store), eventsPort(store, host)];
  const append = async () => {
    const snapshot = await rooms.snapshot(roomId, [levels], {});
    if (snapshot._tag !== "Snapshot") throw new Error(snapshot._tag);
    const { revision } = snapshot;
    return events.append({ roomId, revision, reads: [levels], events: [invitation] }, {});
  };
  const stored = async () => (await store.room(roomId))?.at("m.room.member", zoe)?.pdu;
  return { rooms, events, append, put, stored, sent };
};

/** The other server signs. */
const coSigned = ({ event }: JsonObject): Answer => {
  if (!isJsonObject(event)) throw new Error("There is no event.");
  return { status: 200, body: { event: must(signPdu(event, version, theirs, present(keys[theirs]))) } };
};

describe("the event builder of docs/how-to/event-builder.md", () => {
  it("keeps the contract of rooms and events", async () => {
    const root = resolve(import.meta.dirname, "../..");
    const contract = join(root, "docs/examples/event-builder/contract.ts");
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ["--import", "tsx", "--test", "--test-reporter", "tap", contract],
      { cwd: root, env: { ...process.env, NODE_TEST_CONTEXT: undefined } },
    );
    expect(stdout).toMatch(/^# pass [5-9]\d$/m);
    expect(stdout).toMatch(/^# fail 0$/m);
    expect(stdout).toMatch(/^# skipped 1$/m);
  });

  it("carries the tutorial", async () => {
    const root = resolve(import.meta.dirname, "../..");
    const tutorial = join(root, "docs/examples/event-builder/tutorial.ts");
    const { stdout } = await promisify(execFile)(process.execPath, ["--import", "tsx", tutorial], {
      cwd: root,
    });
    expect(stdout).toBe("ThirdPartyInvite invite\n");
  });

  it("stores an invite with the signature of the invitee's server, and sends it so", async () => {
    const asked: unknown[] = [];
    const { append, stored, sent } = await open((destination, ofRoom, _, body) => {
      asked.push([destination, ofRoom, body["room_version"], body["invite_room_state"]]);
      return Promise.resolve(coSigned(body));
    });
    expect(await append()).toMatchObject({ _tag: "Appended" });
    expect(Object.keys(member(await stored(), "signatures") ?? {}).sort()).toEqual([ours, theirs]);
    expect(sent.map(({ pdu }) => pdu)).toEqual([await stored()]);
    const shown = [{ type: "m.room.create" }, { type: "m.room.join_rules" }, { state_key: alice }];
    expect(asked).toMatchObject([[theirs, roomId, "11", shown]]);
  });

  it.each([
    {
      name: "passes a refusal on, with all that it says",
      answer: () => ({ status: 403, body: { errcode: "M_INVITE_BLOCKED", error: "No.", harms: ["spam"] } }),
      expected: {
        _tag: "Refused",
        status: 403,
        errcode: "M_INVITE_BLOCKED",
        message: "No.",
        members: { harms: ["spam"] },
      },
    },
    {
      name: "says later where nobody answers",
      answer: () => {
        throw new Error("connect ECONNREFUSED");
      },
      expected: { _tag: "Unavailable" },
    },
    {
      name: "takes no other event of its own",
      answer: ({ event }: JsonObject) => {
        if (!isJsonObject(event)) throw new Error("There is no event.");
        const other = { ...event, depth: 1 };
        return coSigned({
          event: must(
            hashAndSignPdu(nodeCrypto, other, version, { serverName: ours, key: present(keys[ours]) }),
          ).pdu,
        });
      },
      expected: { _tag: "Refused", status: 502 },
    },
    {
      name: "takes no event whose content was changed where no signature is",
      answer: ({ event }: JsonObject) => {
        if (!isJsonObject(event)) throw new Error("There is no event.");
        const content = { membership: "invite", displayname: "Somebody else" };
        return coSigned({ event: { ...event, content } });
      },
      expected: { _tag: "Refused", status: 502 },
    },
    {
      name: "takes no event without their signature",
      answer: ({ event }: JsonObject) => ({ status: 200, body: { event } }),
      expected: { _tag: "Refused", status: 502 },
    },
    {
      name: "takes no answer without an event",
      answer: () => ({ status: 200, body: {} }),
      expected: { _tag: "Refused", status: 502 },
    },
  ])("$name", async ({ answer, expected }) => {
    const { append, stored, sent } = await open(async (_, _room, _event, body) => {
      await Promise.resolve();
      return answer(body);
    });
    expect(await append()).toMatchObject(expected);
    expect([await stored(), sent]).toEqual([undefined, []]);
  });

  it("answers Conflict where the room changed while the other server was asked", async () => {
    const room = await open(async (_, _room, _event, body) => {
      await room.put("m.room.power_levels", "", { users: { [alice]: 100 }, invite: 100 });
      return coSigned(body);
    });
    expect(await room.append()).toEqual({ _tag: "Conflict" });
    expect([await room.stored(), room.sent]).toEqual([undefined, []]);
  });

  it("carries an invite from the request to the proof", async () => {
    const { rooms, events, stored } = await open(() => Promise.reject(new Error("Nobody is asked.")));
    const [zoesAccount, address] = ["@zoe:example.org", { medium: "email", address: "zoe@mail.example" }];
    const identity = createIdentityServer({ serverName: "id.example", baseUrl: "https://id.example" });
    const memory = memoryPorts({
      crypto: nodeCrypto,
      serverName: ours,
      key: present(keys[ours]),
      identityServer: identityServerClient({ fetch: (url, init) => identity.handle(new Request(url, init)) }),
      users: new Map([[zoesAccount, {}]]),
    });
    const invites = createThirdPartyInvites({ ...memory, rooms, events });
    const body = { id_server: "id.example", id_access_token: identity.account(alice), ...address };
    const result = await invites.invite({ roomId, requester: { userId: alice }, body });
    expect(result).toMatchObject({ right: { _tag: "ThirdPartyInvite" } });
    await invites.receiveOnBind({ body: identity.bindDirectly(address, zoesAccount) });
    expect(await invites.deliverOwed()).toMatchObject({ right: { done: 1 } });
    const snapshot = await rooms.snapshot(roomId, [{ type: "m.room.member", stateKey: zoesAccount }], {});
    expect(snapshot._tag === "Snapshot" && snapshot.get("m.room.member", zoesAccount)?.content).toMatchObject(
      {
        membership: "invite",
      },
    );
    expect(await stored()).toBeUndefined();
  });
});
