import { alice, identity, inviteByMail, invites, outcomeOf, ports, zoe } from "../world.js";

await inviteByMail(alice, "zoe@example.org");
const bound = identity.bindDirectly({ medium: "email", address: "zoe@example.org" }, zoe);
await invites.receiveOnBind({ body: bound });

const now = ports.clock.now();
const leased = await ports.redemptions.lease({ now, until: now + 60_000, limit: 1 }, {});
console.log("leased:", leased.length);

const { done, nextDueAt = now } = await outcomeOf(invites.deliverOwed());
console.log("done:", done, "- again in", (nextDueAt - now) / 1000, "s");

ports.clock.advance(60_000);
console.log("done:", (await outcomeOf(invites.deliverOwed())).done);

// The first process was only slow, and settles the row now.
for (const { redemption, lease } of leased)
  await ports.redemptions.settle(redemption, lease, { _tag: "Done" }, {});
console.log(await outcomeOf(invites.deliverOwed()));
