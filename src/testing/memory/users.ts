import type { Profile } from "../../invite/event-templates.js";
import type { Users } from "../../ports.js";

/** What is known of one user. */
export interface MemoryUser {
  readonly profile?: Profile;
  readonly blocksInvites?: boolean;
}

/**
 * The `users` port over a map from user IDs, which may change at any time: who is not in it does not exist.
 *
 * @example
 * const users = memoryUsers(new Map([["@bob:example.org", { profile: { displayname: "Bob" } }]]));
 */
export const memoryUsers = (known: ReadonlyMap<string, MemoryUser>): Users => ({
  find: ({ userId }) => {
    const user = known.get(userId);
    return Promise.resolve(user === undefined ? { _tag: "NoSuchUser" } : { _tag: "User", ...user });
  },
});
