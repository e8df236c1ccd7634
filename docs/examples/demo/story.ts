import { strict as assert } from "node:assert";
import { randomBytes } from "node:crypto";
import { exchangeBody, parseSigned } from "matrix-third-party-invites/decisions";
import { parseRoomId, parseUserId, signJson } from "matrix-third-party-invites/matrix";
import type { JsonObject, RoomId } from "matrix-third-party-invites/ports";
import { nodeSigningKey } from "matrix-third-party-invites/node";
import { at, textAt } from "../homeserver/json.js";
import type { Answer } from "../homeserver/federation-client.js";
import type { EventLine, RequestLine } from "./transcript.js";
import { type World, alice, bob, carol, idKeyId, idServer, una, yan, zoe } from "./world.js";

interface Since {
  readonly requests: readonly RequestLine[];
  readonly events: readonly EventLine[];
}

/** What has happened since this was called. */
const fiveMinutes = 300_000;

const watch = ({ transcript }: World): (() => Since) => {
  const [requests, events] = [transcript.requests.length, transcript.events.length];
  return () => ({
    requests: transcript.requests.slice(requests),
    events: transcript.events.slice(events),
  });
};

const find = ({ requests }: Since, from: string, path: string): RequestLine => {
  const found = requests.find((request) => request.from === from && request.path.includes(path));
  assert.ok(found, `${from} should have sent a request to …${path}…`);
  return found;
};

const asked = ({ requests }: Since, path: string): boolean =>
  requests.some((request) => request.path.includes(path));

/** The only event that a server has appended since. */
const appended = ({ events }: Since, server: string): JsonObject => {
  const own = events.filter((event) => event.server === server);
  assert.equal(own.length, 1, `${server} should have appended exactly one event`);
  return own[0]?.pdu ?? {};
};

const expectStatus = ({ status, body }: Answer, expected: number, what: string): void => {
  assert.equal(status, expected, `${what} should be answered ${expected}: ${JSON.stringify(body)}`);
};

