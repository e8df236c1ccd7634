import { deliverOwed, receiveOnBind } from "matrix-third-party-invites";
import { alice, identity, inviteByMail, ports, zoe } from "../world.js";

await inviteByMail(alice, "zoe@example.org");
const bound = identity.bindDirectly({ medium: "email", address: "zoe@example.org" }, zoe);
await receiveOnBind(ports)(bound);

const now = ports.clock.now();
const dead = await ports.redemptions.lease({ now, until: now + 60_000, limit: 1 }, {});
console.log("leased:", dead.length);

const { done, nextDueAt } = (await deliverOwed(ports)()).right;
console.log("done:", done, "- again in", (nextDueAt - now) / 1000, "s");

ports.clock.advance(60_000);
console.log("done:", (await deliverOwed(ports)()).right.done);

const [row] = dead;
await ports.redemptions.settle(row.redemption, row.lease, { _tag: "Done" }, {}); // the dead one comes back
console.log((await deliverOwed(ports)()).right);
