import { redemptionId } from "matrix-third-party-invites/decisions";
import { nodeCrypto } from "matrix-third-party-invites/node";
import { parseUserId } from "matrix-third-party-invites/matrix";
import { afterEach, describe, expect, it, vi } from "vitest";
import { must, room } from "./samples.js";
import { type Answering, type Sent, openVirtualTime, signedOf, userId } from "./virtual-time.js";

const second = 1_000;
const minute = 60 * second;
const rows = 10_000;
const honestServer = "b.example";

afterEach(() => {
  vi.unstubAllGlobals();
});

/** A server that lets everybody wait for as long as it may, and then says nothing: its rows come again. */
const silent: Answering = { ms: 30 * second, answer: { _tag: "Unreachable" } };
/** One that says yes in the end. */
const slow: Answering = { ms: 30 * second, answer: { _tag: "Accepted" } };
/** The honest server knows nothing of what is forged. */
const quick: Answering = { ms: 300, answer: { _tag: "Refused", status: 403, errcode: "M_FORBIDDEN" } };

interface Flood {
  readonly name: string;
  readonly of: (row: number) => Omit<Sent, "token">;
  /** Within which time an honest proof is first tried, without a voucher. */
  readonly unvouched: number;
  readonly rows?: number;
}

const each = (row: number): string => `s${row}.example`;

/** Which users are named, by which servers; the honest proof is user 0's. */
const floods: readonly Flood[] = [
  { name: "another user, one server", of: () => ({ user: 1, server: "s.example" }), unvouched: second },
  { name: "another user, one server each", of: (row) => ({ user: 1, server: each(row) }), unvouched: minute },
  { name: "the same user, one server", of: () => ({ user: 0, server: "s.example" }), unvouched: second },
  {
    name: "the same user, one server each",
    of: (row) => ({ user: 0, server: each(row) }),
    unvouched: 10 * minute,
  },
  {
    name: "1,000 users, 10 rows each",
    of: (row) => ({ user: 1 + (row % 1_000), server: each(row) }),
    unvouched: 10 * minute,
  },
  {
    name: "another user, the honest proof's server",
    of: () => ({ user: 1, server: honestServer }),
    unvouched: 5 * second,
  },
  {
    name: "the same user, the honest proof's server",
    of: () => ({ user: 0, server: honestServer }),
    unvouched: 2 * minute,
  },
  {
    name: "1,000 users, the honest proof's server",
    of: (row) => ({ user: 1 + (row % 1_000), server: honestServer }),
    unvouched: 2 * minute,
  },
];

/** A token with which the honest proof stands last of all that have its turn. */
const lastToken = (): string => {
  const sender = must(parseUserId(`@inviter:${honestServer}`));
  for (let at = 0; ; at += 1) {
    const sent = { user: 0, server: honestServer, token: `honest${at}` };
    const signed = { mxid: must(parseUserId(userId(0))), token: sent.token, json: signedOf(sent) };
    if (redemptionId(nodeCrypto, { roomId: room, sender, signed }).startsWith("zz")) return sent.token;
  }
};
const token = lastToken();

/** How long honest proofs that come 5 s after the flood wait for their first try; delivered again while they find no room. */
const firstTriesAfter = async (
  { of, rows: count = rows }: Pick<Flood, "of" | "rows">,
  answering: Answering,
) => {
  const time = openVirtualTime(({ destination }) => (destination === honestServer ? quick : answering));
  await time.deliver(Array.from({ length: count }, (_, row) => ({ ...of(row), token: `forged${row}` })));
  await time.run(5 * second);
  const waited = (name: string): number => (time.firstTries.get(name) ?? Infinity) - 5 * second;
  const honest = { user: 0, server: honestServer };
  expect(await time.deliver([{ ...honest, token: "vouched", isVouched: true }])).toBe(1);
  for (let wait = second; (await time.deliver([{ ...honest, token }])) === 0; wait *= 2)
    await time.run(time.now() + wait);
  await time.run(3_600 * second, () => time.firstTries.has(token));
  return { vouched: waited("vouched"), unvouched: waited(token) };
};

describe.each([
  ["silent", silent],
  ["slow", slow],
] as const)("behind 10,000 forged rows, for servers that are %s", (_, answering) => {
  it.each(floods)("$name", async ({ unvouched, ...flood }) => {
    const waited = await firstTriesAfter(flood, answering);
    expect(waited.vouched).toBeLessThanOrEqual(second);
    expect(waited.unvouched).toBeLessThanOrEqual(unvouched);
    if (process.env["SHOW"]) process.stdout.write(`${flood.name}: ${JSON.stringify(waited)}\n`);
  });
});

it("behind rows of as many users a proof that nobody vouches for waits for all of them, and a vouched one for none", async () => {
  const flood = { of: (row: number) => ({ user: 1 + row, server: each(row) }), rows: 1_000 };
  const waited = await firstTriesAfter(flood, silent);
  expect(waited.vouched).toBeLessThanOrEqual(second);
  expect(waited.unvouched).toBeGreaterThan(8 * minute);
  expect(waited.unvouched).toBeLessThanOrEqual(10 * minute);
});
