import { map } from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import { type StateEntry, contentOf, entry } from "../matrix/event.js";
import type { UserId } from "../matrix/ids.js";
import { stringMember } from "../matrix/json.js";
import { type RoomState, stateEvent } from "../matrix/room-state.js";
import { type Requester, admit } from "./admit.js";
import type { Decision, DecisionOutcome } from "./decision.js";

/** The entries that say whether somebody may invite. */
export const powerEntries = (sender: UserId): readonly StateEntry[] => [
  entry("m.room.create"),
  entry("m.room.power_levels"),
  entry("m.room.member", sender),
];

/** What the mail of an invite shows of the room and of its sender, under the names of store-invite. */
export interface MailContent {
  readonly room_alias?: string;
  readonly room_avatar_url?: string;
  readonly room_join_rules?: string;
  readonly room_name?: string;
  readonly room_type?: string;
  readonly sender_display_name?: string;
  readonly sender_avatar_url?: string;
}

/** The requester may invite. */
export interface Admitted extends DecisionOutcome {
  readonly _tag: "Admitted";
  /** What the room's state has for the mail. */
  readonly mail: MailContent;
}

const stateText = (state: RoomState, [type, key]: readonly [string, string], field: string, prefix = "") => {
  const text = stringMember(contentOf(stateEvent(state, type, key)), field);
  return text?.startsWith(prefix) === true && text !== "" ? text : undefined;
};

const shownInMail = (state: RoomState, sender: UserId): MailContent => {
  const fields: Record<keyof MailContent, string | undefined> = {
    room_alias: stateText(state, ["m.room.canonical_alias", ""], "alias", "#"),
    room_avatar_url: stateText(state, ["m.room.avatar", ""], "url", "mxc://"),
    room_join_rules: stateText(state, ["m.room.join_rules", ""], "join_rule"),
    room_name: stateText(state, ["m.room.name", ""], "name"),
    room_type: stateText(state, ["m.room.create", ""], "type"),
    sender_display_name: stateText(state, ["m.room.member", sender], "displayname"),
    sender_avatar_url: stateText(state, ["m.room.member", sender], "avatar_url", "mxc://"),
  };
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
};

/**
 * May this user invite into this room now? Decided before any side effect, so that nobody without the power makes an
 * identity server send mail. Whom they invite is decided by `inviteUser` and `inviteThreepid`.
 */
export const admitInviter: Decision<Requester, Admitted> = {
  reads: ({ userId }) => [
    ...powerEntries(userId),
    entry("m.room.canonical_alias"),
    entry("m.room.avatar"),
    entry("m.room.join_rules"),
    entry("m.room.name"),
  ],
  decide: (state, requester) =>
    pipe(
      admit(state, requester),
      map((): Admitted => ({ _tag: "Admitted", events: [], mail: shownInMail(state, requester.userId) })),
    ),
};
