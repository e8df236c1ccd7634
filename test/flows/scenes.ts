import type { Either } from "fp-ts/lib/Either.js";
import type { FlowName, Problem, ThirdPartyInvites } from "matrix-third-party-invites";
import {
  type StoredInvite,
  addressHash,
  inviteKey,
  parseStoredInvite,
} from "matrix-third-party-invites/decisions";
import type { InviteLife, RedemptionId } from "matrix-third-party-invites/ports";
import { nodeCrypto } from "matrix-third-party-invites/node";
import { redeemedElsewhere } from "./lives.js";
import { type World, owe, pend, storedAnswer } from "./ports.js";
import {
  address,
  addressee,
  alice,
  anna,
  bob,
  idServer,
  invite,
  must,
  room,
  signedBy,
  threepid,
} from "./samples.js";

const onBindBody = {
  mxid: anna,
  invites: [{ mxid: anna, room_id: room, sender: bob, signed: signedBy(anna, "t1") }],
};

/** A flow, in a room and with answers in which it asks all its ports. */
export interface Scene {
  /** The method, and which of its cases. */
  readonly name: FlowName | `${FlowName}, ${string}`;
  readonly prepare: (world: World) => unknown;
  readonly start: (invites: ThirdPartyInvites) => Promise<Either<Problem, unknown>>;
}

const requester = { userId: alice };

/** Alice's invite of Zoë, as it is stored where addresses are. */
const keep = (
  world: World,
  lifeWith: (token: StoredInvite["token"], storedInvite: StoredInvite) => InviteLife,
): void => {
  const zoe = threepid("email", address);
  const of = { roomId: room, sender: alice, idServer, threepid: zoe };
  const key = inviteKey(nodeCrypto, world.ports.config.addressKey, of);
  const storedInvite = must(parseStoredInvite(storedAnswer("t1"), zoe));
  const life = lifeWith(storedInvite.token, storedInvite);
  world.records.set(key, {
    mark: "0",
    value: {
      ...of,
      key,
      addressHash: addressHash(nodeCrypto, world.ports.config.addressKey, zoe),
      createdAt: 0,
      details: {},
      life,
    },
  });
  pend(world, "t1");
};

export const keepPending = (world: World): void => {
  keep(world, (_, storedInvite) => ({ _tag: "Pending", storedInvite, askedAt: 0, earlierTokens: [] }));
};

const keepRedeemed = (world: World): void => {
  keep(world, (token) => ({ _tag: "Redeemed", by: bob, tokens: [token] }));
};

/** Anna is owed an invite by Bob for each of these tokens. */
const oweAll = (world: World, ...tokens: readonly string[]): void => {
  for (const token of tokens) void owe(world, { token, owedAt: 0 });
  world.now = 1;
};

