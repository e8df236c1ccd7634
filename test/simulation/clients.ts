import { isRight, right } from "fp-ts/lib/Either.js";
import {
  type JsonObject,
  cleanUpInvites,
  expireInvites,
  invite,
  inviteAll,
  inviteByThreePid,
  inviteByUserId,
  listInvites,
  parseAddressee,
  parseThreepidInvite,
  parseUserId,
  redeemThirdPartySigned,
  revokeInvite,
} from "matrix-third-party-invites";
import { accessTokenOf, sure } from "./identity.js";
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
  const [body, options] = [bodyOf(world, life), stop];
  const requester = { userId };
  const details = chance.happens(0.3) ? { details: { isDirect: true, reason: "because" } } : {};
  if (resend)
    await runFlow(
      world,
      server,
      process,
      "inviteByThreePid",
      (ports) =>
        inviteByThreePid(ports)(
          { roomId, requester, invite: sure(parseThreepidInvite(body)), resend: true, ...details },
          options,
        ),
      { resend: true },
    );
  else if (chance.happens(0.1))
    await runFlow(world, server, process, "inviteAll", (ports) =>
      inviteAll(ports)({ roomId, requester, invites: [body, 7, body] }, options).then((results) => {
        for (const result of results)
          if (!isRight(result)) keepsSecrets(world, "inviteAll", result.left.message);
        return right({ _tag: `${results.length} results` });
      }),
    );
  else
    await runFlow(world, server, process, "invite", (ports) =>
      invite(ports)({ roomId, requester, body }, options),
    );
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
  const which = byAddress
    ? { addressee: sure(parseAddressee(bodyOf(world, life))) }
    : { token: chance.pick(tokens) };
  const userId = byAddress || server === life.server ? inviter : (usersOf(server.name)[0] ?? "");
  void runFlow(world, server, process, "revokeInvite", (ports) =>
    revokeInvite(ports)({ roomId, requester: { userId }, ...which }),
  );
};

export const inviteDirectly = (world: World, { roomId, invitee, inviter, server }: Life): void => {
  const process = livingProcess(server, world.chance);
  if (process === undefined) return;
  const userId = sure(parseUserId(invitee));
  void runFlow(world, server, process, "inviteByUserId", (ports) =>
    inviteByUserId(ports)({
      roomId,
      requester: { userId: inviter },
      invite: { _tag: "ByUserId", userId },
    }),
  );
};

/** The invitee joins with what their client got signed out of the mail. */
export const joinWithProof = (world: World, { roomId, invitee, name }: Life): void => {
  const { identity, ledger, chance } = world;
  const minted = [...ledger.minted.values()].findLast((one) => one.invite === name);
  const server = serverOfUser(world, invitee);
  const process = server === undefined ? undefined : livingProcess(server, chance);
  const thirdPartySigned =
    minted === undefined ? undefined : identity.signWithMailedKey(minted.token, invitee);
  if (server === undefined || process === undefined || thirdPartySigned === undefined) return;
  void runFlow(world, server, process, "redeemThirdPartySigned", (ports) =>
    redeemThirdPartySigned(ports)({ roomId, requester: { userId: invitee }, thirdPartySigned }),
  ).then((result) => {
    if (isRight(result)) void join(world, server, invitee, roomId);
  });
};

export const tidy = (world: World, { roomId, server, inviter }: Life): void => {
  const process = livingProcess(server, world.chance);
  if (process === undefined) return;
  switch (world.chance.below(4)) {
    case 0:
      void runFlow(world, server, process, "listInvites", (ports) =>
        listInvites(ports)({ roomId, requester: { userId: inviter } }),
      );
      return;
    case 1: {
      const olderThanMs = world.chance.pick([20, 200, 4000]) * second;
      void runFlow(world, server, process, "expireInvites", (ports) =>
        expireInvites(ports)({ roomId, olderThanMs }),
      );
      return;
    }
    default:
      void runFlow(world, server, process, "cleanUpInvites", (ports) => cleanUpInvites(ports)({ roomId }));
  }
};
