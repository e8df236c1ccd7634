import fc from "fast-check";
import { isLeft } from "fp-ts/lib/Either.js";
import {
  type Decision,
  type DecisionContext,
  type DecisionOutcome,
  type Delivery,
  type InviteDetails,
  type InviteLife,
  type InviteRecord,
  type Requester,
  type RoomInvite,
  type Signed,
  type Tidying,
  admitInviter,
  applyDecision,
  checkThirdPartySigned,
  emptyUntidy,
  exchange,
  firstJoin,
  firstJoinToken,
  addressHash,
  inviteKey,
  inviteThreepid,
  inviteUser,
  parseSigned,
  parseStoredInvite,
  redeem,
  revoke,
  revokeOwn,
  revokeRecord,
  roomInvites,
} from "matrix-third-party-invites/decisions";
import * as decisions from "matrix-third-party-invites/decisions";
import { parseServerName } from "matrix-third-party-invites/matrix";
import type { EventLike, JsonObject, StateEntry, UserId } from "matrix-third-party-invites/ports";
import { describe, expect, it } from "vitest";
import { nodeCrypto } from "matrix-third-party-invites/node";
import {
  type Room,
  alice,
  bob,
  carol,
  dave,
  email,
  ephemeralKey,
  inviteContent,
  longTermKey,
  rightOf,
  room,
  roomVersions,
  sign,
  strangeKey,
  token,
  validityUrl,
  written,
} from "../invite/room.js";

const serverName = "one.example";
const context: DecisionContext = { crypto: nodeCrypto, serverName };

const people = [alice, bob, carol, dave] as const;
const tokens = [token, "t1", "t2"] as const;
const keys = [longTermKey, ephemeralKey, strangeKey] as const;

/** Every proof that the commands below have: each is signed once. */
const proofs: readonly Signed[] = people.flatMap((mxid) =>
  tokens.flatMap((name) => keys.map((key) => rightOf(parseSigned(sign({ mxid, token: name }, key))))),
);
const proofOf = (mxid: string, name: string): JsonObject =>
  proofs.find((proof) => proof.mxid === mxid && proof.token === name)?.json ?? {};

const person = fc.constantFrom<UserId>(...people);
const tokenName = fc.constantFrom<string>(...tokens);
const proof = fc.constantFrom(...proofs);
const membership = fc.constantFrom("join", "invite", "knock", "leave", "ban", "none", 7);
const time = fc.constantFrom(0, 50, 100);

const storedInvites = tokens.map((name) =>
  rightOf(
    parseStoredInvite(
      {
        token: name,
        display_name: inviteContent["display_name"],
        public_keys: [{ public_key: written(longTermKey), key_validity_url: validityUrl }],
      },
      email("bob@two.example"),
    ),
  ),
);
const storedInvite = fc.constantFrom(...storedInvites);

/** The content of the event that any of them is appended as. */
const storedContent: JsonObject = {
  display_name: inviteContent["display_name"],
  key_validity_url: validityUrl,
  public_key: written(longTermKey),
  public_keys: [{ public_key: written(longTermKey), key_validity_url: validityUrl }],
};

const someTokens = fc.subarray(storedInvites.map((stored) => stored.token));

const requester: fc.Arbitrary<Requester> = fc
  .record(
    // Whoever has the power comes often, since the others are refused early.
    { userId: fc.oneof({ weight: 2, arbitrary: fc.constant<UserId>(alice) }, person), isGuest: fc.boolean() },
    { requiredKeys: ["userId"] },
  )
  .map(({ isGuest = false, ...who }) => (isGuest && who.userId !== alice ? { ...who, isGuest } : who));

const details: fc.Arbitrary<InviteDetails> = fc.constantFrom({}, { isDirect: true }, { reason: "Tea?" });

