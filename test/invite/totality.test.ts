import fc from "fast-check";
import { type Either, isLeft } from "fp-ts/lib/Either.js";
import { describe, expect, test } from "vitest";
import { admitInviter } from "../../src/invite/admit-inviter.js";
import { admit } from "../../src/invite/admit.js";
import { authorize } from "../../src/invite/authorize.js";
import type { Decision, DecisionOutcome } from "../../src/invite/decision.js";
import { checkExchange, exchange } from "../../src/invite/exchange.js";
import { firstJoin, firstJoinToken } from "../../src/invite/first-join.js";
import { checkInboundInvite } from "../../src/invite/inbound-invite.js";
import type { InviteLife } from "../../src/invite/invite-life.js";
import { inviteThreepid } from "../../src/invite/invite-threepid.js";
import { inviteUser } from "../../src/invite/invite-user.js";
import { emptyUntidy } from "../../src/invite/leftover.js";
import { parseInviteRequest, parseThreepidInvite } from "../../src/invite/parse-invite-request.js";
import { parseStoredInvite } from "../../src/invite/stored-invite.js";
import { checkOnBind } from "../../src/invite/onbind.js";
import { isRevoked, proveInvite } from "../../src/invite/proof.js";
import { redeem } from "../../src/invite/redeem.js";
import { revoke, revokeOwn, revokeRecord } from "../../src/invite/revoke.js";
import { roomInvites } from "../../src/invite/room-invite.js";
import { selectAuthEvents } from "../../src/invite/select-auth-events.js";
import { parseSigned } from "../../src/invite/signed.js";
import { checkThirdPartySigned, parseThirdPartySigned } from "../../src/invite/third-party-signed.js";
import type { EventLike } from "../../src/matrix/event.js";
import type { RoomState } from "../../src/matrix/room-state.js";
import { nodeCrypto } from "../../src/node/crypto.js";
import type { Refusal } from "../../src/refusal.js";
import { hostile, inputs, objects } from "../fuzz/hostile.js";
import { hostileRooms } from "../fuzz/rooms.js";
import { lives, recordOf } from "./records.js";
import {
  type Room,
  alice,
  bob,
  decideOn,
  email,
  inviteContent,
  rightOf,
  room,
  roomVersions,
  signed,
  token,
} from "./room.js";

const expectWellFormed = (refusal: Refusal): void => {
  expect(refusal._tag).toBe("Refusal");
  expect(refusal.code).toMatch(/^[A-Z]\w+$/);
  expect(refusal.message.length).toBeGreaterThan(0);
  expect(refusal.errcode).toMatch(/^M_/);
  expect(refusal.status).toBeGreaterThanOrEqual(400);
  expect(refusal.status).toBeLessThan(500);
};

const expectAnswer = (answer: Either<Refusal, unknown>): void => {
  if (isLeft(answer)) expectWellFormed(answer.left);
};

const address = "zq81k@w7x9.example";
const form = { id_server: "matrix.org", id_access_token: "abc", medium: "email", address };
const { roomId } = room();
const entry = { mxid: bob, room_id: roomId, sender: alice, token, signed };
const runs = { numRuns: 300 };

