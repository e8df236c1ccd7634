import fc from "fast-check";
import { stringMember } from "matrix-third-party-invites/matrix";
import { describe, expect, it } from "vitest";
import { type Mounted, everyEndpoint, inPieces, openHost, requestTo } from "./host.js";

const near = (mounted: Mounted) => {
  const text = JSON.stringify(mounted.body);
  const bytes = new TextEncoder().encode(text);
  return fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.json().map((json) => new TextEncoder().encode(json)),
    // The endpoint's own body, with some bytes of it changed.
    fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { maxLength: 4 }).map((changes) => {
      const changed = bytes.slice();
      for (const [at, byte] of changes) changed[at] = byte;
      return changed;
    }),
    // Its own members, with other values.
    fc
      .record(
        Object.fromEntries(
          Object.keys(mounted.body).map((key) => [
            key,
            fc.oneof(fc.constant(mounted.body[key]), fc.jsonValue({ maxDepth: 3 })),
          ]),
        ),
        { requiredKeys: [] },
      )
      .map((body) => new TextEncoder().encode(JSON.stringify(body))),
  );
};

const header = fc
  .string({
    unit: fc.integer({ min: 0x20, max: 0xff }).map((code) => String.fromCharCode(code)),
    maxLength: 30,
  })
  .map((text) => text.trim());

const isMatrixError = (body: unknown): boolean =>
  [stringMember(body, "errcode"), stringMember(body, "error")].every(
    (text) => text !== undefined && text !== "",
  );

describe("whatever comes", () => {
  it.each(everyEndpoint.map((mounted) => [mounted.name, mounted] as const))(
    "%s: any bytes, in any pieces, of any type, have an answer in JSON",
    async (_, mounted) => {
      await fc.assert(
        fc.asyncProperty(
          near(mounted),
          fc.integer({ min: 1, max: 100 }),
          fc.option(fc.oneof(fc.constantFrom("application/json", "text/plain"), header), { nil: undefined }),
          fc.constantFrom("close", "break"),
          async (bytes, size, type, end) => {
            const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (__, index) =>
              bytes.subarray(index * size, (index + 1) * size),
            );
            const request = requestTo(mounted, inPieces(pieces, end), {
              headers: type === undefined ? {} : { "content-type": type },
            });
            const response = await mounted.open(openHost())(request);
            const body: unknown = await response.json();
            expect(response.status).toBeGreaterThanOrEqual(200);
            expect(response.status).toBeLessThan(500);
            if (response.status === 200) expect(body).toEqual({});
            else expect(isMatrixError(body)).toBe(true);
          },
        ),
        { numRuns: 400 },
      );
    },
  );

  it.each(everyEndpoint.map((mounted) => [mounted.name, mounted] as const))(
    "%s: any path and any method have an answer in JSON",
    async (_, mounted) => {
      const segment = fc.oneof(
        fc.webSegment(),
        fc.constantFrom("%zz", "%", "..", "%2e", "%2F", "!", "//", "\\", "\0", "?", "#"),
      );
      const path = fc.oneof(
        fc.webPath(),
        fc.tuple(segment, segment).map(([a, b]) => mounted.path.replace("!garden", a + b)),
        fc.tuple(fc.nat(mounted.path.length), segment).map(([at, text]) => mounted.path.slice(0, at) + text),
      );
      const method = fc.constantFrom("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "LOCK");
      await fc.assert(
        fc.asyncProperty(path, method, async (where, how) => {
          const body = how === "GET" || how === "HEAD" ? null : JSON.stringify(mounted.body);
          const request = requestTo(mounted, body, {
            path: where.startsWith("/") ? where : `/${where}`,
            method: how,
          });
          const response = await mounted.open(openHost())(request);
          expect([200, 204, 400, 403, 404, 405]).toContain(response.status);
          if (response.status === 204) return;
          const answered: unknown = await response.json();
          if (response.status === 200) expect(answered).toEqual({});
          else expect(isMatrixError(answered)).toBe(true);
        }),
        { numRuns: 400 },
      );
    },
  );
});
