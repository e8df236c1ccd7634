/**
 * Four processes of one homeserver over one PostgreSQL, or two over one SQLite file, each killed at random and started
 * again: every invite must end once. `npm run soak -- [--sqlite] [--seconds 60] [--json]`
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { build } from "esbuild";
import { openFleet } from "./fleet.js";
import { waitingLanes } from "matrix-third-party-invites/storage";
import { type Life, judge } from "./judge.js";
import { serverName } from "./messages.js";
import { openStorage } from "./storage.js";
import { openTown } from "./town.js";

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "60" },
    sqlite: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
  },
});
const seconds = Number(values.seconds);
if (!(seconds > 0)) {
  console.error("--seconds must be a positive number.");
  process.exit(2);
}
const storage = await openStorage(values.sqlite);
if (storage === undefined) {
  const missing = values.sqlite ? "Node with node:sqlite" : "PostgreSQL";
  console.error(`There is no ${missing} here, so nothing was soaked.`);
  process.exit(2);
}

const invitesAtOnce = 24;
const fortnight = 15 * 24 * 3_600_000;

const root = join(import.meta.dirname, "../..");
const folder = join(root, "node_modules/.cache/soak");
mkdirSync(folder, { recursive: true });
const file = join(folder, "process.mjs");
await build({
  entryPoints: [join(import.meta.dirname, "process.ts")],
  outfile: file,
  bundle: true,
  platform: "node",
  format: "esm",
  target: "node20",
  external: ["pg"],
  sourcemap: "inline",
  tsconfig: join(root, "tsconfig.json"),
  logLevel: "warning",
});

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const until = async (ready: () => boolean | Promise<boolean>, withinMs: number): Promise<boolean> => {
  const deadline = Date.now() + withinMs;
  while (!(await ready())) {
    if (Date.now() > deadline) return false;
    await sleep(50);
  }
  return true;
};

let aheadMs = 0;
const town = openTown(12, async (body) => {
  const outcome = await fleet.order({ _tag: "OnBind", body });
  return outcome?._tag === "Done" ? 200 : 503;
});
const fleet = openFleet({
  size: storage.processes,
  file,
  storage: storage.place,
  answer: town.answer,
  random: Math.random,
  aheadMs: () => aheadMs,
});

const lives: Life[] = [];
const codes = new Map<string, number>();
const count = (name: string): void => {
  codes.set(name, (codes.get(name) ?? 0) + 1);
};

/** A client that repeats itself until it is done, and asks for another mail only when it is told that one may be lost. */
const insist = async (life: Life): Promise<void> => {
  const { roomId, address } = life;
  for (let resend = false; ;) {
    life.resent += resend ? 1 : 0;
    const outcome = await fleet.order({ _tag: "Invite", roomId, address, resend });
    if (outcome?._tag === "Done") return;
    const code = outcome?.code ?? "died";
    count(`invite: ${code}`);
    resend = code === "InviteUnknown";
    if (!resend) await sleep(50);
  }
};

const withdraw = async ({ roomId, address }: Life): Promise<void> => {
  for (;;) {
    const outcome = await fleet.order({ _tag: "Revoke", roomId, address });
    if (outcome?._tag === "Done") return;
    count(`revoke: ${outcome?.code ?? "died"}`);
    await sleep(50);
  }
};

let killing = true;
const live = async (): Promise<void> => {
  while (killing) {
    const at = lives.length;
    const address = `person-${at}@example.org`;
    const roomId = town.roomIds[at % town.roomIds.length] ?? "";
    const life: Life = {
      roomId,
      address,
      mxid: `@person-${at}:${serverName}`,
      resent: 0,
      revoked: Math.random() < 0.1,
    };
    lives.push(life);
    // Two clients of one user, now and then.
    await Promise.all(Math.random() < 0.2 ? [insist(life), insist(life)] : [insist(life)]);
    if (life.revoked) await withdraw(life);
    town.identityServer.bindDirectly({ medium: "email", address }, life.mxid);
  }
};

const begun = Date.now();
const progress = setInterval(() => {
  if (process.stderr.isTTY && !values.json)
    process.stderr.write(
      `\r${Math.round((Date.now() - begun) / 1000)} s, ${lives.length} invites, ${fleet.killed()} kills `,
    );
}, 500);

let delivering = true;
const deliver = async (): Promise<void> => {
  while (delivering) {
    await town.identityServer.deliverDue();
    await sleep(20);
  }
};
const kill = async (): Promise<void> => {
  while (killing) {
    await sleep(150 + Math.random() * 600);
    fleet.killOne();
  }
};

const working = Promise.all([kill(), ...Array.from({ length: invitesAtOnce }, live)]);
const delivery = deliver();
await sleep(seconds * 1000);
killing = false;
await working;

const waiting = async (): Promise<number> => {
  const stored = await storage.proofs();
  return waitingLanes.reduce((sum, lane) => sum + (stored[lane] ?? 0), 0);
};

// What was delivered while everything was being killed may be put off by some seconds; then all comes in.
await until(async () => (await town.identityServer.deliverDue()).waiting === 0, 200_000);
const redeemable = (): boolean => judge(lives, town).unfinished.length === 0;
await until(redeemable, 200_000);
// The proofs of tokens whose answer was lost wait for an event that never comes, until they are too old.
aheadMs = fortnight;
await fleet.orderAll({ _tag: "Skip", ms: aheadMs });
// Their age must show twice, an hour apart: so the time goes on.
await until(async () => {
  aheadMs += 3_600_000;
  await fleet.orderAll({ _tag: "Skip", ms: aheadMs });
  return (await waiting()) === 0;
}, 200_000);
for (const roomId of town.roomIds) {
  await fleet.orderAll({ _tag: "CleanUp", roomId });
  // All at once may have found the database busy.
  await until(async () => (await fleet.order({ _tag: "CleanUp", roomId }))?._tag === "Done", 20_000);
}
delivering = false;
await delivery;
clearInterval(progress);

const verdict = judge(lives, town);
const proofsStored = await storage.proofs();
const invitesStored = await storage.invites();
const stillWaiting = await waiting();
fleet.stop();
await storage.close();

const wrong = [
  ...verdict.wrong,
  ...verdict.unfinished,
  ...(stillWaiting === 0 ? [] : [`${stillWaiting} proofs still wait`]),
];
const summary = {
  seconds,
  storage: storage.place._tag,
  processes: storage.processes,
  killed: fleet.killed(),
  started: fleet.started(),
  invites: lives.length,
  ...verdict.counts,
  invitesStored,
  proofsStored,
  met: Object.fromEntries([...codes].sort()),
  wrong,
};
if (process.stderr.isTTY && !values.json) process.stderr.write("\r\u001b[K");
if (values.json) console.log(JSON.stringify(summary));
else {
  for (const [name, value] of Object.entries(summary))
    if (name !== "wrong")
      console.log(`${name}: ${typeof value === "object" ? JSON.stringify(value) : value}`);
  for (const each of wrong.slice(0, 20)) console.log(`WRONG: ${each}`);
  console.log(wrong.length === 0 ? "Every invite ended once." : `${wrong.length} did not end well.`);
}
process.exit(wrong.length === 0 ? 0 : 1);
