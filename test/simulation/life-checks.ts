import {
  type Happening,
  type InviteLife,
  type InviteRecord,
  type Invites,
  type Token,
  advance,
  canonicalJson,
} from "matrix-third-party-invites";
import { keepsSecrets } from "./secrecy.js";
import type { Flow } from "./server.js";
import type { World } from "./world.js";

export const isSame = (one: unknown, other: unknown): boolean => {
  const [a, b] = [canonicalJson(one), canonicalJson(other)];
  return a._tag === "Right" && b._tag === "Right" && a.right === b.right;
};

const standingIn = (life: InviteLife): readonly Token[] => ("standing" in life ? life.standing : []);

/** What may have led from one state to the next. */
const happenings = (before: InviteLife, after: InviteLife): readonly Happening[] => {
  const nothing: Happening = { _tag: "NothingSent" };
  switch (after._tag) {
    case "Asked":
      return [{ _tag: "Ask", at: after.at }, nothing];
    case "Intended":
      return [nothing];
    case "Minted":
      return [{ _tag: "Answer", minted: after.minted }, nothing];
    case "Pending": {
      const kept = standingIn(after);
      return [
        { _tag: "Append", superseded: standingIn(before).filter((token) => !kept.includes(token)) },
        nothing,
      ];
    }
    case "Redeemed":
      return [{ _tag: "Redeem", by: after.by }, nothing];
    case "Revoked":
      return [{ _tag: "Revoke" }, nothing];
    case "Expired":
      return [{ _tag: "Expire" }, nothing];
  }
};

const hasEnded = ({ _tag }: InviteLife): boolean =>
  _tag === "Redeemed" || _tag === "Revoked" || _tag === "Expired";

/** Whether one happening leads from a stored life to the next. */
export const mayFollow = (before: InviteLife, after: InviteLife): boolean =>
  happenings(before, after).some((happening) => {
    const next = advance(before, happening);
    return next !== undefined && isSame(next, after);
  });

/** The storage of invites, each of its movements judged; what ends is an end for the ledger, too. */
export const watchInvites = (world: World, flow: Flow): Invites => {
  const { invites, name } = flow.server;
  return {
    ...invites,
    putIfAbsent: (record, options) => {
      keepsSecrets(world, "a stored invite", record);
      if (record.life._tag !== "Intended") world.violate("life", `an invite begins as ${record.life._tag}`);
      return invites.putIfAbsent(record, options);
    },
    replace: async (record: InviteRecord, mark, options) => {
      const before = await invites.find(record.key, {});
      const answer = await invites.replace(record, mark, options);
      if (answer._tag === "Stale" || before === undefined) return answer;
      keepsSecrets(world, "a stored invite", record);
      if (!mayFollow(before.value.life, record.life))
        world.violate("life", `${before.value.life._tag} became ${record.life._tag}`);
      if (hasEnded(record.life)) world.ledger.end(`${name} ${record.key}`);
      if (record.life._tag === "Asked") world.ledger.intend(`${name} ${record.key}`, flow.id);
      return answer;
    },
  };
};
