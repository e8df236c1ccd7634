import type { Either } from "fp-ts/lib/Either.js";
import {
  type FlowName,
  type FlowOptions,
  type Problem,
  type ThirdPartyInvites,
  createThirdPartyInvites,
} from "matrix-third-party-invites";
import type { JsonObject } from "matrix-third-party-invites/ports";
import { ask, bringTo, redeem, redeemedElsewhere } from "../flows/lives.js";
import { type World, type WorldOptions, pend } from "../flows/ports.js";
import { address, alice, anna, bob, idServer, must, room, signedBy } from "../flows/samples.js";

/** One run of a flow, drawn under its heading. */
export interface Run {
  /** The method that is called. */
  readonly flow: FlowName;
  readonly options?: WorldOptions;
  readonly before?: (world: World) => unknown;
  readonly call: (invites: ThirdPartyInvites, options?: FlowOptions) => Promise<Either<Problem, unknown>>;
}

const byAlice = { roomId: room, requester: { userId: alice } };
const byAnna = { roomId: room, requester: { userId: anna } };
const token = "t1";

const zoe = { id_server: idServer, medium: "email", address };

const inviteZoe = (more: { readonly resend?: boolean } = {}): Pick<Run, "flow" | "call"> => ({
  flow: "invite",
  call: (invites, options) =>
    invites.invite({ ...byAlice, body: { ...zoe, id_access_token: "secret-token" }, ...more }, options),
});

/** What an identity server delivers when Anna of our server has bound her address. */
const onBindBody = (sender: string, of = token): JsonObject => {
  const entry = { room_id: room, sender, signed: signedBy(anna, of) };
  return {
    medium: "email",
    address,
    mxid: anna,
    invites: [{ medium: "email", address, mxid: anna, ...entry }],
  };
};

/** Stores that delivery, for an invite of this sender. */
const owe = async (world: World, sender: string, of = token): Promise<void> => {
  world.users.set(anna, {});
  must(await createThirdPartyInvites(world.ports).receiveOnBind({ body: onBindBody(sender, of) }));
};

const delivery: Pick<Run, "flow" | "call"> = {
  flow: "deliverOwed",
  call: (invites, options) => invites.deliverOwed({ limit: 1 }, options),
};

const memberBy = (sender: string, target: string, of = token): JsonObject => ({
  type: "m.room.member",
  room_id: room,
  sender,
  state_key: target,
  content: {
    membership: "invite",
    third_party_invite: { display_name: "z", signed: signedBy(target, of) },
  },
});

export const runs: Readonly<Record<string, Run>> = {
  "Nobody is bound to the address": inviteZoe(),
  "A user is bound to the address": {
    ...inviteZoe(),
    before: (world) => world.bound.set(address, bob),
  },
  "A user is bound to it during the request": {
    ...inviteZoe(),
    before: (world) => world.next.storeInvite.push({ _tag: "AlreadyBound", userId: bob }),
  },
  "The inviter lacks the power": {
    ...inviteZoe(),
    options: { powerLevels: { users: {}, invite: 50 } },
  },
  "The identity server does not answer": {
    ...inviteZoe(),
    before: (world) => world.next.storeInvite.push({ _tag: "Unreachable", sent: true, timedOut: true }),
  },
  "The same invite again": { ...inviteZoe(), before: ask },
  "After a crash between the mail and the event": { ...inviteZoe(), before: bringTo.TokenStored },
  "The room changes during the request": {
    ...inviteZoe(),
    before: (world) => world.next.append.push({ _tag: "Conflict" }),
  },
  "A new mail (resend)": { ...inviteZoe({ resend: true }), before: ask },
  "By user ID": {
    flow: "invite",
    call: (invites, options) => invites.invite({ ...byAlice, body: { user_id: bob } }, options),
  },
  "An identity server delivers a proof": {
    flow: "receiveOnBind",
    options: { resident: false },
    before: (world) => world.users.set(anna, {}),
    call: (invites, options) => invites.receiveOnBind({ body: onBindBody(bob) }, options),
  },
  "The inviter is a user of this server": {
    ...delivery,
    before: async (world) => {
      must(await ask(world));
      await owe(world, alice, "token1");
    },
  },
  "The inviter is a user of another server": {
    ...delivery,
    options: { resident: false },
    before: (world) => {
      world.next.exchange.push({ _tag: "Accepted" });
      return owe(world, bob);
    },
  },
  "The inviter's server cannot be reached": {
    ...delivery,
    before: (world) => {
      pend(world, token, { sender: bob });
      world.next.exchange.push({ _tag: "Unreachable" });
      return owe(world, bob);
    },
  },
  "The inviter's server cannot be reached, and this server is not in the room": {
    ...delivery,
    options: { resident: false },
    before: (world) => {
      world.next.exchange.push({ _tag: "Unreachable" });
      return owe(world, bob);
    },
  },
  "The client sends the proof": {
    flow: "redeemThirdPartySigned",
    before: ask,
    call: (invites, options) =>
      invites.redeemThirdPartySigned(
        { ...byAnna, thirdPartySigned: signedBy(anna, "token1", undefined, { sender: alice }) },
        options,
      ),
  },
  "Another server asks for the exchange": {
    flow: "receiveExchange",
    before: ask,
    call: (invites, options) =>
      invites.receiveExchange(
        { roomId: room, origin: "b.example", body: memberBy(alice, bob, "token1") },
        options,
      ),
  },
  "The inviter's server sends the invite": {
    flow: "receiveInboundInvite",
    options: { resident: false },
    before: (world) => owe(world, bob),
    call: (invites, options) =>
      invites.receiveInboundInvite(
        {
          roomId: room,
          origin: "b.example",
          body: { room_version: "11", event: memberBy(bob, anna), invite_room_state: [] },
        },
        options,
      ),
  },
  "A server joins for the first time": {
    flow: "checkFirstJoin",
    before: (world) => {
      pend(world, token);
      world.put({
        ...memberBy(alice, bob),
        type: "m.room.member",
        key: bob,
        content: redeemedElsewhere(token).content,
      });
    },
    call: (invites, options) =>
      invites.checkFirstJoin({ roomId: room, userId: bob, serverInRoom: false }, options),
  },
  "Another server made the event": {
    flow: "noteRedeemed",
    before: ask,
    call: (invites, options) => invites.noteRedeemed({ roomId: room, event: redeemedElsewhere() }, options),
  },
  "Revoked by its token": {
    flow: "revokeInvite",
    before: ask,
    call: (invites, options) => invites.revokeInvite({ ...byAlice, token: "token1" }, options),
  },
  "Revoked by the address": {
    flow: "revokeInvite",
    before: ask,
    call: (invites, options) => invites.revokeInvite({ ...byAlice, body: zoe }, options),
  },
  "Expired invites": {
    flow: "expireInvites",
    before: async (world) => {
      await ask(world);
      world.now += 1;
    },
    call: (invites, options) => invites.expireInvites({ roomId: room, olderThanMs: 0 }, options),
  },
  "Invites that are over and still in the room": {
    flow: "cleanUpInvites",
    before: async (world) => {
      must(await ask(world));
      await redeem(world);
      world.join(bob);
    },
    call: (invites, options) => invites.cleanUpInvites({ roomId: room }, options),
  },
  "The invites of a room": {
    flow: "listInvites",
    before: ask,
    call: (invites, options) => invites.listInvites(byAlice, options),
  },
  "The invites that an upgrade leaves behind": {
    flow: "invitesLeftBehind",
    before: ask,
    call: (invites, options) => invites.invitesLeftBehind({ roomId: room }, options),
  },
};
