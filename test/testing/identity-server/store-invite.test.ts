import { describe, expect, it } from "vitest";
import { redactAddress } from "../../../src/testing/identity-server/store-invite.js";
import { decodeBase64, encodeBase64 } from "../../../src/matrix/base64.js";
import { portableSigningKey } from "../../../src/portable/crypto.js";
import { address, alice, anInvite, aWorld, bob, get, invited, post, textAt } from "./world.js";

describe("an invite is stored", () => {
  it("with a token, two keys and a redacted address", async () => {
    const { server, tokens } = aWorld();
    const { status, body } = await post(server, "store-invite", tokens.alice, anInvite());
    expect(status).toBe(200);
    expect(Object.keys(body).sort()).toEqual(["display_name", "public_key", "public_keys", "token"]);
    expect(textAt(body, "token")).toMatch(/^[A-Za-z]{128}$/);
    expect(textAt(body, "public_key")).toBe(server.publicKey);
    expect(textAt(body, "display_name")).toBe("Zoe...@Exa...");
    expect(body["public_keys"]).toEqual([
      {
        public_key: server.publicKey,
        key_validity_url: "https://is.example.org/_matrix/identity/api/v1/pubkey/isvalid",
      },
      {
        public_key: textAt(body, "public_keys", 1, "public_key"),
        key_validity_url: "https://is.example.org/_matrix/identity/api/v1/pubkey/ephemeral/isvalid",
      },
    ]);
  });

  it("and uses the address as typed for its display_name only", async () => {
    const { server, tokens } = aWorld();
    const { body } = await post(
      server,
      "store-invite",
      tokens.alice,
      anInvite({ address: "Strauß.X@Ex.org" }),
    );
    expect(body["display_name"]).toBe("Str...@Ex....");
    expect(invited(server).address).toBe("strauss.x@ex.org");
  });

  it("and each validity URL leads to an answer", async () => {
    const { server, tokens } = aWorld();
    const { body } = await post(server, "store-invite", tokens.alice, anInvite());
    for (const at of [0, 1]) {
      const url = new URL(textAt(body, "public_keys", at, "key_validity_url"));
      url.searchParams.set("public_key", textAt(body, "public_keys", at, "public_key"));
      expect((await get(server, url.href)).body).toEqual({ valid: true });
    }
  });

  it("and mailed, with the private half of the ephemeral key", async () => {
    const { server, tokens } = aWorld();
    const invite = anInvite({ room_name: "A Room", "org.example.extra": [1] });
    const { body } = await post(server, "store-invite", tokens.alice, invite);
    const mail = invited(server);
    expect(server.outbox).toEqual([mail]);
    expect(mail).toMatchObject({
      kind: "invite",
      address,
      token: body["token"],
      roomId: "!room:example.org",
      sender: alice,
      request: invite,
    });
    const seed = decodeBase64(mail.privateKey, "urlsafe") ?? new Uint8Array();
    expect(encodeBase64(portableSigningKey("ed25519:0", seed).publicKey, "urlsafe")).toBe(
      textAt(body, "public_keys", 1, "public_key"),
    );
  });

  it("each time anew", async () => {
    const { server, tokens } = aWorld();
    const one = await post(server, "store-invite", tokens.alice, anInvite());
    const other = await post(server, "store-invite", tokens.alice, anInvite());
    expect(one.body["token"]).not.toBe(other.body["token"]);
    expect(textAt(one.body, "public_keys", 1, "public_key")).not.toBe(
      textAt(other.body, "public_keys", 1, "public_key"),
    );
  });

  it("for a room whose ID has no domain", async () => {
    const { server, tokens } = aWorld();
    const { status } = await post(
      server,
      "store-invite",
      tokens.alice,
      anInvite({ room_id: "!yKkqFbP7L_xVrn2sqCvrqsFUMFwmTNHXNJTBEKyVIqs" }),
    );
    expect(status).toBe(200);
  });
});

