import { describe, expect } from "vitest";
import { objectsAt, parseJson, textAt } from "../../docs/examples/homeserver/json.js";
import {
  type Stage,
  alice,
  appendTo,
  bob,
  carol,
  dave,
  eventsOn,
  idServer,
  invitesOf,
  membershipOn,
  provenInvitesOn,
  queueOf,
  scenario,
  signersOf,
  una,
  zoe,
} from "./stage.js";

const ok = { status: 200, body: {} };

/** An address that somebody has bound before anybody invites it. */
const known = async (stage: Stage, userId: string, name: string): Promise<string> => {
  const address = stage.addressOf(name);
  await stage.bind(userId, address);
  await stage.deliverOnBind();
  return address;
};

const expectNoMail = ({ requestsTo }: Stage): void => {
  expect(requestsTo(idServer, "/store-invite")).toEqual([]);
};

describe("an address that somebody has bound", () => {
  interface KnownCase {
    readonly name: string;
    readonly inviter: string;
    readonly within: "the room" | "createRoom";
  }

  const cases: readonly KnownCase[] = [
    { name: "1 invite a known address", inviter: alice, within: "the room" },
    { name: "2 the same without operator power in a private room", inviter: carol, within: "the room" },
    { name: "3 the same in createRoom (invite_3pid)", inviter: alice, within: "createRoom" },
  ];

  for (const { name, inviter, within } of cases)
    scenario(name, async (stage) => {
      const address = await known(stage, dave, "dave");
      const isMadeWithIt = within === "createRoom";
      const roomId = await stage.createRoom(
        alice,
        isMadeWithIt ? { invite_3pid: [stage.threepid(inviter, address)] } : {},
      );
      if (inviter !== alice) await stage.bringIn(alice, roomId, inviter);
      if (!isMadeWithIt) expect(await stage.inviteAddress(inviter, roomId, address)).toEqual(ok);

      expectNoMail(stage);
      expect(membershipOn(stage.hs1, roomId, dave)).toBe("invite");
      expect(eventsOn(stage.hs1, roomId, "m.room.third_party_invite")).toEqual([]);
      expect((await stage.join(dave, roomId)).status).toBe(200);
      expect(membershipOn(stage.hs1, roomId, dave)).toBe("join");
    });
});

describe("an address that nobody has bound yet", () => {
  interface UnknownCase {
    readonly name: string;
    readonly inviter: string;
    readonly invitee: string;
    /** Who is in the room already beside Alice and the inviter. */
    readonly present?: string;
    readonly leaves?: boolean;
  }

  const cases: readonly UnknownCase[] = [
    { name: "4 an unknown address", inviter: alice, invitee: dave },
    { name: "5 an unknown address over federation", inviter: alice, invitee: zoe },
    { name: "6 unknown without operator power", inviter: carol, invitee: dave },
    { name: "7 over federation without operator power", inviter: carol, invitee: zoe },
    {
      name: "8 with users of both servers in the room already",
      inviter: alice,
      invitee: zoe,
      present: bob,
    },
    { name: "9 accepted after the inviter left", inviter: carol, invitee: zoe, leaves: true },
  ];

  for (const { name, inviter, invitee, present, leaves } of cases)
    scenario(name, async (stage) => {
      const { hs1, hs2 } = stage;
      const roomId = await stage.createRoom(alice);
      for (const user of [inviter, present])
        if (user !== undefined && user !== alice) await stage.bringIn(alice, roomId, user);
      const address = stage.addressOf("guest");
      expect(await stage.inviteAddress(inviter, roomId, address)).toEqual(ok);
      // Asked again, nobody is mailed again.
      expect(await stage.inviteAddress(inviter, roomId, address)).toEqual(ok);
      expect(stage.invitesMailedTo(address)).toHaveLength(1);
      if (leaves === true)
        await appendTo(hs1, roomId, {
          type: "m.room.member",
          sender: inviter,
          state_key: inviter,
          content: { membership: "leave" },
        });

      await stage.bind(invitee, address);
      await stage.deliverOnBind();
      const home = invitee === zoe ? hs2 : hs1;
      // Made by the exchange, or here.
      expect(await queueOf(home)).toEqual([invitee === zoe ? "Done" : "Redeemed"]);
      expect(stage.requestsTo("hs1.example", "/exchange_third_party_invite/")).toHaveLength(
        home === hs2 ? 1 : 0,
      );
      const [invite, ...more] = provenInvitesOn(hs1, roomId);
      expect(more).toEqual([]);
      expect(invite).toMatchObject({ sender: inviter, state_key: invitee });
      expect(signersOf(invite)).toEqual(home === hs2 ? ["hs1.example", "hs2.example"] : ["hs1.example"]);

      expect((await stage.join(invitee, roomId)).status).toBe(200);
      for (const server of new Set([hs1, home])) expect(membershipOn(server, roomId, invitee)).toBe("join");
    });
});

scenario("10 accepted through /join with third_party_signed", async (stage) => {
  const roomId = await stage.createRoom(alice);
  const address = stage.addressOf("una");
  expect(await stage.inviteAddress(alice, roomId, address)).toEqual(ok);
  const [mail] = stage.invitesMailedTo(address);
  const signed = await stage.identityClient(una, "/sign-ed25519", {
    mxid: una,
    token: mail?.token,
    private_key: mail?.privateKey,
  });
  expect(signed.status).toBe(200);
  // Nobody has bound anything, so without the signature there is no invite.
  expect((await stage.join(una, roomId)).status).toBe(403);

  expect((await stage.join(una, roomId, { third_party_signed: signed.body })).status).toBe(200);
  for (const server of [stage.hs1, stage.hs2]) {
    expect(membershipOn(server, roomId, una)).toBe("join");
    expect(provenInvitesOn(server, roomId)).toHaveLength(1);
  }
  expect(textAt(signed.body, "sender")).toBe(alice);
});

