/**
 * docs/examples/rocket-chat over the published package. Real: its wrapper, builder, signatures, state graph, state resolution, judge, requests.
 * In its place: MongoDB, by collections in memory; the staging queue, which is not started; the people of the identity server.
 */
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { json as readJson } from "node:stream/consumers";
import { once } from "node:events";
import { createServer, globalAgent } from "node:https";
import type { AddressInfo } from "node:net";
import { createThirdPartyInvites } from "matrix-third-party-invites";
import { type RoomVersion, authorize, roomVersion } from "matrix-third-party-invites/judge";
import {
  domainOf,
  encodeBase64,
  eventId,
  hashAndSignPdu,
  isJsonObject,
  member,
  parseRoomId,
  parseServerName,
  signJson,
  signPdu,
  stringMember,
  verifyPdu,
} from "matrix-third-party-invites/matrix";
import type { JsonObject, SigningKey } from "matrix-third-party-invites/ports";
import { identityServerClient, onBindEndpoint } from "matrix-third-party-invites/http";
import { nodeCrypto, nodeSigningKey } from "matrix-third-party-invites/node";
import {
  createIdentityServer,
  memoryInvites,
  memoryPorts,
  memoryRedemptions,
  memoryRooms,
  roomsContract,
} from "matrix-third-party-invites/testing";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import {
  type Store,
  endpointsOf,
  eventsPort,
  federationPort,
  invitesOf,
  roomsPort,
  storeAsJudged,
  storeByHandlePdu,
} from "../adapter.js";
import {
  allowsThirdPartyInvite,
  authEventStateKeys,
  checkReceived,
  checkWhole,
  redactedEvent,
} from "../rules.js";
import type { SdkEvent } from "../sdk.js";
import { makeCertificate } from "../../../../test/certificate.js";
import { present, rightOf, transcripts } from "../../../../test/interop/transcript.js";
import { vectors } from "../../../../test/matrix/vectors.js";
import {
  type Changed,
  type TestSdk,
  changedSdk,
  collections,
  config,
  forgetAll,
  published,
  publishedVersion,
  seed,
  serverName,
  wrap,
} from "./published-sdk.js";
import { knowing, sdkRooms } from "./sdk-rooms.js";

const { federationSDK: sdk } = published;
const key = nodeSigningKey("ed25519:1", seed);
const alice = `@alice:${serverName}`;
const notImplemented = /third_party_invite not implemented/;

const asError = (error: unknown): Error => {
  if (error instanceof Error) return error;
  throw new Error("expected an error");
};

/** What a promise was rejected with. */
const refusalOf = (promise: Promise<unknown>): Promise<Error> =>
  promise.then(
    () => Promise.reject(new Error("expected a refusal")),
    (error: unknown) => asError(error),
  );

const contentOf = (pdu: JsonObject): JsonObject => {
  const content = pdu["content"];
  return isJsonObject(content) ? content : {};
};

const isProven = (pdu: JsonObject): boolean => member(contentOf(pdu), "third_party_invite") !== undefined;
const isOurs = (pdu: JsonObject): boolean =>
  pdu["type"] === "m.room.third_party_invite" || contentOf(pdu)["membership"] === "invite";

const known = (version: string): RoomVersion => present(roomVersion(version));

/** The captured rooms of the versions that the SDK knows. */
const supported = transcripts.filter(([version]) => ["6", "10"].includes(version));

const rejection = (reason: string): Error => new Error(`rejected: ${reason}`);

let changed: Changed;

beforeAll(async () => {
  // Its judge warns of each third-party invite.
  vi.spyOn(console, "warn").mockReturnValue();
  sdk.setConfig(config);
  const { room_id: roomId } = await sdk.createRoom(alice, "room", "invite");
  const token = await sdk.buildEvent(tokenTemplate(roomId), "11");
  const refusal = await refusalOf(sdk.handlePdu(token));
  // What rules.ts of the SDK has at hand, and its package does not export.
  const RejectCodes = { AuthError: "auth_error" };
  const StateResolverAuthorizationError = refusal.constructor as new (code: string, why: object) => Error;
  changed = await changedSdk(refusal, {
    judge: (event, state) =>
      allowsThirdPartyInvite(
        event,
        state,
        (reason) =>
          new StateResolverAuthorizationError(RejectCodes.AuthError, { rejectedEvent: event, reason }),
      ),
    methods: { getAuthEventStateKeys: authEventStateKeys, _getRedactedEvent: redactedEvent },
  });
});

beforeEach(forgetAll);

