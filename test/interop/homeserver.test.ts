import { checkPdu, roomVersion } from "matrix-third-party-invites/judge";
import {
  type SignedPdu,
  encodeBase64,
  hashAndSignPdu,
  isJsonObject,
  signJson,
  signRequest,
} from "matrix-third-party-invites/matrix";
import { nodeCrypto, nodeSigningKey } from "matrix-third-party-invites/node";
import type { JsonObject } from "matrix-third-party-invites/ports";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Answer } from "../../docs/examples/homeserver/federation-client.js";
import { Homeserver } from "../../docs/examples/homeserver/homeserver.js";
import { at, listAt, objectsAt, parseJson, textAt, writeJson } from "../../docs/examples/homeserver/json.js";
import { keyDocument } from "../../docs/examples/homeserver/server-keys.js";
import { addOutliers, judge } from "../../docs/examples/homeserver/receive.js";
import { present, rightOf, transcripts } from "./transcript.js";

/** Another server, as far as ours asks it: its key document, and nothing else. */
const peer = { name: "peer.example", key: nodeSigningKey("ed25519:p", new Uint8Array(32).fill(9)) };
const stranger = { name: "gone.example", key: nodeSigningKey("ed25519:g", new Uint8Array(32).fill(8)) };

interface Sent {
  readonly by?: typeof peer;
  readonly content?: JsonObject;
  readonly headers?: Readonly<Record<string, string>>;
}

const ask = async (server: Homeserver, method: string, uri: string, sent: Sent = {}): Promise<Answer> => {
  const { by, content } = sent;
  const header =
    by === undefined
      ? undefined
      : signRequest({ method, uri, origin: by.name, destination: server.name, content }, by.key);
  const response = await server.handle(
    new Request(`https://${server.name}${uri}`, {
      method,
      headers: {
        ...(header?._tag === "Right" ? { authorization: header.right } : {}),
        ...sent.headers,
      },
      ...(content === undefined ? {} : { body: writeJson(content) }),
    }),
  );
  expect(response.headers.get("content-type")).toContain("application/json");
  return { status: response.status, body: parseJson(await response.text()) };
};

const signed = (event: JsonObject): SignedPdu =>
  rightOf(
    hashAndSignPdu(nodeCrypto, event, present(roomVersion("10")), { serverName: peer.name, key: peer.key }),
  );

const asAlice = { authorization: "Bearer alice-token" };
const encoded = encodeURIComponent;

