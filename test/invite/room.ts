import fc from "fast-check";
import { type Either, isLeft } from "fp-ts/lib/Either.js";
import {
  type Decision,
  type DecisionContext,
  type DecisionOutcome,
  applyDecision,
} from "../../src/invite/decision.js";
import type { CryptoEngine, SigningKey } from "../../src/matrix/crypto-engine.js";
import { encodeBase64 } from "../../src/matrix/base64.js";
import type { EventLike } from "../../src/matrix/event.js";
import { type RoomId, type UserId, parseRoomId, parseUserId } from "../../src/matrix/ids.js";
import type { JsonObject } from "../../src/matrix/json.js";
import { roomIdOfCreate } from "../../src/matrix/pdu.js";
import { type RoomState, roomState } from "../../src/matrix/room-state.js";
import { type RoomVersion, roomVersion, roomVersionIds } from "../../src/matrix/room-version.js";
import { signJson } from "../../src/matrix/signed-json.js";
import { portableCrypto, portableSigningKey } from "../../src/portable/crypto.js";
import type { Refusal } from "../../src/refusal.js";
import { type Threepid, parseThreepid } from "../../src/threepid/threepid.js";

export const rightOf = <A>(either: Either<unknown, A>): A => {
  if (isLeft(either)) throw new Error(`expected a right, got ${JSON.stringify(either.left)}`);
  return either.right;
};

export const leftOf = <E>(either: Either<E, unknown>): E => {
  if (!isLeft(either)) throw new Error(`expected a left, got ${JSON.stringify(either.right)}`);
  return either.left;
};

/** The refusal code, or `undefined` where nothing was refused. */
export const codeOf = (either: Either<Refusal, unknown>): string | undefined =>
  isLeft(either) ? either.left.code : undefined;

export const userId = (text: string): UserId => rightOf(parseUserId(text));
export const email = (address: string): Threepid => rightOf(parseThreepid("email", address));

export const versionOf = (id: string): RoomVersion => {
  const version = roomVersion(id);
  if (version === undefined) throw new Error(`no room version ${id}`);
  return version;
};

/** Versions of the room in which `from <= version <= to`. */
export const versions = (from = 1, to = 12): readonly string[] =>
  roomVersionIds.filter((id) => Number(id) >= from && Number(id) <= to);

export const roomVersions = fc.constantFrom(...roomVersionIds);

const seed = (byte: number): Uint8Array => new Uint8Array(32).fill(byte);

/** The identity server's long-term key, its ephemeral key for the invite, and a key that no event names. */
export const longTermKey = portableSigningKey("ed25519:0", seed(1));
export const ephemeralKey = portableSigningKey("ed25519:0", seed(2));
export const strangeKey = portableSigningKey("ed25519:0", seed(3));

export const written = (
  key: Pick<SigningKey, "publicKey">,
  alphabet: "standard" | "urlsafe" = "standard",
): string => encodeBase64(key.publicKey, alphabet);

export const idServer = "id.example:8448";
export const validityUrl = "https://id.example/isvalid";
export const ephemeralUrl = "https://id.example/ephemeral/isvalid";

/** Created the room; on this server. */
export const alice = userId("@alice:one.example");
/** Invited by address; of another server, and not in the room. */
export const bob = userId("@bob:two.example");
/** Joined without power; on this server. */
export const carol = userId("@carol:one.example");
/** Joined without power; of another server. */
export const dave = userId("@dave:two.example");

export const token = "Tok.en=1_-";

/** The content of a third-party invite as an honest server makes it. */
export const inviteContent: JsonObject = {
  display_name: "b...@t...",
  key_validity_url: validityUrl,
  public_key: written(longTermKey),
  public_keys: [
    { public_key: written(longTermKey), key_validity_url: validityUrl },
    { public_key: written(ephemeralKey, "urlsafe"), key_validity_url: ephemeralUrl },
  ],
};

/** A `signed` object for these members. */
export const sign = (
  members: JsonObject,
  key: SigningKey = longTermKey,
  numbers: "integers" | "any" = "integers",
): JsonObject => rightOf(signJson(members, idServer, key, numbers));

/** The proof that the address is Bob's. */
export const signed: JsonObject = sign({ mxid: bob, token });

export interface RoomOptions {
  /** Members of the create event's content beside what the version asks for. */
  readonly create?: JsonObject;
  readonly noCreate?: boolean;
  /** Memberships, over Alice, Carol and Dave joined. */
  readonly members?: Readonly<Record<string, string>>;
  /** Content of the power levels over `{ users: { alice: 100 }, invite: 50 }`; `null` for no such event. */
  readonly levels?: JsonObject | null;
  /** Content of the third-party invite with `token`; `null` for no such event. */
  readonly invite?: JsonObject | null;
  readonly inviteSender?: string;
  /** More events of the state; they win over those before. */
  readonly more?: readonly EventLike[];
}

