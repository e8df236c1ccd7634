import { describe, expect, test } from "vitest";
import {
  parseAddressee,
  parseInviteRequest,
  parseThreepidInvite,
} from "../../src/invite/parse-invite-request.js";
import { codeOf, leftOf, rightOf } from "./room.js";

const byThreepid = {
  id_server: "matrix.org",
  id_access_token: "abc123_OpaqueString",
  medium: "email",
  address: "cheeky@monkey.com",
};

const without = (name: string): unknown =>
  Object.fromEntries(Object.entries(byThreepid).filter(([key]) => key !== name));

describe("two forms of one body", () => {
  test("by third-party identifier", () => {
    const invite = {
      _tag: "ByThreepid",
      idServer: "matrix.org",
      idAccessToken: "abc123_OpaqueString",
      threepid: { medium: "email", address: "cheeky@monkey.com" },
    };
    expect(rightOf(parseInviteRequest(byThreepid))).toEqual(invite);
    expect(rightOf(parseThreepidInvite(byThreepid))).toEqual(invite);
  });

  test("by user ID, with a reason or without", () => {
    const user_id = "@bob:example.org";
    expect(rightOf(parseInviteRequest({ user_id }))).toStrictEqual({ _tag: "ByUserId", userId: user_id });
    expect(rightOf(parseInviteRequest({ user_id, reason: "" }))).toEqual({
      _tag: "ByUserId",
      userId: user_id,
      reason: "",
    });
  });

  test("the third-party form has no reason", () => {
    expect(rightOf(parseInviteRequest({ ...byThreepid, reason: "x" }))).not.toHaveProperty("reason");
  });

  test("members that nobody knows are not looked at", () => {
    expect(codeOf(parseInviteRequest({ ...byThreepid, "org.example.x": [{}] }))).toBeUndefined();
  });
});

describe("a mixture is refused", () => {
  test.each(Object.keys(byThreepid))("user_id and %s", (name) => {
    expect(leftOf(parseInviteRequest({ user_id: "@bob:example.org", [name]: null }))).toMatchObject({
      code: "BothForms",
      errcode: "M_INVALID_PARAM",
      status: 400,
    });
  });
});

describe("no object", () => {
  test.each([undefined, null, "x", 7, true, [], [byThreepid]])("%j", (body) => {
    for (const parse of [parseInviteRequest, parseThreepidInvite])
      expect(leftOf<unknown>(parse(body))).toMatchObject({
        code: "BodyNotObject",
        errcode: "M_BAD_JSON",
        status: 400,
      });
  });
});

describe("a field is missing", () => {
  test.each(Object.keys(byThreepid))("%s", (name) => {
    const refusal = leftOf(parseInviteRequest(without(name)));
    expect(refusal).toMatchObject({ code: "FieldMissing", errcode: "M_MISSING_PARAM", status: 400 });
    expect(refusal.message).toContain(name);
  });

  test("nothing at all", () => {
    expect(leftOf(parseInviteRequest({})).message).toContain("user_id");
    expect(codeOf(parseThreepidInvite({}))).toBe("FieldMissing");
  });

  test("an inherited member is none", () => {
    expect(codeOf(parseInviteRequest(Object.create({ user_id: "@bob:example.org" })))).toBe("FieldMissing");
  });
});

describe("a field has the wrong type or form", () => {
  test.each(Object.keys(byThreepid))("%s of another type", (name) => {
    for (const value of [null, 7, true, {}, ["x"]]) {
      const refusal = leftOf(parseInviteRequest({ ...byThreepid, [name]: value }));
      expect(refusal).toMatchObject({ code: "FieldMalformed", errcode: "M_INVALID_PARAM", status: 400 });
      expect(refusal.message).toContain(name);
    }
  });

  test.each([
    ["empty", ""],
    ["with a scheme", "https://matrix.org"],
    ["with a path", "matrix.org/path"],
    ["with credentials", "user@matrix.org"],
    ["with a port that is none", "matrix.org:port"],
    ["with a line break", "matrix.org\n"],
    ["with a blank", "a b"],
    ["far too long", "x".repeat(100_000)],
  ])("id_server %s", (_name, id_server) => {
    expect(codeOf(parseInviteRequest({ ...byThreepid, id_server }))).toBe("FieldMalformed");
  });

  test.each(["matrix.org", "matrix.org:8448", "127.0.0.1:1", "[::1]:8448", "localhost"])(
    "id_server %s",
    (id_server) => {
      expect(rightOf(parseInviteRequest({ ...byThreepid, id_server }))).toMatchObject({
        idServer: id_server,
      });
    },
  );

  test.each(["", "a b", "x\r\ny: z", "tök", "\u0000"])("id_access_token %j", (id_access_token) => {
    expect(codeOf(parseInviteRequest({ ...byThreepid, id_access_token }))).toBe("FieldMalformed");
  });

  test.each([
    null,
    7,
    "",
    "bob",
    "@bob",
    "!room:example.org",
    "@bob:",
    "@bob:exa mple",
    `@${"b".repeat(255)}:x`,
  ])("user_id %j", (user_id) => {
    expect(leftOf(parseInviteRequest({ user_id }))).toMatchObject({
      code: "FieldMalformed",
      errcode: "M_INVALID_PARAM",
    });
  });

  test.each([null, 7, {}, []])("reason %j", (reason) => {
    expect(codeOf(parseInviteRequest({ user_id: "@bob:example.org", reason }))).toBe("FieldMalformed");
  });
});

