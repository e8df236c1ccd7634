import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { deflateRawSync } from "node:zlib";
import { type Verdict, authorize, parseStrict } from "matrix-third-party-invites/judge";
import { encodeBase64, isJsonObject, member } from "matrix-third-party-invites/matrix";
import type { JsonObject } from "matrix-third-party-invites/ports";
import { nodeCrypto } from "matrix-third-party-invites/node";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Case } from "../../docs/inspector/case.js";
import { inspectorPage } from "../../docs/inspector/build.js";
import { sampled } from "../all.js";
import { stateOf, versionOf } from "../conformance/ask.js";
import { isEdge } from "../conformance/corpus.js";
import { type Judged, vectors } from "../matrix/vectors.js";
import { type Page, chromium, openPage } from "./chromium.js";

const folder = mkdtempSync(join(tmpdir(), "inspector-"));
const address = pathToFileURL(join(folder, "index.html")).href;

beforeAll(async () => {
  writeFileSync(join(folder, "index.html"), await inspectorPage());
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** What the tests do in the page, as a person would: write into its fields, choose, read what it shows. */
const inPage = `
  const id = (name) => document.getElementById(name);
  const put = (name, value, kind = "input") => {
    id(name).value = value;
    id(name).dispatchEvent(new Event(kind, { bubbles: true }));
  };
  const outcome = () => {
    const step = document.querySelector(".step.deciding .number");
    return (id("verdict").dataset.outcome + " " + (step?.textContent ?? "")).trim();
  };
  const until = async (holds) => {
    for (let i = 0; i < 10_000 && !holds(); i += 1) await new Promise((done) => setTimeout(done, 20));
  };
  const choose = (at) => put("example", String(at), "change");
`;

const linkTo = (one: unknown): string =>
  `${address}#case=${encodeBase64(deflateRawSync(JSON.stringify(one)), "urlsafe")}`;

const settled = `until(() => id("verdict").dataset.outcome !== "waiting")`;
const told = `until(() => id("note").textContent !== "")`;

/** The words of the page for a verdict. */
const worded = (verdict: Verdict): string => {
  switch (verdict._tag) {
    case "Allow":
      return "allowed";
    case "Reject":
      return `refused Rule ${verdict.refusal.rule ?? ""}`;
    case "NotOurs":
      return "not ours Kind of event";
    case "TooMuchWork":
      return "undecided";
  }
};

const strictly = (value: unknown): unknown => {
  const parsed = parseStrict(JSON.stringify(value), "any");
  return parsed._tag === "Right" ? parsed.right : undefined;
};

describe.skipIf(chromium === undefined)("the inspector in Chromium", () => {
  let page: Page;
  const run = (code: string): Promise<unknown> => page.evaluate(`(async () => { ${inPage} ${code} })()`);

  beforeAll(async () => {
    page = await openPage(chromium ?? "");
  });
  beforeEach(async () => {
    await page.visit(address);
    await run(`await ${settled}`);
  });
  afterAll(async () => {
    // Whatever was done above, nobody was asked for anything and nothing was complained of.
    const requests = page.told("Network.requestWillBeSent").map((one) => JSON.stringify(one));
    expect(requests.filter((one) => !/"url":"(?:file|data|about):/.test(one))).toEqual([]);
    for (const complaint of ["Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded"])
      expect(page.told(complaint)).toEqual([]);
    await page.close();
  });

  const sameAsLibrary = async (all: readonly Judged[]): Promise<number> => {
    const asked = all.flatMap(({ roomVersion, state, event }) => {
      const [strictState, strictEvent] = [strictly(state), strictly(event)];
      // Half a surrogate pair is no JSON that the page reads.
      if (!Array.isArray(strictState) || !isJsonObject(strictEvent)) return [];
      const version = versionOf(roomVersion);
      const events = strictState as readonly JsonObject[];
      const signers = Object.keys(event["signatures"] ?? {}).filter((name) => /^[\\w.:[\\]-]+$/.test(name));
      const options = { verifiedSigners: new Set(signers) };
      const room = stateOf(nodeCrypto, version, events, strictEvent["room_id"]);
      const verdict = authorize(strictEvent, room, nodeCrypto, options);
      const texts = [roomVersion, JSON.stringify(state), JSON.stringify(event), signers.join(" ")];
      return [{ texts, wanted: worded(verdict) }];
    });
    const said: unknown[] = [];
    for (let at = 0; at < asked.length; at += 100) {
      const texts = asked.slice(at, at + 100).map((one) => one.texts);
      const batch = await run(`
        return ${JSON.stringify(texts)}.map(([version, state, event, signers]) => {
          id("version").value = version;
          id("state").value = state;
          id("signers").value = signers;
          put("event", event);
          return outcome();
        });`);
      said.push(...(batch as readonly unknown[]));
    }
    const differing = asked.filter(({ wanted }, at) => {
      const word = String(said[at]);
      return !(wanted.startsWith("refused") || wanted.startsWith("not")
        ? word === wanted
        : word.startsWith(wanted));
    });
    expect(differing).toEqual([]);
    return asked.length;
  };

  test("it says what the library says, of random cases", async () => {
    const cases = sampled(vectors("auth"), 10, isEdge);
    expect(await sameAsLibrary(cases)).toBeGreaterThan(cases.length - 20);
  });

  test("it says what the library says, of crafted cases", async () => {
    const crafted = vectors("auth-crafted");
    expect(await sameAsLibrary(crafted)).toBeGreaterThan(crafted.length - 10);
  });

  test("a changed field re-judges at once, and the rules that changed are marked", async () => {
    expect(await run("return outcome()")).toBe("allowed Rule 5.4.1.7");
    const after = await run(`
      put("event", id("event").value.replace('"mxid": "@', '"mxid": "@x'));
      return [outcome(), document.querySelectorAll(".step.changed").length, id("example").value];`);
    expect(after).toEqual(["refused Rule 5.4.1.4", 4, ""]);
  });

  test("a text that is no JSON is complained of by line, and the caret goes there", async () => {
    const found = await run(`
      put("event", '{\\n "type": "m.room.member",\\n "a": 1\\n "b": 2\\n}');
      const said = [outcome(), id("event-problem").firstChild.textContent, id("event").getAttribute("aria-invalid"),
        document.querySelector("#event-numbers .at-fault").textContent];
      id("event-problem").querySelector("button").click();
      return [...said, document.activeElement.id, id("event").value.slice(id("event").selectionStart)];`);
    expect(found).toEqual([
      "unreadable",
      "Line 4, column 2: this is not JSON from here on.",
      "true",
      "4",
      "event",
      '"b": 2\n}',
    ]);
    const mended = await run(`put("event", "{}"); return [id("event-problem").hidden, outcome()];`);
    expect(mended).toEqual([true, "not ours Kind of event"]);
  });

  test.each([
    ["a room's events are the state", { events: [] }, "state"],
    ["anything else is the event", { type: "m.room.member" }, "event"],
  ])("of a file that is opened, %s", async (_name, content, into) => {
    const text = JSON.stringify(content);
    const found = await run(`
      const files = new DataTransfer();
      files.items.add(new File([${JSON.stringify(text)}], "a.json"));
      id("file").files = files.files;
      id("file").dispatchEvent(new Event("change"));
      await ${told};
      return [id(${JSON.stringify(into)}).value, id("note").textContent];`);
    expect(found).toEqual([text, "Opened a.json."]);
  });

  test("a whole case may be dropped, whatever its numbers look like", async () => {
    const whole =
      '{"roomVersion":"5","state":[],"event":{"type":"m.room.third_party_invite","room_id":"!x","depth":1.50}}';
    const found = await run(`
      const files = new DataTransfer();
      files.items.add(new File([${JSON.stringify(whole)}], "a.json"));
      for (const kind of ["dragover", "drop"])
        id("state").dispatchEvent(new DragEvent(kind, { dataTransfer: files, bubbles: true, cancelable: true }));
      await ${told};
      return [id("version").value, id("state").value, id("event").value, outcome()];`);
    const event = '{\n  "type": "m.room.third_party_invite",\n  "room_id": "!x",\n  "depth": 1.50\n}';
    expect(found).toEqual(["5", "[]", event, "refused Rule 2.4"]);
  });

  test("a file that is dropped beside the fields is taken for what it holds", async () => {
    const drop = (content: unknown) => `
      id("note").textContent = "";
      files = new DataTransfer();
      files.items.add(new File([${JSON.stringify(JSON.stringify(content))}], "a.json"));
      for (const kind of ["dragover", "drop"])
        document.body.dispatchEvent(new DragEvent(kind, { dataTransfer: files, bubbles: true, cancelable: true }));
      await ${told};`;
    const keys = { server_name: "x.example", verify_keys: {} };
    const found = await run(`
      let files;
      ${drop({ pdus: [], auth_chain: [] })}
      ${drop(keys)}
      ${drop({ type: "m.room.member" })}
      return [id("state").value, id("keys").value, id("event").value];`);
    expect(found).toEqual(['{"pdus":[],"auth_chain":[]}', JSON.stringify(keys), '{"type":"m.room.member"}']);
  });

  test("a captured event passes the checks before the rules, a changed one does not", async () => {
    const receipt = `[...document.querySelectorAll("#receipt > li")].map((one) => one.dataset.outcome)`;
    const found = await run(`
      const before = ${receipt};
      put("event", id("event").value.replace('"membership": "invite"', '"membership": "invite", "is_direct": true'));
      return [before, ${receipt}];`);
    expect(found).toEqual([
      ["good", "good", "good", "good", "good"],
      ["good", "good", "bad", "good", "good"],
    ]);
  });

  test("a link carries the case", async () => {
    await page
      .send("Browser.grantPermissions", { permissions: ["clipboardReadWrite"] })
      .catch(() => undefined);
    const made = await run(`
      choose(6);
      id("pairs").value = "12";
      put("signers", "a.example b.example");
      id("link").click();
      await ${told};
      return [location.href, id("state").value, id("event").value, outcome(), id("note").textContent];`);
    const [href, state, event, said, note] = made as readonly string[];
    expect(note).toMatch(/^The link .*whoever has it can read it\.$/);
    await page.visit(href ?? "");
    expect(
      await run(`
        await ${settled};
        return [id("state").value, id("event").value, outcome(), id("pairs").value, id("signers").value];`),
    ).toEqual([state, event, said, "12", "a.example b.example"]);
  });

  test("a link that is followed in the open page shows its case", async () => {
    const one: Case = {
      version: "6",
      state: "[]",
      event: '{"type":"m.room.third_party_invite","room_id":"!x"}',
      maxPairs: 1,
      signers: [],
      keys: "",
    };
    const fragment = new URL(linkTo(one)).hash;
    expect(
      await run(
        `location.hash = ${JSON.stringify(fragment)}; await until(() => id("state").value === "[]"); return outcome();`,
      ),
    ).toBe("refused Rule 2.4");
  });

  test("a stranger's markup stays text, wherever it stands", async () => {
    const markup = `<img src=x onerror="document.title='owned'"><script>document.title='owned'</script>`;
    const event = {
      type: "m.room.member",
      room_id: markup,
      sender: markup,
      state_key: markup,
      content: {
        membership: "invite",
        third_party_invite: {
          signed: {
            mxid: markup,
            token: markup,
            signatures: { [markup]: { [`ed25519:${markup}`]: markup } },
          },
        },
      },
    };
    const token = { ...event, type: "m.room.third_party_invite", content: { public_key: markup } };
    const create = { type: "m.room.create", state_key: "", room_id: markup, sender: markup, content: {} };
    const state = JSON.stringify([create, token]);
    await page.visit(linkTo({ version: "10", state, event: JSON.stringify(event), signers: [markup] }));
    const found = await run(`
      await ${settled};
      return [document.title, document.querySelectorAll("main img, main script").length, outcome(),
        document.querySelector(".proof").textContent.includes("onerror")];`);
    expect(found).toEqual(["Third-party invite inspector", 0, "refused Rule 4.4.1.8", true]);
  });

  test.each([
    ["that is broken", "#case=AAAA", "This link holds no case that can be read."],
    ["that is too long", `#case=${"A".repeat(250_000)}`, "This link is too long."],
  ])("a link %s is said to be, and an example shown", async (_name, fragment, note) => {
    await page.visit(address + fragment);
    expect(await run(`await ${settled}; await ${told}; return [id("note").textContent, outcome()];`)).toEqual(
      [note, "allowed Rule 5.4.1.7"],
    );
  });

  test("a hostile case ends soon", async () => {
    const signatures = Object.fromEntries(
      Array.from({ length: 1500 }, (_, i) => [
        `ed25519:${i}`,
        encodeBase64(new Uint8Array(64).fill(i % 200)),
      ]),
    );
    const started = await run("return performance.now()");
    await run(`
      const event = JSON.parse(id("event").value);
      event.content.third_party_invite.signed.signatures.x = ${JSON.stringify(signatures)};
      put("event", JSON.stringify(event));
      put("state", "[".repeat(190000));
      put("state", '{"a":'.repeat(30000));
      put("state", "\\n".repeat(50000) + "[");
    `);
    expect(Number(await run("return performance.now()")) - Number(started)).toBeLessThan(120_000);
  });

  test("everything can be reached and done by keyboard, in the order of the page", async () => {
    await run("document.body.focus()");
    // Each rule has a link to the specification.
    const rules = Number(await run(`return document.querySelectorAll(".step a.number").length`));
    expect(rules).toBeGreaterThan(10);
    const reached: unknown[] = [];
    for (let i = 0; i < 9 + rules; i += 1) {
      await page.press("Tab");
      reached.push(
        await run(`
          const at = document.activeElement;
          const ring = getComputedStyle(at.closest(".editor, .button") ?? at).outlineStyle;
          return (at.id || at.localName) + " " + ring;`),
      );
    }
    expect(reached).toEqual(
      [
        ...["go", "example", "version", "event", "state", "summary", "link", "file"],
        ...Array.from({ length: rules }, () => "a"),
        "body",
      ].map((name) => `${name} ${name === "body" ? "none" : "solid"}`),
    );
  });

  test("the deciding rule is one key away", async () => {
    await page.press("Tab");
    await page.press("Enter", "\r");
    const found = await run(`
      const box = document.activeElement.getBoundingClientRect();
      const below = id("verdict").getBoundingClientRect().bottom;
      return [document.activeElement.id, box.top >= below || getComputedStyle(id("verdict")).position !== "sticky"];`);
    expect(found).toEqual(["step-provenMatch", true]);
  });

  test("typing judges", async () => {
    await run(`id("event").focus(); id("event").setSelectionRange(0, 0)`);
    await page.send("Input.insertText", { text: "x" });
    expect(await run("return outcome()")).toBe("unreadable");
  });

  test("to a screen reader everything has its name, the rules are a list, the verdict is told", async () => {
    const tree = (await page.send("Accessibility.getFullAXTree")) as {
      readonly nodes: readonly {
        readonly ignored: boolean;
        readonly role?: { readonly value: string };
        readonly name?: { readonly value: string };
        readonly properties?: readonly {
          readonly name: string;
          readonly value: { readonly value: unknown };
        }[];
      }[];
    };
    const named = (role: string): readonly string[] =>
      tree.nodes
        .filter((one) => !one.ignored && one.role?.value === role)
        .map(({ name }) => name?.value ?? "");
    expect(named("heading").slice(0, 3)).toEqual([
      "Third-party invite inspector",
      "The case",
      "Checks before the rules",
    ]);
    expect(named("textbox")).toEqual(["The event to judge", "The state of the room before the event"]);
    expect(named("combobox")).toEqual(["Example", "Room version"]);
    expect(named("region")).toEqual(["The case", "Checks before the rules", "The rules, in order"]);
    expect(named("button")).toContain("Show the rule");
    expect(named("button")).toContain("Copy a link to this case");
    expect(named("button").filter((name) => name === "")).toEqual([]);
    expect(named("image")).toEqual([]);
    const live = tree.nodes.filter(({ role }) => role?.value === "status");
    expect(live[0]?.properties).toContainEqual({ name: "live", value: { type: "token", value: "polite" } });
    const texts = await run(`
      return [...document.querySelectorAll("#steps > li")].map((one) => one.querySelector(".head").innerText);`);
    expect((texts as readonly string[]).map((one) => one.replace(/\s+/g, " "))).toContain(
      "The identity server signed the proof Rule 5.4.1.7 allows",
    );
  });

  const widths = [360, 768, 1280];
  test.each(widths)("at %i pixels nothing is wider than the window", async (width) => {
    await page.send("Emulation.setDeviceMetricsOverride", {
      width,
      height: 800,
      deviceScaleFactor: 1,
      mobile: width < 700,
    });
    const wide = await run(`
      const found = [];
      for (const at of [0, 4, 7, 8, 10]) {
        choose(at);
        id("verdict").nextElementSibling.querySelector("details").open = true;
        const room = document.documentElement.clientWidth;
        if (document.documentElement.scrollWidth > room) found.push(at);
        for (const one of document.querySelectorAll("main *"))
          if (!one.closest(".editor") && !one.closest(".button") && one.getBoundingClientRect().right > room) found.push(one.className);
      }
      return found;`);
    expect(wide).toEqual([]);
    await page.send("Emulation.clearDeviceMetricsOverride");
  });

  test.each(["light", "dark"])("every text stands out from its ground, in %s", async (scheme) => {
    await page.send("Emulation.setEmulatedMedia", {
      features: [
        { name: "prefers-color-scheme", value: scheme },
        { name: "prefers-reduced-motion", value: "reduce" },
      ],
    });
    const faint = await run(`
      const channels = (color) => color.match(/[\\d.]+/g).map(Number);
      const light = ([r, g, b]) => [r, g, b].map((c) => c / 255)
        .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
        .reduce((sum, c, at) => sum + c * [0.2126, 0.7152, 0.0722][at], 0);
      const ground = (one) => {
        for (let at = one; at !== null; at = at.parentElement) {
          const color = channels(getComputedStyle(at).backgroundColor);
          if (color.length === 3 || color[3] === 1) return color;
        }
        return channels(getComputedStyle(document.body).backgroundColor);
      };
      const faint = [];
      let seen = 0;
      const look = () => {
        for (const one of document.querySelectorAll("body *")) {
          if (![...one.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim() !== "")) continue;
          if (one.getClientRects().length === 0) continue;
          seen += 1;
          const [a, b] = [light(channels(getComputedStyle(one).color)), light(ground(one))];
          const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
          if (ratio < 4.5) faint.push(one.className + " " + one.textContent.slice(0, 30) + " " + ratio.toFixed(2));
        }
      };
      for (const at of [0, 4, 7]) { choose(at); look(); }
      put("pairs", "0"); look();
      put("event", "{}"); look();
      put("event", "{"); look();
      return [faint, seen > 300];`);
    expect(faint).toEqual([[], true]);
    await page.send("Emulation.setEmulatedMedia", { features: [] });
  });

  test("the rules light up in order, but not for those who want no motion", async () => {
    const moving = `choose(4); return document.getAnimations().length;`;
    expect(Number(await run(moving))).toBeGreaterThan(10);
    await page.send("Emulation.setEmulatedMedia", {
      features: [{ name: "prefers-reduced-motion", value: "reduce" }],
    });
    expect(await run(moving)).toBe(0);
    await page.send("Emulation.setEmulatedMedia", { features: [] });
  });
});

describe.skipIf(chromium === undefined)("the page's own policy", () => {
  test("lets nothing out, and no markup in", async () => {
    const page = await openPage(chromium ?? "");
    await page.visit(address);
    const tried = await page.evaluate(`(async () => {
      const blocked = [];
      const note = (name) => () => blocked.push(name);
      await fetch("https://example.org/").catch(note("fetch"));
      try { new WebSocket("wss://example.org/"); await new Promise((done, fail) => setTimeout(done, 50)); } catch { blocked.push("socket"); }
      try { document.body.innerHTML = "<b>x</b>"; } catch { blocked.push("markup"); }
      try { eval("1"); } catch { blocked.push("eval"); }
      const script = document.createElement("script");
      try { script.text = "document.title = 'owned'"; document.body.append(script); } catch { blocked.push("script"); }
      return [blocked, document.title];
    })()`);
    expect(tried).toEqual([
      expect.arrayContaining(["fetch", "markup", "script"]),
      "Third-party invite inspector",
    ]);
    // What was begun at all was ended by the policy.
    const idsOf = (method: string, holding: string): readonly unknown[] =>
      page
        .told(method)
        .filter((one) => JSON.stringify(one).includes(holding))
        .map((one) => member(one, "requestId"));
    const blocked = idsOf("Network.loadingFailed", '"blockedReason":"csp"');
    expect(idsOf("Network.requestWillBeSent", "example.org").filter((id) => !blocked.includes(id))).toEqual(
      [],
    );
    await page.close();
  });
});