export interface Room {
  readonly version: RoomVersion;
  readonly roomId: RoomId;
  readonly state: RoomState;
  readonly event: (
    type: string,
    sender: string,
    stateKey: string | undefined,
    content: JsonObject,
  ) => EventLike;
  /** The member event that redeems the invite, with members of `third_party_invite` changed. */
  readonly redeemed: (invite?: unknown, sender?: string, target?: string) => EventLike;
  /** A plain invite. */
  readonly invited: (sender: string, target?: string, content?: JsonObject) => EventLike;
  /** A third-party invite. */
  readonly thirdPartyInvite: (sender: string, content?: JsonObject, stateKey?: string) => EventLike;
}

/** A room of any version: Alice made it and has the power to invite, Carol and Dave are in it and have none. */
export const room = (id = "10", options: RoomOptions = {}): Room => {
  const version = versionOf(id);
  const create: JsonObject = {
    type: "m.room.create",
    sender: alice,
    state_key: "",
    ...(version.roomIdIsCreateEvent ? {} : { room_id: "!room:one.example" }),
    content: {
      room_version: id,
      ...(version.creators === "content.creator" ? { creator: alice } : {}),
      ...options.create,
    },
    auth_events: [],
    prev_events: [],
    depth: 1,
    origin_server_ts: 1_700_000_000_000,
    hashes: { sha256: "" },
    signatures: { "one.example": { "ed25519:1": "AAAA" } },
  };
  const roomId = rightOf(parseRoomId(rightOf(roomIdOfCreate(portableCrypto, create, version))));
  const event: Room["event"] = (type, sender, stateKey, content) => ({
    type,
    room_id: roomId,
    sender,
    ...(stateKey === undefined ? {} : { state_key: stateKey }),
    content,
  });
  const members = { [alice]: "join", [carol]: "join", [dave]: "join", ...options.members };
  const users = version.creators === "sender and additional" ? {} : { [alice]: 100 };
  const state: EventLike[] = [
    ...(options.noCreate === true ? [] : [create]),
    ...Object.entries(members).map(([user, membership]) =>
      event("m.room.member", user, user, { membership }),
    ),
    ...(options.levels === null
      ? []
      : [event("m.room.power_levels", alice, "", { users, invite: 50, ...options.levels })]),
    ...(options.invite === null
      ? []
      : [
          event(
            "m.room.third_party_invite",
            options.inviteSender ?? alice,
            token,
            options.invite ?? inviteContent,
          ),
        ]),
    ...(options.more ?? []),
  ];
  return {
    version,
    roomId,
    state: roomState(roomId, version, state),
    event,
    redeemed: (invite = { display_name: "b...@t...", signed }, sender = alice, target = bob) =>
      event("m.room.member", sender, target, { membership: "invite", third_party_invite: invite }),
    invited: (sender, target = bob, content = {}) =>
      event("m.room.member", sender, target, { membership: "invite", ...content }),
    thirdPartyInvite: (sender, content = inviteContent, stateKey = "another") =>
      event("m.room.third_party_invite", sender, stateKey, content),
  };
};

/** What a decision answers on a state, made by a server whose users Alice and Carol are. */
export const decideOn = <Command, Outcome extends DecisionOutcome>(
  decision: Decision<Command, Outcome>,
  state: RoomState,
  command: Command,
  context: Partial<DecisionContext> = {},
): Either<Refusal, Outcome> =>
  applyDecision(decision, state, command, { crypto: portableCrypto, serverName: "one.example", ...context });

/** An engine that counts how often it is asked to verify. */
export const counting = (engine: CryptoEngine): CryptoEngine & { readonly calls: () => number } => {
  let calls = 0;
  return {
    ...engine,
    verify: (publicKey, message, signature) => {
      calls += 1;
      return engine.verify(publicKey, message, signature);
    },
    calls: () => calls,
  };
};

/** The rule numbers, as the text of each version has them. */
export interface Numbers {
  readonly room: string;
  readonly create: string;
  readonly federate: string;
  readonly member: string;
  readonly authorised: string | undefined;
  readonly proven: string;
  readonly plain: string;
  readonly sender: string;
  readonly thirdPartyInvite: string;
}

const upTo5: Numbers = {
  room: "2.5",
  create: "2.4",
  federate: "3",
  member: "5.1",
  authorised: undefined,
  proven: "5.3.1",
  plain: "5.3",
  sender: "6",
  thirdPartyInvite: "7.1",
};
const from6: Numbers = {
  ...upTo5,
  member: "4.1",
  proven: "4.3.1",
  plain: "4.3",
  sender: "5",
  thirdPartyInvite: "6.1",
};
const from8: Numbers = { ...from6, authorised: "4.2", proven: "4.4.1", plain: "4.4" };

export const numbers: Readonly<Record<string, Numbers>> = {
  "1": upTo5,
  "2": upTo5,
  "3": upTo5,
  "4": upTo5,
  "5": upTo5,
  "6": from6,
  "7": from6,
  "8": from8,
  "9": from8,
  "10": from8,
  "11": from8,
  "12": {
    room: "2",
    create: "2",
    federate: "4",
    member: "5.1",
    authorised: "5.2",
    proven: "5.4.1",
    plain: "5.4",
    sender: "6",
    thirdPartyInvite: "7.1",
  },
};
