import fc from "fast-check";
import { identityServerClient } from "matrix-third-party-invites/http";
import { expect, it } from "vitest";
import { callNames, calls, goodAnswers, isOutcomeOf } from "./identity-server-calls.js";
import { fetchTo, json, openRawTls, patient } from "./raw-tls-server.js";

const limits = { ...patient, maxBytes: 4096 };

const anyCall = fc.constantFrom(...callNames);

/** JSON made of the words of the protocol, so that much of it is nearly an answer. */
const words = [
  "errcode",
  "success",
  "retry_after_ms",
  "lookup_pepper",
  "algorithms",
  "mappings",
  "asked",
  "mxid",
  "token",
  "valid",
  "__proto__",
  "M_LIMIT_EXCEEDED",
  "M_TERMS_NOT_SIGNED",
  "M_UNKNOWN_TOKEN",
  "M_INVALID_PEPPER",
  "M_THREEPID_IN_USE",
];
const anyJson = fc.letrec<{ value: unknown; object: unknown }>((tie) => ({
  object: fc.dictionary(fc.constantFrom(...words), tie("value"), { maxKeys: 5 }),
  value: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom(...words),
    fc.boolean(),
    fc.constant(null),
    fc.double(),
    fc.array(tie("value"), { maxLength: 3 }),
    tie("object"),
  ),
}));

const anyBody: fc.Arbitrary<Uint8Array> = fc.oneof(
  fc.uint8Array({ maxLength: 5_000 }),
  anyJson.object.map((value) => Buffer.from(JSON.stringify(value))),
  anyJson.value.map((value) => Buffer.from(JSON.stringify(value))),
);

const printable = fc
  .array(fc.integer({ min: 0x21, max: 0x7e }), { maxLength: 30 })
  .map((codes) => String.fromCharCode(...codes));
const anyHeaders = fc.array(
  fc.tuple(
    fc.oneof(
      fc.constantFrom("retry-after", "content-type", "content-encoding", "location", "content-length"),
      fc.stringMatching(/^[a-z][a-z-]{0,9}$/),
    ),
    printable,
  ),
  { maxLength: 5 },
);

it("any status, any headers, any body: a typed outcome", async () => {
  await fc.assert(
    fc.asyncProperty(
      anyCall,
      fc.integer({ min: 200, max: 599 }),
      anyHeaders,
      anyBody,
      async (name, status, headers, body) => {
        const hasNoBody = [204, 205, 304].includes(status);
        const client = identityServerClient({
          ...limits,
          fetch: () =>
            Promise.resolve(new Response(hasNoBody ? null : new Uint8Array(body), { status, headers })),
        });
        const outcome = await calls[name](client);
        expect(isOutcomeOf(name, outcome), JSON.stringify(outcome)).toBe(true);
      },
    ),
    { numRuns: 2_000 },
  );
});

it("whatever fetch throws: a typed outcome", async () => {
  await fc.assert(
    fc.asyncProperty(anyCall, fc.anything({ withNullPrototype: true }), async (name, thrown) => {
      const client = identityServerClient({
        fetch: () => {
          throw thrown;
        },
      });
      expect(isOutcomeOf(name, await calls[name](client))).toBe(true);
    }),
    { numRuns: 500 },
  );
});

/** A good answer with some of its bytes replaced, added or left out, wherever. */
const spoilt = (answer: Buffer): fc.Arbitrary<Buffer> =>
  fc
    .tuple(
      fc.nat(answer.length),
      fc.nat(6),
      fc.oneof(
        fc.uint8Array({ maxLength: 6 }),
        fc.constantFrom("\r\n", ": ", "0", "{", "gzip").map((text) => Buffer.from(text)),
      ),
    )
    .map(([at, removed, added]) =>
      Buffer.concat([answer.subarray(0, at), added, answer.subarray(at + removed)]),
    );

it("any bytes on the wire: a typed outcome", async () => {
  let bytes: Uint8Array = Buffer.alloc(0);
  const server = await openRawTls((socket) => {
    socket.end(bytes);
  });
  const fetch = await fetchTo(server.port, { keepAliveTimeoutMs: 1 });
  const anyAnswer = anyCall.chain((name) =>
    fc
      .oneof(
        { weight: 4, arbitrary: spoilt(json(200, goodAnswers[name], { "content-encoding": "identity" })) },
        { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }) },
      )
      .map((answer) => [name, answer] as const),
  );
  await fc.assert(
    fc.asyncProperty(anyAnswer, async ([name, answer]) => {
      bytes = answer;
      const outcome = await calls[name](identityServerClient({ ...limits, fetch }));
      expect(isOutcomeOf(name, outcome), JSON.stringify(outcome)).toBe(true);
    }),
    { numRuns: 250 },
  );
});