describe("nothing throws, and every refusal is whole", () => {
  const requests: readonly [string, unknown, (value: unknown) => Either<Refusal, unknown>][] = [
    ["parseInviteRequest", form, parseInviteRequest],
    ["parseInviteRequest, by user ID", { user_id: bob, reason: "x" }, parseInviteRequest],
    ["parseThreepidInvite", form, parseThreepidInvite],
    ["parseSigned", signed, parseSigned],
    [
      "parseThirdPartySigned",
      { ...signed, sender: alice },
      (value) => parseThirdPartySigned(value, { roomId, userId: bob }),
    ],
    [
      "parseStoredInvite",
      { token, public_keys: inviteContent["public_keys"], display_name: "x" },
      (value) => parseStoredInvite(value, email(address)),
    ],
    [
      "checkOnBind",
      { mxid: bob, invites: [entry, entry] },
      (value) => checkOnBind(value, { serverName: "two.example", maxEntries: 100 }),
    ],
    [
      "checkExchange",
      {
        type: "m.room.member",
        room_id: roomId,
        sender: alice,
        state_key: bob,
        content: { membership: "invite", third_party_invite: { signed } },
      },
      (value) => checkExchange(value, { roomId, origin: "two.example" }),
    ],
  ];

  test.each(requests)("%s", (_name, honest, parse) => {
    fc.assert(
      fc.property(inputs(honest), (value) => {
        expectAnswer(parse(value));
      }),
      runs,
    );
  });

  test("checkOnBind: each refused entry", () => {
    fc.assert(
      fc.property(fc.array(inputs(entry), { maxLength: 4 }), (invites) => {
        const checked = rightOf(
          checkOnBind({ mxid: bob, invites }, { serverName: "two.example", maxEntries: 9 }),
        );
        for (const { refusal } of checked.refused) expectWellFormed(refusal);
        const places = [...checked.accepted, ...checked.refused].map(({ index }) => index);
        expect(places.sort()).toEqual(invites.map((_, i) => i));
      }),
      runs,
    );
  });

  test("checkInboundInvite", () => {
    fc.assert(
      fc.property(
        roomVersions.chain((version) => {
          const made = room(version);
          const body = {
            room_version: version,
            event: made.redeemed(),
            invite_room_state: [made.state.get("m.room.create", "")],
          };
          return fc.tuple(fc.constant(made), inputs(body));
        }),
        ([made, body]) => {
          const request = { roomId: made.roomId, origin: "one.example", serverName: "two.example" };
          expectAnswer(checkInboundInvite(body, request, nodeCrypto));
        },
      ),
      runs,
    );
  });

  const events = (made: Room): fc.Arbitrary<unknown> =>
    fc.oneof(inputs(made.redeemed()), inputs(made.thirdPartyInvite(alice)), inputs(made.invited(alice)));

  test("authorize", () => {
    fc.assert(
      fc.property(
        roomVersions.chain((version) => fc.tuple(fc.constant(room(version)), events(room(version)))),
        ([made, event]) => {
          const verdict = authorize(event as EventLike, made.state, nodeCrypto);
          if (verdict._tag === "Reject") expectWellFormed(verdict.refusal);
          else expect(["Allow", "NotOurs", "TooMuchWork"]).toContain(verdict._tag);
        },
      ),
      { numRuns: 600 },
    );
  });

  test("selectAuthEvents", () => {
    fc.assert(
      fc.property(
        roomVersions.chain((version) =>
          fc.tuple(fc.constant(room(version)), objects(room(version).redeemed())),
        ),
        ([made, event]) => {
          const places = selectAuthEvents(event, made.version);
          const names = places.map((place) => JSON.stringify([place.type, place.stateKey]));
          expect(new Set(names).size).toBe(names.length);
          expect(names.length).toBeLessThanOrEqual(10);
        },
      ),
      runs,
    );
  });

  test("any decision on a hostile state", () => {
    const proof = rightOf(parseSigned(signed));
    const publicKeys = [{ publicKey: "x", keyValidityUrl: "https://x" }] as const;
    const honest = rightOf(
      parseStoredInvite({ token, public_keys: inviteContent["public_keys"] }, email(address)),
    );
    const ended: readonly InviteLife[] = [
      { _tag: "Revoked", tokens: [honest.token] },
      { _tag: "Redeemed", by: bob, tokens: [honest.token] },
    ];
    const records = [...Object.values(lives), ...ended].map((life) => recordOf(life));
    const expectDecided = <Command>(
      decision: Decision<Command, DecisionOutcome>,
      state: RoomState,
      command: Command,
    ): void => {
      expectAnswer(decideOn(decision, state, command, { crypto: nodeCrypto }));
    };
    fc.assert(
      fc.property(hostileRooms, ({ state, redeemed, thirdPartyInvite, invited }) => {
        const requester = { userId: alice };
        const delivery = { roomId, sender: alice, signed: proof };
        expectAnswer(admit(state, requester));
        expectDecided(admitInviter, state, requester);
        expectDecided(inviteUser, state, { requester, userId: bob });
        const supersedes = [honest.token];
        for (const storedInvite of [honest, { ...honest, publicKeys }])
          expectDecided(inviteThreepid, state, { requester, storedInvite, supersedes });
        expectDecided(revoke, state, { requester, token });
        expectDecided(revokeOwn, state, { requester, tokens: [token, "other"] });
        for (const record of records) expectDecided(revokeRecord, state, { requester, record });
        const invites = roomInvites(state, [token, "other"], records);
        for (const tidying of [{ _tag: "Leftover" }, { _tag: "Expired", before: 9 }] as const)
          expectDecided(emptyUntidy, state, { requester, invites, tidying });
        expectDecided(redeem, state, { signed: proof, records });
        expectDecided(exchange, state, delivery);
        expectDecided(checkThirdPartySigned, state, delivery);
        expectDecided(firstJoinToken, state, { userId: bob });
        expectDecided(firstJoin, state, { userId: bob, token });
        for (const event of [redeemed(), thirdPartyInvite(alice), invited(alice)]) {
          const verdict = authorize(event, state, nodeCrypto);
          if (verdict._tag === "Reject") expectWellFormed(verdict.refusal);
        }
      }),
      { numRuns: 300 },
    );
  });

  test("proveInvite and isRevoked", () => {
    fc.assert(
      fc.property(roomVersions, objects(signed), objects(inviteContent), (version, value, content) => {
        const proof = proveInvite(
          { crypto: nodeCrypto, version: room(version).version },
          value as typeof signed,
          content as typeof signed,
        );
        expect(["Proven", "NotProven", "SignedTooLarge", "TooMuchWork"]).toContain(proof._tag);
        expect(typeof isRevoked(content as typeof signed)).toBe("boolean");
      }),
      runs,
    );
  });

  test("redeem of any signed that was parsed", () => {
    fc.assert(
      fc.property(roomVersions, inputs(signed), (version, value) => {
        const parsed = parseSigned(value);
        if (!isLeft(parsed))
          expectAnswer(
            decideOn(redeem, room(version).state, { signed: parsed.right }, { crypto: nodeCrypto }),
          );
      }),
      runs,
    );
  });
});

