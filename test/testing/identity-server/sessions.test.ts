import { describe, expect, it } from "vitest";
import { address, aWorld, challenged, get, post, textAt, validate } from "./world.js";

const day = 24 * 60 * 60 * 1000;

const wanted = (fields: object = {}) => ({
  email: address,
  client_secret: "secret",
  send_attempt: 1,
  ...fields,
});

const begun = async () => {
  const world = aWorld();
  const request = (fields: object = {}) =>
    post(world.server, "validate/email/requestToken", world.tokens.zoe, wanted(fields));
  const sid = textAt((await request()).body, "sid");
  const { token } = challenged(world.server);
  const submit = (fields: object = {}) =>
    post(world.server, "validate/email/submitToken", world.tokens.zoe, {
      sid,
      client_secret: "secret",
      token,
      ...fields,
    });
  const validated = (query: Record<string, string> = { sid, client_secret: "secret" }) =>
    get(world.server, `3pid/getValidated3pid?${new URLSearchParams(query).toString()}`, world.tokens.zoe);
  return { ...world, sid, request, submit, validated };
};

describe("POST /validate/email/requestToken", () => {
  it("opens a session and mails its token", async () => {
    const { server, sid } = await begun();
    expect(sid).toMatch(/^[0-9]{1,10}$/);
    expect(server.outbox).toMatchObject([{ kind: "validation", address, sid, clientSecret: "secret" }]);
    expect(challenged(server).token).toMatch(/^[0-9A-Za-z]{32}$/);
  });

  it("mails again only for a higher send_attempt", async () => {
    const { server, sid, request } = await begun();
    expect((await request({ email: address.toUpperCase() })).body).toEqual({ sid });
    expect(server.outbox).toHaveLength(1);
    expect((await request({ send_attempt: 2 })).body).toEqual({ sid });
    expect(server.outbox).toHaveLength(2);
    expect(server.outbox[0]?.token).toBe(server.outbox[1]?.token);
  });

  it("another secret is another session", async () => {
    const { server, sid, request } = await begun();
    expect((await request({ client_secret: "other" })).body["sid"]).not.toBe(sid);
    expect(server.outbox).toHaveLength(2);
  });

  it("a mail that is sent again starts the day anew", async () => {
    const { clock, request, submit } = await begun();
    clock.at += day;
    await request({ send_attempt: 2 });
    clock.at += day;
    expect((await submit()).status).toBe(200);
  });

  it("after a day it is a new session", async () => {
    const { clock, sid, request } = await begun();
    clock.at += day + 1;
    expect((await request()).body["sid"]).not.toBe(sid);
  });

  it.each([
    [{ email: "nope" }, "M_INVALID_EMAIL"],
    [{ email: "" }, "M_INVALID_EMAIL"],
    [{ email: 1 }, "M_INVALID_PARAM"],
    [{ client_secret: "has space" }, "M_INVALID_PARAM"],
    [{ client_secret: "" }, "M_INVALID_PARAM"],
    [{ client_secret: "a".repeat(256) }, "M_INVALID_PARAM"],
    [{ send_attempt: "1" }, "M_INVALID_PARAM"],
    [{ send_attempt: 1.5 }, "M_INVALID_PARAM"],
    [{ send_attempt: undefined }, "M_MISSING_PARAMS"],
  ])("%j is 400 %s", async (fields, errcode) => {
    const { request } = await begun();
    expect(await request(fields)).toMatchObject({ status: 400, body: { errcode } });
  });

  it("is no body", async () => {
    const { server, tokens } = aWorld();
    expect(await post(server, "validate/email/requestToken", tokens.zoe, "1")).toMatchObject({
      status: 400,
      body: { errcode: "M_BAD_JSON" },
    });
  });

  it("too many mails: 429", async () => {
    const { server, request } = await begun();
    server.rateLimit();
    expect(await request()).toMatchObject({ status: 429, body: { errcode: "M_UNKNOWN" } });
  });
});

describe("POST /validate/email/submitToken", () => {
  it("proves the address, as often as one likes", async () => {
    const { submit } = await begun();
    expect(await submit()).toMatchObject({ status: 200, body: { success: true } });
    expect(await submit()).toMatchObject({ status: 200, body: { success: true } });
  });

  it.each([
    [{ token: "wrong" }, "M_TOKEN_INCORRECT"],
    [{ client_secret: "other" }, "M_INVALID_PARAM"],
    [{ sid: "1" }, "M_INVALID_PARAM"],
  ])("%j is 400 %s, and not a success", async (fields, errcode) => {
    const { submit, validated } = await begun();
    expect(await submit(fields)).toMatchObject({ status: 400, body: { errcode, success: false } });
    expect((await validated()).status).toBe(400);
  });

  it.each([
    [{ client_secret: "has space" }, "M_INVALID_PARAM"],
    [{ sid: 1 }, "M_INVALID_PARAM"],
    [{ token: undefined }, "M_MISSING_PARAMS"],
  ])("%j is 400 %s", async (fields, errcode) => {
    const { submit } = await begun();
    expect(await submit(fields)).toMatchObject({ status: 400, body: { errcode } });
  });

  it("after a day it is 400 M_SESSION_EXPIRED", async () => {
    const { clock, submit } = await begun();
    clock.at += day + 1;
    expect(await submit()).toMatchObject({ status: 400, body: { errcode: "M_SESSION_EXPIRED" } });
  });
});

describe("GET /3pid/getValidated3pid", () => {
  it("says what was proven and when", async () => {
    const { clock, submit, validated } = await begun();
    clock.at += 5;
    await submit();
    expect((await validated()).body).toEqual({ medium: "email", address, validated_at: clock.at });
  });

  it("400 M_SESSION_NOT_VALIDATED", async () => {
    const { validated } = await begun();
    expect(await validated()).toMatchObject({ status: 400, body: { errcode: "M_SESSION_NOT_VALIDATED" } });
  });

  it("400 M_SESSION_EXPIRED, a day after it was validated", async () => {
    const { clock, submit, validated } = await begun();
    clock.at += day;
    await submit();
    clock.at += day;
    expect((await validated()).status).toBe(200);
    clock.at += 1;
    expect(await validated()).toMatchObject({ status: 400, body: { errcode: "M_SESSION_EXPIRED" } });
  });

  it.each([
    [{ sid: "1", client_secret: "secret" }, 404, "M_NO_VALID_SESSION"],
    [{ sid: "1", client_secret: "has space" }, 400, "M_INVALID_PARAM"],
    [{ sid: "1" }, 400, "M_MISSING_PARAMS"],
  ])("%j is %i %s", async (query, status, errcode) => {
    const { validated } = await begun();
    expect(await validated({ ...query })).toMatchObject({ status, body: { errcode } });
  });

  it("a secret of another session does not open this one", async () => {
    const { sid, submit, validated } = await begun();
    await submit();
    expect(await validated({ sid, client_secret: "other" })).toMatchObject({
      status: 404,
      body: { errcode: "M_NO_VALID_SESSION" },
    });
  });
});

it("the helper of these tests does the same", async () => {
  const { server, tokens } = aWorld();
  const proof = await validate(server, tokens.zoe);
  const query = new URLSearchParams(proof).toString();
  expect((await get(server, `3pid/getValidated3pid?${query}`, tokens.zoe)).status).toBe(200);
});
