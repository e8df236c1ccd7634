import { deepStrictEqual } from "node:assert/strict";
import { createThirdPartyInvites } from "matrix-third-party-invites";
import { nodeCrypto, nodeSigningKey } from "matrix-third-party-invites/node";
import { createIdentityServer } from "matrix-third-party-invites/testing";
import { put } from "../../docs/examples/event-builder/create-room.js";
import { storageOn } from "../../docs/examples/sqlite/d1.js";
import { type D1Rooms, roomStore } from "../../docs/examples/workers/rooms.js";
import type { Env } from "../../docs/examples/workers/worker.js";

/** A Worker, wherever it runs. */
export interface RunningWorker {
  readonly database: D1Rooms;
  readonly fetch: (request: Request) => Promise<Response>;
  readonly runCron: () => Promise<unknown>;
}

/** What the Worker is started with: its variables, and what answers its requests to others. */
export interface WorkerOptions {
  readonly variables: Omit<Env, "DB">;
  readonly outbound: (request: Request) => Promise<Response>;
}

const [alice, zoe, yan] = ["@alice:hs.example", "@zoe:hs.example", "@yan:hs.example"];
const [homeserver, serverName, roomId] = ["https://hs.example", "hs.example", "!room:hs.example"];
const seed = new Uint8Array(32).fill(7);
const base64 = Buffer.from(seed).toString("base64");

/**
 * The life of two invites over a Worker's endpoints: by mail, bound, and turned into invites; one after the onbind, the other
 * by cron. Throws where a step goes otherwise.
 */
export const runWorkerLife = async (
  start: (options: WorkerOptions) => Promise<RunningWorker>,
): Promise<void> => {
  const identity = createIdentityServer({
    serverName: "id.example",
    baseUrl: "https://id.example",
    fetch: (url, init) => worker.fetch(new Request(url, init)),
    homeserverUrl: () => homeserver,
  });
  const worker = await start({
    variables: { SERVER_NAME: serverName, SIGNING_KEY: base64, ADDRESS_KEY: base64 },
    outbound: (request) => identity.handle(request),
  });
  const { database } = worker;
  await worker.runCron();
  for (const userId of [alice, zoe, yan])
    await database
      .prepare("INSERT INTO users (user_id, token) VALUES (?, ?)")
      .bind(userId, `${userId}'s token`)
      .all();
  await database.prepare("INSERT INTO rooms (room_id, version) VALUES (?, '11')").bind(roomId).all();
  const store = roomStore(database);
  const signer = { serverName, key: nodeSigningKey("ed25519:1", seed), now: Date.now };
  const state = (type: string, state_key: string, content: object) =>
    put(store, signer, roomId, { type, sender: alice, state_key, content });
  await state("m.room.create", "", { room_version: "11" });
  await state("m.room.member", alice, { membership: "join" });
  await state("m.room.power_levels", "", { users: { [alice]: 100 } });

  const ask = async (address: string, token: string): Promise<unknown> => {
    const body = {
      id_server: "id.example",
      id_access_token: identity.account(alice),
      medium: "email",
      address,
    };
    const path = `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/invite`;
    const response = await worker.fetch(
      new Request(homeserver + path, {
        method: "POST",
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
        body: JSON.stringify(body),
      }),
    );
    await response.arrayBuffer();
    return [response.status, identity.outbox.length];
  };
  const membership = async (userId: string): Promise<unknown> => {
    const content = (await store.room(roomId))?.at("m.room.member", userId)?.pdu["content"];
    return content !== null && typeof content === "object" && "membership" in content
      ? content.membership
      : undefined;
  };
  /** The work goes on after the answer, so it is looked at until it is done. */
  const becomesInvited = async (userId: string): Promise<void> => {
    for (let looks = 0; looks < 100 && (await membership(userId)) === undefined; looks += 1)
      await new Promise((resolve) => setTimeout(resolve, 50));
    deepStrictEqual(await membership(userId), "invite");
  };

  deepStrictEqual(await ask("zoe@mail.example", "a wrong token"), [401, 0]);
  // At once, so they race for a position in the room; one waits for the other and none is lost.
  const answers = await Promise.all(
    ["zoe@mail.example", "yan@mail.example"].map((address) => ask(address, `${alice}'s token`)),
  );
  deepStrictEqual(
    answers.map((answer) => (Array.isArray(answer) ? (answer[0] as unknown) : undefined)),
    [200, 200],
  );
  deepStrictEqual((await store.room(roomId))?.stateKeys("m.room.third_party_invite").length, 2);
  deepStrictEqual(identity.outbox.length, 2);

  identity.bindDirectly({ medium: "email", address: "zoe@mail.example" }, zoe);
  deepStrictEqual((await identity.deliverDue()).delivered, 1);
  await becomesInvited(zoe);

  // An invocation that is stopped after it has stored the proof leaves a row, and no wake comes for it.
  const stopped = createThirdPartyInvites(
    {
      ...storageOn(database),
      config: { serverName, addressKey: seed },
      crypto: nodeCrypto,
      users: { find: () => Promise.resolve({ _tag: "User" }) },
      clock: { now: Date.now },
    },
    ["receiveOnBind"],
  );
  const bound = identity.bindDirectly({ medium: "email", address: "yan@mail.example" }, yan);
  const stored = await stopped.receiveOnBind({ body: bound });
  deepStrictEqual([stored._tag, await membership(yan)], ["Right", undefined]);
  await worker.runCron();
  await becomesInvited(yan);
};
