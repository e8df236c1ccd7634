import { isRight } from "fp-ts/lib/Either.js";
import fc from "fast-check";
import { expect, it } from "vitest";
import { type ServerName, type UserId, parseServerName, parseUserId } from "../../../src/matrix/ids.js";
import { type JsonObject, isJsonObject, member } from "../../../src/matrix/json.js";
import { parseThreepid } from "../../../src/threepid/threepid.js";
import { withAccessToken } from "../../../src/testing/identity-server/accounts.js";
import { associate } from "../../../src/testing/identity-server/bind.js";
import { type Answer, handle } from "../../../src/testing/identity-server/core.js";
import type { IdentityRequest } from "../../../src/testing/identity-server/request.js";
import { type IdentityState, emptyState } from "../../../src/testing/identity-server/state.js";
import { aWorld, alice, anInvite, call, seeded } from "./world.js";

const valid = <Value>(
  found: { readonly _tag: "Right"; readonly right: Value } | { readonly _tag: "Left" },
): Value => {
  if (found._tag === "Left") throw new Error("This should be valid.");
  return found.right;
};

const name: ServerName = valid(parseServerName("is.example.org"));
const user: UserId = valid(parseUserId(alice));

/** A server that has an account, an invite, a session and an association; with what names them. */
const lived = (() => {
  const random = seeded(3);
  const [token, registered] = withAccessToken(
    emptyState(name, "https://is.example.org", random),
    user,
    random,
  );
  let state: IdentityState = registered;
  const texts: string[] = [alice, token, state.pepper, "!room:example.org", "email", "msisdn", "secret"];
  const serve = (path: string, body: JsonObject): JsonObject => {
    const request = { method: "POST", path: `/_matrix/identity/v2/${path}`, query: {}, token, body, now: 1 };
    const answer = handle(state, request, random);
    if (answer._tag !== "Answer" || answer.status !== 200) throw new Error("This should be served.");
    state = answer.state;
    for (const effect of answer.effects)
      if (effect._tag === "SendMail")
        texts.push(
          effect.mail.token,
          effect.mail.kind === "invite" ? effect.mail.privateKey : effect.mail.sid,
        );
    return answer.body;
  };
  serve("store-invite", anInvite());
  serve("validate/email/requestToken", { email: "a@b.c", client_secret: "secret", send_attempt: 1 });
  const bound = associate(state, valid(parseThreepid("email", "bound@example.org")), user, 1);
  if (isRight(bound)) state = bound.right.state;
  return { state, token, texts };
})();

const paths = [
  ...["", "/hash_details", "/lookup", "/store-invite", "/sign-ed25519", "/terms", "/nothing-here"],
  ...[
    "/account",
    "/account/register",
    "/account/logout",
    "/3pid/bind",
    "/3pid/unbind",
    "/3pid/getValidated3pid",
  ],
  ...["/validate/email/requestToken", "/validate/email/submitToken", "/pubkey/isvalid", "/pubkey/%"],
];

const word = fc.oneof(
  fc.constantFrom(
    ...lived.texts,
    "a@b.c",
    "bound@example.org email",
    "sha256",
    "none",
    "example.org",
    "\ud800",
  ),
  fc.string({ unit: "binary" }),
);

const names = [
  ...["medium", "address", "room_id", "sender", "algorithm", "pepper", "addresses", "email", "client_secret"],
  ...[
    "send_attempt",
    "sid",
    "token",
    "mxid",
    "private_key",
    "user_accepts",
    "threepid",
    "matrix_server_name",
  ],
  ...["access_token", "public_key", "__proto__", "constructor"],
];

const someBody = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.dictionary(fc.constantFrom(...names), fc.oneof(word, fc.array(word), fc.jsonValue())),
  },
  {
    weight: 2,
    arbitrary: fc.record(Object.fromEntries(names.map((key) => [key, fc.oneof(word, fc.integer())]))),
  },
  fc.jsonValue(),
  fc.constant(undefined),
);

