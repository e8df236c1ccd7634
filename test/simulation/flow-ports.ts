import type { Ports } from "matrix-third-party-invites";
import type { Observation, Policy, Rooms } from "matrix-third-party-invites/ports";
import { memoryUsers } from "matrix-third-party-invites/testing";
import { between } from "./between.js";
import { federationPort } from "./exchange-port.js";
import { strikes } from "./faults.js";
import { appendAsHost } from "./host.js";
import { identityPort, inviteNameOf } from "./identity-port.js";
import { crypto } from "./keys.js";
import { watchInvites } from "./life-checks.js";
import { watchRedemptions } from "./queue-checks.js";
import { keepsSecrets } from "./secrecy.js";
import { type Flow, processNow, residentIn } from "./server.js";
import type { World } from "./world.js";

const roomsPort = ({ faults, chance }: World, { server }: Flow): Rooms => ({
  snapshot: (roomId, entries) => {
    if (strikes(faults, chance, faults.rooms.incomplete)) return Promise.resolve({ _tag: "Incomplete" });
    const replica = residentIn(server, roomId);
    return Promise.resolve(replica === undefined ? { _tag: "NotResident" } : replica.snapshot(entries));
  },
  tokens: (roomId) => {
    if (strikes(faults, chance, faults.rooms.incomplete)) return Promise.resolve({ _tag: "Incomplete" });
    const replica = residentIn(server, roomId);
    return Promise.resolve(
      replica === undefined ? { _tag: "NotResident" } : { _tag: "Tokens", tokens: replica.tokens() },
    );
  },
});

const policyPort = ({ faults, chance }: World): Policy => ({
  mayInvite: () =>
    Promise.resolve(
      strikes(faults, chance, faults.policyRefuses)
        ? { _tag: "Refuse", errcode: "M_FORBIDDEN", status: 403, retryAfterMs: 1_000 }
        : { _tag: "Allow" },
    ),
});

/** Judges each asking for a mail when the flow sets about it, and learns which surely made none. */
const judgedMails = (world: World, flow: Flow, port: Ports["identityServer"]): Ports["identityServer"] => ({
  ...port,
  storeInvite: async (asked, options) => {
    const name = inviteNameOf(flow, asked.idServer, asked.invite);
    if (
      world.ledger.ask(name, flow.id, flow.resend, processNow(flow.server, flow.process, world.scheduler.now))
    )
      world.violate("one mail", `${flow.name}#${flow.id} of ${flow.server.name} asks for a second mail`);
    const answer = await port.storeInvite(asked, options);
    const surelyNot =
      (answer._tag === "Unreachable" && !answer.sent) ||
      ["AlreadyBound", "Unauthorized", "TermsNotSigned", "RateLimited"].includes(answer._tag) ||
      (answer._tag === "Rejected" &&
        [400, 401, 403, 404, 413].includes(answer.status) &&
        answer.errcode !== "M_UNKNOWN");
    if (surelyNot) world.ledger.nothingSent(name, flow.id);
    return answer;
  },
});

const observer =
  (world: World, flow: Flow) =>
  (observation: Observation): void => {
    world.trace.note(flow.process.name, () => {
      const code = "code" in observation ? ` ${observation.code}` : "";
      return `${flow.name}#${flow.id} is seen: ${observation._tag}${code}`;
    });
    const isProblem = observation._tag === "PortFailed" || observation._tag === "Refused";
    if (isProblem && observation.flow === undefined) world.ledger.stumbles += 1;
    keepsSecrets(world, `what ${flow.name} tells its watcher`, observation);
  };

const year = 365 * 24 * 3_600_000;

/** All the ports of a server, as one flow in one process sees them. */
export const portsOf = (world: World, flow: Flow): Ports => {
  const { server } = flow;
  const wrap = between(world, flow);
  const jump = server.jumps.get(flow.process.name) ?? 0;
  if (jump >= year) world.ledger.met.add("a flow by a clock that is years ahead");
  if (jump <= -year) world.ledger.met.add("a flow by a clock that is years behind");
  return {
    config: server.config,
    crypto,
    rooms: wrap("rooms", roomsPort(world, flow)),
    events: wrap("events", { append: (asked) => appendAsHost(world, flow, asked) }),
    identityServer: judgedMails(world, flow, wrap("identityServer", identityPort(world, flow))),
    invites: wrap("invites", watchInvites(world, flow)),
    redemptions: wrap("redemptions", watchRedemptions(world, flow)),
    limits: "off",
    federation: wrap("federation", federationPort(world, flow)),
    users: wrap("users", memoryUsers(server.users)),
    policy: wrap("policy", policyPort(world)),
    clock: { now: () => processNow(server, flow.process, world.scheduler.now) },
    random: { fraction: world.chance.fraction },
    observe: observer(world, flow),
  };
};