const tokenTemplate = (roomId: string): JsonObject => ({
  type: "m.room.third_party_invite",
  room_id: roomId,
  sender: alice,
  state_key: "a-token",
  content: {
    display_name: "z...",
    key_validity_url: "https://id.example/isvalid",
    public_key: encodeBase64(seed),
  },
  auth_events: [],
  prev_events: [],
  depth: 0,
  origin_server_ts: Date.now(),
});

test("the version that docs/how-to/rocket-chat.md speaks of", () => {
  expect(publishedVersion).toBe("0.8.0");
});

describe("the published SDK by itself", () => {
  test.each(supported)(
    "is stuck in a captured room of version %s from its first third-party invite on",
    async (version, { events, roomId }) => {
      const takeAll = async (by: TestSdk): Promise<readonly string[]> => {
        const fates: string[] = [];
        for (const { pdu } of events) {
          const fate = by.handlePdu(await wrap(by, pdu, version));
          fates.push(
            await fate.then(
              () => "stored",
              (error: unknown) => asError(error).message,
            ),
          );
        }
        return fates;
      };
      const fates = await takeAll(sdk);
      expect(fates.slice(0, 7)).toEqual(Array(7).fill("stored"));
      expect(fates[7]).toMatch(notImplemented);
      expect(fates.slice(7)).not.toContain("stored");
      expect(fates.join()).toContain("no previous state for event");

      // With the changes, once what it has rejected is forgotten, the room goes on.
      const { rows } = collections.EventCollection;
      const rejected = rows.filter((row) => "rejectCode" in row);
      expect(rejected.map((row) => row["rejectCode"])).toContain("not_implemented");
      for (const row of rejected) rows.splice(rows.indexOf(row), 1);
      expect(await takeAll(changed.federationSDK)).toEqual(Array(events.length).fill("stored"));
      const { eventId } = present(events.at(-1));
      const state = await changed.federationSDK.getLatestRoomState(roomId);
      expect([...state.values()].map((event) => event.eventId)).toContain(eventId);
    },
  );

  test.each(["1", "12"])("does not know room version %s", async (version) => {
    await expect(wrap(sdk, {}, version)).rejects.toThrow("not supported");
  });

  test("cannot build a proven invite, nor send a token's event to the room's servers", async () => {
    const { room_id: roomId } = await sdk.createRoom(alice, "room", "invite");
    const proven = {
      ...tokenTemplate(roomId),
      type: "m.room.member",
      state_key: "@zoe:hs2.example",
      content: {
        membership: "invite",
        third_party_invite: { signed: { mxid: "@zoe:hs2.example", token: "a-token" } },
      },
    };
    await expect(sdk.buildEvent(proven, "11")).rejects.toThrow("third_party_invite not supported");
    const token = await sdk.buildEvent(tokenTemplate(roomId), "11");
    await expect(sdk.sendEventToAllServersInRoom(token)).rejects.toThrow("no domain found");
  });

  /** What it keeps of a transaction of two invites, a plain one and one with a proof, that are good in all else. */
  const kept = async (name: string): Promise<readonly string[]> => {
    const other = memoryRooms({ crypto: nodeCrypto, serverName: name, key });
    const zoe = `@zoe:${name}`;
    const roomId = other.create({ version: "10", creator: zoe });
    for (const { pdu } of other.timeline(roomId)) await sdk.handlePdu(await wrap(sdk, pdu, "10"));
    const sent = [{}, { third_party_invite: { signed: {} } }].map((more) => {
      const content = { membership: "invite", ...more };
      return other.append(roomId, { type: "m.room.member", sender: zoe, state_key: alice, content });
    });
    const keys = { [key.keyId]: { key: encodeBase64(key.publicKey) } };
    collections.ServerCollection.rows.push({ name, keys });
    await sdk.processIncomingTransaction({ origin: name, pdus: sent.map(({ pdu }) => pdu) });
    const staged = collections.EventStagingCollection.rows.map(({ _id }) => _id);
    return ["plain", "proven"].filter((_, at) => staged.includes(sent[at]?.eventId));
  };

  test("drops a proven invite on receipt", async () => {
    expect(await kept("hs2.example")).toEqual(["plain"]);
  });

  test("drops every event of a server whose name has a port", async () => {
    expect(await kept("hs2.example:8448")).toEqual([]);
  });
});

