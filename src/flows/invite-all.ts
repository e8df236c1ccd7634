import { type Either, isLeft } from "fp-ts/lib/Either.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { InviteDetails, InviteOutcome } from "../invite/decide.js";
import { type ThreepidInvite, parseThreepidInvite } from "../invite/form.js";
import { refusal } from "../refusal.js";
import type { RequesterCommand } from "./command.js";
import type { Committed } from "./commit.js";
import { type InviteByThreePidPorts, inviteByThreePid } from "./invite-by-three-pid.js";
import { type FlowOptions, type Problem, run } from "./run.js";

/** `invite_3pid` of a `createRoom` whose room has just been made. */
export interface InviteAll {
  readonly roomId: string;
  readonly requester: RequesterCommand;
  /** The value of `invite_3pid`, unchecked. */
  readonly invites: unknown;
  /** Such as `isDirect`, for each of them. */
  readonly details?: InviteDetails;
}

/** How many entries are worked on at a time; each of them makes requests to an identity server. */
const defaultConcurrency = 4;

type Result = Either<Problem, Committed<InviteOutcome>>;

/** At least one, whatever is asked for, and no more than have something to do: `Infinity` is no length of a list. */
const lanes = (concurrency: number, entries: number): number =>
  Math.min(entries, concurrency >= 1 ? concurrency : 1);

/** What makes two entries one. */
const nameOf = ({ idServer, threepid }: ThreepidInvite): string =>
  JSON.stringify([idServer, threepid.medium, threepid.address]);

/**
 * Invites everybody in `invite_3pid`: one result for each entry, in their order. The room is made, so nothing here fails it: a bad entry, a
 * refusal or an identity server that is down concerns that entry alone (D-12). Each is asked of the host's policy once; the same
 * address twice is one invite. Where `invite_3pid` is no list, that is the one result; where it is absent, there is none. Never rejects.
 *
 * @example
 * const results = await inviteAll(ports)({ roomId, requester: { userId }, invites: body.invite_3pid });
 * results.map(({ _tag }) => _tag); // ["Right", "Left", "Right"]
 */
export const inviteAll =
  (ports: InviteByThreePidPorts) =>
  async (
    { roomId, requester, invites, details }: InviteAll,
    { concurrency = defaultConcurrency, ...options }: FlowOptions & { readonly concurrency?: number } = {},
  ): Promise<readonly Result[]> => {
    if (invites === undefined) return [];
    const refused = (problem: Problem): Promise<Result> =>
      run(TE.left(problem), ports.observe, { flow: "inviteAll" });
    if (!Array.isArray(invites)) return [await refused(refusal("FieldMalformed", { detail: "invite_3pid" }))];
    const entries: readonly unknown[] = invites;
    const results: Result[] = [];
    const known = new Map<string, Promise<Result>>();
    const one = (entry: unknown): Promise<Result> => {
      const parsed = parseThreepidInvite(entry);
      if (isLeft(parsed)) return refused(parsed.left);
      const invite = parsed.right;
      const made =
        known.get(nameOf(invite)) ??
        inviteByThreePid(ports)(
          { roomId, requester, invite, ...(details === undefined ? {} : { details }) },
          options,
        );
      known.set(nameOf(invite), made);
      return made;
    };
    const waiting = entries.entries();
    const work = async (): Promise<void> => {
      for (const [at, entry] of waiting) results[at] = await one(entry);
    };
    await Promise.all(Array.from({ length: lanes(concurrency, entries.length) }, work));
    return results;
  };
