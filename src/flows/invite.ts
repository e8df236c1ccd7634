import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { InviteDetails } from "../invite/event-templates.js";
import { type InviteRequest, parseInviteRequest } from "../invite/parse-invite-request.js";
import { defineFlow } from "./flow.js";
import type { Committed } from "./steps/decide.js";
import { type InviteOutcome, inviteAddress } from "./steps/invite-address.js";
import { admitted, inviteKnownUser } from "./steps/invite-known-user.js";
import { type RequesterCommand, outsideIsNotJoined, readCommand } from "./steps/read-command.js";
import type { Step } from "./steps/step.js";

/** A request to `POST /_matrix/client/v3/rooms/{roomId}/invite`. */
export interface InviteCommand {
  readonly roomId: string;
  readonly requester: RequesterCommand;
  /** The parsed JSON of the body, unchecked. */
  readonly body: unknown;
  /** Whether to have a new mail sent although one is, or may be, out. The token before is emptied. */
  readonly resend?: boolean;
  /** What the member event is to have; a `reason` in the body counts more. Kept until the invite is redeemed. */
  readonly details?: InviteDetails;
}

/** What both forms of the request need. */
export const inviteNeeds = [
  "crypto",
  "rooms",
  "events",
  "identityServer",
  "invites",
  "users",
  "clock",
  "policy",
  "limits",
] as const;

export const invite = defineFlow(...inviteNeeds)((context, command: InviteCommand) =>
  pipe(
    TE.Do,
    TE.bind("request", () => TE.fromEither(parseInviteRequest(command.body))),
    TE.bind("read", () => TE.fromEither(readCommand(command))),
    TE.flatMap(({ request, read }): Step<Committed<InviteOutcome>> => {
      const inviting = { ...read, details: detailsOf(request, command.details) };
      switch (request._tag) {
        case "ByThreepid":
          return inviteAddress(context, { ...inviting, invite: request, resend: command.resend ?? false });
        case "ByUserId":
          return pipe(
            admitted(context, inviting),
            TE.flatMap(() =>
              inviteKnownUser(context, inviting, { target: { _tag: "ByUserId", userId: request.userId } }),
            ),
          );
      }
    }),
    TE.mapLeft(outsideIsNotJoined),
  ),
);

const detailsOf = (request: InviteRequest, details: InviteDetails = {}): InviteDetails => ({
  ...details,
  ...(request._tag === "ByUserId" && request.reason !== undefined ? { reason: request.reason } : {}),
});