describe("what other servers ask that our client never does", () => {
  let server: Homeserver;
  let roomId = "";
  const keysAsked: string[] = [];

  beforeAll(async () => {
    server = await Homeserver.open({
      name: "hs.example",
      accounts: { alice: "alice-token" },
      fetch: (url, init) => {
        const { hostname, pathname } = new URL(url);
        if (hostname === stranger.name) return Promise.reject(new Error("connect ECONNREFUSED"));
        if (pathname.startsWith("/_matrix/key/")) {
          keysAsked.push(hostname);
          return Promise.resolve(Response.json(keyDocument(peer.name, peer.key, Date.now())));
        }
        return Promise.resolve(Response.json({ method: init.method }));
      },
    });
    const content = { room_version: "10", preset: "public_chat", name: "A room" };
    const created = await ask(server, "POST", "/_matrix/client/v3/createRoom", { headers: asAlice, content });
    roomId = textAt(created.body, "room_id");
  });

  afterAll(() => server.stop());

  const makeJoin = (userId: string, query = "?ver=10&ver=12&unknown=%20x") =>
    ask(server, "GET", `/_matrix/federation/v1/make_join/${encoded(roomId)}/${encoded(userId)}${query}`, {
      by: peer,
    });

  test.each([
    ["GET", "/_matrix/federation/v1/backfill/!x:hs.example?v=%24e&limit=10", 404, "M_UNRECOGNIZED"],
    ["GET", "/_matrix/federation/v1/publicRooms", 404, "M_UNRECOGNIZED"],
    ["PATCH", "/_matrix/federation/v1/version", 405, "M_UNRECOGNIZED"],
    ["GET", "/_matrix/federation/v1/send/1", 405, "M_UNRECOGNIZED"],
    ["GET", "/%E0%A4%A", 404, "M_UNRECOGNIZED"],
    ["GET", "/_matrix/federation/v1/event/%24x", 404, "M_NOT_FOUND"],
    ["GET", "/_matrix/federation/v1/state_ids/!x%3Ahs.example?event_id=%24x", 404, "M_NOT_FOUND"],
    ["GET", "/_matrix/federation/v1/state/!x%3Ahs.example?event_id=%24x", 404, "M_NOT_FOUND"],
    ["GET", "/_matrix/federation/v1/query/profile?user_id=%40nobody%3Ahs.example", 404, "M_NOT_FOUND"],
    ["GET", "/_matrix/federation/v1/make_join/!x%3Ahs.example/%40z%3Apeer.example", 404, "M_NOT_FOUND"],
  ])("%s %s: %d %s", async (method, uri, status, errcode) => {
    expect(await ask(server, method, uri, { by: peer })).toMatchObject({ status, body: { errcode } });
  });

  test("answers what is known of accounts, devices and the software, and its keys with and without a key ID", async () => {
    const profile = "/_matrix/federation/v1/query/profile?user_id=%40alice%3Ahs.example&field=displayname";
    const devices = "/_matrix/federation/v1/user/devices/%40alice%3Ahs.example";
    expect(await ask(server, "GET", profile, { by: peer })).toEqual({ status: 200, body: {} });
    expect(await ask(server, "GET", devices, { by: peer })).toMatchObject({ body: { devices: [] } });
    expect(await ask(server, "GET", "/_matrix/federation/v1/version")).toMatchObject({ status: 200 });
    for (const path of ["", `/${encoded(server.key.keyId)}`])
      expect(await ask(server, "GET", `/_matrix/key/v2/server${path}`)).toMatchObject({
        body: { server_name: "hs.example", verify_keys: { [server.key.keyId]: {} } },
      });
  });

  test("401 only for a wrong signature, 424 where the keys cannot be had now", async () => {
    const uri = "/_matrix/federation/v1/event/%24x";
    expect(await ask(server, "GET", uri)).toMatchObject({ status: 401 });
    const forger = { ...peer, key: nodeSigningKey("ed25519:p", new Uint8Array(32).fill(1)) };
    expect(await ask(server, "GET", uri, { by: forger })).toMatchObject({ status: 401 });
    const otherKey = { ...peer, key: nodeSigningKey("ed25519:q", new Uint8Array(32).fill(9)) };
    expect(await ask(server, "GET", uri, { by: otherKey })).toMatchObject({ status: 401 });
    const unavailable = { status: 424, body: { errcode: "M_CONNECTION_FAILED" } };
    expect(await ask(server, "GET", uri, { by: stranger })).toMatchObject(unavailable);
    expect(keysAsked.length).toBeLessThanOrEqual(2);
  });

  test("refuses a join that does not know the room's version", async () => {
    const other = { status: 400, body: { errcode: "M_INCOMPATIBLE_ROOM_VERSION", room_version: "10" } };
    expect(await makeJoin("@zoe:peer.example", "?ver=12")).toMatchObject(other);
    expect(await makeJoin("@zoe:peer.example", "")).toMatchObject(other);
    expect(await makeJoin("@zoe:hs.example")).toMatchObject({ status: 403 });
  });

  /** A join by a user of the peer, whole and signed. */
  const joinOf = async (userId: string): Promise<SignedPdu> => {
    const template = at((await makeJoin(userId)).body, "event");
    return signed(isJsonObject(template) ? template : {});
  };

  test("takes a join by version 2, once and again, and by version 1, and answers with state and auth chain", async () => {
    const { eventId, pdu } = await joinOf("@zoe:peer.example");
    const path = (version: number) =>
      `/_matrix/federation/v${version}/send_join/${encoded(roomId)}/${encoded(eventId)}`;
    const first = await ask(server, "PUT", `${path(2)}?omit_members=true`, { by: peer, content: pdu });
    expect(first).toMatchObject({ status: 200, body: { event: pdu, members_omitted: false } });
    expect(objectsAt(first.body, "state").map(({ type }) => type)).toEqual(
      expect.arrayContaining(["m.room.create", "m.room.power_levels", "m.room.join_rules", "m.room.member"]),
    );
    expect(await ask(server, "PUT", path(2), { by: peer, content: pdu })).toEqual(first);
    expect(await ask(server, "PUT", path(1), { by: peer, content: pdu })).toMatchObject({
      status: 200,
      body: [200, { state: at(first.body, "state") }],
    });
    expect(server.store.membership(roomId, "@zoe:peer.example")).toBe("join");
  });

  test("shows a server in the room its events, the state before one, and what lies between two", async () => {
    const heads = server.store.heads(roomId);
    const [head = ""] = heads;
    const room = encoded(roomId);
    const state = await ask(
      server,
      "GET",
      `/_matrix/federation/v1/state_ids/${room}?event_id=${encoded(head)}`,
      {
        by: peer,
      },
    );
    expect(listAt(state.body, "pdu_ids").length).toBeGreaterThan(3);
    const all = await ask(server, "GET", `/_matrix/federation/v1/state/${room}?event_id=${encoded(head)}`, {
      by: peer,
    });
    expect(listAt(all.body, "pdus")).toHaveLength(listAt(state.body, "pdu_ids").length);
    const event = await ask(server, "GET", `/_matrix/federation/v1/event/${encoded(head)}`, { by: peer });
    expect(event).toMatchObject({ status: 200, body: { pdus: [{ type: "m.room.member" }] } });
    const content = { earliest_events: [], latest_events: heads, limit: 3 };
    const missing = await ask(server, "POST", `/_matrix/federation/v1/get_missing_events/${room}`, {
      by: peer,
      content,
    });
    expect(objectsAt(missing.body, "events")).toHaveLength(3);
    expect(
      await ask(server, "GET", `/_matrix/federation/v1/event_auth/${room}/${encoded(head)}`, { by: peer }),
    ).toMatchObject({ status: 200 });
  });

  test("takes a transaction with EDUs, the same again, and an empty one", async () => {
    const [head] = server.store.heads(roomId).flatMap((id) => server.store.find(id) ?? []);
    const message = signed({
      type: "m.room.message",
      room_id: roomId,
      sender: "@zoe:peer.example",
      content: { body: "hello" },
      auth_events: [...listAt(head?.pdu, "auth_events").slice(0, 2), head?.eventId],
      prev_events: [head?.eventId],
      depth: Number(head?.pdu["depth"]) + 1,
      origin_server_ts: Date.now(),
    });
    const uri = "/_matrix/federation/v1/send/t%2F1";
    const edus = [{ edu_type: "m.typing", content: {} }, "nonsense"];
    const content = { origin: peer.name, origin_server_ts: 1, pdus: [message.pdu], edus };
    const answers = await Promise.all([1, 2].map(() => ask(server, "PUT", uri, { by: peer, content })));
    const taken = { status: 200, body: { pdus: { [message.eventId]: {} } } };
    expect(answers).toEqual([taken, taken]);
    expect(server.store.timeline(roomId).filter(({ eventId }) => eventId === message.eventId)).toHaveLength(
      1,
    );
    const empty = { origin: peer.name, origin_server_ts: 1, pdus: [] };
    expect(await ask(server, "PUT", "/_matrix/federation/v1/send/2", { by: peer, content: empty })).toEqual({
      status: 200,
      body: { pdus: {} },
    });
    // An event that somebody has changed is another one, and nobody has signed that.
    const forged = { ...message.pdu, depth: 1 };
    const pdus = [forged, { ...forged, room_id: "!other:peer.example" }];
    const bad = await ask(server, "PUT", "/_matrix/federation/v1/send/3", { by: peer, content: { pdus } });
    expect(Object.values(at(bad.body, "pdus") ?? {})).toEqual([
      { error: "The event is not good: NotSignedBy." },
    ]);
  });

  test("refuses a join into a restricted room that it would have to authorise", async () => {
    const rules = `/_matrix/client/v3/rooms/${encoded(roomId)}/state/m.room.join_rules/`;
    const content = { join_rule: "restricted", allow: [] };
    expect(await ask(server, "PUT", rules, { headers: asAlice, content })).toMatchObject({ status: 200 });
    expect(await makeJoin("@new:peer.example")).toMatchObject({
      status: 403,
      body: { errcode: "M_FORBIDDEN" },
    });
  });
});

