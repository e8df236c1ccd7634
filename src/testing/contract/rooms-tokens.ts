import { contentOf } from "../../matrix/event.js";
import { expectSame } from "./expect.js";
import { newRoom, tokenAt, tokenContent } from "./in-room.js";
import type { OpenRooms } from "./rooms-adapter.js";
import type { Checks } from "./runner.js";

/** State keys as another server may choose them. */
const oddTokens: readonly string[] = [
  "",
  "a:b",
  "a",
  "A",
  " a",
  "a ",
  "%",
  "_",
  "'\"`\\",
  "__proto__",
  "constructor",
  "e\u0301",
  "\u00e9",
  "\u{1f98a}",
  "x".repeat(255),
];

export const tokensChecks: Checks<OpenRooms> = {
  "tokens has the state keys of all m.room.third_party_invite, of both servers, each once": async (
    opened,
  ) => {
    const at = await newRoom(opened);
    expectSame(await at.tokens(), [], "A new room has none.");
    await at.appended(at.token("a"));
    await at.change({ ...at.token("b"), sender: at.theirs });
    await at.appended(at.token("a", tokenContent("again")));
    expectSame(await at.tokens(), ["a", "b"], "Other tokens stand in the room.");
  },

  "tokens has those with an empty content too": async (opened) => {
    const at = await newRoom(opened);
    for (const token of ["a", "b"]) await at.appended(at.token(token));
    await at.appended(at.token("a", {}));
    await at.change(at.token("b", {}));
    expectSame(await at.tokens(), ["a", "b"], "Events that were emptied still stand there.");
  },

  "tokens has none of another room": async (opened) => {
    const [one, other] = [await newRoom(opened), await newRoom(opened)];
    await one.appended(one.token("t"));
    expectSame(await other.tokens(), [], "A room has a token of another.");
  },

  "tokens has no state key of another type": async (opened) => {
    const at = await newRoom(opened);
    await at.change({ type: "m.room.third_party_invite.note", state_key: "x", content: {} });
    await at.change({ type: "org.example.note", state_key: "y", content: {} });
    expectSame(await at.tokens(), [], "Another event was taken for a third-party invite.");
  },

  "tokens and snapshot have odd state keys as they are: another server chose them": async (opened) => {
    const at = await newRoom(opened);
    for (const token of oddTokens) await at.change(at.token(token, { display_name: `=${token}` }));
    expectSame(await at.tokens(), [...oddTokens].sort(), "A state key was changed, or taken for another.");
    const { get } = await at.snapshot(oddTokens.map(tokenAt));
    for (const token of oddTokens)
      expectSame(
        contentOf(get("m.room.third_party_invite", token)),
        { display_name: `=${token}` },
        `The event at "${token}" is not found, or another is.`,
      );
  },
};
