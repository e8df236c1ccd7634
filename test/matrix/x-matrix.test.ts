import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { nodeCrypto, nodeSigningKey } from "matrix-third-party-invites/node";
import { type JsonObject, decodeBase64 } from "matrix-third-party-invites/matrix";
import {
  type ServerRequest,
  type XMatrix,
  parseXMatrix,
  signRequest,
  verifyRequest,
} from "../../src/matrix/x-matrix.js";

const key = nodeSigningKey("ed25519:1", new Uint8Array(32).fill(1));
const other = nodeSigningKey("ed25519:1", new Uint8Array(32).fill(2));

const request: ServerRequest = {
  method: "PUT",
  uri: "/_matrix/federation/v1/exchange_third_party_invite/!room%3Aexample.org?a=b%20c",
  origin: "far.example",
  destination: "example.org:8448",
  content: { membership: "invite", depth: 1, nested: { "\u{1F600}": [null, true] } },
};

const must = <A>(either: { readonly _tag: string; readonly right?: A }): A => {
  if (either._tag !== "Right") throw new Error(JSON.stringify(either));
  return either.right as A;
};

const headerOf = (signed: ServerRequest): XMatrix => must(parseXMatrix(must(signRequest(signed, key))));

const verified = (header: XMatrix, received: Omit<ServerRequest, "origin">, by = key) =>
  verifyRequest(nodeCrypto, header, received, by.publicKey)._tag;

describe("a signed request", () => {
  it("is read and verified", () => {
    const header = headerOf(request);
    expect(header).toMatchObject({
      origin: "far.example",
      destination: "example.org:8448",
      keyId: "ed25519:1",
    });
    expect(verified(header, request)).toBe("Right");
  });

  it("of a GET covers no content", () => {
    const { content: _, ...bare } = request;
    const get = { ...bare, method: "GET" };
    expect(verified(headerOf(get), get)).toBe("Right");
    expect(verified(headerOf(get), { ...get, content: null })).toBe("Left");
    expect(verified(headerOf(get), { ...get, content: {} })).toBe("Left");
  });

  it.each([
    ["method", "POST"],
    ["uri", "/_matrix/federation/v1/exchange_third_party_invite/!other:example.org"],
    ["content", { membership: "join" }],
    ["content", undefined],
  ])("with another %s (%j) is not the one that was signed", (field, value) => {
    expect(verified(headerOf(request), { ...request, [field]: value })).toBe("Left");
  });

  it("by another key is not signed", () => {
    expect(verified(headerOf(request), request, other)).toBe("Left");
  });

  it("for another server is refused, and for an unnamed one is verified for this one", () => {
    const header = headerOf(request);
    expect(
      verifyRequest(nodeCrypto, header, { ...request, destination: "x.example" }, key.publicKey),
    ).toEqual({
      _tag: "Left",
      left: { _tag: "OtherDestination" },
    });
    const { destination: _, ...older } = header;
    expect(verified(older, request)).toBe("Right");
    expect(verified(older, { ...request, destination: "x.example" })).toBe("Left");
  });

  it("survives any URI and content that JSON can hold", () => {
    fc.assert(
      fc.property(fc.webPath(), fc.jsonValue({ noUnicodeString: false }), (uri, content) => {
        const any = { ...request, uri, content };
        const signed = signRequest(any, key);
        if (signed._tag === "Left") return;
        expect(verified(must(parseXMatrix(signed.right)), any)).toBe("Right");
      }),
      { numRuns: 100 },
    );
  });
});

