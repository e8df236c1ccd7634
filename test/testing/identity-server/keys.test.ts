import { describe, expect, it } from "vitest";
import { nodeSigningKey } from "matrix-third-party-invites/node";
import { portableSigningKey } from "matrix-third-party-invites/portable";
import { decodeBase64, encodeBase64 } from "../../../src/matrix/base64.js";
import { aWorld, anInvite, get, post, textAt } from "./world.js";

// The public key of this seed has a + and a / in the standard alphabet.
const seed = new Uint8Array(32).fill(2);

const isValid = async (
  server: ReturnType<typeof aWorld>["server"],
  kind: "isvalid" | "ephemeral/isvalid",
  key: string,
): Promise<unknown> =>
  (await get(server, `pubkey/${kind}?${new URLSearchParams({ public_key: key }).toString()}`)).body["valid"];

describe("the long-term key", () => {
  it.each(["ed25519:0", "ed25519%3A0"])("is found under %s", async (name) => {
    const { server } = aWorld();
    expect(await get(server, `pubkey/${name}`)).toMatchObject({
      status: 200,
      body: { public_key: server.publicKey },
    });
  });

  it.each(["ed25519:1", "ed25519:nope", "%", "%ff"])("another, %s, is 404 M_NOT_FOUND", async (name) => {
    const { server } = aWorld();
    expect(await get(server, `pubkey/${name}`)).toMatchObject({
      status: 404,
      body: { errcode: "M_NOT_FOUND" },
    });
  });

  it.each(["v2", "api/v1"])("is valid under %s, needs no token, and is compared as a text", async (api) => {
    const { server } = aWorld();
    const key = server.rotateKey(seed);
    expect(key).toMatch(/\+.*\/|\/.*\+/);
    const path = `/_matrix/identity/${api}/pubkey/isvalid?public_key=`;
    const answers = await Promise.all(
      [
        encodeURIComponent(key),
        key,
        `${encodeURIComponent(key)}%3D`,
        encodeBase64(decodeBase64(key) ?? seed, "urlsafe"),
        "",
      ].map(async (written) => (await get(server, path + written)).body["valid"]),
    );
    expect(answers).toEqual([true, false, false, false, false]);
  });

  it("of two in one query the first counts", async () => {
    const { server } = aWorld();
    const query = new URLSearchParams([
      ["public_key", server.publicKey],
      ["public_key", "other"],
    ]);
    expect((await get(server, `pubkey/isvalid?${query.toString()}`)).body).toEqual({ valid: true });
  });

  it("is another one after a rotation, which ephemeral keys survive", async () => {
    const { server, tokens } = aWorld();
    const before = server.publicKey;
    const { body } = await post(server, "store-invite", tokens.alice, anInvite());
    const after = server.rotateKey();
    expect(after).not.toBe(before);
    expect(server.publicKey).toBe(after);
    expect((await get(server, "pubkey/ed25519:0")).body).toEqual({ public_key: after });
    expect(await isValid(server, "isvalid", before)).toBe(false);
    expect(await isValid(server, "isvalid", after)).toBe(true);
    expect(await isValid(server, "ephemeral/isvalid", textAt(body, "public_keys", 1, "public_key"))).toBe(
      true,
    );
  });
});

it("both engines make the same key of a seed", () => {
  const { server } = aWorld();
  const made = decodeBase64(server.rotateKey(seed));
  expect(made).toEqual(nodeSigningKey("ed25519:0", seed).publicKey);
  expect(made).toEqual(portableSigningKey("ed25519:0", seed).publicKey);
});

describe("an ephemeral key", () => {
  it("is valid exactly as it was issued, and at its own endpoint only", async () => {
    const { server, tokens } = aWorld();
    const keys: string[] = [];
    for (let count = 0; count < 8; count += 1) {
      const { body } = await post(server, "store-invite", tokens.alice, anInvite());
      keys.push(textAt(body, "public_keys", 1, "public_key"));
    }
    // Both special letters come up: otherwise the alphabets would look alike.
    expect(keys.join("")).toMatch(/-.*_|_.*-/);
    for (const key of keys) {
      const standard = encodeBase64(decodeBase64(key) ?? seed, "standard");
      expect(await isValid(server, "ephemeral/isvalid", key)).toBe(true);
      expect(await isValid(server, "ephemeral/isvalid", `${key}=`)).toBe(false);
      expect(await isValid(server, "ephemeral/isvalid", standard)).toBe(standard === key);
      expect(await isValid(server, "isvalid", key)).toBe(false);
    }
    expect(await isValid(server, "ephemeral/isvalid", server.publicKey)).toBe(false);
  });
});

it.each(["pubkey/isvalid", "pubkey/ephemeral/isvalid"])(
  "%s without a key is 400 M_MISSING_PARAMS",
  async (path) => {
    const { server } = aWorld();
    expect(await get(server, path)).toMatchObject({ status: 400, body: { errcode: "M_MISSING_PARAMS" } });
  },
);
