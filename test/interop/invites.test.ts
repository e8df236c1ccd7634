import { isLeft } from "fp-ts/lib/Either.js";
import {
  type DecisionContext,
  type Delivery,
  type ExchangeRequest,
  type RedeemOutcome,
  type Signed,
  applyDecision,
  checkExchange,
  checkInboundInvite,
  checkOnBind,
  exchange as exchangeDecision,
  exchangeBody,
  firstJoin,
  firstJoinToken,
  inviteThreepid,
  inviteUser,
  parseInviteRequest,
  parseStoredInvite,
  parseSigned,
  redeem,
  revoke,
  validityRequestUrl,
} from "matrix-third-party-invites/decisions";
import { type RoomState, checkPdu } from "matrix-third-party-invites/judge";
import { lookupHash, parseThreepid, parseUserId, verifyPdu } from "matrix-third-party-invites/matrix";
import type { JsonObject, UserId } from "matrix-third-party-invites/ports";
import { nodeCrypto } from "matrix-third-party-invites/node";
import { portableCrypto } from "matrix-third-party-invites/portable";
import { describe, expect, test } from "vitest";
import { type Exchange, leftOf, made, present, rightOf, transcripts } from "./transcript.js";

/** This server never made the top-level URL up; real ones do, out of the identity server's name. */
const withoutUrl = (event: JsonObject): JsonObject => {
  const { key_validity_url: _, ...content } = event["content"] as JsonObject;
  return { ...event, content };
};

const eventOf = (outcome: RedeemOutcome): unknown =>
  outcome._tag === "Redeem" ? outcome.events[0] : outcome._tag;

const user = (text: string): UserId => rightOf(parseUserId(text));

const isInvite = ({ name = "" }: Exchange): boolean => / invite(?: by|$)/.test(name);

