import { isLeft, match } from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { ThreepidInvite } from "../invite/form.js";
import { contentOf } from "../matrix/event.js";
import { type UserId, parseUserId } from "../matrix/ids.js";
import { stringMember } from "../matrix/json.js";
import { type RoomState, stateEvent } from "../matrix/room-state.js";
import type { IdentityServerError, Ports, StoreInviteRequest } from "../ports.js";
import { type FailureCode, type PortFailure, failure, portBroken } from "../refusal.js";
import { lookupHash, lookupInClear } from "../threepid/lookup-hash.js";
import type { Profile } from "../invite/decide.js";
import { type PortCall, type Step, answered, ask } from "./run.js";

/** Errors about the address or the mail that the inviter can act on keep their errcode. */
const passedOn: ReadonlySet<string> = new Set([
  "M_INVALID_EMAIL",
  "M_INVALID_ADDRESS",
  "M_EMAIL_SEND_ERROR",
  "M_SEND_ERROR",
]);

/** Each error of the protocol as a failure of its own (D-7). */
export const identityServerFailure = (error: IdentityServerError, port: PortCall): PortFailure => {
  switch (error._tag) {
    case "Unauthorized":
      return failure("IdentityServerUnauthorized");
    case "TermsNotSigned":
      return failure("IdentityServerTerms");
    case "RateLimited":
      return failure("IdentityServerLimit", { retryAfterMs: error.retryAfterMs });
    case "Rejected":
      return failure(
        "IdentityServerRefused",
        passedOn.has(error.errcode) ? { answer: { errcode: error.errcode, status: 424 } } : {},
      );
    case "Malformed":
      return failure("IdentityServerMalformed");
    case "Unreachable":
      return failure(error.timedOut === true ? "IdentityServerTimeout" : "IdentityServerUnreachable", {
        cause: error.cause,
      });
    default:
      return portBroken(port);
  }
};

/** The algorithm to look up with: hashed wherever it is offered, in clear only where the host allows it (D-8). */
const algorithmOf = (offered: readonly string[], allowClear: boolean): "sha256" | "none" | undefined =>
  offered.includes("sha256") ? "sha256" : allowClear && offered.includes("none") ? "none" : undefined;

/**
 * Who is bound to an address. A failed lookup is not "nobody": it ends the flow. A rotated
 * pepper is asked for once more (D-9).
 */
export const lookUp =
  (ports: Pick<Ports, "config" | "crypto" | "identityServer">) =>
  (
    { idServer, idAccessToken, threepid }: ThreepidInvite,
    signal: AbortSignal | undefined,
  ): Step<UserId | undefined> => {
    const access = { idServer, accessToken: idAccessToken };
    const fail = (code: FailureCode): Step<never> => TE.left(failure(code));

    const lookup = (
      algorithm: "sha256" | "none",
      pepper: string,
      tries: number,
    ): Step<UserId | undefined> => {
      const asked =
        algorithm === "sha256" ? lookupHash(ports.crypto, threepid, pepper) : lookupInClear(threepid);
      return pipe(
        ask(
          "identityServer.lookup",
          () => ports.identityServer.lookup({ ...access, algorithm, pepper, addresses: [asked] }, { signal }),
          signal,
        ),
        answered("identityServer.lookup", (answer): Step<UserId | undefined> => {
          if (answer._tag === "InvalidPepper")
            return tries === 1 ? fail("PepperRotating") : attempt(tries - 1);
          if (answer._tag !== "Mappings")
            return TE.left(identityServerFailure(answer, "identityServer.lookup"));
          const bound = answer.userIds.get(asked);
          if (bound === undefined) return TE.right(undefined);
          const userId = parseUserId(bound);
          return isLeft(userId) ? fail("IdentityServerMalformed") : TE.right(userId.right);
        }),
      );
    };

    const attempt = (tries: number): Step<UserId | undefined> =>
      pipe(
        ask("identityServer.hashDetails", () => ports.identityServer.hashDetails(access, { signal }), signal),
        answered("identityServer.hashDetails", (details): Step<UserId | undefined> => {
          if (details._tag !== "HashDetails")
            return TE.left(identityServerFailure(details, "identityServer.hashDetails"));
          const algorithm = algorithmOf(details.algorithms, ports.config.allowClearLookup ?? false);
          return algorithm === undefined ? fail("LookupAlgorithm") : lookup(algorithm, details.pepper, tries);
        }),
      );

    return attempt(2);
  };

const stateText = (state: RoomState, type: string, field: string, prefix = ""): string | undefined => {
  const text = stringMember(contentOf(stateEvent(state, type)), field);
  return text?.startsWith(prefix) === true && text !== "" ? text : undefined;
};

/** The entries of a room that tell an invitee what they are invited to. */
export const displayEntries = [
  { type: "m.room.canonical_alias", stateKey: "" },
  { type: "m.room.avatar", stateKey: "" },
  { type: "m.room.join_rules", stateKey: "" },
  { type: "m.room.name", stateKey: "" },
] as const;

/** What store-invite is told, filled as well as the room's state and the sender's profile allow. */
export const storeInviteRequest = (
  state: RoomState,
  sender: UserId,
  address: string,
  profile: Profile,
): StoreInviteRequest => {
  const fields: Record<string, string | undefined> = {
    room_alias: stateText(state, "m.room.canonical_alias", "alias", "#"),
    room_avatar_url: stateText(state, "m.room.avatar", "url", "mxc://"),
    room_join_rules: stateText(state, "m.room.join_rules", "join_rule"),
    room_name: stateText(state, "m.room.name", "name"),
    room_type: stateText(state, "m.room.create", "type"),
    sender_display_name: profile.displayname,
    sender_avatar_url: profile.avatarUrl,
  };
  const known = Object.entries(fields).filter(([, value]) => value !== undefined);
  return { medium: "email", address, room_id: state.roomId, sender, ...Object.fromEntries(known) };
};

/** The user that a late `M_THREEPID_IN_USE` names. */
export const boundUser = (userId: unknown): Step<UserId> =>
  pipe(
    parseUserId(userId),
    match((): Step<UserId> => TE.left(failure("IdentityServerMalformed")), TE.right),
  );
