import { type Transition, advance, tokensOf } from "matrix-third-party-invites/decisions";
import { canonicalJson } from "matrix-third-party-invites/matrix";
import type { InviteLife, InviteRecord, Invites, Token } from "matrix-third-party-invites/ports";
import { placeOf } from "./ledger.js";
import { keepsSecrets } from "./secrecy.js";
import type { Flow } from "./server.js";
import type { World } from "./world.js";

export const isSame = (one: unknown, other: unknown): boolean => {
  const [a, b] = [canonicalJson(one), canonicalJson(other)];
  return a._tag === "Right" && b._tag === "Right" && a.right === b.right;
};

const earlierIn = (life: InviteLife): readonly Token[] => ("earlierTokens" in life ? life.earlierTokens : []);

/** What may have led from one state to the next. */
const transitions = (before: InviteLife, after: InviteLife): readonly Transition[] => {
  const nothing: Transition = { _tag: "NothingSent" };
  switch (after._tag) {
    case "Asked":
      return [{ _tag: "Ask", at: after.at }, { _tag: "Ask", at: after.at, isRepeat: true }, nothing];
    case "Intended":
      return [nothing];
    case "TokenStored":
      return [{ _tag: "Answer", storedInvite: after.storedInvite }, nothing];
    case "Pending": {
      const kept = earlierIn(after);
      return [
        { _tag: "Append", superseded: earlierIn(before).filter((token) => !kept.includes(token)) },
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

/** Whether one transition leads from a stored life to the next. */
export const mayFollow = (before: InviteLife, after: InviteLife): boolean =>
  transitions(before, after).some((transition) => {
    const next = advance(before, transition);
    return next !== undefined && isSame(next, after);
  });

/** A new invite is stored with the intent to ask for its mail, and nothing was before. */
const mayBegin = (life: InviteLife): boolean =>
  life._tag === "Asked" && life.lostAt === undefined && life.before._tag === "Intended";

/** Keeps what the record says of who redeemed it. */
const noteRedeemer = (world: World, { server }: Flow, { roomId, life }: InviteRecord): void => {
  const { redeemedBy } = world.ledger;
  const settled = life._tag === "Asked" ? life.before : life;
  for (const token of "tokens" in settled ? settled.tokens : tokensOf(life)) {
    const name = `${server.name} ${placeOf({ roomId, token })}`;
    if (settled._tag !== "Redeemed") redeemedBy.delete(name);
    else if (!redeemedBy.has(name)) redeemedBy.set(name, { by: settled.by, at: world.scheduler.now });
  }
};

/** The storage of invites, each of its movements judged; what ends is an end for the ledger, too. */
export const watchInvites = (world: World, flow: Flow): Invites => {
  const { invites, name } = flow.server;
  return {
    ...invites,
    putIfAbsent: async (record, options) => {
      keepsSecrets(world, "a stored invite", record);
      if (!mayBegin(record.life)) world.violate("life", `an invite begins as ${record.life._tag}`);
      const answer = await invites.putIfAbsent(record, options);
      if (answer.isNew && record.life._tag === "Asked")
        world.ledger.intend(`${name} ${record.key}`, flow.id, record.life.at);
      return answer;
    },
    replace: async (record: InviteRecord, mark, options) => {
      const before = await invites.find(record.key, {});
      const answer = await invites.replace(record, mark, options);
      if (answer._tag === "Stale" || before === undefined) return answer;
      keepsSecrets(world, "a stored invite", record);
      if (!mayFollow(before.value.life, record.life))
        world.violate("life", `${before.value.life._tag} became ${record.life._tag}`);
      noteRedeemer(world, flow, record);
      if (hasEnded(record.life)) world.ledger.end(`${name} ${record.key}`);
      if (record.life._tag === "Asked") world.ledger.intend(`${name} ${record.key}`, flow.id, record.life.at);
      return answer;
    },
  };
};