/** Events that every implementation spells alike: each of them made anew, since the corpus has hashes of no meaning. */
const plainEvents = vectors("event").flatMap(({ roomVersion: version, event }) => {
  const named = [event["auth_events"], event["prev_events"]].map((list): readonly unknown[] =>
    Array.isArray(list) ? list : ["", ""],
  );
  const isPlain =
    named.every((list) => new Set(list).size === list.length) && !Object.hasOwn(event, "event_id");
  const isOrdered = !/__proto__|[\u{10000}-\u{10ffff}]/u.test(JSON.stringify(event));
  if (["1", "2", "12"].includes(version) || !isPlain || !isOrdered) return [];
  const { pdu, eventId } = rightOf(hashAndSignPdu(nodeCrypto, event, known(version), { serverName, key }));
  return [{ version, pdu, eventId }];
});

const otherwiseNamed = async (by: TestSdk): Promise<typeof plainEvents> => {
  const found: typeof plainEvents = [];
  for (const made of plainEvents)
    if ((await wrap(by, made.pdu, made.version)).eventId !== made.eventId) found.push(made);
  return found;
};

describe("the names of events", () => {
  const isOfOldAlphabet = ({ version, eventId }: (typeof plainEvents)[number]): boolean =>
    version === "3" && /[+/]/.test(eventId);

  test("the SDK names proven invites of version 11 otherwise, and version 3 in another alphabet", async () => {
    expect(plainEvents.length).toBeGreaterThan(90);
    const expected = plainEvents.filter(
      (made) =>
        isOfOldAlphabet(made) ||
        (made.version === "11" &&
          made.pdu["type"] === "m.room.member" &&
          isJsonObject(member(made.pdu["content"], "third_party_invite"))),
    );
    expect(new Set(expected.map(({ version }) => version))).toEqual(new Set(["3", "11"]));
    expect(await otherwiseNamed(sdk)).toEqual(expected);
  });

  test.each([
    ["a reference twice", { auth_events: ["$a", "$a"] }],
    ["an ID of its own", { event_id: "$e" }],
    ["keys beyond U+FFFF", { content: { "\uffff": 1, "\u{10000}": 2 } }],
  ])("the SDK names an event with %s otherwise", async (_what, odd) => {
    const event = { ...tokenTemplate("!r:hs1.example"), auth_events: ["$a"], prev_events: ["$p"] };
    for (const [pdu, expected] of [[event, true] as const, [{ ...event, ...odd }, false] as const]) {
      const made = rightOf(hashAndSignPdu(nodeCrypto, pdu, known("10"), { serverName, key }));
      expect((await wrap(sdk, made.pdu, "10")).eventId === made.eventId).toBe(expected);
    }
  });

  test("with our redaction it names all of version 11 as everybody does", async () => {
    expect(await otherwiseNamed(changed.federationSDK)).toEqual(plainEvents.filter(isOfOldAlphabet));
  });
});

/** Takes a captured room into the SDK, event by event; ours go the way that a `Store` is. */
const takeIn = async (
  by: TestSdk,
  version: string,
  pdus: readonly JsonObject[],
  store: Store,
): Promise<SdkEvent[]> => {
  const taken: SdkEvent[] = [];
  for (const pdu of pdus) {
    const event = await wrap(by, pdu, version);
    if (isOurs(pdu)) {
      const state = await by.getLatestRoomState(event.roomId);
      expect(allowsThirdPartyInvite(event, state, rejection)).toBe(true);
      await store(event);
    } else await by.handlePdu(event);
    taken.push(event);
  }
  return taken;
};

/** Events of ours in the test data, of versions that the SDK has; those on which its judge has no verdict, and another one than the rules. */
const counted = [408, 325, 7] as const;

