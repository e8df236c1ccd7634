import fc from "fast-check";
import { expect, test } from "vitest";
import { authorize } from "../../src/invite/authorize.js";
import type { AuthorizeOptions } from "../../src/invite/rules.js";
import { type Explanation, explain } from "../../src/invite/explain.js";
import type { EventLike } from "../../src/matrix/event.js";
import type { RoomState } from "../../src/matrix/room-state.js";
import { nodeCrypto } from "../../src/node/crypto.js";
import { cases, stateOf } from "../fuzz/cases.js";
import { hostileNumbers } from "../fuzz/hostile.js";
import { eventsOfRooms, hostileRooms } from "../fuzz/rooms.js";
import { alice, bob } from "./room.js";

const budgets = fc.oneof(fc.constantFrom(64, 0, 1, 2, 4), hostileNumbers);
const signers = fc.constantFrom(undefined, new Set(["one.example"]));
const options: fc.Arbitrary<AuthorizeOptions> = fc
  .tuple(budgets, signers)
  .map(([maxPairs, verifiedSigners]) => ({ maxPairs, ...(verifiedSigners && { verifiedSigners }) }));

/** What an explanation must be, whatever was explained. */
const expectSound = (event: EventLike, state: RoomState, given: AuthorizeOptions): Explanation => {
  const explanation = explain(event, state, nodeCrypto, given);
  const { verdict, steps } = explanation;
  expect(verdict).toEqual(authorize(event, state, nodeCrypto, given));
  expect(JSON.parse(JSON.stringify(explanation))).toEqual(explanation);
  // One step decides, as the verdict says and by its number; then none is reached.
  const passed = steps.filter(({ outcome }) => outcome === "passed" || outcome === "did not allow");
  const deciding = steps[passed.length];
  expect(steps.slice(0, passed.length)).toEqual(passed);
  const outcome = { Allow: "allowed", Reject: "refused", NotOurs: "not ours", TooMuchWork: "undecided" };
  expect(deciding?.outcome).toBe(outcome[verdict._tag]);
  if (verdict._tag === "Reject") expect(deciding?.rule).toBe(verdict.refusal.rule);
  for (const { outcome: later } of steps.slice(passed.length + 1)) expect(later).toBe("not reached");
  return explanation;
};

test("the verdict is that of authorize, for events near the rules", () => {
  const tags = new Set<string>();
  fc.assert(
    fc.property(cases, options, (one, given) => {
      tags.add(expectSound(one.event, stateOf(one), given).verdict._tag);
    }),
    { numRuns: 1500, seed: 1 },
  );
  expect(tags).toEqual(new Set(["Allow", "Reject", "NotOurs", "TooMuchWork"]));
});

test("the verdict is that of authorize, for hostile events", () => {
  fc.assert(
    fc.property(eventsOfRooms, options, ([{ state }, event], given) => {
      expectSound(event, state, given);
    }),
    { numRuns: 1500 },
  );
});

test("the verdict is that of authorize, for hostile rooms", () => {
  fc.assert(
    fc.property(hostileRooms, options, ({ state, redeemed, thirdPartyInvite, invited }, given) => {
      for (const event of [redeemed(), thirdPartyInvite(alice), invited(alice, bob)])
        expectSound(event, state, given);
    }),
    { numRuns: 400 },
  );
});

test("the rules of a branch stand in one order, however far an event comes", () => {
  const orders = new Map<string, Set<string>>();
  fc.assert(
    fc.property(cases, (one) => {
      const { steps, roomVersion } = explain(one.event, stateOf(one), nodeCrypto);
      const names = steps.map(({ name }) => name);
      const branch = `${roomVersion} ${names.at(-1) ?? ""}`;
      orders.set(branch, (orders.get(branch) ?? new Set()).add(names.join()));
    }),
    { numRuns: 1500 },
  );
  expect(orders.size).toBeGreaterThan(30);
  for (const [, found] of orders) expect(found.size).toBe(1);
});
