import type { isProven } from "./proof.js";

/** The rules, in the order of the walk within each branch; `explain` has their texts. */
export type RuleName =
  | "room"
  | "create"
  | "federate"
  | "memberShape"
  | "joinAuthoriser"
  | "provenTarget"
  | "provenSigned"
  | "provenMembers"
  | "provenMxid"
  | "provenToken"
  | "provenSender"
  | "provenMatch"
  | "provenNone"
  | "plainSender"
  | "plainTarget"
  | "plainPower"
  | "plainNone"
  | "mintedSender"
  | "mintedPower";

/**
 * Somebody who watches the walk: told of each rule as it is come to, so that the last one is the one that decided, and
 * asked for the proof, so that it may look at more of it than the verdict needs. Who only wants the verdict has none,
 * and nothing is done for one.
 */
export interface Watcher {
  readonly at: (rule: RuleName) => void;
  readonly isProven: typeof isProven;
}
