import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { type AddressHash, type InviteRecord, erasedAddress } from "../invite/invite-life.js";
import type { Marked } from "../ports.js";
import { defineFlow } from "./flow.js";
import { asList, callPort } from "./steps/call-port.js";
import type { Context } from "./steps/context.js";
import { type AddressCommand, readAddress } from "./steps/find-by.js";
import type { Step } from "./steps/step.js";
import { replaceRecord, retryLostRace } from "./steps/transition.js";

const perPage = 100;

const eraseOne = (
  context: Context<"invites">,
  { value, mark }: Marked<InviteRecord>,
): Step<Marked<InviteRecord>> => {
  const { threepid, ...rest } = value;
  return replaceRecord(context, mark, { ...rest, addressHash: erasedAddress });
};

/** Each page is the first one of what is left. */
const eraseAll = (context: Context<"invites">, hash: AddressHash): Step<number> =>
  pipe(
    callPort(context, "invites", "list", { by: { addressHash: hash }, limit: perPage }).read(asList),
    TE.tap(TE.traverseSeqArray((stored) => eraseOne(context, stored))),
    TE.flatMap(({ length }) =>
      length < perPage
        ? TE.right(length)
        : pipe(
            eraseAll(context, hash),
            TE.map((more) => length + more),
          ),
    ),
  );

export const eraseAddress = defineFlow(
  "crypto",
  "invites",
)((context, address: AddressCommand) =>
  pipe(
    TE.fromEither(readAddress(context, address)),
    TE.flatMap((hash) => retryLostRace(eraseAll(context, hash))),
  ),
);
