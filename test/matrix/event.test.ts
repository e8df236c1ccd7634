import { expect, it } from "vitest";
import { contentOf, entry, isEvent } from "../../src/matrix/event.js";

it.each([
  [{ content: { a: 1 } }, { a: 1 }],
  [{ content: {} }, {}],
  [{ content: [] }, {}],
  [{ content: "text" }, {}],
  [{ content: null }, {}],
  [{}, {}],
  [undefined, {}],
])("the content of %j is %j", (event, content) => {
  expect(contentOf(event)).toEqual(content);
});

it.each([
  [{}, true],
  [{ type: 7 }, true],
  [null, false],
  [undefined, false],
  ["m.room.member", false],
  [7, false],
  [[{ type: "m.room.member" }], false],
])("fields may be read of %j: %s", (value, readable) => {
  expect(isEvent(value)).toBe(readable);
});

it("takes a host's own event object, whose content is a getter", () => {
  class HostEvent {
    get content(): unknown {
      return { membership: "join" };
    }
  }
  expect(contentOf(new HostEvent())).toEqual({ membership: "join" });
});

it("names a place in the state; the state key is empty unless told", () => {
  expect(entry("m.room.create")).toEqual({ type: "m.room.create", stateKey: "" });
  expect(entry("m.room.member", "@a:b")).toEqual({ type: "m.room.member", stateKey: "@a:b" });
});
