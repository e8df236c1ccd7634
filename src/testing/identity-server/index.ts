export type { InviteMail, Mail, ValidationMail } from "./effects.js";
export type { DeliveryReport, EmbeddedIdentityServer, IdentityServerOptions } from "./embedded.js";
export type { OpenIdToken } from "./request.js";
export type { Random as RandomBytes } from "./random-text.js";
export { createIdentityServer } from "./server.js";