const settled = fc.oneof(
  fc.constant({ _tag: "Intended" } as const),
  fc.record({
    _tag: fc.constantFrom("TokenStored" as const, "Pending" as const),
    storedInvite,
    askedAt: time,
    earlierTokens: someTokens,
  }),
  fc.record({ _tag: fc.constant("Redeemed" as const), by: person, tokens: someTokens }),
  fc.record({ _tag: fc.constantFrom("Revoked" as const, "Expired" as const), tokens: someTokens }),
);
const life: fc.Arbitrary<InviteLife> = fc.oneof(
  settled,
  fc.record({ _tag: fc.constant("Asked" as const), at: time, before: settled }),
);

const idServer = rightOf(parseServerName("id.example"));

const recordsOf = ({ roomId }: Room): fc.Arbitrary<InviteRecord> =>
  fc.record({ sender: person, createdAt: time, details, life }).map((of) => {
    const threepid = email("bob@two.example");
    const key = inviteKey(nodeCrypto, new Uint8Array(32), { roomId, sender: of.sender, idServer, threepid });
    return {
      key,
      addressHash: addressHash(nodeCrypto, new Uint8Array(32), threepid),
      roomId,
      idServer,
      ...of,
    };
  });

/** State events beside those of the room: members that are invited by proof, tokens, and what a mail shows. */
const moreEvents = fc.record({
  members: fc.array(fc.tuple(person, membership, fc.option(tokenName)), { maxLength: 4 }),
  invites: fc.array(
    fc.tuple(
      tokenName,
      person,
      fc.constantFrom<JsonObject>(
        inviteContent,
        storedContent,
        { public_key: written(strangeKey) },
        { display_name: "z" },
        {},
      ),
      fc.option(time, { nil: undefined }),
    ),
    { maxLength: 4 },
  ),
  shown: fc.subarray(["m.room.name", "m.room.avatar", "m.room.canonical_alias", "m.room.join_rules"]),
});

const create = fc.constantFrom<JsonObject>({}, {}, { "m.federate": false }, { type: "m.space" });
const levels = fc.constantFrom<JsonObject | null>(
  {},
  {},
  null,
  { users: { [carol]: 50 } },
  { users_default: 50 },
  { invite: 0 },
  { invite: "50" },
);

const rooms: fc.Arbitrary<Room> = fc
  .record({ id: roomVersions, create, levels, noCreate: fc.integer({ max: 9, min: 0 }), more: moreEvents })
  .map(({ id, more, noCreate, ...options }) => {
    const { event } = room(id, options);
    const events: EventLike[] = [
      ...more.members.map(([user, of, name]) =>
        event("m.room.member", user, user, {
          membership: of,
          ...(name === null
            ? {}
            : { third_party_invite: { display_name: "z", signed: proofOf(user, name) } }),
        }),
      ),
      ...more.invites.map(([name, sender, content, at]) => ({
        ...event("m.room.third_party_invite", sender, name, content),
        ...(at === undefined ? {} : { origin_server_ts: at }),
      })),
      ...more.shown.map((type) =>
        event(type, alice, "", {
          name: "The garden",
          url: "mxc://one.example/tree",
          alias: "#garden:one.example",
          join_rule: "invite",
        }),
      ),
    ];
    return room(id, { ...options, noCreate: noCreate === 0, more: events });
  });

/** What a decision asked the state for, against what it declares. */
interface Run {
  /** The outcome's tag, or the code of the refusal. */
  readonly end: string;
  readonly declared: readonly string[];
  readonly asked: readonly string[];
}

const nameOf = ({ type, stateKey }: StateEntry): string => `${type} ${JSON.stringify(stateKey)}`;

interface Subject {
  readonly name: string;
  /** Every kind of end that it must come to in the runs, so that no branch is left out. */
  readonly ends: readonly string[];
  /** Runs of it, on any room and with any command. */
  readonly runs: fc.Arbitrary<Run>;
  /** The same where its `reads` leaves out the entries of one type. */
  readonly runsWithout: (type: string) => fc.Arbitrary<Run>;
  /** The same, made with `applyDecision`, on a state that has only what is declared. */
  readonly restricted: fc.Arbitrary<readonly [whole: unknown, restricted: unknown]>;
}

