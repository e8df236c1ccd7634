import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { settledLife } from "../../invite/invite-life.js";
import { pinnedKeysOf } from "../../invite/identity-server-name.js";
import type { OnBind } from "../../invite/onbind.js";
import { isVouched, signersOf } from "../../invite/vouched.js";
import type { ServerName } from "../../matrix/ids.js";
import { isJsonObject } from "../../matrix/json.js";
import { asList, callPort } from "./call-port.js";
import type { Context } from "./context.js";
import { inTurns } from "./in-turns.js";
import type { Step } from "./step.js";

type Entry = OnBind["accepted"][number];

/** A delivery is signed by one identity server. Each name costs a statement. */
const maxServers = 2;

/** The newest invites tell the key of today and the one before it. */
const invitesLookedAt = 8;

/** Where the delivery itself is not signed, so many entries are looked at one by one. */
const maxEntriesVerified = 500;

/** The long-term keys that we hold for an identity server: pinned, or of our own users' invites there. */
const keysOf = (context: Context<"invites">, idServer: ServerName): Step<readonly string[]> =>
  pipe(
    callPort(context, "invites", "list", { by: { idServer }, limit: invitesLookedAt }).read(asList),
    TE.map((found) => {
      const stored = found.flatMap(({ value }) => {
        const life = settledLife(value.life);
        return "storedInvite" in life ? [life.storedInvite.publicKeys[0].publicKey] : [];
      });
      return [...new Set([...(pinnedKeysOf(context.ports.config.pinnedKeys, idServer) ?? []), ...stored])];
    }),
  );

/**
 * The entries of a delivery that an identity server has signed whose long-term key we hold. Some sign the whole delivery,
 * and one verification decides; else each entry's own `signed` does.
 */
export const vouchedEntries = (
  context: Context<"crypto" | "invites">,
  body: unknown,
  entries: readonly Entry[],
): Step<ReadonlySet<Entry>> => {
  const { crypto } = context.ports;
  const whole = isJsonObject(body) ? body : {};
  const looked = entries.slice(0, maxEntriesVerified);
  const signers = new Set([whole, ...looked.map(({ signed }) => signed.json)].flatMap(signersOf));
  return pipe(
    [...signers].slice(0, maxServers),
    TE.traverseSeqArray((name) =>
      pipe(
        keysOf(context, name),
        TE.map((keys) => [name, keys] as const),
      ),
    ),
    TE.flatMap((held): Step<ReadonlySet<Entry>> => {
      const keys = new Map(held);
      if (isVouched(crypto, whole, keys)) return TE.right(new Set(entries));
      return pipe(
        inTurns(looked, ({ signed }) => isVouched(crypto, signed.json, keys)),
        TE.map((vouched) => new Set(looked.filter((_, index) => vouched[index] === true))),
      );
    }),
  );
};
