import { expect, it } from "vitest";
import type { RuleName } from "../../src/invite/rules.js";
import { rulesByName, rulesTable, versionsTable } from "./flows-rules.js";
import { read, tablesOf } from "./flows-page.js";

const tables = tablesOf(read("docs/explanation/rules.md"));

const sections: Readonly<Record<string, readonly RuleName[]>> = {
  "Every event": ["room", "create", "federate"],
  "`m.room.third_party_invite`": ["thirdPartyInviteSender", "thirdPartyInvitePower"],
  "A member invite, of either kind": ["memberShape", "joinAuthoriser"],
  "A member invite with `third_party_invite`": [
    "provenTarget",
    "provenSigned",
    "provenMembers",
    "provenMxid",
    "provenToken",
    "provenSender",
    "provenMatch",
    "provenNone",
  ],
  "A member invite without it": ["plainSender", "plainTarget", "plainPower", "plainNone"],
};

// A table that the code says otherwise: what the test expected is the new table.
it.each(Object.entries(sections))("the rules of %s are what the code says", (heading, rules) => {
  expect(tables.get(heading)).toBe(rulesTable(rules));
});

it("no rule is left out", () => {
  expect(Object.values(sections).flat().toSorted()).toEqual([...rulesByName.keys()].toSorted());
});

it("what else differs is what the code says", () => {
  expect(tables.get("What else differs between versions")).toBe(versionsTable());
});
