import { isJsonObject, signJson, domainOf } from "matrix-third-party-invites/matrix";
import type { JsonObject, RoomId } from "matrix-third-party-invites/ports";
import { judgeExchangeRefusal } from "./dead-checks.js";
import { pooledKey } from "./keys.js";
import { sendForged } from "./onbind-delivery.js";
import { runFlow } from "./run-flow.js";
import { livingProcess } from "./server.js";
import { ghostOf, usersOf } from "./setup.js";
import type { Life } from "./life.js";
import type { World } from "./world.js";

const mallory = "mallory.example";

/** A proof as somebody makes it who has not got the key, or has got another's. */
const someSigned = (world: World, mxid: string, token: string): JsonObject => {
  const { chance, identity } = world;
  const genuine = identity.signWithMailedKey(token, mxid);
  const forged = signJson({ mxid, token }, identity.name, pooledKey(0));
  const bare: JsonObject = { mxid, token, signatures: { [identity.name]: { "ed25519:0": "AAAA" } } };
  return chance.pick([
    genuine ?? bare,
    forged._tag === "Right" ? forged.right : bare,
    bare,
    { ...genuine, mxid: chance.pick([mxid, ghostOf(domainOf(mxid))]), token },
    { ...bare, signatures: manySignatures() },
  ]);
};

const manySignatures = (): JsonObject =>
  Object.fromEntries(
    Array.from({ length: 40 }, (_, number) => [
      `s${number}.example`,
      { "ed25519:1": `${"A".repeat(80)}${String(number).padStart(2, "0")}AAAA` },
    ]),
  );

interface Aim {
  readonly roomId: RoomId;
  readonly token: string;
  readonly sender: string;
  /** Whose name stands on it, and whose proof it is. */
  readonly mxid: string;
  readonly proofOf: string;
}

/** An onbind that no identity server sent: nothing authenticates one. */
const forgeOnbind = (world: World, { roomId, token, sender, mxid, proofOf }: Aim): void => {
  const { chance } = world;
  const server = world.servers.get(domainOf(mxid));
  if (server === undefined) return;
  const signed = someSigned(world, proofOf, token);
  const entry = { medium: "email", address: "nobody", room_id: roomId, sender, mxid, signed };
  const invites: unknown = chance.pick<unknown>([
    [entry],
    [entry, entry, 7, { ...entry, sender: `@evil:${mallory}` }],
    [
      { ...entry, mxid: proofOf },
      { ...entry, room_id: "!other:hs1.example" },
    ],
    "none",
    undefined,
  ]);
  sendForged(world, server, chance.pick<unknown>([{ mxid, invites }, { mxid, invites }, { mxid: 7 }, []]));
};

/** Another server's exchange request, in which anything may be wrong. */
const forgeExchange = (world: World, { roomId, token, sender, mxid, proofOf }: Aim): void => {
  const { chance } = world;
  const server = chance.pick([...world.servers.values()]);
  const process = livingProcess(server, chance);
  if (process === undefined) return;
  const signed = someSigned(world, proofOf, token);
  const body = {
    type: "m.room.member",
    room_id: roomId,
    sender: chance.pick([sender, sender, `@evil:${mallory}`]),
    state_key: chance.pick([proofOf, proofOf, mxid]),
    content: { membership: "invite", third_party_invite: { signed } },
  };
  const origin = chance.pick([domainOf(proofOf), domainOf(proofOf), mallory]);
  void runFlow(world, server, process, "receiveExchange", (invites, flow) =>
    invites.receiveExchange({ roomId, origin, body }).then((ended) => {
      if (isJsonObject(signed)) judgeExchangeRefusal(world, flow, { roomId, origin, body }, ended);
      return ended;
    }),
  );
};

/** An `/invite` from a server that has no business with the room. */
const forgeInvite = (world: World, { roomId, token, sender, mxid, proofOf }: Aim): void => {
  const { chance } = world;
  const server = world.servers.get(domainOf(mxid));
  const process = server === undefined ? undefined : livingProcess(server, chance);
  const version = world.rooms.get(roomId)?.version.id;
  if (server === undefined || process === undefined) return;
  const event = {
    type: "m.room.member",
    room_id: roomId,
    sender: chance.pick([sender, `@evil:${mallory}`]),
    state_key: mxid,
    content: { membership: "invite", third_party_invite: { signed: someSigned(world, proofOf, token) } },
  };
  const body = { event, room_version: version, invite_room_state: [] };
  void runFlow(world, server, process, "receiveInboundInvite", (invites) =>
    invites.receiveInboundInvite({ roomId, origin: mallory, body }),
  );
};

/** A user of ours tries a proof that is not theirs. */
const forgeJoin = (world: World, { roomId, token, mxid, proofOf }: Aim): void => {
  const server = world.servers.get(domainOf(mxid));
  const process = server === undefined ? undefined : livingProcess(server, world.chance);
  if (server === undefined || process === undefined) return;
  const thirdPartySigned = someSigned(world, proofOf, token);
  void runFlow(world, server, process, "redeemThirdPartySigned", (invites) =>
    invites.redeemThirdPartySigned({ roomId, requester: { userId: mxid }, thirdPartySigned }),
  );
};

/** A stranger, or a member who means ill, tries something with a token; tokens stand in the room for all to see. */
export const hostileAct = (world: World, life: Life): void => {
  const { chance, ledger } = world;
  const own = [...ledger.given.values()].findLast((one) => one.invite === life.name);
  const any = [...ledger.given.values()];
  const target =
    own !== undefined && chance.happens(0.7) ? own : any.length > 0 ? chance.pick(any) : undefined;
  const everybody = [...world.servers.keys()].flatMap((name) => [...usersOf(name), ghostOf(name)]);
  const mxid = chance.happens(0.6) ? life.invitee : chance.pick(everybody);
  const aim: Aim = {
    roomId: life.roomId,
    token: target?.token ?? "guess",
    sender: target?.sender ?? life.inviter,
    mxid,
    proofOf: chance.happens(0.7) ? mxid : chance.pick(everybody),
  };
  world.trace.note("evil", () => `aims at ${aim.token} of ${aim.mxid} with a proof of ${aim.proofOf}`);
  chance.pick([forgeOnbind, forgeOnbind, forgeExchange, forgeExchange, forgeInvite, forgeJoin])(world, aim);
};