describe("a refusal names what is wrong", () => {
  test.each([
    [{}, "user_id, or id_server, id_access_token, medium, address"],
    [{ medium: "email", address: "a@b" }, "id_server, id_access_token"],
    [{ ...byThreepid, medium: 7, address: 7 }, "medium, address"],
    [{ ...byThreepid, id_server: "https://x" }, "id_server. It must be a host name"],
    [{ ...byThreepid, id_access_token: "a b" }, "id_access_token"],
    [{ ...byThreepid, address: "monkey" }, "user@domain"],
    [{ user_id: "bob" }, "user_id. It must be a text that begins with @"],
    [{ user_id: "@bob:example.org", reason: 7 }, "reason"],
  ])("%j", (body, detail) => {
    const { message } = leftOf(parseInviteRequest(body));
    expect(message.slice(message.indexOf(": ") + 2)).toContain(detail);
  });
});

describe("a medium that is none", () => {
  test.each(["", "Email", "phone", "email ", "__proto__"])("%j", (medium) => {
    expect(leftOf(parseInviteRequest({ ...byThreepid, medium }))).toMatchObject({
      code: "MediumUnsupported",
      errcode: "M_THREEPID_MEDIUM_NOT_SUPPORTED",
      status: 400,
    });
  });
});

describe("the address", () => {
  test.each(["", "monkey", "@", "a@b@c", "Cheeky <cheeky@monkey.com>", "mailto:a@b", "a @b", "a@b\n"])(
    "%j is refused",
    (address) => {
      expect(leftOf(parseInviteRequest({ ...byThreepid, address }))).toMatchObject({
        code: "AddressMalformed",
        errcode: "M_INVALID_PARAM",
        status: 400,
      });
    },
  );

  test("is brought into canonical form here", () => {
    expect(rightOf(parseThreepidInvite({ ...byThreepid, address: "Strauß@Example.COM" })).threepid).toEqual({
      medium: "email",
      address: "strauss@example.com",
    });
    expect(
      rightOf(parseThreepidInvite({ ...byThreepid, medium: "msisdn", address: "+18005552067" })).threepid,
    ).toEqual({ medium: "msisdn", address: "18005552067" });
  });
});

describe("whom an invite was for", () => {
  const { id_server, medium, address } = byThreepid;
  const addressee = { id_server, medium, address };

  test("is read as the invite itself was, without the token of its identity server", () => {
    const read = { idServer: "matrix.org", threepid: { medium: "email", address: "cheeky@monkey.com" } };
    expect(rightOf(parseAddressee(addressee))).toStrictEqual(read);
    expect(rightOf(parseAddressee({ ...addressee, address: "Cheeky@Monkey.COM" }))).toStrictEqual(read);
    expect(rightOf(parseAddressee({ ...byThreepid, id_access_token: 7 }))).toStrictEqual(read);
    expect(rightOf(parseThreepidInvite(byThreepid))).toMatchObject(read);
  });

  test.each<readonly [string, unknown, string]>([
    ["no object", "x", "BodyNotObject"],
    ["an array", [addressee], "BodyNotObject"],
    ["no id_server", { medium, address }, "FieldMissing"],
    ["no medium", { id_server, address }, "FieldMissing"],
    ["no address", { id_server, medium }, "FieldMissing"],
    ["an id_server of another type", { ...addressee, id_server: 7 }, "FieldMalformed"],
    ["a medium of another type", { ...addressee, medium: null }, "FieldMalformed"],
    ["an address of another type", { ...addressee, address: ["x"] }, "FieldMalformed"],
    ["an id_server with a scheme", { ...addressee, id_server: "https://matrix.org" }, "FieldMalformed"],
    ["a medium that is none", { ...addressee, medium: "fax" }, "MediumUnsupported"],
    ["an address that is none", { ...addressee, address: "cheeky" }, "AddressMalformed"],
  ])("%s is refused", (_name, body, code) => {
    expect(codeOf(parseAddressee(body))).toBe(code);
  });

  test("what is missing is named, and the token is not asked for", () => {
    expect(leftOf(parseAddressee({})).message).toContain("id_server, medium, address");
  });
});
