import type { FindInvitesCommand, FoundInvites } from "./flows/find-invites.js";
import type { ListedRedemption, ListRedemptionsCommand, QueueSize } from "./flows/owed-redemptions.js";
import type { RevokedInvites } from "./flows/revoke-all-invites.js";
import type { AddressCommand, FindBy } from "./flows/steps/find-by.js";
import type { FlowOptions, FlowResult } from "./flows/steps/step.js";

/**
 * What whoever runs the server asks for, over all rooms. No membership is asked of them: the host decides who may call
 * these. None of the answers has an address in it.
 */
export interface OperatorCalls {
  /**
   * The stored invites of a sender, of an identity server, or for an address, the newest first, page by page.
   *
   * @example
   * const found = await invites.findInvites({ by: { sender: "@spam:example.org" } });
   * // right({ invites: [{ roomId, sender, idServer, state: "Pending", since }], next: undefined })
   */
  readonly findInvites: (command: FindInvitesCommand, options?: FlowOptions) => FlowResult<FoundInvites>;

  /**
   * Revokes all of these that have not ended, each in the name of its own sender. Those that their sender may no longer
   * revoke are told in `refused`: a moderator of the room can, by `revokeInvite` with the token.
   *
   * @example
   * await invites.revokeAllInvites({ by: { idServer: "id.example" } }); // right({ revoked: 12, refused: [] })
   */
  readonly revokeAllInvites: (
    command: { readonly by: FindBy },
    options?: FlowOptions,
  ) => FlowResult<RevokedInvites>;

  /**
   * Whether somebody of this server has invited the address and the invite has not ended: for servers where only those
   * who were invited may register.
   *
   * @example
   * await invites.isInvited({ medium: "email", address: "zoe@example.org" }); // right(true)
   */
  readonly isInvited: (command: AddressCommand, options?: FlowOptions) => FlowResult<boolean>;

  /**
   * Removes from the stored invites what leads to an address: the address where it is stored, and its hash. The invites go
   * on; revoke them first where they shall not. What identity servers and rooms have is not touched. Answers how many.
   *
   * @example
   * await invites.eraseAddress({ medium: "email", address: "zoe@example.org" }); // right(3)
   */
  readonly eraseAddress: (command: AddressCommand, options?: FlowOptions) => FlowResult<number>;

  /**
   * Redemptions of one lane of the queue, by their id, page by page: what waits, or what died and why.
   *
   * @example
   * await invites.listRedemptions({ lane: "dead" }); // right([{ id, roomId, mxid, sender, last: { reason: … }, … }])
   */
  readonly listRedemptions: (
    command: ListRedemptionsCommand,
    options?: FlowOptions,
  ) => FlowResult<readonly ListedRedemption[]>;

  /**
   * Puts a dead redemption back: the next `deliverOwed` tries it. Refuses with `RedemptionNotFound`.
   *
   * @example
   * await invites.retryRedemption({ id });
   */
  readonly retryRedemption: (command: { readonly id: string }, options?: FlowOptions) => FlowResult<void>;

  /**
   * How much there is in each lane of the queue that has anything, in rows and bytes, with the least time of them: the
   * gauges of a monitoring system.
   *
   * @example
   * await invites.measureQueue(); // right([{ lane: "unvouched-again", rows: 3, bytes: 2100, oldest: 1800000000000 }])
   */
  readonly measureQueue: (
    command?: Readonly<Record<string, never>>,
    options?: FlowOptions,
  ) => FlowResult<readonly QueueSize[]>;

  /**
   * Whether `config.addressKey` is the one that this storage was used with: with another, no stored invite is found. For
   * the start of a server. The first call of all notes the key (its HMAC of a fixed text); refuses with
   * `AddressKeyChanged`.
   *
   * @example
   * const checked = await invites.checkAddressKey(); // right("Same")
   */
  readonly checkAddressKey: (
    command?: Readonly<Record<string, never>>,
    options?: FlowOptions,
  ) => FlowResult<"Same" | "Noted">;
}
