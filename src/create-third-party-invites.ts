import { checkAddressKey } from "./flows/check-address-key.js";
import { checkInviteLimit } from "./flows/check-invite-limit.js";
import { checkFirstJoin } from "./flows/check-first-join.js";
import { portsFault } from "./flows/check-ports.js";
import { cleanUpInvites } from "./flows/clean-up-invites.js";
import { deliverOwed } from "./flows/deliver-owed.js";
import { eraseAddress } from "./flows/erase-address.js";
import { expireInvites } from "./flows/expire-invites.js";
import { findInvites, isInvited } from "./flows/find-invites.js";
import type { Flow } from "./flows/flow.js";
import { inviteAll } from "./flows/invite-all.js";
import { invite } from "./flows/invite.js";
import { invitesLeftBehind, listInvites } from "./flows/list-invites.js";
import { noteRedeemed } from "./flows/note-redeemed.js";
import { listRedemptions, measureQueue, retryRedemption } from "./flows/owed-redemptions.js";
import { receiveExchange } from "./flows/receive-exchange.js";
import { receiveInboundInvite } from "./flows/receive-inbound-invite.js";
import { receiveOnBind } from "./flows/receive-on-bind.js";
import { redeemThirdPartySigned } from "./flows/redeem-third-party-signed.js";
import { revokeAllInvites } from "./flows/revoke-all-invites.js";
import { revokeInvite } from "./flows/revoke-invite.js";
import type { Context } from "./flows/steps/context.js";
import { run } from "./flows/steps/notify.js";
import { processMemory } from "./flows/steps/process-memory.js";
import type { FlowOptions, FlowResult } from "./flows/steps/step.js";
import type { Ports } from "./ports.js";
import type { FlowName, ThirdPartyInvites } from "./third-party-invites.js";

const flows = {
  invite,
  inviteAll,
  checkInviteLimit,
  receiveOnBind,
  deliverOwed,
  receiveExchange,
  receiveInboundInvite,
  redeemThirdPartySigned,
  checkFirstJoin,
  revokeInvite,
  listInvites,
  invitesLeftBehind,
  expireInvites,
  cleanUpInvites,
  noteRedeemed,
  findInvites,
  revokeAllInvites,
  isInvited,
  eraseAddress,
  listRedemptions,
  retryRedemption,
  measureQueue,
  checkAddressKey,
} as const;

const flowNames = Object.keys(flows) as readonly FlowName[];

/** The ports that these flows need; all of them where none is named. */
export type PortsOf<Name extends FlowName = FlowName> = Pick<
  Ports,
  (typeof flows)[Name]["needs"][number] | "config" | "observe"
>;

/** The named ports. They are there: {@link portsFault} has looked. */
const portsFor = <Needs extends keyof Ports>(
  ports: Partial<Ports>,
  needs: readonly Needs[],
): Context<Needs>["ports"] =>
  Object.fromEntries([...needs, "config", "observe"].map((name) => [name, Reflect.get(ports, name)])) as Pick<
    Ports,
    Needs | "config" | "observe"
  >;

/**
 * Makes the library's one object out of everything that it is given. The configuration and the presence of every port's
 * methods are checked here, once. A part is made by naming its flows, and then needs their ports only.
 *
 * @throws TypeError that names the field which is not what it must be.
 *
 * @example
 * const invites = createThirdPartyInvites(ports);
 * const result = await invites.invite({ roomId, requester: { userId }, body });
 *
 * @example
 * const part = createThirdPartyInvites({ config, rooms, invites: storage }, ["listInvites"]);
 */
export function createThirdPartyInvites(ports: Ports): ThirdPartyInvites;
export function createThirdPartyInvites<Name extends FlowName>(
  ports: PortsOf<Name>,
  names: readonly Name[],
): Pick<ThirdPartyInvites, Name>;
export function createThirdPartyInvites(
  ports: Partial<Ports>,
  names: readonly FlowName[] = flowNames,
): Partial<ThirdPartyInvites> {
  const unknown = names.find((name) => !Object.hasOwn(flows, name));
  const fault =
    unknown === undefined
      ? portsFault(ports, new Set(names.flatMap((name): readonly (keyof Ports)[] => flows[name].needs)))
      : `There is no flow ${unknown}.`;
  if (fault !== undefined) throw new TypeError(fault);

  const memory = processMemory();
  const method =
    <Needs extends keyof Ports, Command, Outcome>(
      flow: FlowName,
      { needs, steps }: Flow<Needs, Command, Outcome>,
    ) =>
    (command: Command, { signal }: FlowOptions = {}): FlowResult<Outcome> => {
      const context = { ports: portsFor(ports, needs), signal, memory };
      // Made when it runs: an engine that throws while the steps are put together ends as a failure, too.
      return run(context, () => steps(context, command)(), { flow });
    };

  const all: ThirdPartyInvites = {
    invite: method("invite", invite),
    inviteAll: method("inviteAll", inviteAll),
    checkInviteLimit: method("checkInviteLimit", checkInviteLimit),
    receiveOnBind: method("receiveOnBind", receiveOnBind),
    deliverOwed: (command = {}, options) => method("deliverOwed", deliverOwed)(command, options),
    receiveExchange: method("receiveExchange", receiveExchange),
    receiveInboundInvite: method("receiveInboundInvite", receiveInboundInvite),
    redeemThirdPartySigned: method("redeemThirdPartySigned", redeemThirdPartySigned),
    checkFirstJoin: method("checkFirstJoin", checkFirstJoin),
    revokeInvite: method("revokeInvite", revokeInvite),
    listInvites: method("listInvites", listInvites),
    invitesLeftBehind: method("invitesLeftBehind", invitesLeftBehind),
    expireInvites: method("expireInvites", expireInvites),
    cleanUpInvites: method("cleanUpInvites", cleanUpInvites),
    noteRedeemed: method("noteRedeemed", noteRedeemed),
    findInvites: method("findInvites", findInvites),
    revokeAllInvites: method("revokeAllInvites", revokeAllInvites),
    isInvited: method("isInvited", isInvited),
    eraseAddress: method("eraseAddress", eraseAddress),
    listRedemptions: method("listRedemptions", listRedemptions),
    retryRedemption: method("retryRedemption", retryRedemption),
    measureQueue: (command = {}, options) => method("measureQueue", measureQueue)(command, options),
    checkAddressKey: (command = {}, options) => method("checkAddressKey", checkAddressKey)(command, options),
  };
  return Object.fromEntries(names.map((name) => [name, all[name]]));
}