scenario(
  "14 invite level raised above the inviter: refused before the identity server hears of it",
  async (stage) => {
    const roomId = await stage.createRoom(alice);
    await stage.bringIn(alice, roomId, carol);
    expect(await stage.inviteAddress(carol, roomId, stage.addressOf("early"))).toEqual(ok);
    const [levels] = eventsOn(stage.hs1, roomId, "m.room.power_levels");
    await appendTo(stage.hs1, roomId, {
      type: "m.room.power_levels",
      sender: alice,
      state_key: "",
      content: { ...(levels?.["content"] as object), invite: 50 },
    });

    const before = stage.requestsTo(idServer).length;
    const refused = await stage.inviteAddress(carol, roomId, stage.addressOf("late"));
    expect(refused).toMatchObject({ status: 403, body: { errcode: "M_FORBIDDEN" } });
    expect(stage.troubles("hs1.example")).toEqual(["PowerTooLow"]);
    expect(stage.requestsTo(idServer)).toHaveLength(before);
    expect(await stage.inviteAddress(alice, roomId, stage.addressOf("late"))).toEqual(ok);
  },
);

scenario(
  "19 six addresses in createRoom with one bad entry: the room is made, five are invited",
  async (stage) => {
    const bound = [await known(stage, dave, "dave"), await known(stage, bob, "bob")];
    const unbound = ["one", "two", "three"].map(stage.addressOf);
    const entries = [...bound, "no address", ...unbound].map((address) => stage.threepid(alice, address));
    const roomId = await stage.createRoom(alice, { invite_3pid: entries, is_direct: true });

    expect([dave, bob].map((user) => membershipOn(stage.hs1, roomId, user))).toEqual(["invite", "invite"]);
    expect(invitesOf(stage.hs2)).toMatchObject([{ room_id: roomId, user_id: bob }]);
    expect(eventsOn(stage.hs1, roomId, "m.room.third_party_invite")).toHaveLength(3);
    expect(unbound.map((address) => stage.invitesMailedTo(address).length)).toEqual([1, 1, 1]);
    expect(stage.requestsTo(idServer, "/store-invite")).toHaveLength(3);
  },
);

scenario("beyond the list: an invite over federation shows all the stripped state", async (stage) => {
  const roomId = await stage.createRoom(alice);
  const more = ["canonical_alias", "avatar", "encryption", "name", "topic", "history_visibility"];
  for (const type of more)
    await appendTo(stage.hs1, roomId, { type: `m.room.${type}`, sender: alice, state_key: "", content: {} });
  await stage.inviteUser(alice, roomId, zoe);
  const shown = invitesOf(stage.hs2).flatMap((row) => objectsAt(parseJson(String(row["shown"]))));
  expect(shown.map((one) => `${textAt(one, "type")} ${textAt(one, "state_key")}`)).toEqual([
    "m.room.create ",
    "m.room.join_rules ",
    "m.room.canonical_alias ",
    "m.room.avatar ",
    "m.room.encryption ",
    "m.room.name ",
    "m.room.topic ",
    `m.room.member ${alice}`,
  ]);
  expect(shown.at(-1)?.["content"]).toMatchObject({ membership: "join" });
});

describe("beyond the list: the identity server", () => {
  scenario("is down when it is asked, and asked again once it is up", async (stage) => {
    const roomId = await stage.createRoom(alice);
    const address = stage.addressOf("zoe");
    stage.takeDown(idServer);
    const failed = await stage.inviteAddress(alice, roomId, address);
    expect(failed).toMatchObject({ status: 424, body: { errcode: "M_CONNECTION_FAILED" } });
    stage.bringBack(idServer);
    expect(await stage.inviteAddress(alice, roomId, address)).toEqual(ok);
    expect(stage.invitesMailedTo(address)).toHaveLength(1);
  });

  scenario("mails, but its answer is lost: nobody is mailed again", async (stage) => {
    const roomId = await stage.createRoom(alice);
    const address = stage.addressOf("zoe");
    await stage.standIn(idServer, async (request, own) => {
      const response = await own(request);
      return request.url.includes("/store-invite") ? new Response("Bad gateway", { status: 502 }) : response;
    });
    const answers: unknown[] = [];
    for (const later of [0, 0, 61_000]) {
      stage.advance(later);
      answers.push((await stage.inviteAddress(alice, roomId, address)).status);
      stage.bringBack(idServer);
    }
    expect(answers).toEqual([424, 429, 409]);
    expect(stage.troubles("hs1.example")).toEqual([
      "IdentityServerMalformed",
      "InviteInProgress",
      "InviteUnknown",
    ]);
    expect(stage.invitesMailedTo(address)).toHaveLength(1);
    expect(eventsOn(stage.hs1, roomId, "m.room.third_party_invite")).toEqual([]);
  });

  scenario("rotates its pepper between two invites", async (stage) => {
    const roomId = await stage.createRoom(alice);
    const bound = await known(stage, dave, "dave");
    expect(await stage.inviteAddress(alice, roomId, stage.addressOf("zoe"))).toEqual(ok);
    stage.identityServer.rotatePepper();
    expect(await stage.inviteAddress(alice, roomId, bound)).toEqual(ok);
    expect(membershipOn(stage.hs1, roomId, dave)).toBe("invite");
    expect(stage.requestsTo(idServer, "/hash_details")).toHaveLength(2);
  });
});
