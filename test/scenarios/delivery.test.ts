import { domainOf } from "matrix-third-party-invites/matrix";
import type { JsonObject } from "matrix-third-party-invites/ports";
import { describe, expect } from "vitest";
import { listAt } from "../../docs/examples/homeserver/json.js";
import {
  type Stage,
  alice,
  bob,
  deliver,
  giveOnBind,
  idServer,
  membershipOn,
  provenInvitesOn,
  queueOf,
  redemptionsOf,
  sam,
  scenario,
  signersOf,
  zoe,
} from "./stage.js";

const ok = { status: 200, body: {} };
const hs1Name = "hs1.example";

const exchangesWith = ({ requestsTo }: Stage, server: string) =>
  requestsTo(server, "/exchange_third_party_invite/");

const isExchange = ({ url }: Request): boolean => url.includes("/exchange_third_party_invite/");

const no = (status: number, errcode: string): Response =>
  Response.json({ errcode, error: "No." }, { status });

/** Alice's new room, with this address invited into it. */
const roomWithInvite = async (stage: Stage, address: string, present: readonly string[] = []) => {
  const roomId = await stage.createRoom(alice);
  for (const user of present) await stage.bringIn(alice, roomId, user);
  expect(await stage.inviteAddress(alice, roomId, address)).toEqual(ok);
  return roomId;
};

describe("15 the invitee's server resident in the room, the inviter's server", () => {
  const resident = async (stage: Stage) => {
    const address = stage.addressOf("zoe");
    return { address, roomId: await roomWithInvite(stage, address, [bob]) };
  };

  scenario("a) up: it makes the invite", async (stage) => {
    const { address, roomId } = await resident(stage);
    await stage.bind(zoe, address);
    await stage.deliverOnBind();
    expect(exchangesWith(stage, hs1Name).map(({ status }) => status)).toEqual([200]);
    for (const server of [stage.hs1, stage.hs2])
      expect(provenInvitesOn(server, roomId).map(signersOf)).toEqual([[hs1Name, "hs2.example"]]);
  });

  const madeByInvitees = async (stage: Stage) => {
    const { address, roomId } = await resident(stage);
    stage.takeDown(hs1Name);
    await stage.bind(zoe, address);
    await stage.deliverOnBind();
    expect(exchangesWith(stage, hs1Name).map(({ status }) => status)).toEqual([0]);
    // The one that makes the invite asks whether the key is valid.
    expect(stage.requestsTo(idServer, "/isvalid").at(-1)).toMatchObject({ from: "hs2.example" });
    expect(await queueOf(stage.hs2)).toEqual(["Redeemed"]);
    const [invite] = provenInvitesOn(stage.hs2, roomId);
    expect(invite).toMatchObject({ sender: alice, state_key: zoe });
    expect(signersOf(invite)).toEqual(["hs2.example"]);
    expect((await stage.join(zoe, roomId)).status).toBe(200);
    expect(membershipOn(stage.hs2, roomId, zoe)).toBe("join");
    return roomId;
  };

  scenario("b) down for a while and then up: it takes what was made without it", async (stage) => {
    const roomId = await madeByInvitees(stage);
    expect(provenInvitesOn(stage.hs1, roomId)).toEqual([]);
    stage.bringBack(hs1Name);
    stage.hs2.outgoing.heardFrom(hs1Name);
    await stage.hs2.settled();
    expect(provenInvitesOn(stage.hs1, roomId)).toEqual(provenInvitesOn(stage.hs2, roomId));
    expect(membershipOn(stage.hs1, roomId, zoe)).toBe("join");
    await deliver(stage.hs2);
    expect(exchangesWith(stage, hs1Name)).toHaveLength(1);
  });

  scenario("c) gone for good: the invitee's server makes the invite itself", async (stage) => {
    await madeByInvitees(stage);
  });
});