describe("the header", () => {
  const whole = { origin: "far.example", destination: "example.org", keyId: "ed25519:1", signature: "c2ln" };

  it.each([
    [
      'X-Matrix origin="far.example",destination="example.org",key="ed25519:1",sig="c2ln"',
      "as it is written",
    ],
    ["X-Matrix origin=far.example,destination=example.org,key=ed25519:1,sig=c2ln", "without quotes"],
    [
      'x-matrix Origin="far.example",KEY="ed25519:1",Sig="c2ln",DESTINATION="example.org"',
      "names without case",
    ],
    [
      'X-Matrix  origin = "far.example" ,\tdestination= "example.org", key="ed25519:1" , sig="c2ln"',
      "with blanks",
    ],
    [
      'X-Matrix origin="f\\ar.example",destination="example.org",key="ed25519\\:1",sig="c2\\ln"',
      "with escapes",
    ],
    [
      'X-Matrix origin="far.example",destination="example.org",key="ed25519:1",sig="c2ln",new="x, \\"y\\""',
      "with a parameter that is not known",
    ],
    [
      'X-Matrix origin="far.example",destination="example.org",key="ed25519:1",signature="c2ln"',
      "with the other name of sig",
    ],
  ])("%s is read: %s", (header) => {
    expect(parseXMatrix(header)).toEqual({ _tag: "Right", right: whole });
  });

  it.each([
    ["after", "@, #"],
    ["before", "#, @"],
    ["between two others", "#, @, #"],
    ["without a blank", "#,@"],
  ])("of a server that also signs with another algorithm is that by Ed25519: %s", (_, order) => {
    const credential = (keyId: string): string =>
      `X-Matrix origin="far.example",destination="example.org",key="${keyId}",sig="c2ln"`;
    const header = order
      .replaceAll("@", credential("ed25519:1"))
      .replaceAll("#", credential("slh-dsa:1").replace("c2ln", ",X-Matrix x"));
    expect(parseXMatrix(header)).toEqual({ _tag: "Right", right: whole });
  });

  it("that is signed by another algorithm alone is read, and not verified", () => {
    const header = must(parseXMatrix('X-Matrix origin="far.example",key="slh-dsa:1",sig="c2ln"'));
    expect(verifyRequest(nodeCrypto, header, request, key.publicKey)).toMatchObject({
      left: { _tag: "NoSignature" },
    });
  });

  it("of an older server names no destination", () => {
    expect(parseXMatrix("X-Matrix origin=far.example,key=ed25519:1,sig=c2ln")).toEqual({
      _tag: "Right",
      right: { origin: "far.example", keyId: "ed25519:1", signature: "c2ln" },
    });
  });

  it.each([
    undefined,
    null,
    5,
    "",
    "Bearer secret",
    "X-Matrix",
    "X-Matrix ",
    "X-Matrix origin=far.example,key=ed25519:1",
    "X-Matrix origin=far.example,sig=c2ln",
    "X-Matrix key=ed25519:1,sig=c2ln",
    'X-Matrix origin="far.example,key="ed25519:1",sig="c2ln"',
    "X-Matrix origin=far.example,origin=x.example,key=ed25519:1,sig=c2ln",
    "X-Matrix origin=https://far.example,key=ed25519:1,sig=c2ln",
    "X-Matrix origin=far.example,destination=a/b,key=ed25519:1,sig=c2ln",
    "X-Matrix origin=far.example;key=ed25519:1;sig=c2ln",
    `X-Matrix origin=far.example,key=ed25519:1,sig=c2ln,x=${"a".repeat(5000)}`,
  ])("%j is none", (header) => {
    expect(parseXMatrix(header)).toEqual({ _tag: "Left", left: { _tag: "NotXMatrix" } });
  });

  it("of any text never throws", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        parseXMatrix(text);
        parseXMatrix(`X-Matrix ${text}`);
      }),
    );
  });
});

interface Captured extends Omit<ServerRequest, "origin"> {
  readonly roomVersion: string;
  readonly authorization: string;
}

const captured = JSON.parse(
  readFileSync(new URL("./captures/signed-requests.json", import.meta.url), "utf8"),
) as { readonly keys: Readonly<Record<string, string>>; readonly requests: readonly Captured[] };

describe("requests of real servers", () => {
  it.each(captured.requests)("$method $uri in room version $roomVersion is signed", (received) => {
    const header = must(parseXMatrix(received.authorization));
    const publicKey = decodeBase64(captured.keys[`${header.origin} ${header.keyId}`] ?? "");
    if (publicKey === undefined) throw new Error("The key is not among the captured ones.");
    const by = { ...key, publicKey };
    expect(verified(header, received, by)).toBe("Right");
    expect(verified(header, { ...received, uri: `${received.uri}?x` }, by)).toBe("Left");
    const body: JsonObject = { extra: true };
    expect(verified(header, { ...received, content: body }, by)).toBe("Left");
  });
});
