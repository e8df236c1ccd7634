import { type RoomState, membershipOf } from "../matrix/room-state.js";
import { powerEntries } from "./admit-inviter.js";
import type { Requester } from "./admit.js";
import type { Decision } from "./decision.js";
import { type InviteRecord, redeemerOf, settledLife, sinceOf, tokensOf } from "./invite-life.js";
import { type RevokeOutcome, emptyOwn, redeemerEntries, tokenEntries } from "./revoke.js";
import { type RoomInvite, askedSince, isPending } from "./room-invite.js";

/** Why an invite that stands in a room should stand there no longer. */
export type Untidy = "Expired" | "Spent" | "Superseded" | "Ended";

/**
 * Whether an invite has waited too long. One that was redeemed waits for nobody; when it may go is `leftover`'s to say.
 * Without a time it is not old.
 */
export const isExpired = (invite: RoomInvite, before: number): boolean => {
  const since = askedSince(invite);
  const isRedeemed = invite.record !== undefined && redeemerOf(invite.record.life) !== undefined;
  return since !== undefined && since < before && !isRedeemed;
};

/** The same of an invite that only the storage knows of: it never came into the room, or is gone from there. */
export const isForgotten = (record: InviteRecord, before: number): boolean => {
  switch (record.life._tag) {
    case "Intended":
    case "Asked":
    case "TokenStored":
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
export const leftover = (state: RoomState, { token, record }: RoomInvite): Untidy | undefined => {
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
      return life.storedInvite.token === token ? undefined : "Superseded";
    case "TokenStored": {
      // The new token may not be in the room yet; until it is, the newest mail works whose token is.
      const newer = tokensOf(life);
      return newer.slice(0, newer.indexOf(token)).some((one) => isPending(state, one))
        ? "Superseded"
        : undefined;
    }
    case "Intended":
      return undefined;
  }
};

/** Which invites are to be emptied: what is left over of invites that have ended, or what was asked for before a time. */
export type Tidying = { readonly _tag: "Leftover" } | { readonly _tag: "Expired"; readonly before: number };

/** Why an invite should be pending no longer, by the room as it is; `undefined` where it should. */
export const untidyReason = (state: RoomState, invite: RoomInvite, tidying: Tidying): Untidy | undefined => {
  switch (tidying._tag) {
    case "Leftover":
      return leftover(state, invite);
    case "Expired":
      return isExpired(invite, tidying.before) ? "Expired" : undefined;
  }
};

/** Empties some invites of one sender, as far as the room still gives the reason. */
export const emptyUntidy: Decision<
  {
    readonly requester: Requester;
    readonly invites: readonly RoomInvite[];
    readonly tidying: Tidying;
  },
  RevokeOutcome
> = {
  reads: ({ requester, invites }) => {
    const records = invites.flatMap(({ record }) => record ?? []);
    return [
      ...powerEntries(requester.userId),
      ...tokenEntries(invites.map(({ token }) => token)),
      ...redeemerEntries(records),
      ...records.flatMap(({ life }) => tokenEntries(tokensOf(life))),
    ];
  },
  decide: (state, { requester, invites, tidying }) =>
    emptyOwn(
      state,
      requester,
      invites
        .filter((invite) => untidyReason(state, invite, tidying) !== undefined)
        .map(({ token }) => token),
    ),
};
