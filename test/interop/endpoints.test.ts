import { canonicalJson } from "matrix-third-party-invites/matrix";
import type { JsonObject } from "matrix-third-party-invites/ports";
import { afterEach, describe, expect, test } from "vitest";
import { clientExchanges } from "../http/captured-exchanges.js";
import { redemptionsOf } from "../scenarios/stage.js";
import { type Replayed, actsOf, openServer } from "./replay.js";
import { type Exchange, made, present, rightOf, transcripts } from "./transcript.js";

/**
 * What two Synapses and a Sydent asked one another, asked of our endpoints over HTTP on loopback. Events are compared
 * by type, room, sender, state key and content; the rest is what each server chooses itself (`made`).
 */
const short = ({ status, body }: Exchange["response"]): readonly unknown[] => [status, body["errcode"]];

const pathsOf = (exchanges: ReturnType<Replayed["asked"]>): readonly string[] =>
  exchanges.map(({ request }) => request.path.replace(/^\/_matrix\/identity\/v2\/|\?.*/g, ""));

const opened: Replayed[] = [];

afterEach(async () => {
  const servers = opened.splice(0);
  await Promise.all(servers.map((server) => server.close()));
  // Whatever the test was: nothing was asked of the identity server that was not asked of the real one.
  expect(servers.flatMap((server) => server.unforeseen())).toEqual([]);
});