describe("our rules over its state", () => {
  test.each(transcripts)("judge every invite of a captured room of version %s", (_version, transcript) => {
    const ours = transcript.events.filter(({ pdu }) => isOurs(pdu));
    expect(ours.length).toBeGreaterThan(10);
    expect(ours.filter(({ pdu }) => isProven(pdu))).toHaveLength(3);
    // The SDK has no versions 1 and 12, so that there this is our own state alone.
    for (const { eventId, pdu } of ours)
      expect(authorize(pdu, transcript.stateBefore(eventId), nodeCrypto)).toEqual({ _tag: "Allow" });
  });

  test.each(supported)(
    "take in a captured room of version %s, with every event under its own name",
    async (version, { events, roomId, flows }) => {
      const taken = await takeIn(
        sdk,
        version,
        events.map(({ pdu }) => pdu),
        storeAsJudged(sdk),
      );
      expect(taken.map(({ eventId }) => eventId)).toEqual(events.map(({ eventId }) => eventId));
      const state = await sdk.getLatestRoomState(roomId);
      const expected = new Map(
        events.flatMap(({ eventId, pdu }) =>
          "state_key" in pdu
            ? [[`${String(pdu["type"])}:${String(pdu["state_key"])}`, eventId] as const]
            : [],
        ),
      );
      expect(new Map([...state].map(([place, { eventId }]) => [place, eventId]))).toEqual(expected);

      // A proof for somebody else, and the same proof after the token is gone.
      const proven = present(taken.find(({ eventId }) => eventId === flows.remote.inviteEventId));
      const forged = await wrap(sdk, { ...proven.event, state_key: "@eve:hs3.example" }, version);
      expect(() => allowsThirdPartyInvite(forged, state, rejection)).toThrow("MxidMismatch");
      const without = new Map([...state].filter(([place]) => !place.endsWith(flows.remote.token)));
      expect(() => allowsThirdPartyInvite(proven, without, rejection)).toThrow("TokenUnknown");
    },
  );

  test("are not taken in by a type with a colon", async () => {
    const at = { ...tokenTemplate("!r:hs1.example"), auth_events: ["$a"], prev_events: ["$p"] };
    const content = { membership: "join" };
    const state = new Map<string, SdkEvent>();
    for (const [type, stateKey] of [
      ["m.room.create", ""],
      ["m.room.member:@mallory", "hs2.example"],
    ] as const) {
      const event = await wrap(sdk, { ...at, type, state_key: stateKey, content }, "10");
      state.set(`${type}:${stateKey}`, event);
    }
    expect(state.get("m.room.member:@mallory:hs2.example")?.type).toBe("m.room.member:@mallory");
    const token = await wrap(sdk, { ...at, sender: "@mallory:hs2.example" }, "10");
    expect(() => allowsThirdPartyInvite(token, state, rejection)).toThrow("SenderNotJoined");
  });

  test("give the verdicts of the corpus, where its own judge has none", async () => {
    const cases = vectors("auth").filter(
      ({ roomVersion: version, specAllowed, state, crypto }) =>
        !["1", "2", "12"].includes(version) &&
        specAllowed !== null &&
        crypto === undefined &&
        state.some(({ type }) => type === "m.room.create"),
    );
    let [judged, without] = [0, 0];
    const otherwise: string[] = [];
    for (const { id, roomVersion: version, state: pdus, event: pdu, specAllowed } of cases) {
      const event = await wrap(changed.federationSDK, pdu, version);
      const wrapped = await Promise.all(pdus.map((one) => wrap(changed.federationSDK, one, version)));
      const state = new Map(wrapped.map((one) => [`${one.type}:${one.stateKey ?? ""}`, one]));
      const verdict = ((): string => {
        try {
          return allowsThirdPartyInvite(event, state, rejection) ? "allow" : "not ours";
        } catch (error) {
          return asError(error).message;
        }
      })();
      if (verdict === "not ours") continue;
      judged += 1;
      expect(verdict === "allow", `${id}: ${verdict}`).toBe(specAllowed);
      const own = await changed.ownJudge(event, state, { getEvents: () => Promise.resolve([]) }).then(
        () => "allow",
        (error: unknown) => asError(error).message,
      );
      if (own.includes("not implemented")) without += 1;
      else if ((own === "allow") !== specAllowed) otherwise.push(id);
    }
    // Otherwise: levels written as strings, a creator whom the power levels do not name, an event without state key.
    expect([judged, without, otherwise.length]).toEqual(counted);
  });
});

/** The invitee's homeserver, at a real HTTPS port of this machine: our own library over its memory. */
const openPeer = async () => {
  const peerKey = nodeSigningKey("ed25519:p", new Uint8Array(32).fill(9));
  const certificate = await makeCertificate(["localhost"], ["127.0.0.1"]);
  globalAgent.options.ca = certificate.cert;
  const received: { readonly path: string; readonly body: unknown }[] = [];
  let answer: (path: string, body: unknown) => Promise<Response> = () =>
    Promise.reject(new Error("not ready"));
  const server = createServer(certificate, (incoming, outgoing) => {
    void readJson(incoming).then(async (body) => {
      const path = new URL(incoming.url ?? "", "https://peer").pathname;
      received.push({ path, body });
      const response = await answer(path, body);
      outgoing.writeHead(response.status, Object.fromEntries(response.headers)).end(await response.text());
    });
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const name = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    name,
    key: peerKey,
    received,
    answerWith: (by: typeof answer) => {
      answer = by;
    },
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
      delete globalAgent.options.ca;
    },
  };
};

