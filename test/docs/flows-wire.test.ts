import { expect } from "vitest";
import { alice, idServer, scenario, zoe } from "../scenarios/stage.js";
import { parseSequence } from "./flows-mermaid.js";
import { diagramsOf, read } from "./flows-page.js";

/** Who is who in the diagram: the name on the wire. */
const names: Readonly<Record<string, string>> = {
  [alice]: "alice",
  "hs1.example": "hs1",
  [idServer]: "is",
  "hs2.example": "hs2",
  [zoe]: "zoe",
};

/** What follows the version in a path, without the IDs of rooms and events, and without a query. */
const endpointOf = (path: string): string =>
  path
    .replace(/\?.*/, "")
    .replace(/^.*?\/v\d+\//, "")
    .split("/")
    .filter((part) => !/^(!|\$|%21|%24)/.test(part))
    .join("/");

scenario("docs/explanation.md draws what goes over the wire", async (stage) => {
  const address = stage.addressOf("zoe");
  const roomId = await stage.createRoom(alice);
  await stage.inviteAddress(alice, roomId, address);
  await stage.bind(zoe, address);
  await stage.deliverOnBind();

  const requests = ["hs1.example", "hs2.example", idServer]
    .flatMap((server) => stage.requestsTo(server))
    // Keys are asked for once, whatever is asked then.
    .filter(({ path }) => !path.endsWith("/createRoom") && !path.startsWith("/_matrix/key/"));
  const messages = requests
    .flatMap(({ from: by, to: at, method, path, status, began, ended }) => {
      const [from, to] = [names[by], names[at]];
      return [
        { moment: began, from, to, text: `${method} ${endpointOf(path)}`, isAnswer: false },
        { moment: ended, from: to, to: from, text: String(status), isAnswer: true },
      ];
    })
    .toSorted((one, other) => one.moment - other.moment)
    .map(({ moment: _, ...message }) => message);

  const drawn = parseSequence(diagramsOf(read("docs/explanation.md")).get("Between the servers") ?? "");
  expect(drawn.messages).toEqual(messages);
  expect(drawn.participants.toSorted()).toEqual(Object.values(names).toSorted());
});