/** All steps in a new room of one version, each version with addresses of its own. */
export const tellStory = async (world: World, roomVersion: string): Promise<RoomId> => {
  const { hs1, hs2, client, identityClient, transcript, identityServer } = world;
  const addressOf = (name: string): string => `${name}+${roomVersion}@mail.example`;
  const step = <T>(name: string, run: () => Promise<T>): Promise<T> =>
    transcript.step(name, roomVersion, run);

  const byEmail = (sender: string, address: string): JsonObject => ({
    id_server: idServer,
    id_access_token: identityServer.account(sender),
    medium: "email",
    address,
  });

  const roomId = await step(
    "0. Alice makes a room, invites Una's address with it, and Carol joins",
    async () => {
      const created = await client(alice, "POST", "/createRoom", {
        room_version: roomVersion,
        power_level_content_override: { invite: 50 },
        invite_3pid: [byEmail(alice, addressOf("una"))],
      });
      expectStatus(created, 200, "The room");
      const made = parseRoomId(at(created.body, "room_id"));
      assert.ok(made._tag === "Right", "The room should have an ID");
      const path = `/rooms/${encodeURIComponent(made.right)}`;
      expectStatus(await client(alice, "POST", `${path}/invite`, { user_id: carol }), 200, "The invite");
      expectStatus(await client(carol, "POST", `${path}/join`, {}), 200, "The join");
      return made.right;
    },
  );

  const room = `/rooms/${encodeURIComponent(roomId)}`;
  const inviteByEmail = (sender: string, address: string): Promise<Answer> =>
    client(sender, "POST", `${room}/invite`, byEmail(sender, address));
  const pendingToken = (address: string): string => {
    const [mail] = world.invitesMailedTo(address);
    assert.ok(mail, "The invitee should have had a mail");
    return mail.token;
  };
  const membershipOn = (server: typeof hs1, userId: string): string =>
    server.store.membership(roomId, userId);

  await step("1. Alice invites an address that nobody has bound", async () => {
    const since = watch(world);
    expectStatus(await inviteByEmail(alice, addressOf("zoe")), 200, "The invite");
    const paths = since().requests.map(({ path }) => path.split("/").at(-1));
    // What hash_details said for Una's invite is still known.
    assert.deepEqual(paths, ["invite", "lookup", "store-invite"]);
    const event = appended(since(), hs1.name);
    assert.equal(event["type"], "m.room.third_party_invite");
    assert.equal(event["state_key"], pendingToken(addressOf("zoe")));
    assert.ok(!JSON.stringify(event).includes(addressOf("zoe")), "No event may hold the address");
  });

  await step("1a. Alice asks again: no second mail goes out", async () => {
    const since = watch(world);
    expectStatus(await inviteByEmail(alice, addressOf("zoe")), 200, "The second invite");
    assert.ok(!asked(since(), "/store-invite"), "The identity server should not be asked for another mail");
    assert.equal(since().events.length, 0, "No event should be appended");
    assert.equal(world.invitesMailedTo(addressOf("zoe")).length, 1, "One mail should have gone out");
  });

  await step("2. Zoe binds the address to her account on hs2, and is invited", async () => {
    // A server remembers for five minutes that a key is valid.
    world.network.aheadMs += fiveMinutes;
    const since = watch(world);
    await world.bind(zoe, addressOf("zoe"));
    await world.deliverOnBind();
    find(since(), idServer, "/3pid/onbind");
    const exchange = find(since(), hs2.name, "/exchange_third_party_invite/");
    find(since(), hs1.name, "/pubkey/isvalid");
    const invite = find(since(), hs1.name, "/federation/v2/invite/");
    assert.equal(exchange.status, 200, "hs1 should accept the exchange");
    assert.ok(
      exchange.began < invite.began && invite.ended < exchange.ended,
      "hs1's /invite should come and be answered while hs2 still waits for its exchange",
    );
    const event = appended(since(), hs1.name);
    assert.equal(textAt(event, "content", "membership"), "invite");
    assert.equal(
      textAt(event, "content", "third_party_invite", "signed", "token"),
      pendingToken(addressOf("zoe")),
    );
    for (const server of [hs1, hs2])
      assert.ok(at(event, "signatures", server.name), `${server.name} should have signed the member event`);
    transcript.note("hs1's /invite came and was answered while hs2 still waited for its exchange");
  });

  await step("2a. The same delivery comes again, by PUT: nothing happens twice", async () => {
    const delivered = transcript.requests.findLast(({ path }) => path.endsWith("/3pid/onbind"));
    const since = watch(world);
    const again = await world.network.as(idServer)(`https://${hs2.name}/_matrix/federation/v1/3pid/onbind`, {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(delivered?.body),
    });
    assert.equal(again.status, 200);
    await hs2.settled();
    assert.equal(since().requests.length, 1, "hs2 should ask nobody");
  });

  await step("3. Zoe joins: the first of hs2, so hs1 asks whether the key is still valid", async () => {
    world.network.aheadMs += fiveMinutes;
    const since = watch(world);
    expectStatus(await client(zoe, "POST", `${room}/join`, {}), 200, "The join");
    find(since(), hs1.name, "/pubkey/isvalid");
    assert.equal(membershipOn(hs1, zoe), "join");
    assert.equal(membershipOn(hs2, zoe), "join");
  });

  await step("4. Alice invites an address that is Bob's: an ordinary invite", async () => {
    identityServer.bindDirectly({ medium: "email", address: addressOf("bob") }, bob);
    await world.deliverOnBind();
    const since = watch(world);
    expectStatus(await inviteByEmail(alice, addressOf("bob")), 200, "The invite");
    assert.ok(!asked(since(), "/store-invite"), "Nobody should be mailed");
    const event = appended(since(), hs1.name);
    assert.equal(event["state_key"], bob);
    assert.equal(at(event, "content", "third_party_invite"), undefined);
    assert.equal(membershipOn(hs2, bob), "invite", "hs2 should have taken the event from /send");
  });

  await step("5. Carol may not invite: refused before the identity server hears of it", async () => {
    const since = watch(world);
    expectStatus(await inviteByEmail(carol, addressOf("xena")), 403, "Carol's invite");
    assert.ok(!since().requests.some(({ to }) => to === idServer), "The identity server must not be asked");
    assert.equal(world.invitesMailedTo(addressOf("xena")).length, 0, "No mail must go out");
    assert.equal(since().events.length, 0, "No event should be appended");
  });

  const sender = parseUserId(alice);
  assert.ok(sender._tag === "Right");
  /** hs2 asks hs1 for an invite with whatever proof. */
  const exchangeWith = (proof: unknown): Promise<Answer> => {
    const signed = parseSigned(proof);
    assert.ok(signed._tag === "Right", "The proof should have the form of one");
    const path = `/_matrix/federation/v1/exchange_third_party_invite/${encodeURIComponent(roomId)}`;
    const body = exchangeBody({ roomId, sender: sender.right, signed: signed.right });
    return hs2.ask(hs1.name, "PUT", path, body);
  };

  await step("6. hs2 sends a proof that a wrong key has signed: refused", async () => {
    expectStatus(await inviteByEmail(alice, addressOf("yan")), 200, "The invite");
    const since = watch(world);
    const wrongKey = nodeSigningKey(idKeyId, randomBytes(32));
    const forged = signJson({ mxid: yan, token: pendingToken(addressOf("yan")) }, idServer, wrongKey);
    assert.ok(forged._tag === "Right");
    const answer = await exchangeWith(forged.right);
    expectStatus(answer, 403, "The forged proof");
    assert.equal(textAt(answer.body, "errcode"), "M_FORBIDDEN");
    assert.equal(since().events.length, 0, "No event should be appended");
  });

  await step("7. Alice revokes that invite: the true proof comes too late", async () => {
    const token = pendingToken(addressOf("yan"));
    const path = `${room}/state/m.room.third_party_invite/${encodeURIComponent(token)}`;
    expectStatus(await client(alice, "PUT", path, {}), 200, "The revocation");
    const since = watch(world);
    await world.bind(yan, addressOf("yan"));
    await world.deliverOnBind();
    const given = await hs2.ports.redemptions.list({ lane: "dead", limit: 100 }, {});
    const owed = given.map(({ value }) => value).find((redemption) => redemption.token === token);
    assert.ok(owed?.state._tag === "Dead", "hs2 should have taken the proof, and given it up");
    assert.equal(owed.state.reason, "InviteRevoked", "hs2 should say why");
    transcript.note("hs2, which is in the room, sees the revocation itself; now it asks hs1 all the same");
    expectStatus(await exchangeWith(owed.state.signed), 403, "The revoked invite");
    assert.equal(since().events.length, 0, "No event should be appended");
  });

  await step(
    "8. Una accepts the first invite with the private key from her mail, and binds nothing",
    async () => {
      const [mail] = world.invitesMailedTo(addressOf("una"));
      assert.ok(mail, "Una should have had a mail");
      const signed = await identityClient(una, "/sign-ed25519", {
        mxid: una,
        token: mail.token,
        private_key: mail.privateKey,
      });
      expectStatus(signed, 200, "The signature");
      const since = watch(world);
      expectStatus(
        await client(una, "POST", `${room}/join`, { third_party_signed: signed.body }),
        200,
        "The join",
      );
      find(since(), hs1.name, "/pubkey/ephemeral/isvalid");
      assert.equal(membershipOn(hs1, una), "join");
      assert.equal(membershipOn(hs2, una), "join");
    },
  );

  return roomId;
};