const xMatrix = (
  request: { readonly method: string; readonly uri: string; readonly content: JsonObject },
  origin: string,
  by: SigningKey,
): string => {
  const signed = rightOf(signJson({ ...request, origin, destination: serverName }, origin, by));
  const sig = stringMember(member(signed["signatures"], origin), by.keyId) ?? "";
  return `X-Matrix origin="${origin}",destination="${serverName}",key="${by.keyId}",sig="${sig}"`;
};

describe("from the invite to the exchange", () => {
  let peer: Awaited<ReturnType<typeof openPeer>>;
  beforeAll(async () => {
    peer = await openPeer();
  });
  afterAll(() => peer.close());

  /** Alice invites an address, Zoe of the other server binds it, her server asks ours for the exchange. */
  const play = async (by: TestSdk, roomId: string, store: Store) => {
    collections.ServerCollection.rows.push({
      name: peer.name,
      keys: { [peer.key.keyId]: { key: encodeBase64(peer.key.publicKey) } },
    });
    const zoe = `@zoe:${peer.name}`;
    const identity = createIdentityServer({
      serverName: "id.example",
      baseUrl: "https://id.example",
      fetch: (url, init) => onBindEndpoint(peerInvites)(new Request(url, init)),
    });
    const identityServer = identityServerClient({
      fetch: (url, init) => identity.handle(new Request(url, init)),
    });

    const [invites, redemptions] = [memoryInvites(), memoryRedemptions()];
    const own = { addressKey: seed, identityServer, invites, redemptions, limits: "off" } as const;
    const ours = invitesOf(by, own, store);
    const { exchange } = endpointsOf(by, ours);
    const answers: number[] = [];
    const theirs = memoryPorts({
      crypto: nodeCrypto,
      serverName: peer.name,
      key: peer.key,
      identityServer,
      users: new Map([[zoe, {}]]),
      federation: {
        exchangeThirdPartyInvite: async ({ body }) => {
          const uri = `/_matrix/federation/v1/exchange_third_party_invite/${encodeURIComponent(roomId)}`;
          const ask = (by: SigningKey) =>
            exchange(
              new Request(`https://${serverName}${uri}`, {
                method: "PUT",
                headers: {
                  authorization: xMatrix({ method: "PUT", uri, content: body }, peer.name, by),
                  "content-type": "application/json",
                },
                body: JSON.stringify(body),
              }),
            );
          answers.push((await ask(key)).status, (await ask(peer.key)).status);
          return answers[1] === 200
            ? { _tag: "Accepted" }
            : { _tag: "Refused", status: answers[1] ?? 0, errcode: "M_UNKNOWN" };
        },
      },
    });
    const peerInvites = createThirdPartyInvites(theirs);
    const wronglyNamed: string[] = [];
    peer.answerWith(async (path, body) => {
      const invited = await peerInvites.receiveInboundInvite({ roomId, origin: serverName, body });
      const pdu = member(body, "event");
      if (invited._tag === "Left" || !isJsonObject(pdu))
        return Response.json({ errcode: "M_FORBIDDEN", error: "no" }, { status: 403 });
      const version = known(stringMember(body, "room_version") ?? "");
      const id = rightOf(eventId(nodeCrypto, pdu, version));
      if (!path.endsWith(`/${encodeURIComponent(id)}`)) wronglyNamed.push(decodeURIComponent(path));
      return Response.json({ event: rightOf(signPdu(pdu, version, peer.name, peer.key)) });
    });

    const invited = rightOf(
      await ours.invite({
        roomId,
        requester: { userId: alice },
        body: {
          id_server: "id.example",
          id_access_token: identity.account(alice),
          medium: "email",
          address: "zoe@mail.example",
        },
      }),
    );
    const state = await by.getLatestRoomState(roomId);
    const token = present([...state.values()].find(({ type }) => type === "m.room.third_party_invite"));
    identity.bindDirectly({ medium: "email", address: "zoe@mail.example" }, zoe);
    await identity.deliverDue();
    await peerInvites.deliverOwed();
    const after = await by.getLatestRoomState(roomId);
    const proven = present(after.get(`m.room.member:${zoe}`));
    return { invited, token, answers, wronglyNamed, proven, state, rooms: roomsPort(by) };
  };

  /** A room of version 10: the SDK founds none, but takes one in. */
  const room10 = async (by: TestSdk): Promise<string> => {
    const memory = memoryRooms({ crypto: nodeCrypto, serverName, key });
    const roomId = memory.create({ version: "10", creator: alice });
    for (const { pdu } of memory.timeline(roomId)) await by.handlePdu(await wrap(by, pdu, "10"));
    return roomId;
  };

  const expectGood = async ({ token, proven, state, answers, rooms }: Awaited<ReturnType<typeof play>>) => {
    // The token's event, made by its builder: allowed by our judge, signed and named as every server does.
    const version = known(token.version);
    const before = new Map([...state].filter(([, event]) => event !== token));
    expect(allowsThirdPartyInvite(token, before, rejection)).toBe(true);
    const checked = await checkReceived(sdk, token.event, version);
    expect(checked).toMatchObject({
      eventId: token.eventId,
      hashMatches: true,
      signers: new Set([serverName]),
    });
    expect(token.getAuthEventIds().toSorted()).toEqual(
      ["m.room.create:", "m.room.power_levels:", `m.room.member:${alice}`]
        .map((place) => present(state.get(place)).eventId)
        .sort(),
    );
    expect(JSON.stringify(token.event)).not.toContain("zoe@mail.example");

    // The exchange: refused where another key has signed the request, then answered.
    expect(answers).toEqual([401, 200]);
    expect(isProven(proven.event)).toBe(true);
    expect(allowsThirdPartyInvite(proven, state, rejection)).toBe(true);
    expect(Object.keys(proven.event["signatures"] as object).sort()).toEqual([peer.name, serverName].sort());
    for (const [server, by] of [[serverName, key] as const, [peer.name, peer.key] as const]) {
      const signer = { entity: server, keyId: by.keyId, publicKey: by.publicKey };
      expect(verifyPdu(nodeCrypto, proven.event, version, signer)._tag).toBe("Right");
    }
    expect(proven.eventId).toBe(rightOf(eventId(nodeCrypto, proven.event, version)));
    expect(await rooms.snapshot(rightOf(parseRoomId("!other:hs9.example")), [], {})).toEqual({
      _tag: "NotResident",
    });
  };

  test("over the published SDK, in a room of version 10", async () => {
    const played = await play(sdk, await room10(sdk), storeAsJudged(sdk));
    expect(played.wronglyNamed).toEqual([]);
    await expectGood(played);
  });

  test("over the changed SDK, in a room of version 11, all by its own handlePdu", async () => {
    const by = changed.federationSDK;
    const { room_id: roomId } = await by.createRoom(alice, "room", "invite");
    const played = await play(by, roomId, storeByHandlePdu(by));
    expect(played.wronglyNamed).toEqual([]);
    await expectGood(played);
  });

  test("in version 11 the published SDK signs and names a proven invite as nobody else does", async () => {
    const { room_id: roomId } = await sdk.createRoom(alice, "room", "invite");
    const { wronglyNamed, proven, token } = await play(sdk, roomId, storeAsJudged(sdk));
    expect(wronglyNamed).toHaveLength(1);
    expect(token.eventId).toBe(rightOf(eventId(nodeCrypto, token.event, known("11"))));
    expect(proven.eventId).not.toBe(rightOf(eventId(nodeCrypto, proven.event, known("11"))));
    const signer = { entity: serverName, keyId: key.keyId, publicKey: key.publicKey };
    expect(verifyPdu(nodeCrypto, proven.event, known("11"), signer)._tag).toBe("Left");
  });

  test("a signed request goes out as it is given, and its refusal keeps status and errcode", async () => {
    peer.received.splice(0);
    peer.answerWith(() =>
      Promise.resolve(Response.json({ errcode: "M_FORBIDDEN", error: "Not you." }, { status: 403 })),
    );
    const ask = federationPort(sdk).exchangeThirdPartyInvite;
    const [destination, roomId] = [
      rightOf(parseServerName(peer.name)),
      rightOf(parseRoomId("!r:hs2.example")),
    ];
    const body = { type: "m.room.member" };
    expect(await ask({ destination, roomId, body, timeoutMs: 1_000 }, {})).toEqual({
      _tag: "Refused",
      status: 403,
      errcode: "M_FORBIDDEN",
      message: "Not you.",
    });
    expect(peer.received.map((one) => one.body)).toEqual([body]);
    const refusal = await refusalOf(
      sdk.makeSignedRequest({ method: "PUT", domain: peer.name, uri: "/x", signedBody: body }),
    );
    expect(refusal.message).not.toContain("M_FORBIDDEN");
    // In `body` it would have been taken for an event.
    const taken = { method: "PUT", domain: peer.name, uri: "/x", body, signedBody: undefined };
    await refusalOf(sdk.makeSignedRequest(taken as never));
    expect(peer.received.at(-1)?.body).toHaveProperty("hashes");
    const unreachable = rightOf(parseServerName("127.0.0.1:1"));
    expect(await ask({ destination: unreachable, roomId, body, timeoutMs: 1_000 }, {})).toEqual({
      _tag: "Unreachable",
    });
  });

  test("a token's event goes to the servers that are in the room, though the SDK's own call for it throws", async () => {
    const memory = memoryRooms({ crypto: nodeCrypto, serverName, key });
    const roomId = memory.create({ version: "10", creator: alice });
    const yan = `@yan:${peer.name}`;
    for (const [sender, membership, by] of [
      [alice, "invite", key] as const,
      [yan, "join", peer.key] as const,
    ])
      memory.append(
        roomId,
        { type: "m.room.member", sender, state_key: yan, content: { membership } },
        { serverName: domainOf(sender), key: by },
      );
    for (const { pdu } of memory.timeline(roomId)) await sdk.handlePdu(await wrap(sdk, pdu, "10"));
    peer.received.splice(0);
    const { token } = await play(sdk, roomId, storeAsJudged(sdk));
    await vi.waitFor(() => {
      const sent = peer.received.filter(({ path }) => path.startsWith("/_matrix/federation/v1/send/"));
      expect(sent.flatMap(({ body }) => member(body, "pdus"))).toContainEqual(token.event);
    });
  });

  test("an append on a state that has changed is a conflict", async () => {
    const roomId = rightOf(parseRoomId(await room10(sdk)));
    const entry = { type: "m.room.third_party_invite", stateKey: "a-token" };
    const [rooms, events] = [roomsPort(sdk), eventsPort(sdk, storeAsJudged(sdk))];
    const snapshot = await rooms.snapshot(roomId, [entry], {});
    if (snapshot._tag !== "Snapshot") throw new Error(snapshot._tag);
    const template = {
      type: "m.room.third_party_invite" as const,
      room_id: roomId,
      sender: alice,
      state_key: "a-token",
      content: {},
    };
    const request = { roomId, revision: snapshot.revision, reads: [entry] };
    const both = await events.append({ ...request, events: [template, { ...template, state_key: "b" }] }, {});
    expect(both).toMatchObject({ _tag: "Appended" });
    expect(await events.append({ ...request, events: [template] }, {})).toEqual({ _tag: "Conflict" });
    const bad = await events.append(
      { ...request, reads: [], events: [{ ...template, sender: "@mallory:hs1.example" }] },
      {},
    );
    expect(bad).toMatchObject({ _tag: "Refused", status: 403 });
  });
});

