import { type Either, isLeft, map, right } from "fp-ts/lib/Either.js";
import { parseIdentityServerName } from "../../invite/identity-server-name.js";
import { type AddressHash, type InviteRecord, addressHash } from "../../invite/invite-life.js";
import { parseUserId } from "../../matrix/ids.js";
import type { InviteQuery, Marked } from "../../ports.js";
import { type Refusal, malformedField, refuse } from "../../refusal.js";
import { parseThreepid } from "../../threepid/threepid.js";
import type { Context } from "./context.js";

/** An address, as an operator writes it. */
export interface AddressCommand {
  readonly medium: string;
  readonly address: string;
}

/** Whose invites, over all rooms: those of a sender, for an address, or of an identity server. */
export type FindBy = { readonly sender: string } | { readonly idServer: string } | AddressCommand;

/** What an address is found under. */
export const readAddress = (
  { ports: { config, crypto } }: Context<"crypto">,
  { medium, address }: AddressCommand,
): Either<Refusal, AddressHash> => {
  const threepid = parseThreepid(medium, address);
  if (isLeft(threepid))
    return threepid.left._tag === "UnknownMedium"
      ? malformedField("medium")
      : refuse("AddressMalformed", { detail: threepid.left.why });
  return right(addressHash(crypto, config.addressKey, threepid.right));
};

export const readFindBy = (context: Context<"crypto">, by: FindBy): Either<Refusal, InviteQuery["by"]> => {
  if ("sender" in by) {
    const sender = parseUserId(by.sender);
    return isLeft(sender) ? malformedField("sender") : right({ sender: sender.right });
  }
  if ("idServer" in by) {
    const idServer = parseIdentityServerName(by.idServer);
    return isLeft(idServer) ? malformedField("idServer") : right({ idServer: idServer.right });
  }
  return map((hash: AddressHash) => ({ addressHash: hash }))(readAddress(context, by));
};

/** The most that one page may hold. */
const maxLimit = 1_000;

/** How many are asked for in one page. */
export const readLimit = (limit = 100): Either<Refusal, number> =>
  Number.isSafeInteger(limit) && limit >= 1 && limit <= maxLimit ? right(limit) : malformedField("limit");

/** Where the page after this one begins; `undefined` where a page that is not full is the last. */
export const nextPage = (page: readonly Marked<InviteRecord>[], limit: number): InviteQuery["after"] => {
  const last = page.length < limit ? undefined : page.at(-1)?.value;
  return last === undefined ? undefined : { createdAt: last.createdAt, key: last.key };
};
