import { member, stringMember } from "matrix-third-party-invites/matrix";
import type { Town } from "./town.js";

/** One invite, from its inviter's side. */
export interface Life {
  readonly roomId: string;
  readonly address: string;
  readonly mxid: string;
  /** How often a client asked for another mail, because it was told that one may be lost. */
  resent: number;
  readonly revoked: boolean;
}

export interface Judgement {
  readonly counts: Readonly<Record<"redeemed" | "revoked" | "mails" | "resent" | "memberEvents", number>>;
  /** What must never be. */
  readonly wrong: readonly string[];
  /** What should be, and is not yet. */
  readonly unfinished: readonly string[];
}

/** Every invite ends once: in one member event if it was not revoked, in none if it was; by one mail, or by as many as were asked for. */
export const judge = (lives: readonly Life[], { memory, roomIds, identityServer }: Town): Judgement => {
  const invitesOf = new Map<string, number>();
  const add = (counts: Map<string, number>, name: string): void => {
    counts.set(name, (counts.get(name) ?? 0) + 1);
  };
  let memberEvents = 0;
  for (const roomId of roomIds)
    for (const { pdu } of memory.timeline(roomId)) {
      const content = member(pdu, "content");
      if (stringMember(pdu, "type") !== "m.room.member" || stringMember(content, "membership") !== "invite")
        continue;
      memberEvents += 1;
      add(invitesOf, stringMember(pdu, "state_key") ?? "");
    }
  const mails = new Map<string, number>();
  /** How many of an address's tokens could still be redeemed. */
  const standing = new Map<string, number>();
  const states = new Map<string, ReturnType<typeof memory.state>>(
    roomIds.map((roomId) => [roomId, memory.state(roomId)]),
  );
  for (const mail of identityServer.outbox) {
    if (mail.kind !== "invite") continue;
    add(mails, mail.address);
    const event = states.get(mail.roomId)?.get("m.room.third_party_invite", mail.token);
    if (member(event?.content, "public_key") !== undefined) add(standing, mail.address);
  }

  const wrong: string[] = [];
  const unfinished: string[] = [];
  for (const { mxid, address, revoked, resent } of lives) {
    const events = invitesOf.get(mxid) ?? 0;
    const sent = mails.get(address) ?? 0;
    if (revoked && events > 0) wrong.push(`${mxid} was invited by a revoked invite`);
    if (!revoked && events > 1) wrong.push(`${mxid} was invited ${events} times`);
    if (!revoked && events === 0) unfinished.push(`${mxid} was not invited`);
    if (sent > 1 + resent) wrong.push(`${mxid} got ${sent} mails, ${resent} of them asked for again`);
    const tokens = standing.get(address) ?? 0;
    if (tokens > (revoked ? 0 : 1)) wrong.push(`${mxid} has ${tokens} tokens that can be redeemed`);
    if (sent === 0) wrong.push(`${mxid} got no mail`);
  }
  const sum = (counts: Map<string, number>): number =>
    [...counts.values()].reduce((one, other) => one + other, 0);
  return {
    counts: {
      redeemed: lives.filter(({ mxid, revoked }) => !revoked && invitesOf.get(mxid) === 1).length,
      revoked: lives.filter(({ mxid, revoked }) => revoked && !invitesOf.has(mxid)).length,
      mails: sum(mails),
      resent: lives.reduce((all, { resent }) => all + resent, 0),
      memberEvents,
    },
    wrong,
    unfinished,
  };
};