describe("what needs a change of its own", () => {
  test.each(supported)(
    "to join a room of version %s whose state has third-party invites",
    async (_version, { events, roomId }) => {
      // Its auth chain, and no more: the redaction in it is no state.
      const pdus = events.map(({ pdu }) => pdu).filter((pdu) => "state_key" in pdu);
      const state = new Map(
        events.flatMap((one) =>
          "state_key" in one.pdu ? [[`${String(one.pdu["type"])}:${String(one.pdu["state_key"])}`, one]] : [],
        ),
      );
      const notifier = { notify: () => Promise.resolve() };
      const join = (by: TestSdk) =>
        by.stateService.processInitialState(
          [...state.values()].map(({ pdu }) => pdu),
          pdus,
          notifier,
        );
      await expect(join(sdk)).rejects.toThrow(notImplemented);
      forgetAll();
      await join(changed.federationSDK);
      const joined = await changed.federationSDK.getLatestRoomState(roomId);
      expect(new Map([...joined].map(([place, one]) => [place, one.eventId]))).toEqual(
        new Map([...state].map(([place, one]) => [place, one.eventId])),
      );
    },
  );

  test("to take a proven invite of version 11 that comes by /invite", async () => {
    const other = memoryRooms({ crypto: nodeCrypto, serverName: "hs2.example", key });
    for (const [version, expected] of [["10", "taken"] as const, ["11", "Invalid eventId"] as const]) {
      const roomId = other.create({ version, creator: "@zoe:hs2.example" });
      const content = { membership: "invite", third_party_invite: { signed: { mxid: alice, token: "t" } } };
      const invited = { type: "m.room.member", sender: "@zoe:hs2.example", state_key: alice, content };
      const { eventId, pdu } = other.append(roomId, invited);
      const fateAt = (by: TestSdk) =>
        by.processInvite(pdu, eventId, version, []).then(
          () => "taken",
          (error: unknown) => asError(error).message,
        );
      expect(await fateAt(sdk)).toContain(expected);
      forgetAll();
      expect(await fateAt(changed.federationSDK)).toBe("taken");
    }
  });

  test("to take proven invites on receipt, also those that the sender's server has not signed", async () => {
    const by = changed.federationSDK;
    const other = memoryRooms({ crypto: nodeCrypto, serverName: "hs2.example", key });
    const roomId = other.create({ version: "11", creator: "@zoe:hs2.example" });
    for (const { pdu } of other.timeline(roomId)) await by.handlePdu(await wrap(by, pdu, "11"));
    const template = {
      type: "m.room.member",
      sender: "@zoe:hs2.example",
      state_key: "@una:hs3.example",
      content: {
        membership: "invite",
        third_party_invite: { signed: { mxid: "@una:hs3.example", token: "t" } },
      },
    };
    const proven = other.append(roomId, template, { serverName: "hs3.example", key });
    by.eventService.validateEvent = (pdu) => checkWhole(by, pdu, known("11"));
    await by.processIncomingTransaction({
      origin: "hs3.example",
      pdus: [
        { ...proven.pdu, content: {} },
        { ...proven.pdu, signatures: {}, content: { membership: "join" } },
      ],
    });
    expect(collections.EventStagingCollection.rows).toEqual([]);
    await by.processIncomingTransaction({ origin: "hs3.example", pdus: [proven.pdu] });
    expect(collections.EventStagingCollection.rows.map(({ _id }) => _id)).toEqual([proven.eventId]);
    // And the rules have the last word: there is no such token.
    const refusal = await refusalOf(by.handlePdu(await wrap(by, proven.pdu, "11")));
    expect(refusal.message).toContain("TokenUnknown");
  });
});

