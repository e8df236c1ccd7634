import { describe, expect, it } from "vitest";
import { decodeBase64, encodeBase64 } from "../../../src/matrix/base64.js";
import { portableSigningKey } from "../../../src/portable/crypto.js";
import { alice, anInvite, aWorld, bob, invited, isSigned, post, textAt } from "./world.js";

const anInvited = async () => {
  const world = aWorld();
  const { body } = await post(world.server, "store-invite", world.tokens.alice, anInvite());
  const mail = invited(world.server);
  const { privateKey } = mail;
  const sign = (fields: object = {}) =>
    post(world.server, "sign-ed25519", world.tokens.bob, {
      mxid: bob,
      token: mail.token,
      private_key: privateKey,
      ...fields,
    });
  return { ...world, sign, privateKey, token: mail.token, key: textAt(body, "public_keys", 1, "public_key") };
};

describe("POST /sign-ed25519", () => {
  it("signs user, sender and token with the mailed key", async () => {
    const { sign, token, key } = await anInvited();
    const { status, body } = await sign();
    expect(status).toBe(200);
    expect(Object.keys(body).sort()).toEqual(["mxid", "sender", "signatures", "token"]);
    expect(body).toMatchObject({ mxid: bob, sender: alice, token });
    expect(isSigned(body, key)).toBe(true);
    expect(isSigned({ ...body, mxid: alice }, key)).toBe(false);
  });

  it("takes the key in either alphabet", async () => {
    const { sign, privateKey, key } = await anInvited();
    const standard = encodeBase64(decodeBase64(privateKey) ?? new Uint8Array());
    expect(isSigned((await sign({ private_key: standard })).body, key)).toBe(true);
  });

  it("signs for any user and with any key", async () => {
    const { sign, key } = await anInvited();
    const seed = new Uint8Array(32).fill(9);
    const { body } = await sign({ mxid: "@anyone:elsewhere.example", private_key: encodeBase64(seed) });
    expect(body).toMatchObject({ mxid: "@anyone:elsewhere.example" });
    expect(isSigned(body, key)).toBe(false);
    expect(isSigned(body, encodeBase64(portableSigningKey("ed25519:0", seed).publicKey))).toBe(true);
  });

  it("still signs after the address was bound", async () => {
    const { server, sign, key } = await anInvited();
    server.bindDirectly({ medium: "email", address: "zoe.guest@example.org" }, bob);
    expect(isSigned((await sign()).body, key)).toBe(true);
  });

  it.each([
    ["an unknown token", { token: "nope" }, 404, "M_UNRECOGNIZED"],
    ["a short key", { private_key: "AAAA" }, 400, "M_INVALID_PARAM"],
    ["a key that is no base64", { private_key: "?".repeat(43) }, 400, "M_INVALID_PARAM"],
    ["a key that is no text", { private_key: 1 }, 400, "M_INVALID_PARAM"],
    ["no key", { private_key: undefined }, 400, "M_MISSING_PARAMS"],
    ["what is no user", { mxid: "bob" }, 400, "M_INVALID_PARAM"],
  ])("%s", async (_, fields, status, errcode) => {
    const { sign } = await anInvited();
    expect(await sign(fields)).toMatchObject({ status, body: { errcode } });
  });
});
