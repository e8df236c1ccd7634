import type { Committed, FlowResult, InviteCommand, InviteOutcome } from "matrix-third-party-invites";
import { isRevoked } from "matrix-third-party-invites/decisions";
import { isJsonObject } from "matrix-third-party-invites/matrix";
import type { InviteLife, InviteRecord } from "matrix-third-party-invites/ports";
import type { World } from "./ports.js";
import { addressee, alice, anna, bob, invite, must, room, signedBy } from "./samples.js";

export const day = 24 * 3_600_000;

/** Alice invites Zoë by her address. */
export const ask = (world: World, more: Partial<InviteCommand> = {}): FlowResult<Committed<InviteOutcome>> =>
  world.invites.invite({ roomId: room, requester: { userId: alice }, body: invite(), ...more });

export const theRecord = (world: World): InviteRecord => {
  const [stored] = world.records.values();
  if (stored === undefined) throw new Error("Nothing is stored.");
  return stored.value;
};

export const lifeOf = (world: World): InviteLife["_tag"] => theRecord(world).life._tag;

/** The tokens whose events are in the room and are not empty. */
export const pendingTokens = (world: World): readonly string[] =>
  [...(world.rooms.get(room)?.state.values() ?? [])].flatMap(({ event }) =>
    event.type === "m.room.third_party_invite" &&
    typeof event.state_key === "string" &&
    isJsonObject(event.content) &&
    !isRevoked(event.content)
      ? [event.state_key]
      : [],
  );

/** Passes the calls of one port to somebody else, once. */
export const once = (
  world: World,
  name: string,
  instead: (perform: () => unknown) => unknown,
  nth = 1,
): void => {
  let calls = 0;
  world.intercept = (call, perform) => {
    if (call.name !== name) return perform();
    calls += 1;
    if (calls < nth) return perform();
    world.intercept = undefined;
    return instead(perform);
  };
};

export const down = (): Promise<never> => Promise.reject(new Error("The port is down."));

/** Lets `meanwhile` happen while a port is asked: before it does anything, or when it has and its answer is on its way. */
export const during = (
  world: World,
  name: string,
  when: "before" | "after",
  meanwhile: () => Promise<unknown>,
  nth = 1,
): void => {
  once(
    world,
    name,
    async (perform) => {
      if (when === "before") {
        await meanwhile();
        return perform();
      }
      const answer = await perform();
      await meanwhile();
      return answer;
    },
    nth,
  );
};

/** The event of another server that redeems an invite. */
export const redeemedElsewhere = (token = "token1", by: string = bob, sender: string = alice) => ({
  type: "m.room.member",
  room_id: room,
  sender,
  state_key: by,
  content: {
    membership: "invite",
    third_party_invite: { display_name: "zo...", signed: signedBy(by, token) },
  },
});

/** Zoë, who is Bob, is invited by the proof; his server has made the event. */
export const redeem = async (world: World, token = "token1"): Promise<boolean> => {
  const event = redeemedElsewhere(token);
  world.put({ ...event, key: bob });
  return must(await world.invites.noteRedeemed({ roomId: room, event }));
};

export const revokeToken = (world: World, token = "token1", userId: string = alice) =>
  world.invites.revokeInvite({ roomId: room, requester: { userId }, token });

export const revokeZoe = (world: World, userId: string = alice, body: unknown = addressee()) =>
  world.invites.revokeInvite({ roomId: room, requester: { userId }, body });

export const expireAll = (world: World) => {
  world.now += 1;
  return world.invites.expireInvites({ roomId: room, olderThanMs: 0 });
};

const lose = (world: World): void => {
  world.next.storeInvite.push({ _tag: "Unreachable", sent: true, timedOut: true });
};

/** Brings Alice's invite for Zoë to each place in its life. */
export const bringTo = {
  Intended: async (world) => {
    // Nothing was sent: the record goes back to what it was before it was asked for.
    world.next.storeInvite.push({ _tag: "RateLimited" });
    await ask(world);
  },
  Asked: async (world) => {
    lose(world);
    await ask(world);
  },
  "Asked for a resend": async (world) => {
    must(await ask(world));
    lose(world);
    await ask(world, { resend: true });
  },
  TokenStored: async (world) => {
    world.next.append.push({ _tag: "Unavailable" });
    await ask(world);
  },
  "TokenStored, its note lost": async (world) => {
    once(world, "invites.replace", down, 2);
    must(await ask(world));
  },
  Pending: async (world) => {
    must(await ask(world));
  },
  Redeemed: async (world) => {
    must(await ask(world));
    await redeem(world);
  },
  Revoked: async (world) => {
    must(await ask(world));
    must(await revokeToken(world));
  },
  Expired: async (world) => {
    must(await ask(world));
    must(await expireAll(world));
  },
} as const satisfies Record<string, (world: World) => Promise<void>>;

/** A process asks for the invite and is killed once its event is in the room; `meanwhile` happened before that. */
export const dieAfterAppend = (world: World, meanwhile: () => Promise<unknown>): Promise<void> =>
  new Promise((resolve, reject) => {
    once(world, "events.append", async (perform) => {
      await meanwhile().catch(reject);
      await perform();
      resolve();
      return new Promise(() => undefined);
    });
    void ask(world);
  });

/** A resend overtook a slow append, whose process died before it could empty its own late event again: both are pending. */
export const bringLate = (world: World): Promise<void> =>
  dieAfterAppend(world, async () => {
    must(await ask(world, { resend: true }));
  });

export type Place = keyof typeof bringTo;

/** Anna of our server is joined, and may invite as well. */
export const bothMayInvite = { powerLevels: { users: { [alice]: 100, [anna]: 50 }, invite: 50 } } as const;