const subject = <Command, Outcome extends DecisionOutcome>(
  name: string,
  decision: Decision<Command, Outcome>,
  commands: (made: Room) => fc.Arbitrary<Command>,
  ends: readonly string[],
): Subject => {
  const cases = rooms.chain((made) => commands(made).map((command) => ({ made, command })));
  const runs = (reads: (command: Command) => readonly StateEntry[]): fc.Arbitrary<Run> =>
    cases.map(({ made, command }) => {
      const asked = new Set<string>();
      const { state } = made;
      const result = decision.decide(
        {
          ...state,
          get: (type, stateKey) => {
            asked.add(nameOf({ type, stateKey }));
            return state.get(type, stateKey);
          },
        },
        command,
        context,
      );
      return {
        end: isLeft(result) ? result.left.code : result.right._tag,
        declared: reads(command).map(nameOf),
        asked: [...asked],
      };
    });
  return {
    name,
    ends,
    runs: runs((command) => decision.reads(command)),
    runsWithout: (type) => runs((command) => decision.reads(command).filter((read) => read.type !== type)),
    restricted: cases.map(
      ({ made, command }) =>
        [
          decision.decide(made.state, command, context),
          applyDecision(decision, made.state, command, context),
        ] as const,
    ),
  };
};

const delivery = ({ roomId }: Room): fc.Arbitrary<Delivery> =>
  fc.record({ roomId: fc.constant(roomId), sender: person, signed: proof });

const redemption = (made: Room) =>
  fc.record({ signed: proof, records: fc.array(recordsOf(made), { maxLength: 2 }) });

const tidying: fc.Arbitrary<Tidying> = fc.oneof(
  fc.constant({ _tag: "Leftover" } as const),
  fc.record({ _tag: fc.constant("Expired" as const), before: fc.constantFrom(1, 75, 1_000) }),
);

/** Invites of a room as it was, and records that fit them or not. */
const roomInvitesOf = (made: Room): fc.Arbitrary<readonly RoomInvite[]> =>
  fc.tuple(fc.array(recordsOf(made), { maxLength: 3 }), fc.subarray([...tokens])).map(([records, names]) => {
    const all = roomInvites(made.state, names, records);
    return all.map((invite, at) => ({ ...invite, record: invite.record ?? records[at] }));
  });

const powers = ["SenderNotJoined", "PowerTooLow", "GuestForbidden"];
const proven = ["Redeem", "AlreadyInvited", "AlreadyJoined", "TokenUnknown", "InviteRevoked", "NotProven"];

const subjects: readonly Subject[] = [
  subject("admitInviter", admitInviter, () => requester, [...powers, "Admitted"]),
  subject("inviteUser", inviteUser, () => fc.record({ requester, userId: person, details }), [
    ...powers,
    "Invite",
    "AlreadyInvited",
    "TargetJoined",
    "TargetBanned",
    "TargetNotFederated",
  ]),
  subject(
    "inviteThreepid",
    inviteThreepid,
    () => fc.record({ requester, storedInvite, supersedes: someTokens }),
    [...powers, "ThirdPartyInvite", "AlreadyPending", "TokenTaken", "InvitedAlready"],
  ),
  subject("redeem", redeem, redemption, [...proven, "TargetBanned", "NotFederated", "NoCreateEvent"]),
  subject(
    "exchange",
    exchange,
    (made) => fc.tuple(delivery(made), redemption(made)).map(([of, more]) => ({ ...of, ...more })),
    [...proven, "SenderNotLocal", "TokenSenderMismatch"],
  ),
  subject("firstJoinToken", firstJoinToken, () => fc.record({ userId: person }), [
    "NothingToCheck",
    "CheckToken",
  ]),
  subject("firstJoin", firstJoin, () => fc.record({ userId: person, token: tokenName }), [
    "NothingToCheck",
    "CheckKeys",
  ]),
  subject("revoke", revoke, () => fc.record({ requester, token: tokenName }), [
    ...powers,
    "Revoke",
    "AlreadyRevoked",
    "TokenUnknown",
  ]),
  subject("revokeOwn", revokeOwn, () => fc.record({ requester, tokens: someTokens }), [
    ...powers,
    "Revoke",
    "AlreadyRevoked",
  ]),
  subject("revokeRecord", revokeRecord, (made) => fc.record({ requester, record: recordsOf(made) }), [
    ...powers,
    "Revoke",
    "AlreadyRevoked",
    "AlreadyRedeemed",
  ]),
  subject(
    "emptyUntidy",
    emptyUntidy,
    (made) => fc.record({ requester, invites: roomInvitesOf(made), tidying }),
    [...powers, "Revoke", "AlreadyRevoked"],
  ),
  subject("checkThirdPartySigned", checkThirdPartySigned, delivery, [
    "AlreadyJoined",
    "AlreadyInvited",
    "ToRedeem",
    "TokenSenderMismatch",
  ]),
];