/** Every flow but `inviteAll`, which makes several of them. */
export const scenes: readonly Scene[] = [
  {
    name: "invite, nobody bound",
    prepare: () => undefined,
    start: (invites) => invites.invite({ roomId: room, requester, body: invite() }),
  },
  {
    name: "invite, somebody bound",
    prepare: (world) => world.bound.set(address, bob),
    start: (invites) => invites.invite({ roomId: room, requester, body: invite() }),
  },
  {
    name: "invite, bound meanwhile",
    prepare: (world) => world.next.storeInvite.push({ _tag: "AlreadyBound", userId: bob }),
    start: (invites) => invites.invite({ roomId: room, requester, body: invite() }),
  },
  {
    name: "invite, by user ID",
    prepare: () => undefined,
    start: (invites) => invites.invite({ roomId: room, requester, body: { user_id: bob } }),
  },
  {
    name: "receiveOnBind",
    prepare: (world) => world.users.set(anna, {}),
    start: (invites) => invites.receiveOnBind({ body: onBindBody }),
  },
  {
    name: "receiveExchange",
    prepare: (world) => {
      pend(world, "t1");
    },
    start: (invites) =>
      invites.receiveExchange({
        roomId: room,
        origin: "b.example",
        body: {
          type: "m.room.member",
          room_id: room,
          sender: alice,
          state_key: bob,
          content: { membership: "invite", third_party_invite: { signed: signedBy(bob, "t1") } },
        },
      }),
  },
  {
    name: "redeemThirdPartySigned",
    prepare: (world) => {
      pend(world, "t1", { sender: bob });
    },
    start: (invites) =>
      invites.redeemThirdPartySigned({
        roomId: room,
        requester: { userId: anna },
        thirdPartySigned: signedBy(anna, "t1", undefined, { sender: bob }),
      }),
  },
  {
    name: "checkFirstJoin",
    prepare: (world) => {
      pend(world, "t1");
      world.put({
        type: "m.room.member",
        key: bob,
        content: { membership: "invite", third_party_invite: { signed: signedBy(bob, "t1") } },
      });
    },
    start: (invites) => invites.checkFirstJoin({ roomId: room, userId: bob, serverInRoom: false }),
  },
  {
    name: "receiveInboundInvite",
    prepare: (world) => world.users.set(anna, {}),
    start: (invites) =>
      invites.receiveInboundInvite({
        roomId: room,
        origin: "b.example",
        body: {
          room_version: "11",
          event: {
            type: "m.room.member",
            room_id: room,
            sender: bob,
            state_key: anna,
            content: { membership: "invite", third_party_invite: { signed: signedBy(anna, "t1") } },
          },
        },
      }),
  },
  {
    name: "revokeInvite",
    prepare: (world) => {
      pend(world, "t1");
    },
    start: (invites) => invites.revokeInvite({ roomId: room, requester, token: "t1" }),
  },
  {
    name: "revokeInvite, by address",
    prepare: keepPending,
    start: (invites) => invites.revokeInvite({ roomId: room, requester, body: addressee() }),
  },
  {
    name: "revokeInvite, by address, redeemed",
    prepare: keepRedeemed,
    start: (invites) => invites.revokeInvite({ roomId: room, requester, body: addressee() }),
  },
  {
    name: "listInvites",
    prepare: keepRedeemed,
    start: (invites) => invites.listInvites({ roomId: room, requester }),
  },
  {
    name: "invitesLeftBehind",
    prepare: keepPending,
    start: (invites) => invites.invitesLeftBehind({ roomId: room }),
  },
  {
    name: "cleanUpInvites",
    prepare: keepRedeemed,
    start: (invites) => invites.cleanUpInvites({ roomId: room }),
  },
  {
    name: "expireInvites",
    prepare: keepPending,
    start: (invites) => invites.expireInvites({ roomId: room, olderThanMs: 1 }),
  },
  {
    name: "noteRedeemed",
    prepare: keepPending,
    start: (invites) => invites.noteRedeemed({ roomId: room, event: redeemedElsewhere("t1") }),
  },
  {
    name: "deliverOwed",
    prepare: (world) => {
      pend(world, "t1", { sender: bob });
      oweAll(world, "t1");
    },
    start: (invites) => invites.deliverOwed(),
  },
  {
    name: "findInvites",
    prepare: keepPending,
    start: (invites) => invites.findInvites({ by: { sender: alice } }),
  },
  {
    name: "revokeAllInvites",
    prepare: keepPending,
    start: (invites) => invites.revokeAllInvites({ by: { sender: alice } }),
  },
  {
    name: "isInvited",
    prepare: keepPending,
    start: (invites) => invites.isInvited({ medium: "email", address }),
  },
  {
    name: "eraseAddress",
    prepare: keepPending,
    start: (invites) => invites.eraseAddress({ medium: "email", address }),
  },
  {
    name: "listRedemptions",
    prepare: (world) => {
      oweAll(world, "t1");
    },
    start: (invites) => invites.listRedemptions({ lane: "unvouched" }),
  },
  {
    name: "retryRedemption",
    prepare: async (world) => {
      const dead = {
        _tag: "Dead",
        isVouched: false,
        endedAt: 0,
        reason: "r",
        status: 403,
        errcode: "e",
      } as const;
      const state = { ...dead, signed: signedBy(anna, "t1") };
      await world.ports.redemptions.put(
        [
          {
            id: "dead" as RedemptionId,
            roomId: room,
            token: "t1",
            mxid: anna,
            sender: bob,
            owedAt: 0,
            state,
          },
        ],
        {},
      );
    },
    start: (invites) => invites.retryRedemption({ id: "dead" }),
  },
  {
    name: "measureQueue",
    prepare: (world) => {
      oweAll(world, "t1");
    },
    start: (invites) => invites.measureQueue(),
  },
  {
    name: "checkAddressKey",
    prepare: () => undefined,
    start: (invites) => invites.checkAddressKey(),
  },
  {
    name: "deliverOwed, several that cannot be delivered",
    prepare: (world) => {
      world.rooms.delete(room);
      oweAll(world, "t1", "t2", "t3");
    },
    start: (invites) => invites.deliverOwed(),
  },
];
