import { type Fetch, identityServerClient } from "matrix-third-party-invites/http";
import { describe, expect, it } from "vitest";
import { callNames, calls, goodAnswers, goodOutcomes, inviteRequest } from "./identity-server-calls.js";

const origin = "https://id.example/base";
const v1 = `${origin}/_matrix/identity/api/v1/pubkey`;
const v2 = `${origin}/_matrix/identity/v2/pubkey`;
const query = "?public_key=a%2Bb&x=/_matrix/identity/api/v1/pubkey/";

const html = (status: number) => new Response("<html>", { status, headers: { "content-type": "text/html" } });
const valid = () => Response.json({ valid: true });
const invalid = () => Response.json({ valid: false });

/** A client whose requests are noted, and answered one after the other; what is no response is thrown. */
const asking = (...answers: readonly (Response | Error)[]) => {
  const asked: (RequestInit & { readonly url: string })[] = [];
  const fetch: Fetch = (url, init) => {
    asked.push({ ...init, url });
    const answer = answers[asked.length - 1];
    return answer instanceof Response ? Promise.resolve(answer) : Promise.reject(answer ?? new Error("more"));
  };
  return { fetch, asked, urls: () => asked.map(({ url }) => url) };
};

const isValid = { _tag: "Validity", valid: true };

describe("the validity of a key whose URL is of the API v1", () => {
  it.each<readonly [string, Response]>([
    ["404 in HTML", html(404)],
    ["404 with an errcode", Response.json({ errcode: "M_UNRECOGNIZED" }, { status: 404 })],
    ["a page", html(200)],
    ["a redirect", html(302)],
    ["the error of a proxy", html(502)],
    ["nothing", new Response("")],
  ])("is asked of v2 after %s, with the same query", async (_, first) => {
    for (const path of ["/isvalid", "/ephemeral/isvalid"]) {
      const { fetch, urls } = asking(first.clone(), valid());
      expect(await identityServerClient({ fetch }).keyValidity(`${v1}${path}${query}`, {})).toEqual(isValid);
      expect(urls()).toEqual([`${v1}${path}${query}`, `${v2}${path}${query}`]);
    }
  });

  it("is what v2 says, also where that is no", async () => {
    const { fetch } = asking(html(404), invalid());
    const answer = await identityServerClient({ fetch }).keyValidity(`${v1}/isvalid${query}`, {});
    expect(answer).toEqual({ _tag: "Validity", valid: false });
  });

  it("is not known where v2 is not there either", async () => {
    const { fetch, asked } = asking(html(404), html(404));
    expect(await identityServerClient({ fetch }).keyValidity(`${v1}/isvalid`, {})).toEqual({
      _tag: "Malformed",
    });
    expect(asked).toHaveLength(2);
  });

  it.each<readonly [string, Response]>([
    ["yes", valid()],
    ["no", invalid()],
    ["an error in JSON", Response.json({ errcode: "M_UNKNOWN" }, { status: 500 })],
    ["JSON of another form", Response.json({})],
    ["a rate limit", html(429)],
  ])("is not asked of v2 after %s", async (_, first) => {
    const { fetch, asked } = asking(first);
    await identityServerClient({ fetch }).keyValidity(`${v1}/isvalid${query}`, {});
    expect(asked).toHaveLength(1);
  });

  it.each([
    `${v2}/isvalid`,
    `${v1}/isvalid/more`,
    `${v1}/other`,
    `${origin}/_matrix/identity/api/v1/isvalid`,
    `${origin}/?${v1}/isvalid`,
    `${origin}/#${v1}/isvalid`,
  ])("%s has no twin", async (url) => {
    const { fetch, asked } = asking(html(404));
    await identityServerClient({ fetch }).keyValidity(url, {});
    expect(asked).toHaveLength(1);
  });
});

describe("a connection that breaks", () => {
  const closed = Object.assign(new Error("other side closed"), { code: "UND_ERR_SOCKET" });
  const readers = callNames.filter((name) => name !== "storeInvite");

  it.each(readers)("makes %s ask once more", async (name) => {
    const { fetch, asked } = asking(closed, Response.json(goodAnswers[name]));
    expect(await calls[name](identityServerClient({ fetch }))).toEqual(goodOutcomes[name]);
    expect(asked).toHaveLength(2);
  });

  it.each(readers)("twice is no answer to %s", async (name) => {
    const { fetch, asked } = asking(closed, closed);
    expect(await calls[name](identityServerClient({ fetch }))).toMatchObject({
      _tag: "Unreachable",
      sent: true,
    });
    expect(asked).toHaveLength(2);
  });

  it.each([
    ["a name that is not found", "ENOTFOUND"],
    ["a connection that is too slow", "UND_ERR_CONNECT_TIMEOUT"],
    ["headers that are too slow", "UND_ERR_HEADERS_TIMEOUT"],
    ["a target that is refused", "ERR_TARGET_REFUSED"],
  ])("is not %s", async (_, code) => {
    const { fetch, asked } = asking(Object.assign(new Error("failed"), { code }));
    await calls.lookup(identityServerClient({ fetch }));
    expect(asked).toHaveLength(1);
  });

  it("never makes store-invite ask again, which asks for a connection of its own", async () => {
    const { fetch, asked } = asking(closed);
    expect(await calls.storeInvite(identityServerClient({ fetch }))).toMatchObject({ sent: true });
    expect(asked.map(({ headers }) => new Headers(headers).get("connection"))).toEqual(["close"]);
  });
});

describe("the host's own members of store-invite", () => {
  const location = { "org.matrix.web_client_location": "https://app.example" };

  it("are sent beside those of the protocol", async () => {
    const { fetch, asked } = asking(Response.json({ token: "t" }));
    await calls.storeInvite(identityServerClient({ fetch, storeInviteMembers: location }));
    expect(await new Response(asked[0]?.body ?? "").json()).toEqual({ ...inviteRequest.invite, ...location });
  });

  it.each([...Object.keys(inviteRequest.invite), "room_name", "sender_display_name", "room_type"])(
    "must not be %s, which is the protocol's",
    (name) => {
      const made = () => identityServerClient({ fetch, storeInviteMembers: { [name]: "other" } });
      expect(made).toThrow(new TypeError(`storeInviteMembers.${name} is a member of the protocol.`));
    },
  );

  it.each([null, "text", ["list"], { big: 1n }])("must be JSON: %o", (members) => {
    const made = () => identityServerClient({ fetch, storeInviteMembers: members as never });
    expect(made).toThrow(TypeError);
  });
});