const undeclared = ({ asked, declared }: Run): readonly string[] =>
  asked.filter((name) => !declared.includes(name));

/** The same runs each time. */
const sample = (runs: fc.Arbitrary<Run>): readonly Run[] => fc.sample(runs, { seed: 1, numRuns: 1_000 });

it("every decision of the entry point is here", () => {
  const isDecision = (value: unknown): boolean =>
    typeof value === "object" && value !== null && "reads" in value && "decide" in value;
  const exported = Object.entries(decisions).filter(([, value]) => isDecision(value));
  expect(subjects.map(({ name }) => name).sort()).toEqual(exported.map(([name]) => name).sort());
});

describe.each(subjects)("$name", ({ runs, runsWithout, ends, restricted }) => {
  it("asks the state for no entry that it does not declare", () => {
    fc.assert(
      fc.property(runs, (run) => {
        expect(undeclared(run)).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  it("decides the same where it sees only what it declares", () => {
    fc.assert(
      fc.property(restricted, ([whole, seen]) => {
        expect(seen).toEqual(whole);
      }),
      { numRuns: 200 },
    );
  });

  const made = sample(runs);
  const declaredTypes = new Set(made.flatMap(({ declared }) => declared.map((name) => name.split(" ")[0])));

  it("comes to each of its ends in these runs", () => {
    const reached = new Set(made.map(({ end }) => end));
    expect(ends.filter((end) => !reached.has(end))).toEqual([]);
  });

  it.each([...declaredTypes])("a declaration that leaves out %s is found", (type = "") => {
    expect(
      sample(runsWithout(type))
        .flatMap(undeclared)
        .some((name) => name.startsWith(`${type} `)),
    ).toBe(true);
  });
});

it("a declaration that leaves out the invitee alone is found, and changes what applyDecision decides", () => {
  const planted: typeof inviteUser = {
    ...inviteUser,
    reads: (command) =>
      inviteUser
        .reads(command)
        .filter(({ type, stateKey }) => type !== "m.room.member" || stateKey !== command.userId),
  };
  const banned = room("11", { members: { [bob]: "ban" } }).state;
  const command = { requester: { userId: alice }, userId: bob };
  const asked: string[] = [];
  const watched = {
    ...banned,
    get: (type: string, stateKey: string) => {
      asked.push(nameOf({ type, stateKey }));
      return banned.get(type, stateKey);
    },
  };
  planted.decide(watched, command, context);
  const run = { end: "", asked, declared: planted.reads(command).map(nameOf) };
  expect(undeclared(run)).toEqual([nameOf({ type: "m.room.member", stateKey: bob })]);
  // The ban is not seen: this is why nothing may be left out.
  expect(applyDecision(planted, banned, command, context)._tag).toBe("Right");
  expect(applyDecision(inviteUser, banned, command, context)._tag).toBe("Left");
});
