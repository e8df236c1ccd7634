import type { RedemptionId, RedemptionRecord, RedemptionState } from "../../invite/redemption.js";
import { type Lane, redemptionRow, waitingLanes } from "../../invite/redemption-row.js";
import { isJsonObject } from "../../matrix/json.js";
import { parseStrict } from "../../matrix/strict-json.js";
import type { Marked } from "../../ports.js";
import { expectOne, expectSame } from "./expect.js";
import { must, oddTexts, room, user } from "./samples.js";
import type { OpenStorage } from "./storage-adapter.js";

/** Who has the queue. */
export type Queue = Pick<OpenStorage, "redemptions">;

/** When the rows of the checks are due, unless they say otherwise. */
export const due = 1_767_225_600_000;

/** How long a claim of the checks lasts. */
export const leaseMs = 60_000;

/** Long after every claim of the checks. */
export const muchLater = due + 1_000 * leaseMs;

export const idOf = (text: string): RedemptionId => text as RedemptionId;

type Waiting = Extract<RedemptionState, { readonly _tag: "Waiting" }>;

const proof = {
  mxid: "@bob:b.example",
  token: "t",
  signatures: { "id.example": { "ed25519:0": "c2lnbmVk" } },
};

export const waiting = (more: Partial<Waiting> = {}): Waiting => ({
  _tag: "Waiting",
  signed: proof,
  isVouched: false,
  turn: 0,
  depth: 0,
  dueAt: due,
  attempts: 0,
  ...more,
});

/** One that was tried so often. */
export const tried = (attempts: number, more: Partial<Waiting> = {}): Waiting =>
  waiting({ attempts, ...more });

export const ended = (_tag: "Done" | "Redeemed" | "Announced", endedAt = due): RedemptionState => ({
  _tag,
  endedAt,
});

const trouble = (text: string) => ({ reason: text, status: 599, errcode: text });

/** A record; it takes plain texts for what the library has parsed. */
export const redemption = (
  id: string,
  state: RedemptionState = waiting(),
  of: {
    readonly token?: string;
    readonly mxid?: string;
    readonly sender?: string;
    readonly roomId?: string;
  } = {},
): RedemptionRecord => ({
  id: idOf(id),
  roomId: room(of.roomId ?? "!1:a.example"),
  token: of.token ?? "t",
  mxid: user(of.mxid ?? "@bob:b.example"),
  sender: user(of.sender ?? "@alice:a.example"),
  owedAt: state._tag === "Waiting" ? state.dueAt : due,
  state,
});

/** One row in each lane. */
export const everyLane: readonly RedemptionRecord[] = [
  waiting(),
  waiting({ isVouched: true, turn: 7, depth: 70 }),
  tried(1, { last: trouble("AppendRefused") }),
  tried(2, { isVouched: true, refusedAt: due - 9 }),
  { _tag: "Dead" as const, signed: proof, isVouched: true, endedAt: due, ...trouble("NotProven") },
  ...(["Done", "Redeemed", "Announced"] as const).map((tag) => ended(tag)),
].map((state, index) => redemption(`lane-${index}`, state));

const signedOf = (text: string) => {
  const json = must(parseStrict(text, "any"));
  return isJsonObject(json) ? json : {};
};

/** Numbers as room versions 1 to 5 have them, and keys that are no common ones. */
const oddSigned = signedOf(
  '{"__proto__":{"a":1},"constructor":null,"toString":[],"":{"":[[]]},"$1 \\u0000 \\ud83e\\udd8a":"?","b":[true,false,null],' +
    '"n":[0,-1,9007199254740991,-9007199254740991,9007199254740993,0.1,1e-7,1e21,1.0,1e10,0.10,-1.50,1E400]}',
);

const oddUser = '@"Bob" o\'\\n %_ \u{1f98a}:b.example';

/** A token has at most 255 characters, and whoever delivers a proof chooses them. */
export const oddTokens: readonly string[] = [
  ...oddTexts,
  ...["\u0000", "\uffff", '"', "\ud800"].map((one) => one.repeat(255)),
];

/** Records with all that strangers write into them. */
export const oddRecords: readonly RedemptionRecord[] = [
  redemption("numbers", waiting({ signed: oddSigned })),
  redemption("user", tried(3), { mxid: oddUser, sender: oddUser, roomId: "!'\"\\ \u{1f98a}%" }),
  ...oddTokens.map((token, index) => redemption(`token-${index}`, waiting(), { token })),
  ...[...oddTexts, "long \u{1f98a} '".repeat(5_000)].flatMap((text, index) => [
    redemption(`text-${index}`, tried(1, { signed: { [text]: [text] }, last: trouble(text) })),
    redemption(`dead-${index}`, {
      _tag: "Dead",
      signed: { [text]: text },
      isVouched: false,
      endedAt: due,
      ...trouble(text),
    }),
  ]),
];

export const laneOf = (record: RedemptionRecord): Lane => redemptionRow(record).lane;

/** Waiting rows of any lane, up to `limit`, for a worker that comes at `now`. */
export const claimAt = (
  { redemptions }: Queue,
  now = due,
  limit = 100,
): Promise<readonly Marked<RedemptionRecord>[]> =>
  redemptions.claim(
    {
      lanes: waitingLanes.map((lane) => ({ lane, except: [] })),
      due: { from: 0, to: now },
      until: now + leaseMs,
      limit,
    },
    {},
  );

/** The one row that is free: a claim is not empty while there is one. */
export const claimOne = async (queue: Queue, now = due): Promise<Marked<RedemptionRecord>> =>
  expectOne(await claimAt(queue, now), "One row is due and free.");

export const idsOf = (rows: readonly Marked<RedemptionRecord>[]): readonly string[] =>
  rows.map(({ value }) => value.id).sort();

export const expectClaimed = async (queue: Queue, now: number, ids: readonly string[], what: string) => {
  expectSame(idsOf(await claimAt(queue, now)), ids, what);
};

/** The rows of a lane. */
export const inLane = ({ redemptions }: Queue, lane: Lane): Promise<readonly Marked<RedemptionRecord>[]> =>
  redemptions.list({ lane, limit: 10_000 }, {});
