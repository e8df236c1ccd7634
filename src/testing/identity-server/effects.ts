import type { ServerName } from "../../matrix/ids.js";
import type { JsonObject } from "../../matrix/json.js";

/** The mail that tells a person of an invite: what only the owner of the address may know. */
export interface InviteMail {
  readonly kind: "invite";
  /** In canonical form, which is not always how the inviter wrote it. */
  readonly address: string;
  readonly token: string;
  /** The ephemeral private key: a seed of 32 bytes in URL-safe unpadded base64. */
  readonly privateKey: string;
  readonly roomId: string;
  readonly sender: string;
  /** The whole body of the store-invite request: what a template would be filled from. */
  readonly request: JsonObject;
}

/** The mail that proves who reads an address: its token belongs into `submitToken`. */
export interface ValidationMail {
  readonly kind: "validation";
  readonly address: string;
  readonly token: string;
  readonly sid: string;
  readonly clientSecret: string;
}

export type Mail = InviteMail | ValidationMail;

/** News of a binding for the homeserver of the user. */
export interface Onbind {
  readonly to: ServerName;
  readonly body: JsonObject;
}

/** What the outside has to do after an answer. */
export type Effect =
  | { readonly _tag: "SendMail"; readonly mail: Mail }
  | { readonly _tag: "DeliverOnbind"; readonly onbind: Onbind };
