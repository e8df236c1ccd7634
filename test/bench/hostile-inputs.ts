import { createHash } from "node:crypto";
import { type RoomState, roomState } from "matrix-third-party-invites/judge";
import { encodeBase64 } from "matrix-third-party-invites/matrix";
import type { JsonObject } from "matrix-third-party-invites/ports";
import { nodeSigningKey } from "matrix-third-party-invites/node";
import { type Sample, parse, samples } from "./inputs.js";

/** An invite and the event of its token, both as large as an event may be, and made to cost. */
export interface HostilePair {
  readonly sample: Sample;
  readonly invite: string;
  readonly token: string;
  /** More pairs than the budget. Else the budget is used up, and none matches. */
  readonly tooMuch: boolean;
}

const maxBytes = 65_536;
const budget = 64;

const digest = (name: string): Buffer => createHash("sha256").update(name).digest();
const bytes = (value: unknown): number => Buffer.byteLength(JSON.stringify(value));

const validity = "https://id.example.com/isvalid";

/** Points of the curve, so that no engine is done with one early. */
const realKey = (name: string): string => encodeBase64(nodeSigningKey("ed25519:0", digest(name)).publicKey);
const anyKey = (name: string): string => encodeBase64(digest(name));

/** S is reduced, R of a size with all others. */
const signature = (name: string): string => {
  const made = nodeSigningKey("ed25519:0", digest("somebody")).sign(digest(name));
  return encodeBase64(made);
};

type Members = Record<string, unknown>;

/** What else a `signed` may hold: all of it is written canonically, and hashed once for each pair. */
const ballast = {
  none: () => ({}),
  /** One key beyond U+FFFF takes the native comparison away; the others are in no order. */
  keys: (room: number): Members => {
    const names = Array.from({ length: Math.floor((room - 10) / 8) }, (_, n) =>
      n.toString(36).padStart(3, "k"),
    );
    const ranked = names.map((name) => ({ name, rank: digest(name).toString("hex") }));
    ranked.sort((a, b) => (a.rank < b.rank ? -1 : 1));
    return { "\u{1f600}": 0, ...Object.fromEntries(ranked.map(({ name }): [string, number] => [name, 0])) };
  },
  objects: (room: number): Members => ({ x: Array.from({ length: Math.floor(room / 3) - 4 }, () => ({})) }),
  text: (room: number): Members => ({ x: "x".repeat(room - 8) }),
};

const tokenEventOf = (sample: Sample): JsonObject => {
  const found = sample.state.map(parse).find(({ type }) => type === "m.room.third_party_invite");
  if (found === undefined) throw new Error("The room has no third-party invite.");
  return found;
};

/** As many of `make(0)`, `make(1)`, … as there is room for, each a member or item of `each` bytes. */
const filling = (room: number, each: number): number => Math.floor(room / each);

const pairOf = (sample: Sample, n: number, kind: keyof typeof ballast, tooMuch: boolean): HostilePair => {
  const invite = parse(sample.proven);
  const tokenEvent = tokenEventOf(sample);
  const of = { mxid: invite["state_key"], token: tokenEvent["state_key"] };

  const withSigned = (signatures: Members, more: Members): JsonObject => ({
    ...invite,
    content: {
      membership: "invite",
      third_party_invite: { display_name: "z", signed: { ...of, ...more, signatures: { i: signatures } } },
    },
  });
  const withKeys = (keys: readonly string[]): JsonObject => ({
    ...tokenEvent,
    content: {
      display_name: "z",
      public_keys: keys.map((key) => ({ public_key: key })),
      key_validity_url: validity,
    },
  });

  const bare = maxBytes - bytes(withSigned({}, {})) - 8;
  // One of `"ed25519:123":"…",` is 103 bytes long, one of `{"public_key":"…"},` 61.
  const signatures = tooMuch && kind === "none" ? filling(bare, 103) : tooMuch ? budget + 1 : 1;
  const made: Members = {};
  for (let i = 0; i < signatures; i += 1) made[`ed25519:${i}`] = signature(`${n} ${i}`);
  const more = ballast[kind](bare - bytes(made));
  const event = withSigned(made, more);

  const keys = tooMuch ? filling(maxBytes - bytes(withKeys([])) - 8, 61) : budget;
  const key = tooMuch ? anyKey : realKey;
  const token = withKeys(Array.from({ length: keys }, (_, i) => key(`${n} ${i} key`)));
  for (const each of [event, token])
    if (bytes(each) > maxBytes) throw new Error("No server takes this event.");
  return { sample, invite: JSON.stringify(event), token: JSON.stringify(token), tooMuch };
};

/** Eight of each shape, with keys of their own: more than any cache of keys has room for. */
const eight = (kind: keyof typeof ballast, tooMuch: boolean): readonly HostilePair[] =>
  samples(8).map((sample, n) => pairOf(sample, n, kind, tooMuch));

let made: Readonly<Record<string, readonly HostilePair[]>> | undefined;

/** The shapes by name; made once. */
export const hostilePairs = (): Readonly<Record<string, readonly HostilePair[]>> =>
  (made ??= {
    "refused, most pairs": eight("none", true),
    "refused, keys without order": eight("keys", true),
    "refused, empty objects": eight("objects", true),
    "64 pairs, one long text": eight("text", false),
    "64 pairs, keys without order": eight("keys", false),
    "64 pairs, empty objects": eight("objects", false),
  });

/** The room as the sample has it, with the hostile event in the token's place; each call parses anew. */
export const stateOfPair = ({ sample, token }: HostilePair): RoomState =>
  roomState(sample.roomId, sample.version, [...sample.state.map(parse), parse(token)]);
