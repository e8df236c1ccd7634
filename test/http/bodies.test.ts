import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import {
  type Bytes,
  type Mounted,
  answerOf,
  everyEndpoint,
  inPieces,
  mountedExchange,
  mountedInvite,
  mountedOnBind,
  openHost,
  requestTo,
  shortly,
  utf8,
} from "./host.js";

const json = "application/json";
const own = ({ body }: Mounted): string => JSON.stringify(body);
const perEndpoint = everyEndpoint.map((mounted) => [mounted.name, mounted] as const);

/** Each endpoint against each row of a table. */
const each = <Row extends readonly unknown[]>(rows: readonly Row[]) =>
  everyEndpoint.flatMap((mounted) => rows.map((row) => [mounted.name, ...row, mounted] as const));

describe("a body that cannot be read", () => {
  const bad: readonly (readonly [string, Bytes | null, string])[] = [
    ["none", null, "M_NOT_JSON"],
    ["empty", "", "M_NOT_JSON"],
    ["blank", " \n", "M_NOT_JSON"],
    ["no JSON", "medium=email", "M_NOT_JSON"],
    ["JSON that breaks off", '{"medium":', "M_NOT_JSON"],
    ["JSON with more behind it", "{}{}", "M_NOT_JSON"],
    ["JSON as some programs write it", "{'a':1,}", "M_NOT_JSON"],
    ["NaN", '{"a":NaN}', "M_NOT_JSON"],
    ["a byte order mark and nothing", `\uFEFF`, "M_NOT_JSON"],
    ["two byte order marks", `\uFEFF\uFEFF{}`, "M_NOT_JSON"],
    ["a byte order mark inside", `{\uFEFF}`, "M_NOT_JSON"],
    ["a byte order mark that breaks off", new Uint8Array([0xef, 0xbb, 0x7b, 0x7d]), "M_NOT_JSON"],
    ["bytes that are no UTF-8", new Uint8Array([0x22, 0xff, 0x22]), "M_NOT_JSON"],
    ["UTF-16", new Uint8Array([0x7b, 0, 0x7d, 0]), "M_NOT_JSON"],
    ["a surrogate in UTF-8", new Uint8Array([0x22, 0xed, 0xa0, 0x80, 0x22]), "M_NOT_JSON"],
    ["a character that breaks off", new Uint8Array([0x22, 0xc3]), "M_NOT_JSON"],
    ["gzip, whatever content-encoding says", new Uint8Array(gzipSync("{}")), "M_NOT_JSON"],
    ["a key that stands twice", '{"mxid":"@a:b","mxid":"@c:d"}', "M_BAD_JSON"],
    ["a key that stands twice, spelt otherwise", '{"a":1,"\\u0061":2}', "M_BAD_JSON"],
    ["one that breaks off on its way", inPieces([utf8('{"a":')], "break"), "M_NOT_JSON"],
  ];

  /** Of an onbind these are one entry's own fault, if they stand in one. */
  const badValues: typeof bad = [
    ["half a surrogate pair", '{"a":"\\ud800"}', "M_BAD_JSON"],
    ["too deep", "[".repeat(60_000), "M_BAD_JSON"],
    ["too deep, and well-formed", `${'{"a":'.repeat(5_000)}1${"}".repeat(5_000)}`, "M_BAD_JSON"],
  ];

  it.each(
    [...bad, ...badValues].flatMap(([what, body, errcode]) =>
      perEndpoint
        .filter(([, mounted]) => mounted !== mountedOnBind || bad.some(([name]) => name === what))
        .map(([name, mounted]) => [name, what, errcode, body, mounted] as const),
    ),
  )("%s: %s → 400 %s, and nobody is asked", async (_, __, errcode, body, mounted) => {
    const world = openHost();
    // A stream can be read by one of the endpoints only.
    const given = body instanceof ReadableStream ? inPieces([utf8('{"a":')], "break") : body;
    expect(shortly(await answerOf(mounted.open(world)(requestTo(mounted, given))))).toEqual([400, errcode]);
    expect(world.calls).toEqual([]);
  });

  it.each(perEndpoint)("%s: a byte order mark before JSON is passed over", async (_, mounted) => {
    expect((await mounted.open(openHost())(requestTo(mounted, `\uFEFF${own(mounted)}`))).status).toBe(200);
  });

  it.each(each(["null", "true", "7", '"text"', "[]"].map((body) => [body] as const)))(
    "%s: %s is JSON, but no object",
    async (_, body, mounted) => {
      const { status, body: error } = await answerOf(mounted.open(openHost())(requestTo(mounted, body)));
      expect([status, error["errcode"]]).toEqual([400, "M_BAD_JSON"]);
    },
  );

  it.each([
    ["1.5", 400],
    ["1e-1", 400],
    ["9007199254740993", 400],
    ["1.0", 200],
    ["1e2", 200],
    ["-0", 200],
  ])("an exchange takes no number that events lack: %s → %i", async (number, status) => {
    const body = own(mountedExchange).replace("{", `{"org.example.more":${number},`);
    expect((await mountedExchange.open(openHost())(requestTo(mountedExchange, body))).status).toBe(status);
  });

  it.each(["1.5", "1e400", "9007199254740993"])("a client's body may have any: %s", async (number) => {
    const body = own(mountedInvite).replace("{", `{"org.example.more":${number},`);
    expect((await mountedInvite.open(openHost())(requestTo(mountedInvite, body))).status).toBe(200);
  });
});

