import { type Either, flatMap, left, right } from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import { canonicalJson } from "../matrix/canonical-json.js";
import { type EventTemplate, contentOf, entry } from "../matrix/event.js";
import type { UserId } from "../matrix/ids.js";
import type { JsonObject } from "../matrix/json.js";
import { stateEvent } from "../matrix/room-state.js";
import { type Refusal, refusal } from "../refusal.js";
import { powerEntries } from "./admit-inviter.js";
import { type Requester, admit } from "./admit.js";
import type { Decision } from "./decision.js";
import { emptied, thirdPartyInviteEvent } from "./event-templates.js";
import { secondVersionOf } from "./key-validity.js";
import { isRevoked } from "./proof.js";
import type { StoredInvite, Token } from "./stored-invite.js";

export interface InviteThreepidCommand {
  readonly requester: Requester;
  /** What the identity server answered to store-invite. */
  readonly storedInvite: StoredInvite;
  /**
   * Whether the invite had this token before: some identity servers give one for an address until it is bound. Its event may
   * then be written anew once it is empty; else whoever emptied it has overtaken this invite.
   */
  readonly isRepeated?: boolean;
  /** Earlier tokens of the same invite, which the new one replaces. */
  readonly supersedes?: readonly Token[];
}

export type InviteThreepidOutcome =
  | {
      readonly _tag: "ThirdPartyInvite";
      readonly token: Token;
      readonly events: readonly EventTemplate[];
      /** The earlier tokens that the room has, emptied by these events; the others may still come. */
      readonly superseded: readonly Token[];
    }
  | { readonly _tag: "AlreadyPending"; readonly token: Token; readonly events: readonly [] };

/**
 * The content of the room's event: the first key again at the top level, for old servers (D-14), with the v2 form of its
 * URL: the identity server may have no v1 any more.
 */
export const thirdPartyInviteContent = ({ displayName, publicKeys }: StoredInvite): JsonObject => ({
  display_name: displayName,
  key_validity_url: secondVersionOf(publicKeys[0].keyValidityUrl) ?? publicKeys[0].keyValidityUrl,
  public_key: publicKeys[0].publicKey,
  public_keys: publicKeys.map((key) => ({
    public_key: key.publicKey,
    key_validity_url: key.keyValidityUrl,
  })),
});

/** The token is another invite's: of another inviter, or of the sender's own. */
export const tokenTaken = (inviter: unknown, sender: UserId): Refusal =>
  refusal(inviter === sender ? "TokenTaken" : "InvitedAlready");

const sameContent = (one: unknown, other: unknown): boolean => {
  const [a, b] = [canonicalJson(one), canonicalJson(other)];
  return a._tag === "Right" && b._tag === "Right" && a.right === b.right;
};

/**
 * The invite of somebody whose address nobody has bound: the `m.room.third_party_invite` that carries the identity
 * server's token as its `state_key`, and with it the end of the tokens that it replaces:
 * https://spec.matrix.org/v1.19/client-server-api/#mroomthird_party_invite
 */
export const inviteThreepid: Decision<InviteThreepidCommand, InviteThreepidOutcome> = {
  reads: ({ requester, storedInvite, supersedes = [] }) => [
    ...powerEntries(requester.userId),
    ...[storedInvite.token, ...supersedes].map((token) => entry("m.room.third_party_invite", token)),
  ],
  decide: (state, { requester, storedInvite, isRepeated = false, supersedes = [] }) =>
    pipe(
      admit(state, requester),
      flatMap((): Either<Refusal, InviteThreepidOutcome> => {
        const sender = requester.userId;
        const { token } = storedInvite;
        const content = thirdPartyInviteContent(storedInvite);
        const eventOf = (name: Token) => stateEvent(state, "m.room.third_party_invite", name);
        const present = eventOf(token);
        // Emptied by its sender, and not by others: a token that the invite had may still be another inviter's.
        const isEmptied = isRepeated && present?.sender === sender && isRevoked(contentOf(present));
        if (present !== undefined && !isEmptied)
          // Ours, appended before a crash could be noted; or somebody else's, which a second event would overwrite.
          return present.sender === sender && sameContent(present.content, content)
            ? right({ _tag: "AlreadyPending", token, events: [] })
            : left(tokenTaken(present.sender, sender));
        const superseded = supersedes.filter(
          (earlier) => earlier !== token && eventOf(earlier) !== undefined,
        );
        const toEmpty = superseded.filter(
          (earlier) => eventOf(earlier)?.sender === sender && !isRevoked(contentOf(eventOf(earlier))),
        );
        return right({
          _tag: "ThirdPartyInvite",
          token,
          events: [
            thirdPartyInviteEvent(state, sender, token, content),
            ...toEmpty.map((earlier) => emptied(state, sender, earlier)),
          ],
          superseded,
        });
      }),
    ),
};
