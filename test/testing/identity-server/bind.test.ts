import { describe, expect, it } from "vitest";
import { member } from "../../../src/matrix/json.js";
import {
  aWorld,
  address,
  alice,
  anInvite,
  bob,
  get,
  isSigned,
  post,
  serverName,
  textAt,
  validate,
  zoe,
} from "./world.js";

const century = 100 * 365 * 24 * 60 * 60 * 1000;

const validated = async () => {
  const world = aWorld();
  const proof = await validate(world.server, world.tokens.zoe);
  const bind = (fields: object = {}) =>
    post(world.server, "3pid/bind", world.tokens.zoe, { ...proof, mxid: zoe, ...fields });
  const unbind = (fields: object = {}) =>
    post(world.server, "3pid/unbind", world.tokens.zoe, {
      ...proof,
      mxid: zoe,
      threepid: { medium: "email", address },
      ...fields,
    });
  const owner = async (): Promise<unknown> =>
    member(
      (
        await post(world.server, "lookup", world.tokens.alice, {
          algorithm: "none",
          pepper: (await get(world.server, "hash_details", world.tokens.alice)).body["lookup_pepper"],
          addresses: [`${address} email`],
        })
      ).body["mappings"],
      `${address} email`,
    );
  return { ...world, proof, bind, unbind, owner };
};

describe("POST /3pid/bind", () => {
  it("publishes a signed association", async () => {
    const { server, clock, bind, owner } = await validated();
    expect(await owner()).toBeUndefined();
    const { status, body } = await bind();
    expect(status).toBe(200);
    const { signatures, ...association } = body;
    expect(association).toEqual({
      medium: "email",
      address,
      mxid: zoe,
      ts: clock.at,
      not_before: clock.at,
      not_after: clock.at + century,
    });
    expect(Object.keys(signatures ?? {})).toEqual([serverName]);
    expect(isSigned(body, server.publicKey)).toBe(true);
    expect(await owner()).toBe(zoe);
  });

  it("brings every invite that waits, signed over all its members", async () => {
    const { server, tokens, bind } = await validated();
    const stored = [
      await post(server, "store-invite", tokens.alice, anInvite()),
      await post(server, "store-invite", tokens.bob, anInvite({ sender: bob, address, room_id: "!other" })),
      await post(server, "store-invite", tokens.alice, anInvite({ address: "somebody@example.org" })),
    ].map(({ body }) => textAt(body, "token"));
    const { body } = await bind();
    const invites = body["invites"];
    expect(invites).toMatchObject([
      { room_id: "!room:example.org", sender: alice, token: stored[0] },
      { room_id: "!other", sender: bob, token: stored[1] },
    ]);
    for (const invite of Array.isArray(invites) ? invites : []) {
      expect(invite).toMatchObject({ medium: "email", address, mxid: zoe });
      const signed = member(invite, "signed");
      expect(Object.keys(signed ?? {}).sort()).toEqual(["mxid", "signatures", "token"]);
      expect(signed).toMatchObject({ mxid: zoe, token: member(invite, "token") });
      expect(isSigned(signed, server.publicKey)).toBe(true);
      expect(isSigned({ ...Object(signed), sender: alice }, server.publicKey)).toBe(false);
    }
    expect(isSigned(body, server.publicKey)).toBe(true);
  });

  it("brings an invite once", async () => {
    const { server, tokens, bind } = await validated();
    await post(server, "store-invite", tokens.alice, anInvite());
    expect((await bind()).body).toHaveProperty("invites");
    expect((await bind()).body).not.toHaveProperty("invites");
  });

  it("signs with the key of the day", async () => {
    const { server, tokens, bind } = await validated();
    await post(server, "store-invite", tokens.alice, anInvite());
    const before = server.publicKey;
    const after = server.rotateKey();
    const { body } = await bind();
    const [invite] = [body["invites"]].flat();
    for (const object of [body, member(invite, "signed")])
      expect([isSigned(object, before), isSigned(object, after)]).toEqual([false, true]);
  });

  it.each([
    ["another user", { mxid: bob }, 403, "M_UNAUTHORIZED"],
    ["a secret of another session", { client_secret: "other" }, 404, "M_NO_VALID_SESSION"],
    ["an unknown session", { sid: "1" }, 404, "M_NO_VALID_SESSION"],
    ["a malformed secret", { client_secret: "has space" }, 400, "M_INVALID_PARAM"],
    ["a session ID that is no text", { sid: 1 }, 400, "M_INVALID_PARAM"],
    ["no user", { mxid: undefined }, 400, "M_MISSING_PARAMS"],
  ])("%s", async (_, fields, status, errcode) => {
    const { bind, owner } = await validated();
    expect(await bind(fields)).toMatchObject({ status, body: { errcode } });
    expect(await owner()).toBeUndefined();
  });

  it("a session that was not validated, or is a day old", async () => {
    const { server, clock, tokens, bind } = await validated();
    const secret = { client_secret: "unproven" };
    const { body } = await post(server, "validate/email/requestToken", tokens.zoe, {
      ...secret,
      email: address,
      send_attempt: 1,
    });
    expect(await bind({ ...secret, sid: body["sid"] })).toMatchObject({
      status: 400,
      body: { errcode: "M_SESSION_NOT_VALIDATED" },
    });
    clock.at += 24 * 60 * 60 * 1000 + 1;
    expect(await bind()).toMatchObject({ status: 400, body: { errcode: "M_SESSION_EXPIRED" } });
  });
});