describe.each(transcripts)("a real room of version %s", (_version, transcript) => {
  const { users, flows, roomId, server, otherServer, event, stateBefore, asked } = transcript;
  const stored = asked(/\/store-invite$/);
  const lookups = asked(/\/v2\/lookup$/);
  const onbinds = asked(/\/3pid\/onbind$/);
  const exchanges = asked(/\/exchange_third_party_invite\//);
  const inbound = asked(/\/v2\/invite\//);
  const serverAt = ({ to }: Exchange): string => (to === "hs2" ? otherServer.name : server);
  const context: DecisionContext = { crypto: nodeCrypto, serverName: server };
  const redeemed = (state: RoomState, signed: Signed, crypto = nodeCrypto) =>
    applyDecision(redeem, state, { signed }, { ...context, crypto });

  test("the transcript has all of it", () => {
    expect([stored, lookups, onbinds, exchanges, inbound].map((list) => list.length)).toEqual([
      9, 10, 3, 1, 1,
    ]);
    expect(transcript.clientExchanges.filter(isInvite).length).toBe(9);
  });

  test("every body that a client sent is understood, and hashed as the real server did", () => {
    const hashes = lookups.map(({ request }) => (request.body["addresses"] as readonly string[])[0]);
    const pepper = String(present(lookups[0]).request.body["pepper"]);
    const invites = transcript.clientExchanges.filter(isInvite).map(({ request }) => request.body);
    const created = present(transcript.clientExchanges.find(({ name }) => name === "createRoom"));
    for (const body of [...invites, ...(created.request.body["invite_3pid"] as readonly JsonObject[])]) {
      const invite = rightOf(parseInviteRequest(body));
      if (invite._tag !== "ByThreepid") throw new Error("by third-party identifier, all of them");
      expect(invite.idServer).toBe(transcript.identityServer.name);
      expect(invite.threepid).toEqual({ medium: "email", address: body["address"] });
      expect(hashes).toContain(lookupHash(nodeCrypto, invite.threepid, pepper));
    }
  });

  describe("store-invite answers", () => {
    test.each(stored.map((exchange) => [String(exchange.request.body["address"]), exchange] as const))(
      "%s: decided as the real server did",
      (_address, { request, response }) => {
        const threepid = rightOf(parseThreepid(request.body["medium"], request.body["address"]));
        const storedInvite = rightOf(parseStoredInvite(response.body, threepid));
        expect(storedInvite.displayName).toBe(response.body["display_name"]);
        const real = transcript.events.find(({ pdu }) => pdu["state_key"] === storedInvite.token);
        const sender = user(String(request.body["sender"]));
        const decided = applyDecision(
          inviteThreepid,
          stateBefore(real?.eventId),
          { requester: { userId: sender }, storedInvite },
          context,
        );
        if (real === undefined)
          // The real server asked before it looked whether they may.
          expect(leftOf(decided)).toMatchObject({ errcode: "M_FORBIDDEN", status: 403 });
        else
          expect(rightOf(decided).events.map((one) => withoutUrl({ ...one }))).toEqual([
            withoutUrl(made(real.pdu)),
          ]);
      },
    );
  });

  test("bound: the plain member invite of the real server", () => {
    const { inviteEventId } = flows.bound;
    const { mappings } = present(
      lookups.find(({ response }) => Object.keys(response.body["mappings"] as JsonObject).length > 0),
    ).response.body as { readonly mappings: Readonly<Record<string, string>> };
    const userId = user(present(Object.values(mappings)[0]));
    expect(userId).toBe(users.bob);
    const displayname = String((event(inviteEventId)["content"] as JsonObject)["displayname"]);
    const outcome = rightOf(
      applyDecision(
        inviteUser,
        stateBefore(inviteEventId),
        { requester: { userId: user(users.alice) }, userId, profile: { displayname } },
        context,
      ),
    );
    expect(outcome.events).toEqual([made(event(inviteEventId))]);
  });

  describe("onbind", () => {
    const accepted = (exchange: Exchange): Delivery => {
      const limits = { serverName: serverAt(exchange), maxEntries: 10 };
      const checked = rightOf(checkOnBind(exchange.request.body, limits));
      expect(checked.refused).toEqual([]);
      expect(checked.accepted).toHaveLength(1);
      return present(checked.accepted[0]);
    };
    const deliveryTo = (mxid: string): Delivery =>
      accepted(present(onbinds.find(({ request }) => request.body["mxid"] === mxid)));

    test("every captured body is accepted by the server it went to", () => {
      for (const exchange of onbinds) expect(accepted(exchange).roomId).toBe(roomId);
    });

    test("and by no other", () => {
      for (const { request } of onbinds) {
        const checked = rightOf(checkOnBind(request.body, { serverName: "other.example", maxEntries: 10 }));
        expect(checked.accepted).toEqual([]);
      }
    });

    test("local: the very member event of the real server", () => {
      const { inviteEventId } = flows.local;
      const { signed } = deliveryTo(users.bob);
      for (const engine of [nodeCrypto, portableCrypto])
        expect(eventOf(rightOf(redeemed(stateBefore(inviteEventId), signed, engine)))).toEqual(
          made(event(inviteEventId)),
        );
    });

    test("local: delivered again, nothing more is made", () => {
      const { signed } = deliveryTo(users.bob);
      const { inviteEventId } = flows.local;
      const index = transcript.events.findIndex(({ eventId }) => eventId === inviteEventId);
      const next = present(transcript.events[index + 1]).eventId;
      expect(rightOf(redeemed(stateBefore(next), signed))._tag).toBe("AlreadyInvited");
      const joinEventId = present(flows.local.joinEventId);
      const afterJoin = transcript.events.findIndex(({ eventId }) => eventId === joinEventId) + 1;
      const state = stateBefore(present(transcript.events[afterJoin]).eventId);
      expect(rightOf(redeemed(state, signed))._tag).toBe("AlreadyJoined");
    });

    test("revoked: refused with 403, as the real server did", () => {
      const delivery = present(onbinds.find(({ response }) => response.status === 403));
      expect(delivery.request.body["mxid"]).toBe(users.eve);
      const revoked = present(flows.revoked.revocationEventId);
      const after = transcript.events.findIndex(({ eventId }) => eventId === revoked) + 1;
      const state = stateBefore(present(transcript.events[after]).eventId);
      expect(leftOf(redeemed(state, accepted(delivery).signed))).toMatchObject({
        code: "InviteRevoked",
        errcode: "M_FORBIDDEN",
        status: 403,
      });
      // Before it was revoked it would have been redeemed.
      expect(rightOf(redeemed(stateBefore(revoked), accepted(delivery).signed))._tag).toBe("Redeem");
    });

    test("the URL to ask after the key is one that the real server asked", () => {
      const outcome = rightOf(redeemed(stateBefore(flows.local.inviteEventId), deliveryTo(users.bob).signed));
      const keys = outcome._tag === "Redeem" ? outcome.keys : [];
      const urls = keys.map(({ publicKey, validity }) =>
        validity._tag === "Ask" ? validityRequestUrl(validity.url, publicKey) : validity._tag,
      );
      const real = asked(/isvalid/).map(
        ({ request }) => `https://${transcript.identityServer.name}${request.path}`,
      );
      expect(urls.filter((url) => real.includes(url))).not.toEqual([]);
    });
  });

  describe("exchange", () => {
    const checked = (exchange: Exchange): ExchangeRequest =>
      rightOf(checkExchange(exchange.request.body, { roomId, origin: present(exchange.origin) }));
    const decideOn = (state: RoomState, request: ExchangeRequest) =>
      applyDecision(exchangeDecision, state, request, context);

    test("remote: the captured body leads to the very member event of the real server", () => {
      const { inviteEventId } = flows.remote;
      for (const exchange of exchanges) {
        expect(exchange.response.status).toBe(200);
        expect(eventOf(rightOf(decideOn(stateBefore(inviteEventId), checked(exchange))))).toEqual(
          made(event(inviteEventId)),
        );
      }
    });

    test("remote: what we would have sent is what the real server sent", () => {
      for (const exchange of exchanges)
        expect(exchangeBody(checked(exchange))).toEqual(exchange.request.body);
    });

    test("only from the user's own server", () => {
      for (const { request } of exchanges)
        expect(leftOf(checkExchange(request.body, { roomId, origin: server })).code).toBe("OriginMismatch");
    });
  });

  test("third_party_signed: the very member event of the real server", () => {
    const join = present(transcript.clientExchanges.find(({ name }) => name === "signed: join"));
    const signed = rightOf(parseSigned(join.request.body["third_party_signed"]));
    const real = present(
      transcript.events.find(
        ({ pdu }) =>
          pdu["state_key"] === users.dave && (pdu["content"] as JsonObject)["membership"] === "invite",
      ),
    );
    expect(eventOf(rightOf(redeemed(stateBefore(real.eventId), signed)))).toEqual(made(real.pdu));
  });

  describe("refused as the real server did", () => {
    const refused = transcript.clientExchanges.filter((one) => isInvite(one) && one.response.status === 403);

    test.each(refused.map((one) => [one.name ?? "", one] as const))("%s", (name, { response }) => {
      const [userId, code] = name.includes("dave")
        ? [users.dave, "PowerTooLow"]
        : [users.eve, "SenderNotJoined"];
      const decided = applyDecision(
        inviteUser,
        stateBefore(),
        { requester: { userId: user(userId) }, userId: user(users.bob) },
        context,
      );
      expect(isLeft(decided)).toBe(true);
      expect(leftOf(decided)).toMatchObject({
        code,
        errcode: response.body["errcode"],
        status: response.status,
      });
    });

    test("both were captured", () => {
      expect(refused).toHaveLength(2);
    });
  });

  test("revoke: the very event of the real server", () => {
    const { token } = flows.revoked;
    const revoked = present(flows.revoked.revocationEventId);
    const command = { requester: { userId: user(users.alice) }, token };
    const outcome = rightOf(applyDecision(revoke, stateBefore(revoked), command, context));
    expect(outcome._tag).toBe("Revoke");
    expect(outcome.events).toEqual([made(event(revoked))]);
    expect(rightOf(applyDecision(revoke, stateBefore(), command, context))._tag).toBe("AlreadyRevoked");
  });

  test("federated invite: the captured body passes, and comes back with both servers' signatures", () => {
    for (const exchange of inbound) {
      const request = { roomId, origin: present(exchange.origin), serverName: serverAt(exchange) };
      expect(rightOf(checkInboundInvite(exchange.request.body, request, nodeCrypto))).toMatchObject({
        roomId,
        sender: users.alice,
        target: users.carol,
        token: flows.remote.token,
        strippedState: (exchange.request.body["invite_room_state"] as readonly JsonObject[]).map(
          ({ type, state_key, sender, content }) => ({ type, state_key, sender, content }),
        ),
      });
      const signed = exchange.response.body["event"] as JsonObject;
      for (const entity of [server, otherServer.name]) {
        const [keyId = ""] = Object.keys((signed["signatures"] as Record<string, JsonObject>)[entity] ?? {});
        const by = { entity, keyId, publicKey: transcript.serverKey(entity, keyId) };
        expect(verifyPdu(nodeCrypto, signed, transcript.version, by)._tag).toBe("Right");
      }
    }
  });

  test("every captured event is one that checkPdu takes", () => {
    const keyOf = (name: string, keyId: string) => ({ publicKey: transcript.serverKey(name, keyId) });
    const now = Date.UTC(2026, 10, 23);
    const received = inbound.flatMap(({ request, response }) => [
      request.body["event"],
      response.body["event"],
    ]);
    for (const pdu of [...transcript.events.map((one) => one.pdu), ...(received as readonly JsonObject[])])
      expect(checkPdu(nodeCrypto, pdu, transcript.version, { keyOf, now })).toMatchObject({
        _tag: "Right",
        right: { hashMatches: true },
      });
  });

  test("first join: the key that signed the remote invite is to be asked after", () => {
    const joinEventId = present(flows.remote.joinEventId);
    const [state, userId] = [stateBefore(joinEventId), user(users.carol)];
    const found = rightOf(applyDecision(firstJoinToken, state, { userId }, context));
    const { token } = flows.remote;
    expect(found).toMatchObject({ _tag: "CheckToken", token });
    const owed = rightOf(applyDecision(firstJoin, state, { userId, token }, context));
    expect(owed._tag === "CheckKeys" ? owed.keys.length : 0).toBeGreaterThan(0);
  });
});