scenario("16 an onbind with another user's entries mixed in: their own alone are taken", async (stage) => {
  const addresses = [stage.addressOf("zoe"), stage.addressOf("bob")] as const;
  const rooms = [
    await roomWithInvite(stage, addresses[0]),
    await roomWithInvite(stage, addresses[1]),
  ] as const;
  const own = await stage.bind(zoe, addresses[0]);
  const others = await stage.bind(bob, addresses[1]);
  const mixed = { ...(own as JsonObject), invites: [own, others].flatMap((one) => listAt(one, "invites")) };
  expect(mixed.invites).toHaveLength(2);

  expect(await giveOnBind(stage, stage.hs2, "POST", mixed)).toBe(200);
  await stage.hs2.settled();
  expect(membershipOn(stage.hs1, rooms[0], zoe)).toBe("invite");
  expect(rooms.map((roomId) => provenInvitesOn(stage.hs1, roomId).length)).toEqual([1, 0]);
  expect(new Set((await redemptionsOf(stage.hs2)).map(({ mxid }) => mxid))).toEqual(new Set([zoe]));
  // What was passed over is not lost where it comes as its own user's.
  await stage.deliverOnBind();
  expect(membershipOn(stage.hs1, rooms[1], bob)).toBe("invite");
  expect(rooms.map((roomId) => provenInvitesOn(stage.hs1, roomId).length)).toEqual([1, 1]);
});

scenario("17 the same onbind delivered twice: one event", async (stage) => {
  const address = stage.addressOf("zoe");
  const roomId = await roomWithInvite(stage, address);
  const body = await stage.bind(zoe, address);
  // At once, and again when all is done.
  const both = (["POST", "PUT"] as const).map((method) => giveOnBind(stage, stage.hs2, method, body));
  expect(await Promise.all(both)).toEqual([200, 200]);
  await stage.hs2.settled();
  await stage.deliverOnBind();
  expect(stage.requestsTo("hs2.example", "/3pid/onbind").map(({ status }) => status)).toEqual([
    200, 200, 200,
  ]);
  expect(exchangesWith(stage, hs1Name)).toHaveLength(1);
  expect(await queueOf(stage.hs2)).toEqual(["Done"]);
  expect(provenInvitesOn(stage.hs1, roomId)).toHaveLength(1);
});

scenario("18 batch good + revoked + unreachable: done, dead, queued, answered 200", async (stage) => {
  const hs3 = await stage.addHomeserver("hs3.example");
  const address = stage.addressOf("zoe");
  const good = await roomWithInvite(stage, address);
  const revoked = await roomWithInvite(stage, address);
  const unreachable = await stage.createRoom(sam);
  expect(await stage.inviteAddress(sam, unreachable, address)).toEqual(ok);
  const token = stage.invitesMailedTo(address).find((mail) => mail.roomId === revoked)?.token ?? "";
  const path = `/rooms/${encodeURIComponent(revoked)}/state/m.room.third_party_invite/${token}`;
  expect((await stage.client(alice, "PUT", path, {})).status).toBe(200);
  stage.takeDown(domainOf(sam));

  await stage.bind(zoe, address);
  await stage.deliverOnBind();
  expect(stage.requestsTo("hs2.example", "/3pid/onbind").map(({ status }) => status)).toEqual([200]);
  const stateOf = async (roomId: string) =>
    (await redemptionsOf(stage.hs2)).find((row) => row.roomId === roomId)?.state;
  expect(await Promise.all([good, revoked, unreachable].map(stateOf))).toMatchObject([
    { _tag: "Done" },
    { _tag: "Waiting", last: { reason: "ExchangeRefused" } },
    { _tag: "Waiting" },
  ]);
  expect(stage.troubles(hs1Name)).toEqual(["InviteRevoked"]);

  stage.bringBack(domainOf(sam));
  // What was refused is asked once more, an hour later.
  stage.advance(3_600_000);
  await deliver(stage.hs2);
  expect([...(await queueOf(stage.hs2))].sort()).toEqual(["Done", "Done", "ExchangeRefused"]);
  expect(await stateOf(unreachable)).toMatchObject({ _tag: "Done" });
  expect(membershipOn(hs3, unreachable, zoe)).toBe("invite");
});