describe("the content type", () => {
  const types = [
    json,
    "application/json; charset=utf-8",
    "APPLICATION/JSON",
    "application/problem+json",
    // What fetch, curl -d and simple clients send by themselves.
    "text/plain;charset=UTF-8",
    "application/x-www-form-urlencoded",
    "application/octet-stream",
    "multipart/form-data; boundary=x",
    "x; application/json",
    "",
  ];

  it.each(each(types.map((type) => [type] as const)))("%s reads JSON as %j", async (_, type, mounted) => {
    const request = requestTo(mounted, own(mounted), { headers: { "content-type": type } });
    expect((await mounted.open(openHost())(request)).status).toBe(200);
  });

  it.each(perEndpoint)("%s refuses what is no JSON, whatever it is said to be", async (_, mounted) => {
    const request = requestTo(mounted, "user_id=%40bob", { headers: { "content-type": json } });
    expect(shortly(await answerOf(mounted.open(openHost())(request)))).toEqual([400, "M_NOT_JSON"]);
  });

  it.each(perEndpoint)("%s takes a body without one for JSON", async (_, mounted) => {
    const request = requestTo(mounted, utf8(own(mounted)), { headers: {} });
    expect(request.headers.get("content-type")).toBeNull();
    expect((await mounted.open(openHost())(request)).status).toBe(200);
  });
});

describe("the size", () => {
  const padded = (mounted: Mounted, size: number): string => own(mounted).padEnd(size, " ");
  const maxBytes = 2_000;

  it.each(perEndpoint)("%s takes a body that is just as large as is allowed", async (_, mounted) => {
    const request = requestTo(mounted, padded(mounted, maxBytes), {
      headers: { "content-type": json, "content-length": String(maxBytes) },
    });
    expect((await mounted.open(openHost(), { maxBytes })(request)).status).toBe(200);
  });

  const larger: readonly (readonly [string, (mounted: Mounted) => Request])[] = [
    ["undeclared", (mounted) => requestTo(mounted, padded(mounted, maxBytes + 1))],
    [
      "undeclared, in pieces",
      (mounted) => requestTo(mounted, inPieces(Array.from({ length: 50 }, () => utf8(" ".repeat(100))))),
    ],
    ["undeclared, without end", (mounted) => requestTo(mounted, inPieces(endless()))],
    [
      "declared, and not sent",
      (mounted) =>
        requestTo(mounted, inPieces([], "never"), {
          headers: { "content-type": json, "content-length": String(maxBytes + 1) },
        }),
    ],
    [
      "declared smaller than it is",
      (mounted) =>
        requestTo(mounted, padded(mounted, maxBytes + 1), {
          headers: { "content-type": json, "content-length": "2" },
        }),
    ],
    [
      "declared as nonsense",
      (mounted) =>
        requestTo(mounted, padded(mounted, maxBytes + 1), {
          headers: { "content-type": json, "content-length": "many" },
        }),
    ],
  ];

  function* endless(): Iterable<Uint8Array> {
    for (;;) yield utf8(" ".repeat(100));
  }

  it.each(each(larger))("%s: one byte more, %s → 413", async (_, __, requestOf, mounted) => {
    const world = openHost();
    const answered = await answerOf(mounted.open(world, { maxBytes })(requestOf(mounted)));
    expect(shortly(answered)).toEqual([413, "M_TOO_LARGE"]);
    expect(world.calls).toEqual([]);
  });

  it("what is left of a body that is too large is let go", async () => {
    let isCancelled = false;
    const stream = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        controller.enqueue(utf8(" ".repeat(100)));
      },
      cancel: () => {
        isCancelled = true;
      },
    });
    await mountedOnBind.open(openHost(), { maxBytes })(requestTo(mountedOnBind, stream));
    expect(isCancelled).toBe(true);
  });

  it.each([
    ["invite", 64 * 1024, mountedInvite],
    ["onbind", 3 * 1024 * 1024, mountedOnBind],
    ["exchange", 128 * 1024, mountedExchange],
  ] as const)("%s: %i bytes unless the host says otherwise", async (_, size, mounted) => {
    const ask = (bytes: number) => mounted.open(openHost())(requestTo(mounted, padded(mounted, bytes)));
    expect([(await ask(size)).status, (await ask(size + 1)).status]).toEqual([200, 413]);
  });

  it.each(perEndpoint)(
    "%s: a limit that is given as undefined is the default, not none",
    async (_, mounted) => {
      // As a host in JavaScript may do, or one in TypeScript without exactOptionalPropertyTypes.
      const limits = { maxBytes: undefined, timeoutMs: undefined } as unknown as { maxBytes: number };
      const handle = mounted.open(openHost(), limits);
      expect((await handle(requestTo(mounted, own(mounted)))).status).toBe(200);
      expect((await handle(requestTo(mounted, " ".repeat(4 * 1024 * 1024 + 1)))).status).toBe(413);
    },
  );
});

