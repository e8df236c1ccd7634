/** What the parent and one process of the homeserver say to each other; structured clones, so maps and bytes may be in it. */

/** Asked of a process: one thing that a homeserver is asked for. */
export type Order =
  | { readonly _tag: "Invite"; readonly roomId: string; readonly address: string; readonly resend: boolean }
  | { readonly _tag: "Revoke"; readonly roomId: string; readonly address: string }
  | { readonly _tag: "OnBind"; readonly body: unknown }
  | { readonly _tag: "CleanUp"; readonly roomId: string }
  /** From now on the clock is this much ahead, in milliseconds. */
  | { readonly _tag: "Skip"; readonly ms: number };

/** How an order ended: done, or the code of the refusal or failure. */
export type Outcome = { readonly _tag: "Done" } | { readonly _tag: "Left"; readonly code: string };

/** The database that the processes share. */
export type StoragePlace =
  | { readonly _tag: "PostgreSQL"; readonly url: string; readonly schema: string }
  | { readonly _tag: "SQLite"; readonly file: string };

export type ToProcess =
  | { readonly _tag: "Start"; readonly storage: StoragePlace; readonly aheadMs: number }
  | { readonly _tag: "Order"; readonly id: number; readonly order: Order }
  | { readonly _tag: "Answer"; readonly id: number; readonly value: unknown }
  | { readonly _tag: "Failed"; readonly id: number; readonly why: string };

export type FromProcess =
  | { readonly _tag: "Ready" }
  | { readonly _tag: "Outcome"; readonly id: number; readonly outcome: Outcome }
  /** A call of a port that all processes share: the rooms and the identity server live in the parent. */
  | {
      readonly _tag: "Call";
      readonly id: number;
      readonly port: string;
      readonly method: string;
      readonly args: readonly unknown[];
    };

export const serverName = "hs.example";
export const idServer = "is.example";
export const inviter = `@alice:${serverName}`;