describe("20 inviter's server answers the exchange with", () => {
  interface AnsweredCase {
    readonly status: number;
    readonly errcode: string;
    /** What hs2 says of it, and what its queue keeps: at once, when hs1 is well again, or if it never is. */
    readonly trouble: string;
    readonly atOnce: string;
    readonly whenWell: string;
    readonly atLast: string;
  }

  const cases: readonly AnsweredCase[] = [
    {
      status: 500,
      errcode: "M_UNKNOWN",
      trouble: "ExchangeUnreachable",
      atOnce: "Waiting",
      whenWell: "Done",
      atLast: "Expired: ExchangeUnreachable",
    },
    {
      status: 403,
      errcode: "M_FORBIDDEN",
      trouble: "ExchangeRefused",
      // It must be said twice, an hour apart.
      atOnce: "Waiting",
      whenWell: "Done",
      atLast: "ExchangeRefused",
    },
  ];
  const halfDay = 12 * 3_600_000;
  const fortnight = 15 * 24 * 3_600_000;

  const answered = async (stage: Stage, { status, errcode, trouble, atOnce }: AnsweredCase) => {
    const address = stage.addressOf("zoe");
    const roomId = await roomWithInvite(stage, address);
    await stage.standIn(hs1Name, (request, own) =>
      isExchange(request) ? Promise.resolve(no(status, errcode)) : own(request),
    );
    await stage.bind(zoe, address);
    await stage.deliverOnBind();
    expect(stage.troubles("hs2.example")).toEqual([trouble]);
    expect(await queueOf(stage.hs2)).toEqual([atOnce]);
    expect((await stage.join(zoe, roomId)).status).toBe(403);
    return roomId;
  };

  for (const present of [[], [bob]])
    scenario(
      `500 although it has made the invite, the invitee's server ${present.length === 0 ? "outside" : "in the room"}`,
      async (stage) => {
        const address = stage.addressOf("zoe");
        const roomId = await roomWithInvite(stage, address, present);
        await stage.standIn(hs1Name, async (request, own) => {
          const response = await own(request);
          return isExchange(request) ? no(500, "M_UNKNOWN") : response;
        });
        await stage.bind(zoe, address);
        await stage.deliverOnBind();
        // The invite has come meanwhile, and is looked after later: it might never have been appended.
        expect(await queueOf(stage.hs2)).toEqual([present.length === 0 ? "Waiting" : "Redeemed"]);
        stage.bringBack(hs1Name);
        stage.advance(5 * 60_000);
        await deliver(stage.hs2);
        expect(await queueOf(stage.hs2)).toEqual([present.length === 0 ? "Done" : "Redeemed"]);
        expect(exchangesWith(stage, hs1Name)).toHaveLength(present.length === 0 ? 2 : 1);
        expect((await stage.join(zoe, roomId)).status).toBe(200);
        for (const server of [stage.hs1, stage.hs2]) expect(provenInvitesOn(server, roomId)).toHaveLength(1);
      },
    );

  for (const one of cases) {
    scenario(`${one.status}, until it is well again`, async (stage) => {
      const roomId = await answered(stage, one);
      stage.bringBack(hs1Name);
      stage.advance(3_600_000);
      await deliver(stage.hs2);
      expect(await queueOf(stage.hs2)).toEqual([one.whenWell]);
      expect(provenInvitesOn(stage.hs1, roomId)).toHaveLength(one.whenWell === "Done" ? 1 : 0);
    });

    scenario(`${one.status}, for ever: the reason is kept`, async (stage) => {
      const roomId = await answered(stage, one);
      // A time in which nobody looks does not count: that is also what a clock that leaps shows.
      for (let time = 0; time <= fortnight; time += halfDay) {
        stage.advance(halfDay);
        await deliver(stage.hs2);
      }
      expect(await queueOf(stage.hs2)).toEqual([one.atLast]);
      // What is over stays so.
      stage.bringBack(hs1Name);
      await deliver(stage.hs2);
      expect(provenInvitesOn(stage.hs1, roomId)).toEqual([]);
    });
  }
});
