import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { JsonObject } from "../../src/matrix/json.js";
import { requiredSigners } from "../../src/matrix/required-signers.js";
import { roomVersionIds } from "../../src/matrix/room-version.js";
import { anything } from "./arbitrary-json.js";
import { vectors } from "./vectors.js";
import { version } from "./versions.js";

const sender = "@alice:sender.example:8448";

const event = (content: JsonObject, more: JsonObject = {}): JsonObject => ({
  type: "m.room.member",
  event_id: "$1:id.example",
  sender,
  state_key: "@bob:target.example",
  content,
  ...more,
});

const proof = { third_party_invite: { display_name: "b", signed: { mxid: "@bob:target.example" } } };
const invite = { membership: "invite", ...proof };

/** What signs besides the sender in any case: the event ID's server, in versions 1 and 2. */
const ofId = (id: string): readonly string[] => (Number(id) < 3 ? ["id.example"] : []);

describe.each(roomVersionIds)("in version %s", (id) => {
  const signers = (pdu: JsonObject, hashMatches = true): readonly string[] =>
    requiredSigners(pdu, version(id), hashMatches);

  it("the sender's server, and in versions 1 and 2 that of the event's ID", () => {
    const expected = [...ofId(id), "sender.example:8448"];
    expect(signers(event({ membership: "join" }))).toEqual(expected);
    expect(signers(event({ membership: "join" }), false)).toEqual(expected);
    expect(signers(event({ body: "x" }, { type: "m.room.message" }))).toEqual(expected);
    expect(signers(event({}, { event_id: "$1:sender.example:8448" }))).toEqual(["sender.example:8448"]);
  });

  it("not the sender's for an invite that carries a proof", () => {
    expect(signers(event(invite))).toEqual(ofId(id));
  });

  it("but where the hash does not match, only if the proof survives the redaction", () => {
    expect(signers(event(invite), false)).toEqual(
      Number(id) < 11 ? [...ofId(id), "sender.example:8448"] : [],
    );
  });

  it.each([
    ["no invite", event({ ...proof, membership: "join" })],
    ["no member event", event(invite, { type: "m.room.message" })],
    ["no object there", event({ membership: "invite", third_party_invite: null })],
    ["nothing signed in it", event({ membership: "invite", third_party_invite: {} })],
  ])("%s is no exemption", (_, pdu) => {
    expect(signers(pdu)).toEqual([...ofId(id), "sender.example:8448"]);
  });

  it("from version 8 on the server that authorised a restricted join", () => {
    const join = { membership: "join", join_authorised_via_users_server: "@carol:authoriser.example" };
    const authoriser = Number(id) < 8 ? [] : ["authoriser.example"];
    expect(signers(event(join))).toEqual([...authoriser, ...ofId(id), "sender.example:8448"]);
  });

  it.each([[7], [null], ["nobody"]])("%j names no server that could have signed", (nobody) => {
    const join = { membership: "join", join_authorised_via_users_server: nobody };
    const none = Number(id) < 8 ? [] : [""];
    expect(signers(event(join))).toEqual([...none, ...ofId(id), "sender.example:8448"]);
  });

  it("never throws", () => {
    const names = fc.constantFrom("type", "sender", "event_id", "content", "__proto__");
    const odd = fc.oneof(
      fc.dictionary(names, anything),
      fc
        .dictionary(fc.constantFrom("membership", "third_party_invite"), anything)
        .map((content) => event(content)),
    );
    fc.assert(
      fc.property(odd, fc.boolean(), (pdu, matches) => {
        expect(signers(pdu, matches).every((server) => typeof server === "string")).toBe(true);
      }),
    );
  });
});

// The hash of these is a made-up one; the case that would depend on it is of a version that keeps the proof.
it.each(vectors("required-signers"))("$name", ({ roomVersion, event: pdu, expected }) => {
  for (const matches of [true, false])
    expect(requiredSigners(pdu, version(roomVersion), matches)).toEqual(expected);
});
