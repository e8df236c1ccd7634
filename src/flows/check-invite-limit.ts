import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { parseUserId } from "../matrix/ids.js";
import { malformedField } from "../refusal.js";
import { defineFlow } from "./flow.js";
import { limitOf, senderBucket, take } from "./steps/charge-invite.js";
import type { Step } from "./steps/step.js";

/** Whether so many invites fit now, and if not, when they may. */
export type InviteLimitChecked =
  | { readonly _tag: "Fits" }
  /** Without `retryAfterMs` where so many never fit at once. */
  | { readonly _tag: "TooMany"; readonly free: number; readonly retryAfterMs?: number };

export const checkInviteLimit = defineFlow(
  "limits",
  "clock",
)((
  context,
  { userId, count }: { readonly userId: string; readonly count: number },
): Step<InviteLimitChecked> => {
  const user = parseUserId(userId);
  if (user._tag === "Left") return TE.fromEither(malformedField("userId"));
  if (!(Number.isSafeInteger(count) && count >= 0)) return TE.fromEither(malformedField("count"));
  const limit = limitOf(context.ports.config, "sender");
  return context.ports.limits === "off"
    ? TE.right({ _tag: "Fits" })
    : pipe(
        take(context, { key: senderBucket(user.right), limit, cost: 0 }),
        TE.map(({ fullAt, now }) => {
          const { burst, intervalMs } = limit;
          const missing = Math.max(0, fullAt - now) / intervalMs;
          const free = Math.max(0, Math.floor(burst - missing));
          if (count <= free) return { _tag: "Fits" };
          return count <= burst
            ? { _tag: "TooMany", free, retryAfterMs: Math.ceil((missing + count - burst) * intervalMs) }
            : { _tag: "TooMany", free };
        }),
      );
});
