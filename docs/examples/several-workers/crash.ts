import { waitingLanes } from "matrix-third-party-invites/storage";
import { alice, identity, inviteByMail, invites, outcomeOf, ports, zoe } from "../world.js";

await inviteByMail(alice, "zoe@example.org");
const bound = identity.bindDirectly({ medium: "email", address: "zoe@example.org" }, zoe);
await invites.receiveOnBind({ body: bound });

const now = ports.clock.now();
const lanes = waitingLanes.map((lane) => ({ lane, except: [] }));
const claim = { lanes, due: { from: 0, to: now }, until: now + 120_000, limit: 1 };
const claimed = await ports.redemptions.claim(claim, {}); // by a process that dies
console.log("claimed:", claimed.length);

const { done, nextDueAt = now } = await outcomeOf(invites.deliverOwed());
console.log("done:", done, "- again in", (nextDueAt - now) / 1000, "s");

ports.clock.advance(120_000);
console.log("done:", (await outcomeOf(invites.deliverOwed())).done);

// The first process was only slow, and says now what became of the row.
for (const { value, mark } of claimed)
  console.log("too late:", (await ports.redemptions.replace(value, mark, {}))._tag);
console.log(await outcomeOf(invites.deliverOwed()));
