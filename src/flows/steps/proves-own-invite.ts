import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { settledLife } from "../../invite/invite-life.js";
import type { Delivery } from "../../invite/onbind.js";
import { isVouched, signersOf } from "../../invite/vouched.js";
import type { Context } from "./context.js";
import type { Step } from "./step.js";
import { findByToken } from "./transition.js";

/**
 * Whether a proof of another server's user is for an invite that our own user has made, that nobody has redeemed, and is
 * signed by the identity server's long-term key. Another key of the invite is not enough: whoever has the private key of the
 * mail can sign for any user.
 */
export const provesOwnInvite = (
  context: Context<"crypto" | "invites">,
  { roomId, sender, signed }: Delivery,
): Step<boolean> =>
  pipe(
    findByToken(context, roomId, signed.token),
    TE.map((found) =>
      found.some(({ value }) => {
        const life = settledLife(value.life);
        if (value.sender !== sender || !("storedInvite" in life)) return false;
        const { token, publicKeys } = life.storedInvite;
        const keys = new Map(signersOf(signed.json).map((name) => [name, [publicKeys[0].publicKey]]));
        return token === signed.token && isVouched(context.ports.crypto, signed.json, keys);
      }),
    ),
  );
