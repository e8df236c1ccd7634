/** Events of ours and rooms for them, as JSON: near what the rules allow, so that a good part of them is allowed. */
import fc from "fast-check";
import type { EventLike } from "matrix-third-party-invites";
import { type RoomState, roomState, roomVersionIds } from "matrix-third-party-invites/judge";
import { encodeBase64, isJsonObject, member } from "matrix-third-party-invites/matrix";
import type { JsonObject, SigningKey } from "matrix-third-party-invites/ports";
import { nodeSigningKey } from "matrix-third-party-invites/node";
import { alice, bob, carol, dave, idServer, room, sign, token, versionOf, written } from "../invite/room.js";
import { json, jsonObject } from "../matrix/arbitrary-json.js";

/** The state is a list, so that it can be written down again in another order. */
export interface Case {
  readonly version: string;
  readonly roomId: string;
  readonly state: readonly EventLike[];
  readonly event: EventLike;
}

export const stateOf = ({ roomId, version, state }: Case): RoomState =>
  roomState(roomId, versionOf(version), state);

const seeded = (byte: number): SigningKey => nodeSigningKey("ed25519:0", new Uint8Array(32).fill(byte));
const [first, second, strange] = [seeded(1), seeded(2), seeded(3)] as const;
const users = fc.constantFrom(alice, bob, carol, dave, "", "@:x");

const often = <A>(usual: A, others: fc.Arbitrary<A>): fc.Arbitrary<A> =>
  fc.oneof({ weight: 7, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: others });

const unknowns = (all: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> => all;

/** What is signed: the honest members, and others that every signature covers. */
const payloads: fc.Arbitrary<JsonObject> = fc
  .tuple(
    often<unknown>(bob, fc.oneof(users, json)),
    often<unknown>(token, fc.oneof(fc.constantFrom("other", ""), json)),
    often<JsonObject>({}, fc.oneof(jsonObject, fc.constant({ n: 1.5 }))),
  )
  .map(([mxid, ofToken, more]) => ({ ...more, mxid, token: ofToken }));

const goodText = (payload: JsonObject, key: SigningKey): string => {
  const { signatures: _, unsigned: __, ...plain } = payload;
  const block = member(member(sign(plain, key, "any"), "signatures"), idServer);
  return Object.values(isJsonObject(block) ? block : {}).join();
};

/** Texts that stand at a signature: good ones by three keys, and others. */
const signatureTexts = (payload: JsonObject): fc.Arbitrary<unknown> => {
  const good = [first, second, strange].map((key) => goodText(payload, key));
  const urlsafe = good.map((text) => text.replaceAll("+", "-").replaceAll("/", "_"));
  return fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...good) },
    { weight: 1, arbitrary: fc.constantFrom(...urlsafe, ...good.map((text) => `${text}==`)) },
    {
      weight: 1,
      arbitrary: fc.constantFrom<unknown>("", "!", null, 7, "A".repeat(86), encodeBase64(first.publicKey)),
    },
  );
};

const keyIds = fc.constantFrom("ed25519:0", "ed25519:1", "ed25519:", "ed25519:\u{1f600}", "rsa:1", "10", "9");
const servers = fc.constantFrom(idServer, "a.example", "b.example", "", "__proto__", "7");

/** A `signed` object with a few blocks of signatures. */
const signedObjects: fc.Arbitrary<unknown> = payloads.chain((payload) =>
  fc
    .dictionary(
      servers,
      fc.oneof(
        { weight: 8, arbitrary: unknowns(fc.dictionary(keyIds, signatureTexts(payload), { maxKeys: 3 })) },
        { weight: 1, arbitrary: unknowns(json) },
      ),
      { minKeys: 1, maxKeys: 3 },
    )
    .chain((signatures) =>
      often<unknown>({ ...payload, signatures }, fc.oneof(json, fc.constant({ ...payload, unsigned: 1 }))),
    ),
);

const keyTexts = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom<unknown>(...[first, second].map((key) => written(key))) },
  { weight: 1, arbitrary: fc.constant<unknown>(written(second, "urlsafe")) },
  { weight: 1, arbitrary: fc.constantFrom<unknown>("A", null, "A".repeat(43), written(strange)) },
);
const urls = fc.constantFrom<unknown>("https://id.example/isvalid", "https://x.y/?a", "ftp://x", 7);
const keyObjects = fc.record(
  { public_key: keyTexts, key_validity_url: urls, "10": json, x: json },
  { requiredKeys: [] },
);