describe("the time", () => {
  const timeoutMs = 40;

  it.each(perEndpoint)("%s: a body that drips without end → 408 in time", async (_, mounted) => {
    const world = openHost();
    let timer: NodeJS.Timeout | undefined;
    const drip = new ReadableStream<Uint8Array>({
      start: (controller) => {
        timer = setInterval(() => {
          controller.enqueue(utf8(" "));
        }, 5);
      },
      cancel: () => {
        clearInterval(timer);
      },
    });
    const began = performance.now();
    const answered = await answerOf(mounted.open(world, { timeoutMs })(requestTo(mounted, drip)));
    expect(shortly(answered)).toEqual([408, "M_UNKNOWN"]);
    expect(performance.now() - began).toBeGreaterThan(timeoutMs - 5);
    expect(world.calls).toEqual([]);
  });

  it.each(perEndpoint)("%s: a body of which nothing comes → 408", async (_, mounted) => {
    const request = requestTo(mounted, inPieces([], "never"));
    expect(shortly(await answerOf(mounted.open(openHost(), { timeoutMs })(request)))).toEqual([
      408,
      "M_UNKNOWN",
    ]);
  });

  it.each([Infinity, 2 ** 31, 2 ** 53])("%d milliseconds are long, not none", async (timeoutMs) => {
    const slow = new ReadableStream<Uint8Array>({
      start: (controller) => {
        setTimeout(() => {
          controller.enqueue(utf8(own(mountedOnBind)));
          controller.close();
        }, 20);
      },
    });
    const request = requestTo(mountedOnBind, slow);
    expect((await mountedOnBind.open(openHost(), { timeoutMs })(request)).status).toBe(200);
  });
});

describe("how the body comes", () => {
  it.each(perEndpoint)("%s: byte by byte, cut within characters, is the same body", async (_, mounted) => {
    const bytes = utf8(own(mounted).replace("{", '{"org.example.more":"é😀",'));
    const pieces = [...bytes].map((byte) => new Uint8Array([byte]));
    expect((await mounted.open(openHost())(requestTo(mounted, inPieces(pieces)))).status).toBe(200);
  });

  it("pieces without bytes are passed over", async () => {
    const nothing = new Uint8Array();
    const pieces = [nothing, nothing, utf8(own(mountedOnBind)), nothing];
    expect((await mountedOnBind.open(openHost())(requestTo(mountedOnBind, inPieces(pieces)))).status).toBe(
      200,
    );
  });

  it("a million pieces of one byte take about a million bytes", async () => {
    const size = 1_000_000;
    const byte = utf8(" ");
    let left = size;
    const request = requestTo(
      mountedOnBind,
      new ReadableStream<Uint8Array>({
        pull: (controller) => {
          left -= 1;
          if (left >= 0) controller.enqueue(byte);
          else controller.close();
        },
      }),
    );
    const before = process.memoryUsage().rss;
    expect(shortly(await answerOf(mountedOnBind.open(openHost())(request)))).toEqual([400, "M_NOT_JSON"]);
    // A list of the pieces took 400 times as much.
    expect(process.memoryUsage().rss - before).toBeLessThan(100 * size);
  });
});

describe("a body that somebody has read before", () => {
  const read: readonly (readonly [string, (request: Request) => unknown])[] = [
    ["as JSON", (request) => request.json()],
    ["as text", (request) => request.text()],
    ["into another request", (request) => new Request(request)],
    ["in part", (request) => request.body?.getReader().read()],
    ["or is about to", (request) => request.body?.getReader()],
  ];

  it.each(each(read))("%s: %s → 500, and nothing is guessed", async (_, __, use, mounted) => {
    const world = openHost();
    const request = requestTo(mounted, own(mounted));
    await use(request);
    const { status, body } = await answerOf(mounted.open(world)(request));
    expect([status, body]).toEqual([
      500,
      { errcode: "M_UNKNOWN", error: "The body had been read before it came here." },
    ]);
    expect(world.calls).toEqual([]);
  });

  it.each(perEndpoint)("%s: by a parser that left an empty stream → 500", async (_, mounted) => {
    const headers = { "content-type": json, "content-length": "2" };
    const request = requestTo(mounted, inPieces([]), { headers });
    expect(shortly(await answerOf(mounted.open(openHost())(request)))).toEqual([500, "M_UNKNOWN"]);
  });

  it.each(perEndpoint)("%s: a clone of it may have been read", async (_, mounted) => {
    const request = requestTo(mounted, own(mounted));
    await request.clone().text();
    expect((await mounted.open(openHost())(request)).status).toBe(200);
  });
});