describe("bindDirectly", () => {
  it("does what validating and binding does, and for anybody", async () => {
    const one = await validated();
    await post(one.server, "store-invite", one.tokens.alice, anInvite());
    const bound = one.server.bindDirectly({ medium: "email", address: address.toUpperCase() }, zoe);
    const other = await validated();
    await post(other.server, "store-invite", other.tokens.alice, anInvite());
    expect((await other.bind()).body).toEqual(bound);
    expect(await one.owner()).toBe(zoe);
    one.server.bindDirectly({ medium: "email", address }, bob);
    expect(await one.owner()).toBe(bob);
  });
});

describe("POST /3pid/unbind", () => {
  it("forgets the association, and to do so again is no error", async () => {
    const { bind, unbind, owner } = await validated();
    await bind();
    expect(await unbind({ threepid: { medium: "email", address: address.toUpperCase() } })).toMatchObject({
      status: 200,
      body: {},
    });
    expect(await owner()).toBeUndefined();
    expect((await unbind()).status).toBe(200);
  });

  it("leaves another user's association alone", async () => {
    const { server, unbind, owner } = await validated();
    server.bindDirectly({ medium: "email", address }, bob);
    expect((await unbind()).status).toBe(200);
    expect(await owner()).toBe(bob);
  });

  it.each([
    ["an unknown session", { sid: "1" }, 403, "M_NO_VALID_SESSION"],
    ["no session", { sid: undefined }, 403, "M_FORBIDDEN"],
    ["another address", { threepid: { medium: "email", address: "x@y.z" } }, 403, "M_FORBIDDEN"],
    ["what is no address", { threepid: { medium: "email", address: 1 } }, 403, "M_FORBIDDEN"],
    ["half an address", { threepid: { medium: "email" } }, 400, "M_MISSING_PARAMS"],
    ["an address that is no object", { threepid: "email" }, 400, "M_MISSING_PARAMS"],
    ["no user", { mxid: undefined }, 400, "M_MISSING_PARAMS"],
    ["a user that is no text", { mxid: 1 }, 400, "M_INVALID_PARAM"],
    ["a malformed secret", { client_secret: "has space" }, 400, "M_INVALID_PARAM"],
  ])("is refused with %s", async (_, fields, status, errcode) => {
    const { bind, unbind, owner } = await validated();
    await bind();
    expect(await unbind(fields)).toMatchObject({ status, body: { errcode } });
    expect(await owner()).toBe(zoe);
  });
});
