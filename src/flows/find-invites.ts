import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { type InviteLife, type InviteRecord, hasEnded, sinceOf } from "../invite/invite-life.js";
import type { RoomId, ServerName, UserId } from "../matrix/ids.js";
import type { InviteQuery } from "../ports.js";
import { defineFlow } from "./flow.js";
import { asList, callPort } from "./steps/call-port.js";
import {
  type AddressCommand,
  type FindBy,
  nextPage,
  readAddress,
  readFindBy,
  readLimit,
} from "./steps/find-by.js";

export interface FindInvitesCommand {
  readonly by: FindBy;
  /** The `next` of the page before. */
  readonly after?: NonNullable<InviteQuery["after"]>;
  /** How many at most, from 1 to 1,000; 100 unless told otherwise. */
  readonly limit?: number;
}

/** One stored invite, without its address. */
export interface FoundInvite {
  readonly roomId: RoomId;
  readonly sender: UserId;
  readonly idServer: ServerName;
  readonly state: InviteLife["_tag"];
  /** When it was asked for, in milliseconds since 1970. */
  readonly since: number;
}

/** A page, and where the next one begins; `undefined` where there is none. */
export interface FoundInvites {
  readonly invites: readonly FoundInvite[];
  readonly next: InviteQuery["after"];
}

const found = (record: InviteRecord): FoundInvite => ({
  roomId: record.roomId,
  sender: record.sender,
  idServer: record.idServer,
  state: record.life._tag,
  since: sinceOf(record),
});

export const findInvites = defineFlow(
  "crypto",
  "invites",
)((context, { by, after, limit }: FindInvitesCommand) =>
  pipe(
    TE.Do,
    TE.bind("by", () => TE.fromEither(readFindBy(context, by))),
    TE.bind("limit", () => TE.fromEither(readLimit(limit))),
    TE.bind("page", (query) =>
      callPort(context, "invites", "list", { ...query, ...(after === undefined ? {} : { after }) }).read(
        asList,
      ),
    ),
    TE.map(({ page, limit }): FoundInvites => ({
      invites: page.map(({ value }) => found(value)),
      next: nextPage(page, limit),
    })),
  ),
);

/** Enough to find one that is open among those that have ended. */
const perPage = 1_000;

export const isInvited = defineFlow(
  "crypto",
  "invites",
)((context, address: AddressCommand) =>
  pipe(
    TE.fromEither(readAddress(context, address)),
    TE.flatMap((addressHash) =>
      callPort(context, "invites", "list", { by: { addressHash }, limit: perPage }).read(asList),
    ),
    TE.map((all) => all.some(({ value: { life } }) => !hasEnded(life))),
  ),
);