describe("a redacted address", () => {
  it.each([
    ["Zoe.Guest@Example.org", "Zoe...@Exa..."],
    ["a-d1db74@b.c", "a-d...@b..."],
    ["b@c", "...@..."],
    ["ab@cde", "a...@c..."],
    ["😀😀😀😀@x.org", "😀😀😀...@x.o..."],
  ])("%s is %s", (typed, redacted) => {
    expect(redactAddress(typed)).toBe(redacted);
  });
});

describe("an invite is refused", () => {
  it.each([
    ["another sender", anInvite({ sender: bob }), 403, "M_UNAUTHORIZED"],
    ["a sender that is no text", anInvite({ sender: null }), 400, "M_INVALID_PARAM"],
    ["a phone number", anInvite({ medium: "msisdn", address: "447700900123" }), 400, "M_UNRECOGNIZED"],
    ["a wrong phone number", anInvite({ medium: "msisdn", address: "x" }), 400, "M_UNRECOGNIZED"],
    ["an unknown medium", anInvite({ medium: "pigeon" }), 400, "M_UNRECOGNIZED"],
    ["a medium that is no text", anInvite({ medium: 1 }), 400, "M_INVALID_PARAM"],
    ["an address without @", anInvite({ address: "no-at-sign" }), 400, "M_INVALID_PARAM"],
    ["no address", anInvite({ address: "" }), 400, "M_INVALID_PARAM"],
    ["a long address", anInvite({ address: `${"a".repeat(500)}@example.org` }), 400, "M_INVALID_PARAM"],
    ["an alias for a room", anInvite({ room_id: "#room:example.org" }), 400, "M_INVALID_PARAM"],
    ["the room missing", { medium: "email", address, sender: alice }, 400, "M_MISSING_PARAMS"],
    ["all missing", {}, 400, "M_MISSING_PARAMS"],
    ["no object", "[]", 400, "M_BAD_JSON"],
    ["no JSON", "{", 400, "M_BAD_JSON"],
  ])("%s", async (_, body, status, errcode) => {
    const { server, tokens } = aWorld();
    expect(await post(server, "store-invite", tokens.alice, body)).toMatchObject({
      status,
      body: { errcode },
    });
    expect(server.outbox).toEqual([]);
  });

  it("all that is missing is named", async () => {
    const { server, tokens } = aWorld();
    const { body } = await post(server, "store-invite", tokens.alice, { address });
    expect(body["error"]).toBe("Missing parameters: medium,room_id,sender");
  });

  it.each(["Zoe.Guest@Example.org", address])("%s is bound", async (written) => {
    const { server, tokens } = aWorld();
    server.bindDirectly({ medium: "email", address: "ZOE.guest@example.org" }, bob);
    const { status, body } = await post(server, "store-invite", tokens.alice, anInvite({ address: written }));
    expect(status).toBe(400);
    expect(body).toEqual({ errcode: "M_THREEPID_IN_USE", error: "Binding already known", mxid: bob });
  });

  it("a bound phone number is in use before its medium is refused", async () => {
    const { server, tokens } = aWorld();
    server.bindDirectly({ medium: "msisdn", address: "447700900123" }, bob);
    const body = anInvite({ medium: "msisdn", address: "447700900123" });
    expect(await post(server, "store-invite", tokens.alice, body)).toMatchObject({
      status: 400,
      body: { errcode: "M_THREEPID_IN_USE", mxid: bob },
    });
  });

  it("too many mails: 429 with M_UNKNOWN and no Retry-After, while switched on", async () => {
    const { server, tokens } = aWorld();
    server.rateLimit();
    const { status, body, headers } = await post(server, "store-invite", tokens.alice, anInvite());
    expect([status, body["errcode"]]).toEqual([429, "M_UNKNOWN"]);
    expect(headers.has("retry-after")).toBe(false);
    server.rateLimit(false);
    expect((await post(server, "store-invite", tokens.alice, anInvite())).status).toBe(200);
  });
});
