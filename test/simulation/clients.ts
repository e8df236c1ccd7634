import { isRight, map } from "fp-ts/lib/Either.js";
import type { InviteResult } from "matrix-third-party-invites";
import type { JsonObject } from "matrix-third-party-invites/ports";
import { accessTokenOf } from "./identity.js";
import { type Life, hangsUp } from "./life.js";
import { join } from "./members.js";
import { serverOfUser } from "./onbind-delivery.js";
import { runFlow } from "./run-flow.js";
import { keepsSecrets } from "./secrecy.js";
import { livingProcess } from "./server.js";
import { usersOf } from "./setup.js";
import type { World } from "./world.js";

const second = 1000;

/** A body of `POST /invite`; clients spell an address as they like. */
const bodyOf = (world: World, { threepid, inviter }: Life): JsonObject => {
  const { address } = threepid;
  return {
    id_server: world.identity.name,
    id_access_token: accessTokenOf(inviter),
    medium: "email",
    address: world.chance.pick([address, address, address.toUpperCase(), ` ${address} `.trim()]),
  };
};

/** A client's request for the invite: once more, or with a new mail. It may hang up. */
export const requestInvite = async (world: World, life: Life, resend: boolean): Promise<void> => {
  const { chance } = world;
  const { roomId, inviter: userId, server } = life;
  const process = livingProcess(server, chance);
  if (process === undefined) return;
  const stop = hangsUp(world);
  const body = bodyOf(world, life);
  const details = chance.happens(0.3) ? { details: { isDirect: true, reason: "because" } } : {};
  const command = { roomId, requester: { userId }, ...details };
  const ended = maySoonAskAgain(world, life);
  if (resend)
    await runFlow(
      world,
      server,
      process,
      "invite",
      (invites) => invites.invite({ ...command, body, resend }, stop),
      { resend },
    );
  else if (chance.happens(0.1))
    await runFlow(world, server, process, "inviteAll", (invites) =>
      invites
        .inviteAll({ ...command, invites: [body, 7, body] }, stop)
        .then(map((results) => noted(world, results))),
    );
  else
    await runFlow(world, server, process, "invite", (invites) => invites.invite({ ...command, body }, stop));
  ended();
};

/** Somebody who has no answer for seconds may want another mail; they no longer do when this is called. */
const maySoonAskAgain = (world: World, life: Life): (() => void) => {
  const { chance, faults, scheduler } = world;
  let isWaiting = faults.active && chance.happens(0.5);
  if (isWaiting)
    scheduler.after(second + chance.below(10 * second), () => {
      if (isWaiting) void requestInvite(world, life, true);
    });
  return () => {
    isWaiting = false;
  };
};

/** The results of a list, for the trace; none of them may give anything away. */
const noted = (world: World, results: readonly InviteResult[]): { readonly _tag: string } => {
  for (const result of results) if (!isRight(result)) keepsSecrets(world, "inviteAll", result.left.message);
  return { _tag: `${results.length} results` };
};

export const revoke = (world: World, life: Life): void => {
  const { chance, ledger } = world;
  const { roomId, inviter } = life;
  const byAddress = chance.happens(0.5);
  const tokens = ledger.appended.get(life.name) ?? [];
  const other = chance.pick([...world.servers.values()]);
  const server = byAddress ? life.server : other;
  const process = livingProcess(server, chance);
  if (process === undefined || (!byAddress && tokens.length === 0)) return;
  const which = byAddress ? { body: bodyOf(world, life) } : { token: chance.pick(tokens) };
  const userId = byAddress || server === life.server ? inviter : (usersOf(server.name)[0] ?? "");
  void runFlow(world, server, process, "revokeInvite", (invites) =>
    invites.revokeInvite({ roomId, requester: { userId }, ...which }),
  );
};

export const inviteDirectly = (world: World, { roomId, invitee, inviter, server }: Life): void => {
  const process = livingProcess(server, world.chance);
  if (process === undefined) return;
  void runFlow(world, server, process, "invite", (invites) =>
    invites.invite({ roomId, requester: { userId: inviter }, body: { user_id: invitee } }),
  );
};

/** The invitee joins with what their client got signed out of the mail. */
export const joinWithProof = (world: World, { roomId, invitee, name }: Life): void => {
  const { identity, ledger, chance } = world;
  const given = [...ledger.given.values()].findLast((one) => one.invite === name);
  const server = serverOfUser(world, invitee);
  const process = server === undefined ? undefined : livingProcess(server, chance);
  const thirdPartySigned = given === undefined ? undefined : identity.signWithMailedKey(given.token, invitee);
  if (server === undefined || process === undefined || thirdPartySigned === undefined) return;
  void runFlow(world, server, process, "redeemThirdPartySigned", (invites) =>
    invites.redeemThirdPartySigned({ roomId, requester: { userId: invitee }, thirdPartySigned }),
  ).then((result) => {
    if (isRight(result)) void join(world, server, invitee, roomId);
  });
};

export const tidy = (world: World, { roomId, server, inviter }: Life): void => {
  const process = livingProcess(server, world.chance);
  if (process === undefined) return;
  switch (world.chance.below(4)) {
    case 0:
      void runFlow(world, server, process, "listInvites", (invites) =>
        invites.listInvites({ roomId, requester: { userId: inviter } }),
      );
      return;
    case 1: {
      const olderThanMs = world.chance.pick([20, 200, 4000]) * second;
      void runFlow(world, server, process, "expireInvites", (invites) =>
        invites.expireInvites({ roomId, olderThanMs }),
      );
      return;
    }
    default:
      void runFlow(world, server, process, "cleanUpInvites", (invites) => invites.cleanUpInvites({ roomId }));
  }
};
