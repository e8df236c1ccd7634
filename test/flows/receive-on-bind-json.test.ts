import { expect, it } from "vitest";
import { redemptionRow } from "../../src/invite/redemption-row.js";
import { openWorld } from "./ports.js";
import { anna, bob, must, room, signedBy } from "./samples.js";

it.each([
  ["a number without end", "1e999", "NotProven"],
  ["what is nested 1,000 deep", `${'{"a":'.repeat(1_000)}1${"}".repeat(1_000)}`, "NotProven"],
  ["what is nested 5,000 deep", `${'{"a":'.repeat(5_000)}1${"}".repeat(5_000)}`, "SignedTooLarge"],
  ["half a surrogate pair", '"\\ud800"', "NotProven"],
])(
  "of a delivery that the host has read with JSON.parse, the entry with %s is refused alone",
  async (_, text, code) => {
    const world = openWorld({ resident: false });
    world.users.set(anna, {});
    const entryOf = (token: string) => ({
      mxid: anna,
      room_id: room,
      sender: bob,
      signed: signedBy(anna, token),
    });
    const written = JSON.stringify({ mxid: anna, invites: ["t1", "t2", "t3"].map(entryOf) });
    const body: unknown = JSON.parse(written.replace('"token":"t2"', `"token":"t2","more":${text}`));
    const { accepted, refused } = must(await world.invites.receiveOnBind({ body }));
    expect(accepted).toBe(2);
    expect(refused.map(({ index, refusal }) => [index, refusal.code])).toEqual([[1, code]]);
    // What is stored can be written.
    expect(world.rows().map((row) => [row.token, typeof redemptionRow(row).record])).toEqual([
      ["t1", "string"],
      ["t3", "string"],
    ]);
  },
);