describe("no input is changed", () => {
  test("by any decision on frozen events", () => {
    const freeze = (value: unknown): void => {
      if (typeof value !== "object" || value === null) return;
      Object.freeze(value);
      Object.values(value).forEach(freeze);
    };
    const made = room();
    const event = made.redeemed();
    freeze(event);
    freeze(inviteContent);
    freeze(signed);
    expect(authorize(event, made.state, nodeCrypto)._tag).toBe("Allow");
    const proof = { signed: rightOf(parseSigned(signed)) };
    expect(rightOf(decideOn(redeem, made.state, proof, { crypto: nodeCrypto }))._tag).toBe("Redeem");
    const invite = { requester: { userId: alice }, userId: bob };
    freeze(invite);
    expect(rightOf(decideOn(inviteUser, made.state, invite))._tag).toBe("Invite");
  });
});

describe("no refusal holds the address", () => {
  const part = fc.stringMatching(/^[a-z][0-9]{6}[a-z]{2}$/);
  const addresses = fc
    .tuple(part, part, fc.constantFrom("@", "", "@@", " @", "@\n", "<@", '"@', "mailto:@"))
    .map(([local, domain, joint]) => ({ local, domain, address: `${local}${joint}${domain}.example` }));

  const expectSilent = (answer: Either<Refusal, unknown>, local: string, domain: string): void => {
    if (!isLeft(answer)) return;
    const text = JSON.stringify(answer.left);
    expect(text).not.toContain(local);
    expect(text).not.toContain(domain);
  };

  test("whatever else is wrong with the request", () => {
    fc.assert(
      fc.property(
        addresses,
        fc.constantFrom("email", "msisdn", "x", 7),
        fc.constantFrom("matrix.org", "https://matrix.org", 7),
        fc.constantFrom("abc", "", null),
        fc.boolean(),
        (who, medium, id_server, id_access_token, both) => {
          const body = { id_server, id_access_token, medium, address: who.address };
          expectSilent(parseThreepidInvite(body), who.local, who.domain);
          expectSilent(parseInviteRequest(both ? { ...body, user_id: bob } : body), who.local, who.domain);
        },
      ),
      runs,
    );
  });

  test("nor does one of onbind or of store-invite", () => {
    fc.assert(
      fc.property(part, part, inputs(entry), hostile, (local, domain, value, odd) => {
        const fields = { medium: "email", address: `${local}@${domain}.example` };
        const invites = [{ ...(value as object), ...fields }];
        const checked = checkOnBind(
          { ...fields, mxid: bob, invites },
          { serverName: "two.example", maxEntries: 9 },
        );
        expectSilent(checked, local, domain);
        if (!isLeft(checked))
          for (const { refusal } of checked.right.refused) {
            expect(JSON.stringify(refusal)).not.toContain(local);
          }
        const answer = { token: odd, public_keys: odd, display_name: fields.address };
        const parsed = parseStoredInvite(answer, email(fields.address));
        expectSilent(parsed, local, domain);
        const shown = parseStoredInvite(
          { ...answer, token, public_keys: inviteContent["public_keys"] },
          email(fields.address),
        );
        expect(rightOf(shown).displayName).not.toContain(local);
      }),
      runs,
    );
  });
});