const someRequest: fc.Arbitrary<IdentityRequest> = fc.record({
  method: fc.constantFrom("GET", "POST", "PUT", "OPTIONS"),
  path: fc.oneof(
    fc.constantFrom(...paths).map((path) => `/_matrix/identity/v2${path}`),
    fc.string({ unit: "binary" }),
  ),
  query: fc.dictionary(fc.constantFrom(...names), word),
  token: fc.constantFrom(undefined, lived.token, "nope"),
  body: someBody,
  now: fc.constantFrom(0, 1, 1e13, 0.5, Number.NaN),
});

const isFailure = ({ status, body }: Answer): boolean => status >= 400 || "errcode" in body;

it("handle is total: every failure has an errcode and changes nothing, every answer is JSON", () => {
  fc.assert(
    fc.property(someRequest, fc.boolean(), fc.boolean(), (request, requireTerms, rateLimit) => {
      const state = { ...lived.state, requireTerms, rateLimit };
      const answer = handle(state, request, seeded(1));
      if (answer._tag === "AskHomeserver") return;
      expect(JSON.parse(JSON.stringify(answer.body))).toEqual(answer.body);
      if (!isFailure(answer)) {
        expect(answer.status).toBe(200);
        return;
      }
      expect(answer.status).toBeGreaterThanOrEqual(400);
      expect(answer.body).toMatchObject({
        errcode: expect.stringMatching(/^M_/) as unknown,
        error: expect.any(String) as unknown,
      });
      expect(answer.state).toBe(state);
      expect(answer.effects).toEqual([]);
    }),
    { numRuns: 2000 },
  );
});

it("handle is a function: the same state, request and bytes give the same answer, and the state stays as it was", () => {
  fc.assert(
    fc.property(someRequest, fc.integer({ min: 1 }), (request, seed) => {
      const plain = (outcome: ReturnType<typeof handle>): unknown =>
        outcome._tag === "Answer" ? [outcome.status, outcome.body, outcome.effects] : outcome;
      const sizes = (state: IdentityState): readonly unknown[] =>
        Object.values(state).map((value: unknown) =>
          value instanceof Map || value instanceof Set ? [...value.entries()] : value,
        );
      const before = sizes(lived.state);
      const first = plain(handle(lived.state, request, seeded(seed)));
      expect(sizes(lived.state)).toEqual(before);
      expect(plain(handle(lived.state, request, seeded(seed)))).toEqual(first);
    }),
  );
});

it("a request over HTTP never rejects, whatever its path, its query and its bytes", async () => {
  const { server, tokens } = aWorld();
  const v2 = "/_matrix/identity/v2";
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        fc.constantFrom(...paths).map((path) => v2 + path),
        fc.webPath(),
        fc.webQueryParameters().map((query) => `${v2}/pubkey/isvalid?${query}`),
      ),
      fc.constantFrom("GET", "POST", "PATCH"),
      fc.oneof(
        fc.json(),
        fc.string({ unit: "binary" }),
        fc.uint8Array().map((bytes) => new Uint8Array(bytes)),
        fc.constant(`{"medium":${"[".repeat(50_000)}${"]".repeat(50_000)}}`),
      ),
      async (path, method, body) => {
        const response = await server.handle(
          new Request(`https://is.example.org${path}`, {
            method,
            headers: { authorization: `Bearer ${tokens.alice}` },
            ...(method === "GET" ? {} : { body }),
          }),
        );
        const answer: unknown = await response.json();
        expect(isJsonObject(answer)).toBe(true);
        if (response.status !== 200) expect(member(answer, "errcode")).toMatch(/^M_/);
      },
    ),
    { numRuns: 500 },
  );
});

it("a request whose body was read before is malformed", async () => {
  const { server } = aWorld();
  const request = new Request("https://is.example.org/_matrix/identity/v2/account/register", {
    method: "POST",
    body: "{}",
  });
  await request.text();
  const response = await server.handle(request);
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({ errcode: "M_BAD_JSON" });
});

it("two servers with the same chance and clock are one and the same", async () => {
  const run = async () => {
    const { server, tokens } = aWorld();
    const stored = await call(server, "POST", "store-invite", { token: tokens.alice, body: anInvite() });
    return [
      server.publicKey,
      server.rotateKey(),
      server.rotatePepper(),
      tokens,
      stored.body,
      server.outbox,
      server.bindDirectly({ medium: "email", address: "zoe.guest@example.org" }, alice),
    ];
  };
  expect(await run()).toEqual(await run());
});
