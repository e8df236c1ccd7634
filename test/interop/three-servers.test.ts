import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Homeserver } from "../../docs/examples/homeserver/homeserver.js";
import { parseJson, textAt } from "../../docs/examples/homeserver/json.js";

const folder = mkdtempSync(join(tmpdir(), "three-servers-"));
const up = new Map<string, Homeserver>();

const start = async (name: string): Promise<Homeserver> => {
  const server = await Homeserver.open({
    name,
    folder: join(folder, name),
    accounts: { user: name },
    fetch: (url, init) => {
      const to = up.get(new URL(url).hostname);
      return to === undefined
        ? Promise.reject(new Error("connect ECONNREFUSED"))
        : to.handle(new Request(url, init));
    },
  });
  up.set(name, server);
  return server;
};

const stop = async (name: string): Promise<void> => {
  const server = up.get(name);
  up.delete(name);
  await server?.stop();
};

const ask = async (name: string, method: string, path: string, content: object = {}): Promise<unknown> => {
  const response = await up.get(name)?.handle(
    new Request(`https://${name}/_matrix/client/v3${path}`, {
      method,
      headers: { authorization: `Bearer ${name}` },
      body: JSON.stringify(content),
    }),
  );
  expect(response?.status).toBe(200);
  for (const server of up.values()) await server.settled();
  return parseJson((await response?.text()) ?? "");
};

const messagesOn = (name: string, roomId: string): readonly string[] =>
  (up.get(name)?.store.timeline(roomId) ?? [])
    .filter(({ pdu }) => pdu["type"] === "m.room.message")
    .map(({ pdu }) => textAt(pdu, "content", "body"));

const names = ["a.example", "b.example", "c.example"] as const;
const [a, b, c] = names;

beforeAll(async () => {
  for (const name of names) await start(name);
});

afterAll(async () => {
  for (const name of names) await stop(name);
  rmSync(folder, { recursive: true });
});

test.each(["1", "6", "11", "12"])(
  "three servers agree on a room of version %s after failures",
  async (version) => {
    const invite = [`@user:${b}`, `@user:${c}`];
    const roomId = textAt(await ask(a, "POST", "/createRoom", { room_version: version, invite }), "room_id");
    const room = `/rooms/${encodeURIComponent(roomId)}`;
    await ask(b, "POST", `${room}/join`);
    await ask(c, "POST", `${room}/join`);
    const say = (name: string, body: string) => ask(name, "PUT", `${room}/send/m.room.message/1`, { body });
    await say(a, "one");

    // What was sent to a server while it was down is sent again, also by a process that has begun meanwhile.
    await stop(c);
    await say(b, "two");
    await stop(b);
    await start(b);
    await start(c);
    up.get(b)?.outgoing.heardFrom(c);
    await say(b, "three");

    // What a server has not been sent at all, it asks for.
    await stop(c);
    await say(a, "four");
    up.get(a)?.database.rows("DELETE FROM outgoing WHERE destination = ?", c);
    await start(c);
    up.get(a)?.outgoing.heardFrom(c);
    await say(a, "five");

    for (const name of names)
      expect([...messagesOn(name, roomId)].sort(), name).toEqual(["five", "four", "one", "three", "two"]);
    const states = names.map((name) => [...(up.get(name)?.store.current(roomId) ?? [])].sort());
    expect(states[1]).toEqual(states[0]);
    expect(states[2]).toEqual(states[0]);
  },
);
