import { type Either, isLeft } from "fp-ts/lib/Either.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { InviteOutcome } from "../invite/decide.js";
import { type InviteRequest, parseInviteRequest } from "../invite/form.js";
import type { Refusal } from "../refusal.js";
import type { RequesterCommand } from "./command.js";
import { type InviteByThreePidPorts, inviteByThreePid } from "./invite-by-three-pid.js";
import { inviteByUserId } from "./invite-by-user-id.js";
import { type FlowOptions, type FlowResult, run } from "./run.js";
import type { Committed } from "./commit.js";

/** A request to `POST /rooms/{roomId}/invite`. */
export interface Invite {
  readonly roomId: string;
  readonly requester: RequesterCommand;
  /** The parsed JSON of the body, unchecked. */
  readonly body: unknown;
}

/**
 * The whole of `POST /_matrix/client/v3/rooms/{roomId}/invite`, in whichever of its two forms the body is:
 * `parseInviteRequest`, then `inviteByThreePid` or `inviteByUserId`. Answer every `right` with 200 and `{}`, every
 * `left` with its `matrixError`. Never rejects.
 *
 * @example
 * const result = await invite(ports)({ roomId, requester: { userId }, body: await request.json() });
 */
export const invite =
  (ports: InviteByThreePidPorts) =>
  ({ roomId, requester, body }: Invite, options: FlowOptions = {}): FlowResult<Committed<InviteOutcome>> => {
    const parsed: Either<Refusal, InviteRequest> = parseInviteRequest(body);
    if (isLeft(parsed)) return run(TE.left(parsed.left), ports.observe, { flow: "invite" });
    const request = parsed.right;
    switch (request._tag) {
      case "ByThreepid":
        return inviteByThreePid(ports)({ roomId, requester, invite: request }, options);
      case "ByUserId":
        return inviteByUserId(ports)({ roomId, requester, invite: request }, options);
    }
  };