/** The content of the room's third-party invite. */
const inviteContents: fc.Arbitrary<JsonObject> = fc
  .tuple(
    keyObjects,
    fc.record(
      {
        public_keys: often<unknown>(
          [{ public_key: written(first) }, { public_key: written(second) }],
          fc.oneof(unknowns(fc.array(keyObjects, { maxLength: 4 })), json),
        ),
        display_name: often<unknown>("b...", json),
      },
      { requiredKeys: [] },
    ),
  )
  .map(([key, more]) => ({ ...key, ...more }));

const levelValues = fc.constantFrom<unknown>(
  0,
  50,
  51,
  100,
  "50",
  " 50 ",
  "5_0",
  "9007199254740993",
  true,
  50.5,
  null,
  -0,
  "x",
);
const levels: fc.Arbitrary<JsonObject | null> = fc.oneof(
  { weight: 4, arbitrary: fc.constant({}) },
  { weight: 1, arbitrary: fc.constant(null) },
  {
    weight: 4,
    arbitrary: fc.record(
      {
        users: fc.oneof(
          unknowns(fc.dictionary(users, levelValues, { maxKeys: 4 })),
          fc.constant<unknown>({ [alice]: 100, [carol]: 50 }),
        ),
        users_default: levelValues,
        invite: levelValues,
      },
      { requiredKeys: [] },
    ),
  },
);

const creations: fc.Arbitrary<JsonObject> = often(
  {},
  fc.record(
    {
      "m.federate": fc.constantFrom<unknown>(false, true, null),
      additional_creators: fc.constantFrom<unknown>([carol], [], [""], carol),
      creator: fc.constantFrom<unknown>(alice, carol, 7),
    },
    { requiredKeys: [] },
  ),
);

const memberships = fc.dictionary(users, fc.constantFrom("join", "invite", "leave", "ban", "knock"), {
  maxKeys: 3,
});

const contentExtras = often<JsonObject>(
  {},
  fc.oneof(
    jsonObject,
    fc.constantFrom<JsonObject>(
      { join_authorised_via_users_server: alice },
      { membership: 7 },
      { membership: "join" },
    ),
  ),
);

const senders = often<unknown>(alice, fc.oneof(users, json));

export const cases: fc.Arbitrary<Case> = fc
  .record({
    version: fc.constantFrom(...roomVersionIds),
    create: creations,
    noCreate: fc.nat(30).map((n) => n === 30),
    members: fc.oneof(fc.constant({}), memberships),
    levels,
    invite: fc.oneof({ weight: 9, arbitrary: inviteContents }, { weight: 1, arbitrary: fc.constant(null) }),
    inviteSender: often<string>(alice, users),
    signed: signedObjects,
    displayName: json,
    kind: fc.constantFrom("redeemed", "redeemed", "redeemed", "thirdPartyInvite", "invited"),
    sender: senders,
    target: often<unknown>(bob, fc.oneof(users, json)),
    extras: contentExtras,
    top: often<JsonObject>({}, fc.oneof(jsonObject, fc.constant({ room_id: "!other:x" }))),
  })
  .map(({ version, signed, displayName, kind, sender, target, extras, top, ...options }) => {
    const made = room(version, options);
    const places: readonly (readonly [string, string])[] = [
      ["m.room.create", ""],
      ["m.room.power_levels", ""],
      ["m.room.third_party_invite", token],
      ...[alice, bob, carol, dave, "", "@:x"].map((user): [string, string] => ["m.room.member", user]),
    ];
    const state = places.flatMap(([type, key]) => made.state.get(type, key) ?? []);
    const base: EventLike = {
      redeemed: made.redeemed({ display_name: displayName, signed }),
      thirdPartyInvite: made.thirdPartyInvite(alice),
      invited: made.invited(alice),
    }[kind];
    const content = { ...(isJsonObject(base.content) ? base.content : {}), ...extras };
    const event: EventLike = { ...base, sender, state_key: target, ...top, content };
    return { version, roomId: made.roomId, state, event };
  });
