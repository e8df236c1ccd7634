import { type Either, isRight } from "fp-ts/lib/Either.js";
import type { Problem } from "matrix-third-party-invites";
import { isRevoked } from "matrix-third-party-invites/decisions";
import { domainOf, member, stringMember } from "matrix-third-party-invites/matrix";
import type { RedemptionRecord } from "matrix-third-party-invites/ports";
import { isForNow } from "./faults.js";
import { exchangeName, tokenName } from "./ledger.js";
import { keysThatProve } from "./proof-check.js";
import type { RoomEvent } from "./room.js";
import { type Flow, type Server, residentIn } from "./server.js";
import type { World } from "./world.js";

/** What a server refused, as far as the model needs it to judge the refusal. */
interface Refused {
  readonly roomId: string;
  readonly token: string;
  readonly mxid: string;
  readonly signed: unknown;
  /** Who is said to have invited, and who asks, where that is part of the request. */
  readonly sender?: unknown;
  readonly origin?: string;
  readonly stateKey?: unknown;
}

const tokenEventAt = (server: Server, { roomId, token }: Refused): RoomEvent | undefined =>
  server.rooms.get(roomId)?.get("m.room.third_party_invite", token);

const vouched = (world: World, server: Server, of: Refused): boolean => {
  const content = tokenEventAt(server, of)?.content;
  return (
    content !== undefined && keysThatProve(of.signed, content).some((key) => world.identity.vouchesFor(key))
  );
};

const isProvenAt = (server: Server, of: Refused): boolean => {
  const content = tokenEventAt(server, of)?.content;
  return content !== undefined && keysThatProve(of.signed, content).length > 0;
};

/** Whether the facts bear out a refusal that is for good. */
export const isJustified = (
  world: World,
  { server, startedAt }: Flow,
  code: string,
  of: Refused,
): boolean => {
  const replica = server.rooms.get(of.roomId);
  const tokenEvent = tokenEventAt(server, of);
  switch (code) {
    case "NotProven":
    case "NoSigned":
    case "NoMxidOrToken":
      return !isProvenAt(server, of);
    case "InviteRevoked":
      return replica?.everEmptied.has(of.token) === true;
    case "TargetBanned":
      return replica?.everBanned.has(of.mxid) === true;
    case "KeyRevoked":
      return !vouched(world, server, of);
    case "TokenUnknown":
      return (replica?.tokenSince.get(of.token) ?? Infinity) >= startedAt;
    case "NotInRoom":
    case "NoCreateEvent":
      return residentIn(server, of.roomId) === undefined || server.everOutside.has(of.roomId);
    case "SenderNotLocal":
      return tokenEvent === undefined || domainOf(tokenEvent.sender) !== server.name;
    case "TokenSenderMismatch":
      return tokenEvent?.sender !== of.sender;
    case "InvitesBlocked":
      return server.users.get(of.mxid)?.blocksInvites === true;
    case "MxidMismatch":
      return of.stateKey !== of.mxid;
    case "OriginMismatch":
      return domainOf(of.mxid) !== of.origin;
    case "NotFederated":
    case "TargetNotFederated":
      return member(replica?.get("m.room.create")?.content, "m.federate") === false;
    case "TooManyPairs":
    case "SignedTooLarge":
      return JSON.stringify(of.signed).length > 800;
    case "AppendRefused":
      return world.ledger.refusedForGood.has(tokenName(of));
    default:
      return false;
  }
};

/** A redemption was given up: only what is for good, and true, may do that. */
export const judgeDead = (world: World, flow: Flow, row: RedemptionRecord, reason: string): void => {
  const { server } = flow;
  const signed = "signed" in row.state ? row.state.signed : undefined;
  const wrong = (why: string): void => {
    world.violate("dead", `${server.name} gave up ${row.token} for ${row.mxid}: ${reason}, but ${why}`);
  };
  if (reason.startsWith("Expired: ")) {
    // By no server's clock: theirs may be wrong.
    const since = world.ledger.storedAt.get(`${server.name} ${row.id}`) ?? row.owedAt;
    // A wait that was planned counts as past where a clock has leapt over it.
    const planned = row.state._tag === "Waiting" ? row.state.dueAt - row.owedAt : 0;
    if (Math.max(world.scheduler.now - since, planned) < (server.config.redemptionAgeMs ?? 0))
      wrong("it is not old enough");
    return;
  }
  if (reason === "TokenUnknown" || reason === "NotInRoom" || reason === "NoCreateEvent")
    wrong("that may pass");
  else if (reason === "ExchangeRefused" || reason === "ExchangeNotFound") {
    const answers = world.ledger.exchangeAnswers.get(exchangeName(row, signed)) ?? [];
    const refusals = answers.filter(
      ({ status, why }) => why !== "fault" && status >= 300 && !isForNow(status),
    );
    if (refusals.length < 2) wrong("the inviter's server had not refused it twice");
  } else if (!isJustified(world, flow, reason, { ...row, signed })) wrong("the facts are others");
};

/** The inviter's server refused an exchange for good: its reason must be true. */
export const judgeExchangeRefusal = (
  world: World,
  flow: Flow,
  asked: { readonly roomId: string; readonly origin: string; readonly body: unknown },
  result: Either<Problem, unknown>,
): void => {
  if (isRight(result) || isForNow(result.left.status)) return;
  const { body, roomId, origin } = asked;
  const signed = member(member(member(body, "content"), "third_party_invite"), "signed");
  const [token, mxid] = [stringMember(signed, "token") ?? "", stringMember(signed, "mxid") ?? ""];
  const [sender, stateKey] = [member(body, "sender"), member(body, "state_key")];
  const { code } = result.left;
  if (!isJustified(world, flow, code, { roomId, token, mxid, signed, sender, origin, stateKey }))
    world.violate("redeemed", `${flow.server.name} refused an exchange without reason: ${code}`);
};

/** Whether a token's event is empty now. */
export const isEmptied = (event: RoomEvent | undefined): boolean =>
  event !== undefined && isRevoked(event.content);