describe.each(transcripts)("a real room of version %s, over HTTP", (_version, transcript) => {
  const { users, flows, roomId, server, otherServer, events, event, asked } = transcript;
  const acts = actsOf(transcript);
  const [creation, ...invitations] = acts;
  const onBinds = asked(/\/3pid\/onbind$/);
  const exchange = present(asked(/\/exchange_third_party_invite\//)[0]);

  const onBindOf = (mxid: string): Exchange =>
    present(onBinds.find(({ request }) => request.body["mxid"] === mxid));
  const actWith = (one: Exchange) => present(acts.find(({ traffic }) => traffic.includes(one)));
  const until = (eventId: string | undefined, more = 0): readonly JsonObject[] => {
    const end = events.findIndex((stored) => stored.eventId === eventId);
    if (end === -1) throw new Error("the transcript lacks an event");
    return events.slice(0, end + more).map(({ pdu }) => pdu);
  };
  const open = async (serverName: string, room: readonly JsonObject[] = []): Promise<Replayed> => {
    const homeserver = await openServer(transcript, serverName, room);
    opened.push(homeserver);
    return homeserver;
  };
  const rowsOf = async ({ server: replayed }: Replayed): Promise<readonly unknown[]> =>
    (await redemptionsOf(replayed)).map(({ mxid, state }) => [
      mxid,
      state._tag === "Dead" ? state.reason : state._tag,
    ]);
  /** The captured requests of these that asked whether a key is valid. */
  const validityAsked = (exchanges: ReturnType<Replayed["asked"]>): readonly string[] =>
    exchanges.map(({ request }) => request.path).filter((path) => path.includes("/isvalid?"));

  test("the transcript has all of it", () => {
    expect([invitations.length, onBinds.length, asked(/\/exchange_third_party_invite\//).length]).toEqual([
      9, 3, 1,
    ]);
    expect(acts.filter(({ eventId }) => eventId === undefined).map(({ sender }) => sender)).toEqual([
      users.dave,
      users.eve,
    ]);
  });

  test("invite_3pid of the captured createRoom: the very event of the real server", async () => {
    const { client, sender, before, eventId, traffic } = present(creation);
    const homeserver = await open(server, before);
    homeserver.hear(traffic);
    const invites = client.request.body["invite_3pid"];
    const results = await homeserver.invites.inviteAll({ roomId, requester: { userId: sender }, invites });
    expect(rightOf(results).map(rightOf)).toMatchObject([{ _tag: "ThirdPartyInvite" }]);
    expect(homeserver.appended().map(made)).toEqual([made(event(present(eventId)))]);
  });

  test.each(invitations.map((act) => [act.name, act] as const))("%s", async (_name, act) => {
    const homeserver = await open(server, act.before);
    homeserver.hear(act.traffic);
    const answer = await homeserver.send(act.client, act.sender);
    expect(short(answer)).toEqual(short(act.client.response));
    const appended = homeserver.appended().map(made);
    if (act.eventId === undefined) {
      // Here Synapse looked up, and had a mail sent; who may not invite makes us ask nobody (D-6).
      expect(pathsOf(act.traffic)).toEqual(["lookup", "store-invite"]);
      expect([...appended, ...homeserver.asked()]).toEqual([]);
      return;
    }
    expect(answer.body).toEqual(act.client.response.body);
    expect(appended).toEqual([made(event(act.eventId))]);
    // The same lookup, and the same mail or none.
    const [details, ...others] = homeserver.asked();
    expect(pathsOf([present(details)])).toEqual(["hash_details"]);
    expect(others).toEqual(
      act.traffic.filter(({ request }) => /\/(lookup|store-invite)$/.test(request.path)),
    );
  });

  test("onbind to the inviter's server: the very member event of the real server", async () => {
    const onBind = onBindOf(users.bob);
    const { traffic } = actWith(onBind);
    const homeserver = await open(server, until(flows.local.inviteEventId));
    homeserver.hear(traffic);
    expect(await homeserver.send(onBind)).toMatchObject(onBind.response);
    expect(await rowsOf(homeserver)).toEqual([[users.bob, "Waiting"]]);
    expect(homeserver.asked()).toEqual([]);
    expect(rightOf(await homeserver.invites.deliverOwed())).toMatchObject({ done: 1, nextDueAt: undefined });
    expect(homeserver.appended().map(made)).toEqual([made(event(flows.local.inviteEventId))]);
    expect(homeserver.exchanged()).toEqual([]);
    expect(validityAsked(homeserver.asked())).toEqual(validityAsked(traffic));
  });

  test("onbind to another server: the very exchange that the real one asked for", async () => {
    const onBind = onBindOf(users.carol);
    expect(onBind.to).toBe("hs2");
    const homeserver = await open(otherServer.name);
    expect(await homeserver.send(onBind)).toMatchObject(onBind.response);
    expect(await rowsOf(homeserver)).toEqual([[users.carol, "Waiting"]]);
    expect(rightOf(await homeserver.invites.deliverOwed())).toMatchObject({ done: 1, nextDueAt: undefined });
    expect(homeserver.exchanged()).toMatchObject([
      { destination: server, roomId, body: exchange.request.body },
    ]);
    expect(homeserver.asked()).toEqual([]);
  });

  test("onbind of a revoked invite: taken, and then dead", async () => {
    const onBind = onBindOf(users.eve);
    const homeserver = await open(server, until(flows.revoked.revocationEventId, 1));
    // Synapse tried at once and told the identity server no; ours is told that we have the proof (D-24).
    expect(short(onBind.response)).toEqual([403, "M_FORBIDDEN"]);
    expect(await homeserver.send(onBind)).toEqual({ status: 200, body: {} });
    expect(await rowsOf(homeserver)).toEqual([[users.eve, "Waiting"]]);
    expect(rightOf(await homeserver.invites.deliverOwed())).toMatchObject({ dead: 1, nextDueAt: undefined });
    expect(await rowsOf(homeserver)).toEqual([[users.eve, "InviteRevoked"]]);
    expect([...homeserver.appended(), ...homeserver.asked(), ...homeserver.exchanged()]).toEqual([]);
  });

  test("an onbind that went to the other server leaves nothing with this one", async () => {
    for (const onBind of onBinds) {
      const homeserver = await open(onBind.to === "hs1" ? otherServer.name : server);
      expect((await homeserver.send(onBind)).status).toBe(200);
      expect(await rowsOf(homeserver)).toEqual([]);
    }
  });

  describe("exchange", () => {
    const before = until(flows.remote.inviteEventId);
    const { traffic } = actWith(exchange);

    test("from the captured origin: the very member event of the real server", async () => {
      const homeserver = await open(server, before);
      homeserver.hear(traffic);
      expect(await homeserver.send(exchange, exchange.origin)).toMatchObject(exchange.response);
      // Sent in the very bytes that the other server signed: canonical JSON, in the order of the fixture.
      expect(JSON.stringify(exchange.request.body)).toBe(rightOf(canonicalJson(exchange.request.body)));
      expect(homeserver.appended().map(made)).toEqual([made(event(flows.remote.inviteEventId))]);
      expect(validityAsked(homeserver.asked())).toEqual(validityAsked(traffic));
    });

    test.each([server, "hs3.example"])("from %s: 403, and nothing else", async (origin) => {
      const homeserver = await open(server, before);
      homeserver.hear(traffic);
      expect(short(await homeserver.send(exchange, origin))).toEqual([403, "M_FORBIDDEN"]);
      expect([...homeserver.appended(), ...homeserver.asked()]).toEqual([]);
    });
  });

  test("one server lives through the whole room, and has the events of the real one", async () => {
    const [create, ...later] = events;
    const homeserver = await open(server, [present(create).pdu]);
    const { receive, invites, send } = homeserver;
    // The events that we make ourselves name the URLs that the identity server gave (D-14), and so we ask there.
    const isValid = clientExchanges.filter(({ name }) => name === "pubkey: isvalid-own-key/api/v1");
    const hear = (traffic: readonly Exchange[]): void => {
      homeserver.hear([...traffic, ...isValid]);
    };
    /** What leads to an event, by its ID. */
    const steps = new Map<string | undefined, () => Promise<unknown>>();
    for (const { client, sender, traffic, eventId } of invitations)
      steps.set(eventId, () => {
        hear(traffic);
        return send(client, sender);
      });
    steps.set(present(creation).eventId, () => {
      const { client, sender, traffic } = present(creation);
      hear(traffic);
      const command = { roomId, requester: { userId: sender }, invites: client.request.body["invite_3pid"] };
      return invites.inviteAll(command);
    });
    steps.set(flows.local.inviteEventId, async () => {
      await send(onBindOf(users.bob));
      await invites.deliverOwed();
    });
    steps.set(flows.remote.inviteEventId, () => send(exchange, exchange.origin));
    let own = 0;
    for (const { eventId, pdu } of later) {
      const step = steps.get(eventId);
      if (step === undefined) receive(pdu);
      else own += 1;
      await step?.();
    }
    expect(own).toBe(10);
    expect(homeserver.appended().map(made)).toEqual(later.map(({ pdu }) => made(pdu)));
  });
});
