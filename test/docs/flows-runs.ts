import type { Either } from "fp-ts/lib/Either.js";
import {
  type FlowOptions,
  type JsonObject,
  type Ports,
  type Problem,
  cleanUpInvites,
  deliverOwed,
  expireInvites,
  firstJoinChecks,
  inviteByThreePid,
  inviteByUserId,
  invitesLeftBehind,
  listInvites,
  noteRedeemed,
  receiveExchange,
  receiveInboundInvite,
  receiveOnBind,
  redeemThirdPartySigned,
  revokeInvite,
} from "matrix-third-party-invites";
import { ask, bringTo, redeem, redeemedElsewhere } from "../flows/lives.js";
import { type World, type WorldOptions, pend } from "../flows/ports.js";
import { address, alice, anna, bob, invite, must, room, signedBy } from "../flows/samples.js";

/** One run of a flow, drawn under its heading. */
export interface Run {
  /** The exported function. */
  readonly flow: string;
  readonly options?: WorldOptions;
  readonly before?: (world: World) => unknown;
  readonly call: (ports: Ports, options?: FlowOptions) => Promise<Either<Problem, unknown>>;
}

const byAlice = { roomId: room, requester: { userId: alice } };
const byAnna = { roomId: room, requester: { userId: anna } };
const token = "t1";

const inviteZoe = (more: { readonly resend?: boolean } = {}): Pick<Run, "flow" | "call"> => ({
  flow: "inviteByThreePid",
  call: (ports, options) => inviteByThreePid(ports)({ ...byAlice, invite: invite(), ...more }, options),
});

/** What an identity server hands over when Anna of our server has bound her address. */
const onBindBody = (sender: string): JsonObject => {
  const entry = { room_id: room, sender, signed: signedBy(anna, token) };
  return {
    medium: "email",
    address,
    mxid: anna,
    invites: [{ medium: "email", address, mxid: anna, ...entry }],
  };
};

/** It did, for an invite of this sender. */
const owe = async (world: World, sender: string): Promise<void> => {
  world.users.set(anna, {});
  must(await receiveOnBind(world.ports)(onBindBody(sender)));
};

const delivery: Pick<Run, "flow" | "call"> = {
  flow: "deliverOwed",
  call: (ports, options) => deliverOwed(ports)({ limit: 1 }, options),
};

const memberBy = (sender: string, target: string): JsonObject => ({
  type: "m.room.member",
  room_id: room,
  sender,
  state_key: target,
  content: {
    membership: "invite",
    third_party_invite: { display_name: "z", signed: signedBy(target, token) },
  },
});

export const runs: Readonly<Record<string, Run>> = {
  "Nobody is bound to the address": inviteZoe(),
  "Somebody is bound to it": {
    ...inviteZoe(),
    before: (world) => world.bound.set(address, bob),
  },
  "Somebody is bound to it meanwhile": {
    ...inviteZoe(),
    before: (world) => world.next.storeInvite.push({ _tag: "AlreadyBound", userId: bob }),
  },
  "The inviter lacks the power": {
    ...inviteZoe(),
    options: { powerLevels: { users: {}, invite: 50 } },
  },
  "The identity server's silence": {
    ...inviteZoe(),
    before: (world) => world.next.storeInvite.push({ _tag: "Unreachable", sent: true, timedOut: true }),
  },
  "The same invite again": { ...inviteZoe(), before: ask },
  "After a crash between mail and room": { ...inviteZoe(), before: bringTo.Minted },
  "The room changes meanwhile": {
    ...inviteZoe(),
    before: (world) => world.next.append.push({ _tag: "Conflict" }),
  },
  "A new mail for it (resend)": { ...inviteZoe({ resend: true }), before: ask },
  "By user ID": {
    flow: "inviteByUserId",
    call: (ports, options) =>
      inviteByUserId(ports)({ ...byAlice, invite: { _tag: "ByUserId", userId: bob } }, options),
  },
  "An identity server delivers": {
    flow: "receiveOnBind",
    options: { resident: false },
    before: (world) => world.users.set(anna, {}),
    call: (ports, options) => receiveOnBind(ports)(onBindBody(bob), options),
  },
  "The inviter is ours": {
    ...delivery,
    before: (world) => {
      pend(world, token);
      return owe(world, alice);
    },
  },
  "The inviter is another server's": {
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
  "It cannot be reached, and we are not in the room": {
    ...delivery,
    options: { resident: false },
    before: (world) => {
      world.next.exchange.push({ _tag: "Unreachable" });
      return owe(world, bob);
    },
  },
  "The client holds the proof": {
    flow: "redeemThirdPartySigned",
    before: (world) => {
      pend(world, token);
    },
    call: (ports, options) =>
      redeemThirdPartySigned(ports)(
        {
          ...byAnna,
          thirdPartySigned: signedBy(anna, token, undefined, { sender: alice }),
        },
        options,
      ),
  },
  "Another server asks for the exchange": {
    flow: "receiveExchange",
    before: (world) => {
      pend(world, token);
    },
    call: (ports, options) =>
      receiveExchange(ports)({ roomId: room, origin: "b.example", body: memberBy(alice, bob) }, options),
  },
  "The inviter's server sends the invite": {
    flow: "receiveInboundInvite",
    options: { resident: false },
    before: (world) => owe(world, bob),
    call: (ports, options) =>
      receiveInboundInvite(ports)(
        {
          roomId: room,
          origin: "b.example",
          body: { room_version: "11", event: memberBy(bob, anna), invite_room_state: [] },
        },
        options,
      ),
  },
  "A server joins for the first time": {
    flow: "firstJoinChecks",
    before: (world) => {
      pend(world, token);
      world.put({
        ...memberBy(alice, bob),
        type: "m.room.member",
        key: bob,
        content: redeemedElsewhere(token).content,
      });
    },
    call: (ports, options) =>
      firstJoinChecks(ports)({ roomId: room, userId: bob, serverInRoom: false }, options),
  },
  "Another server made the event": {
    flow: "noteRedeemed",
    before: ask,
    call: (ports, options) => noteRedeemed(ports)({ roomId: room, event: redeemedElsewhere() }, options),
  },
  "Revoked by its token": {
    flow: "revokeInvite",
    before: ask,
    call: (ports, options) => revokeInvite(ports)({ ...byAlice, token: "token1" }, options),
  },
  "Revoked by the address": {
    flow: "revokeInvite",
    before: ask,
    call: (ports, options) => revokeInvite(ports)({ ...byAlice, addressee: invite() }, options),
  },
  "Invites that have waited too long": {
    flow: "expireInvites",
    before: ask,
    call: (ports, options) => expireInvites(ports)({ roomId: room, olderThanMs: -1 }, options),
  },
  "What is over and stands all the same": {
    flow: "cleanUpInvites",
    before: async (world) => {
      must(await ask(world));
      await redeem(world);
      world.join(bob);
    },
    call: (ports, options) => cleanUpInvites(ports)({ roomId: room }, options),
  },
  "Who is invited": {
    flow: "listInvites",
    before: ask,
    call: (ports, options) => listInvites(ports)(byAlice, options),
  },
  "What an upgrade leaves behind": {
    flow: "invitesLeftBehind",
    before: ask,
    call: (ports, options) => invitesLeftBehind(ports)({ roomId: room }, options),
  },
};
