import { type RoomState, membershipOf } from "../matrix/room-state.js";
import { type InviteRecord, redeemerOf, settledLife, sinceOf } from "./life.js";
import { isAlive } from "./revoke.js";
import { type StandingInvite, standsSince } from "./standing.js";

/** Why an invite that stands in a room should stand there no longer. */
export type Untidy = "Expired" | "Spent" | "Superseded" | "Ended";

/**
 * Whether an invite has waited too long. One that was redeemed waits for nobody; when it may go is `leftover`'s to say.
 * Without a time it is not old.
 */
export const isExpired = (invite: StandingInvite, before: number): boolean => {
  const since = standsSince(invite);
  const isRedeemed = invite.record !== undefined && redeemerOf(invite.record.life) !== undefined;
  return since !== undefined && since < before && !isRedeemed;
};

/** The same of an invite that only the storage knows of: it never came into the room, or is gone from there. */
export const isForgotten = (record: InviteRecord, before: number): boolean => {
  switch (record.life._tag) {
    case "Intended":
    case "Asked":
    case "Minted":
    case "Pending":
      return sinceOf(record) < before;
    case "Redeemed":
    case "Revoked":
    case "Expired":
      return false;
  }
};

/**
 * What of an invite of ours is over though its event still stands: whoever has its proof could use it again, to come
 * back after they left or were kicked. An invite that was redeemed is kept until its user has joined, or left: until
 * then the rules may judge it anew.
 */
export const leftover = (state: RoomState, { token, record }: StandingInvite): Untidy | undefined => {
  if (record === undefined) return undefined;
  // While the next token is asked for, and if its answer was lost, what was before still holds.
  const life = settledLife(record.life);
  switch (life._tag) {
    case "Redeemed":
      return membershipOf(state, life.by) === "invite" ? undefined : "Spent";
    case "Revoked":
    case "Expired":
      return "Ended";
    case "Pending":
      return life.minted.token === token ? undefined : "Superseded";
    case "Minted":
      // The new token may not be in the room yet; until it is, the old mail is the one that works.
      return life.minted.token !== token && isAlive(state, life.minted.token) ? "Superseded" : undefined;
    case "Intended":
      return undefined;
  }
};
