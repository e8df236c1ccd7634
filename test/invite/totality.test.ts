import fc from "fast-check";
import { type Either, isLeft } from "fp-ts/lib/Either.js";
import { describe, expect, test } from "vitest";
import { admit } from "../../src/invite/admit.js";
import { selectAuthEvents } from "../../src/invite/auth-events.js";
import { authorize } from "../../src/invite/authorize.js";
import { decide } from "../../src/invite/decide.js";
import { checkExchange, decideExchange } from "../../src/invite/exchange.js";
import { firstJoin } from "../../src/invite/first-join.js";
import { parseInviteRequest, parseThreepidInvite } from "../../src/invite/form.js";
import { checkInboundInvite } from "../../src/invite/inbound-invite.js";
import { parseMintedInvite } from "../../src/invite/minted.js";
import { checkOnBind } from "../../src/invite/onbind.js";
import { isRevoked, proveInvite } from "../../src/invite/proof.js";
import { redeem } from "../../src/invite/redeem.js";
import { revoke } from "../../src/invite/revoke.js";
import { parseSigned } from "../../src/invite/signed.js";
import type { EventLike } from "../../src/matrix/event.js";
import { nodeCrypto } from "../../src/node/crypto.js";
import type { Refusal } from "../../src/refusal.js";
import { hostile, inputs, objects } from "../fuzz/hostile.js";
import { hostileRooms } from "../fuzz/rooms.js";
import {
  type Room,
  alice,
  bob,
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
      "parseMintedInvite",
      { token, public_keys: inviteContent["public_keys"], display_name: "x" },
      (value) => parseMintedInvite(value, email(address)),
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
    fc.oneof(inputs(made.redeemed()), inputs(made.minted(alice)), inputs(made.invited(alice)));

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
    const mintedInvite = rightOf(
      parseMintedInvite({ token, public_keys: inviteContent["public_keys"] }, email(address)),
    );
    fc.assert(
      fc.property(hostileRooms, ({ state, redeemed, minted, invited }) => {
        const requester = { userId: alice };
        expectAnswer(admit(state, requester));
        expectAnswer(decide(state, requester, { _tag: "Bound", userId: bob }));
        const supersedes = [mintedInvite.token];
        for (const minted of [mintedInvite, { ...mintedInvite, publicKeys }])
          expectAnswer(decide(state, requester, { _tag: "Unbound", minted, supersedes }));
        expectAnswer(revoke(state, requester, token));
        expectAnswer(redeem(state, proof, nodeCrypto));
        expectAnswer(
          decideExchange(state, { roomId, sender: alice, signed: proof }, "one.example", nodeCrypto),
        );
        expectAnswer(firstJoin(state, bob, nodeCrypto));
        for (const event of [redeemed(), minted(alice), invited(alice)]) {
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
          nodeCrypto,
          room(version).version,
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
        if (!isLeft(parsed)) expectAnswer(redeem(room(version).state, parsed.right, nodeCrypto));
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
    expect(rightOf(redeem(made.state, rightOf(parseSigned(signed)), nodeCrypto))._tag).toBe("Redeem");
    expect(rightOf(decide(made.state, { userId: alice }, { _tag: "Bound", userId: bob }))._tag).toBe(
      "Invite",
    );
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
        const parsed = parseMintedInvite(answer, email(fields.address));
        expectSilent(parsed, local, domain);
        const shown = parseMintedInvite(
          { ...answer, token, public_keys: inviteContent["public_keys"] },
          email(fields.address),
        );
        expect(rightOf(shown).displayName).not.toContain(local);
      }),
      runs,
    );
  });
});