/** What the how-to says that it cannot do without more. */
const brokenAnyway = {
  "an event that cannot be one is not appended, nor what comes with it": /no canonical JSON/,
  "append shows all of its events or none of them while it runs": /one of the two events/,
  "of racing appends that read what each other changes exactly one goes through": /one was to go through/,
  "of racing resends one stands with both of its events, and nothing of the others": /One was to go through/,
  "no change is lost: everybody who reads, appends, and tries again gets through": /overwritten/,
  // Keys beyond U+FFFF.
  "an event has its hash, its ID, and this server's signature": /wrong content hash/,
};

describe("the contract of rooms and events over the published SDK", () => {
  roomsContract(
    knowing(brokenAnyway, describe),
    sdkRooms(() => sdk, storeAsJudged),
  );
});

describe("the contract of rooms and events over the changed SDK", () => {
  roomsContract(
    knowing(brokenAnyway, describe),
    sdkRooms(() => changed.federationSDK, storeByHandlePdu),
  );
});

describe("docs/how-to/rocket-chat.md", () => {
  const root = resolve(import.meta.dirname, "../../../..");
  const read = (path: string): string => readFileSync(join(root, path), "utf8");
  const page = read("docs/how-to/rocket-chat.md");
  const flat = (text: string): string => text.replaceAll(/\s+/g, " ").trim();

  test("shows no lines but those of files that run", () => {
    const folder = "docs/examples/rocket-chat";
    const files = [
      ...["adapter", "rules", "sdk"].map((name) => `${folder}/${name}.ts`),
      `${folder}/test/rocket-chat.test.ts`,
    ];
    const texts = files.map((path) => flat(read(path)));
    const shown = [...page.matchAll(/```ts\n([^]*?)\n```/g)].map(([, lines = ""]) => flat(lines));
    expect(shown.length).toBeGreaterThan(7);
    expect(shown.filter((lines) => !texts.some((text) => text.includes(lines)))).toEqual([]);
  });

  test("has the numbers of the test data", () => {
    const [judged, without, otherwise] = counted;
    expect(page).toContain(
      `Of ${judged} cases in the test data, of room versions 3 to 11, its judge has no verdict on ${without}, and another one than the specification on ${otherwise}.`,
    );
  });

  test("has no dead link, and names tests that there are", () => {
    const targets = [...page.matchAll(/\]\(([^)\s#]+)\)/g)].map(([, target = ""]) => target);
    expect(targets.length).toBeGreaterThan(4);
    expect(targets.filter((target) => !existsSync(join(root, "docs/how-to", target)))).toEqual([]);
    const tests = [...page.matchAll(/\(`([a-z][a-z' -]+)`\)|\*Done when\* `([^`]+)`/g)].map(
      ([, a, b]) => a ?? b ?? "",
    );
    expect(tests).toHaveLength(5);
    const source = read("docs/examples/rocket-chat/test/rocket-chat.test.ts");
    expect(tests.filter((name) => !source.includes(`"${name}`))).toEqual([]);
  });
});