describe.each(transcripts)("the captured room of version %s", (_version, transcript) => {
  const { users, roomId, version, server: hs1, otherServer, events, asked, flows } = transcript;
  const key = nodeSigningKey("ed25519:replayed", new Uint8Array(32).fill(3));
  /** The time of the capture, when its keys were valid. */
  const now = Number(present(events.at(-1)).pdu["origin_server_ts"]);

  /** The captured key of a server, and one that signs requests: the capture does not have their signatures. */
  const documentOf = ({ server_name, verify_keys }: (typeof transcript)["serverKeys"]): JsonObject =>
    rightOf(
      signJson(
        {
          server_name,
          valid_until_ts: now + 3_600_000,
          old_verify_keys: {},
          verify_keys: { ...verify_keys, [key.keyId]: { key: encodeBase64(key.publicKey) } },
        },
        server_name,
        key,
      ),
    );
  const documents = new Map(
    [transcript.serverKeys, otherServer.serverKeys].map((one) => [one.server_name, documentOf(one)]),
  );

  const open = (name: string): Promise<Homeserver> =>
    Homeserver.open({
      name,
      accounts: Object.fromEntries(
        Object.values(users)
          .filter((userId) => userId.endsWith(`:${name}`))
          .map((userId) => [userId.slice(1, userId.indexOf(":")), userId]),
      ),
      now: () => now,
      fetch: (url) => {
        const found = documents.get(new URL(url).host);
        return found === undefined
          ? Promise.reject(new Error("connect ECONNREFUSED"))
          : Promise.resolve(Response.json(found));
      },
    });

  test("all of its events are good and allowed by those that they name", async () => {
    const server = await open("hs.example");
    server.store.begin(roomId, version.id);
    const pdus = events.map(({ pdu }) => pdu);
    const good = await addOutliers(server, roomId, version, pdus);
    expect(good.map(({ eventId }) => eventId).sort()).toEqual(events.map(({ eventId }) => eventId).sort());
    await server.stop();
  });

  test("the invitee's server signs the captured invite, shows it to its client, and knows it again", async () => {
    const { request } = present(asked(/\/v2\/invite\//)[0]);
    const server = await open(otherServer.name);
    for (const path of [request.path, request.path, `${request.path}?unknown=1`]) {
      const sent = { by: { name: hs1, key }, content: request.body };
      const answer = await ask(server, "PUT", path, sent);
      expect(answer.status).toBe(200);
      expect(Object.keys(at(answer.body, "event", "signatures") ?? {}).sort()).toEqual(
        [hs1, otherServer.name].sort(),
      );
    }
    const synced = await ask(server, "GET", "/_matrix/client/v3/sync", {
      headers: { authorization: `Bearer ${users.carol}` },
    });
    expect(Object.keys(at(synced.body, "rooms", "invite") ?? {})).toEqual([roomId]);
    const other = { by: { name: otherServer.name, key }, content: request.body };
    expect((await ask(server, "PUT", request.path, other)).status).not.toBe(200);
    await server.stop();
  });

  test("the inviter's server goes through the room event by event, and has the state of the real one", async () => {
    const server = await open("hs.example");
    server.store.begin(roomId, version.id);
    await server.keys.needFor(
      events.map(({ pdu }) => pdu),
      version,
    );
    for (const { eventId, pdu } of events) {
      const checked = rightOf(checkPdu(nodeCrypto, pdu, version, server.keys.known));
      server.database.transaction(() => {
        const before = server.store.stateBefore(roomId, pdu);
        expect(judge(server, roomId, checked, before)).toEqual({ standing: "accepted" });
        server.store.add(roomId, { eventId, pdu }, "accepted", before);
      });
    }
    expect(server.store.heads(roomId)).toHaveLength(1);
    expect(server.store.membership(roomId, users.carol)).toBe("join");
    const { content } = present(server.store.find(flows.redacted.thirdPartyInviteEventId)).pdu;
    expect(content).not.toHaveProperty("display_name");
    await server.stop();
  });
});
