import type { RuleStep } from "matrix-third-party-invites/judge";

interface Named {
  /** The rule in a few words, for those who do not know the specification. */
  readonly title: string;
  /** Words of its sentence in the specification, by which a browser finds it on the page. */
  readonly words?: string;
}

/** What each rule is called. */
const named: Readonly<Record<RuleStep["name"], Named>> = {
  ours: { title: "Is it an invite?" },
  room: { title: "The event is of this room" },
  create: { title: "The room was created", words: "no m.room.create event" },
  federate: { title: "The room accepts the sender's server", words: "has the property m.federate" },
  memberShape: { title: "The event is complete", words: "If there is no state_key" },
  joinAuthoriser: {
    title: "A restricted join is signed",
    words: "has a join_authorised_via_users_server",
  },
  provenTarget: { title: "The invited user is not banned", words: "If target user is banned" },
  provenSigned: { title: "There is a proof", words: "does not have a signed" },
  provenMembers: { title: "The proof names a user and an invite", words: "does not have mxid and token" },
  provenMxid: { title: "The proof is for the invited user", words: "If mxid does not match state_key" },
  provenToken: {
    title: "The room has the invite that the proof names",
    words: "If there is no m.room.third_party_invite event",
  },
  provenSender: {
    title: "The sender sent that invite",
    words: "If sender does not match sender of the m.room.third_party_invite",
  },
  provenMatch: {
    title: "The identity server signed the proof",
    words: "If any signature in signed matches any public key",
  },
  provenNone: { title: "No signature fits" },
  plainSender: { title: "The sender is in the room", words: "current membership state is not join" },
  plainTarget: {
    title: "The invited user is neither in the room nor banned",
    words: "current membership state is join or ban",
  },
  plainPower: {
    title: "The sender may invite",
    words: "power level is greater than or equal to the invite level, allow",
  },
  plainNone: { title: "The sender lacks the power to invite" },
  thirdPartyInviteSender: { title: "The sender is in the room" },
  thirdPartyInvitePower: { title: "The sender may invite", words: "If type is m.room.third_party_invite" },
};

export const titleOf = (name: RuleStep["name"]): string => named[name].title;

/** The section of the specification; browsers that can go to the sentence and mark it. */
export const sentenceLink = ({ name, link }: Pick<RuleStep, "name" | "link">): string | undefined => {
  const { words } = named[name];
  return link === undefined || words === undefined ? link : `${link}:~:text=${encodeURIComponent(words)}`;
};
