import { isRight } from "fp-ts/lib/Either.js";
import { nodeCrypto } from "matrix-third-party-invites/node";
import { portableCrypto } from "matrix-third-party-invites/portable";
import {
  type EmbeddedIdentityServer,
  type IdentityServerOptions,
  type InviteMail,
  type ValidationMail,
  createIdentityServer,
} from "matrix-third-party-invites/testing";
import { decodeBase64 } from "../../../src/matrix/base64.js";
import { type JsonObject, isJsonObject, member } from "../../../src/matrix/json.js";
import { verifyJson } from "../../../src/matrix/signed-json.js";

export const serverName = "is.example.org";
export const alice = "@alice:example.org";
export const bob = "@bob:example.org";
export const zoe = "@zoe:elsewhere.example";
export const address = "zoe.guest@example.org";

/** Random bytes that are the same for the same seed (xorshift32). */
export const seeded = (seed: number): ((bytes: number) => Uint8Array) => {
  let x = seed || 1;
  return (bytes) =>
    Uint8Array.from({ length: bytes }, () => {
      x ^= x << 13;
      x ^= x >>> 17;
      x ^= x << 5;
      return x & 0xff;
    });
};

/** A clock that stands until it is moved. */
export class Clock {
  at = 1_700_000_000_000;
  readonly now = (): number => this.at;
}

export interface World {
  readonly server: EmbeddedIdentityServer;
  readonly clock: Clock;
  readonly tokens: { readonly alice: string; readonly bob: string; readonly zoe: string };
}

export const aWorld = (options: Partial<IdentityServerOptions> = {}): World => {
  const clock = new Clock();
  const server = createIdentityServer({
    serverName,
    baseUrl: "https://is.example.org/",
    random: seeded(7),
    now: clock.now,
    ...options,
  });
  const tokens = { alice: server.account(alice), bob: server.account(bob), zoe: server.account(zoe) };
  return { server, clock, tokens };
};

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly body: JsonObject;
}

export interface Sent {
  readonly token?: string | undefined;
  readonly body?: unknown;
}

const parse = (text: string): unknown => JSON.parse(text);

/** One request, over no network. A body that is a text is sent as it is, anything else as JSON. */
export const call = async (
  server: EmbeddedIdentityServer,
  method: string,
  path: string,
  { token, body }: Sent = {},
): Promise<Reply> => {
  const response = await server.handle(
    new Request(new URL(path, "https://is.example.org/_matrix/identity/v2/"), {
      method,
      ...(token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } }),
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    }),
  );
  const answer = parse(await response.text());
  if (!isJsonObject(answer)) throw new Error("The answer is no JSON object.");
  return { status: response.status, headers: response.headers, body: answer };
};

export const get = (server: EmbeddedIdentityServer, path: string, token?: string): Promise<Reply> =>
  call(server, "GET", path, { token });

export const post = (
  server: EmbeddedIdentityServer,
  path: string,
  token: string | undefined,
  body: unknown,
): Promise<Reply> => call(server, "POST", path, { token, body });

export const anInvite = (fields: JsonObject = {}): JsonObject => ({
  medium: "email",
  address: "Zoe.Guest@Example.org",
  room_id: "!room:example.org",
  sender: alice,
  ...fields,
});

/** The text at a path into JSON; fails where there is none. */
export const textAt = (value: unknown, ...path: readonly (string | number)[]): string => {
  let found = value;
  for (const step of path) found = Array.isArray(found) ? found[Number(step)] : member(found, String(step));
  if (typeof found !== "string") throw new Error(`There is no text at ${path.join(".")}.`);
  return found;
};

/** Whether both engines find the object signed by this key, under the server's name. */
export const isSigned = (object: unknown, publicKey: string, entity = serverName): boolean => {
  const key = decodeBase64(publicKey);
  if (!isJsonObject(object) || key === undefined) return false;
  const by = { entity, keyId: "ed25519:0", publicKey: key };
  return [nodeCrypto, portableCrypto].every((engine) => isRight(verifyJson(engine, object, by)));
};

/** The latest mail, which must be an invite. */
export const invited = (server: EmbeddedIdentityServer): InviteMail => {
  const mail = server.outbox.at(-1);
  if (mail?.kind !== "invite") throw new Error("The latest mail is no invite.");
  return mail;
};

/** The latest mail, which must be a validation. */
export const challenged = (server: EmbeddedIdentityServer): ValidationMail => {
  const mail = server.outbox.at(-1);
  if (mail?.kind !== "validation") throw new Error("The latest mail is no validation.");
  return mail;
};

const secret = "a.Secret_=-1";

/** Opens a session and submits its token; gives what proves the address. */
export const validate = async (
  server: EmbeddedIdentityServer,
  token: string,
  email = address,
): Promise<{ readonly sid: string; readonly client_secret: string }> => {
  await post(server, "validate/email/requestToken", token, { email, client_secret: secret, send_attempt: 1 });
  const mail = challenged(server);
  const proof = { sid: mail.sid, client_secret: secret };
  await post(server, "validate/email/submitToken", token, { ...proof, token: mail.token });
  return proof;
};
