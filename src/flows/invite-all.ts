import { type Either, isLeft, left, right } from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { InviteDetails } from "../invite/event-templates.js";
import { type ThreepidInvite, parseThreepidInvite } from "../invite/parse-invite-request.js";
import { refusal } from "../refusal.js";
import { defineFlow } from "./flow.js";
import { inviteNeeds } from "./invite.js";
import type { Committed } from "./steps/decide.js";
import { type InTurn, type InviteOutcome, inviteAddress } from "./steps/invite-address.js";
import { run, settle } from "./steps/notify.js";
import { type RequesterCommand, outsideIsNotJoined, readCommand } from "./steps/read-command.js";
import type { Problem } from "./steps/step.js";

/** `invite_3pid` of a `createRoom` whose room has just been made. */
export interface InviteAllCommand {
  readonly roomId: string;
  readonly requester: RequesterCommand;
  /** The value of `invite_3pid`, unchecked. */
  readonly invites: unknown;
  /** Such as `isDirect`, for each of them. */
  readonly details?: InviteDetails;
  /** How many entries are worked on at a time; each of them makes requests to an identity server. 4 unless told. */
  readonly concurrency?: number;
}

/** What became of one entry. */
export type InviteResult = Either<Problem, Committed<InviteOutcome>>;

const defaultConcurrency = 4;

/** At least one, whatever is asked for, and no more than have something to do: `Infinity` is no length of a list. */
const lanes = (concurrency: number, entries: number): number =>
  Math.min(entries, concurrency >= 1 ? concurrency : 1);

/** One after the other, in the order in which the steps are run. */
const oneByOne = (): InTurn => {
  let last: Promise<unknown> = Promise.resolve();
  return (step) => () => {
    const mine = last.then(() => settle(step));
    last = mine;
    return mine;
  };
};

/** What makes two entries one. */
const nameOf = ({ idServer, threepid }: ThreepidInvite): string =>
  JSON.stringify([idServer, threepid.medium, threepid.address]);

export const inviteAll = defineFlow(...inviteNeeds)((context, command: InviteAllCommand) => async () => {
  const { invites, details = {}, concurrency = defaultConcurrency } = command;
  if (!Array.isArray(invites))
    return invites === undefined ? right([]) : left(refusal("FieldMalformed", { detail: "invite_3pid" }));
  const entries: readonly unknown[] = invites;
  const results: InviteResult[] = [];
  const known = new Map<string, Promise<InviteResult>>();
  // The first that fit are to be invited, so they are charged in their order; without limits nobody has to wait.
  const inTurn = context.ports.limits === "off" ? undefined : oneByOne();
  const one = (entry: unknown): Promise<InviteResult> => {
    const parsed = parseThreepidInvite(entry);
    if (isLeft(parsed)) return run(context, TE.left(parsed.left), { flow: "inviteAll" });
    const invite = parsed.right;
    const made =
      known.get(nameOf(invite)) ??
      run(
        context,
        pipe(
          TE.fromEither(readCommand(command)),
          TE.flatMap((read) => inviteAddress(context, { ...read, details, invite, resend: false }, inTurn)),
          TE.mapLeft(outsideIsNotJoined),
        ),
        { flow: "inviteAll" },
      );
    known.set(nameOf(invite), made);
    return made;
  };
  const waiting = entries.entries();
  const work = async (): Promise<void> => {
    for (const [at, entry] of waiting) results[at] = await one(entry);
  };
  await Promise.all(Array.from({ length: lanes(concurrency, entries.length) }, work));
  return right(results);
});
