import { inspect } from "node:util";
import { guardedFetch } from "matrix-third-party-invites/node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Trap, openTrap } from "./loopback.js";

/** A public address that nobody is asked at: every name with it has a refused one beside it. */
const publicAddress = "192.0.1.1";

/** Literals; `:0` stands for the port of the trap. */
const literals = [
  // Loopback, in every spelling that URLs know.
  "https://127.0.0.1:0/",
  "https://127.0.0.1/",
  "https://127.0.0.1:8448/",
  "https://127.0.0.2:0/",
  "https://127.255.255.255:0/",
  "https://127.1:0/",
  "https://127.0.1:0/",
  "https://127.0.0.1.:0/",
  "https://2130706433:0/",
  "https://0x7f000001:0/",
  "https://0x7F.1:0/",
  "https://0x7f.0x0.0x0.0x1:0/",
  "https://017700000001:0/",
  "https://0177.0.0.1:0/",
  "https://0177.0.0.01:0/",
  "https://127.0x1:0/",
  "https://%31%32%37.0.0.1:0/",
  "https://127%2e0%2e0%2e1:0/",
  "https://１２７.０.０.１:0/",
  "https://①②⑦.⓪.⓪.①:0/",
  "https://127。0。0。1:0/",
  "https://127．0．0．1:0/",
  "https://127｡0｡0｡1:0/",
  "https://0ｘ7f.1:0/",
  "https://127.0.0.\u00ad1:0/",
  "https://127.0.0.1\t:0/",
  "https://127.0.\n0.1:0/",
  "https:127.0.0.1:0/",
  "https:\\\\127.0.0.1:0\\",
  "https:////127.0.0.1:0/",
  " HTTPS://127.0.0.1:0/",
  // What connects to this machine as well.
  "https://0.0.0.0:0/",
  "https://0:0/",
  "https://0.1.2.3:0/",
  "https://[::]:0/",
  "https://[::1]:0/",
  "https://[0:0:0:0:0:0:0:1]:0/",
  "https://[0000::0001]:0/",
  "https://[::0.0.0.1]:0/",
  "https://[::ffff:127.0.0.1]:0/",
  "https://[::ffff:7f00:1]:0/",
  "https://[::FFFF:127.0.0.1]:0/",
  "https://[0:0:0:0:0:ffff:127.0.0.1]:0/",
  "https://[::ffff:0.0.0.0]:0/",
  "https://[::127.0.0.1]:0/",
  // Private and otherwise not public.
  "https://10.0.0.1:0/",
  "https://10.255.255.255/",
  "https://0xa000001/",
  "https://012.1/",
  "https://172.16.0.1/",
  "https://172.31.255.255/",
  "https://192.168.0.1/",
  "https://192.168.1/",
  "https://3232235521/",
  "https://169.254.169.254/latest/meta-data/",
  "https://0xa9fea9fe/",
  "https://2852039166/",
  "https://0251.0376.0251.0376/",
  "https://100.64.0.1/",
  "https://100.100.100.200/",
  "https://100.127.255.255/",
  "https://192.0.0.1/",
  "https://192.0.0.192/",
  "https://192.0.2.1/",
  "https://192.88.99.1/",
  "https://198.18.0.1/",
  "https://198.19.255.255/",
  "https://198.51.100.1/",
  "https://203.0.113.1/",
  "https://224.0.0.1/",
  "https://239.255.255.250/",
  "https://240.0.0.1/",
  "https://255.255.255.255/",
  "https://0xffffffff/",
  "https://[fe80::1]/",
  "https://[febf::1]/",
  "https://[fec0::1]/",
  "https://[fc00::1]/",
  "https://[fd00:ec2::254]/",
  "https://[ff02::1]/",
  "https://[100::1]/",
  "https://[2001:db8::1]/",
  "https://[3fff::1]/",
  "https://[2001:2::1]/",
  "https://[2001:10::1]/",
  "https://[5f00::1]/",
  "https://[4000::1]/",
  "https://[1::1]/",
  // Addresses that wrap an IPv4 address, whatever that is.
  "https://[::ffff:10.0.0.1]/",
  "https://[::ffff:8.8.8.8]/",
  "https://[::ffff:0:127.0.0.1]:0/",
  "https://[::10.0.0.1]/",
  "https://[64:ff9b::7f00:1]:0/",
  "https://[64:ff9b::127.0.0.1]:0/",
  "https://[64:ff9b::8.8.8.8]/",
  "https://[64:ff9b:1::10.0.0.1]/",
  "https://[64:ff9b:1:ffff::1]/",
  "https://[2002:7f00:1::]:0/",
  "https://[2002:a00:1::1]/",
  "https://[2002:808:808::1]/",
  "https://[2001::7f00:1]/",
  "https://[2001:0:7f00:1::80ff:fffe]/",
  // Zones.
  "https://[fe80::1%25lo]:0/",
  "https://[fe80::1%lo]:0/",
  "https://[::1%25lo]:0/",
];

/** Targets that are refused before their name is looked up; every name here would lead to the trap. */
const notAsked = [
  "http://id.example:0/",
  "HTTP://id.example:0/",
  "http://127.0.0.1:0/",
  "ws://id.example:0/",
  "wss://id.example:0/",
  "ftp://id.example:0/",
  "file:///etc/passwd",
  "data:application/json,{}",
  "blob:https://id.example/1",
  "gopher://127.0.0.1:0/_",
  "javascript:1",
  "about:blank",
  "https://user@id.example:0/",
  "https://user:password@id.example:0/",
  "https://:password@id.example:0/",
  "https://id.example@127.0.0.1:0/",
  "https://id.example:443@127.0.0.1:0/",
  "https://id.example%2f@127.0.0.1:0/",
  "https://127.0.0.1:0@id.example/",
  "https://id.example.:0/",
  "https://localhost.:0/",
  "https://LOCALHOST。:0/",
  "https://id.example:99999/",
  "https://id.example:-1/",
  "https://id exa.mple:0/",
  "https://id.example|:0/",
  "https://127.0.0.256:0/",
  "https://1.2.3.4.5:0/",
  "https://[::1:0/",
  "https://[127.0.0.1]:0/",
  "https://",
  "https://:0/",
  "//127.0.0.1:0/",
  "/_matrix/identity/v2",
  "127.0.0.1:0",
  "",
];

/** Names, and what they resolve to. */
const names: readonly (readonly [url: string, answers: readonly string[]])[] = [
  ["https://localhost:0/", ["127.0.0.1", "::1"]],
  ["https://LocalHost:0/", ["127.0.0.1"]],
  ["https://ｌｏｃａｌｈｏｓｔ:0/", ["127.0.0.1"]],
  ["https://localhost/", ["127.0.0.1"]],
  ["https://localhost:22222/", ["127.0.0.1"]],
  ["https://any.localhost:0/", ["::1"]],
  ["https://ip6-loopback:0/", ["::1"]],
  ["https://127.0.0.1.nip.example:0/", ["127.0.0.1"]],
  ["https://127-0-0-1:0/", ["127.0.0.1"]],
  ["https://id.example\\@public.example:0/", ["127.0.0.1"]],
  ["https://id.example:0\\@public.example/", ["127.0.0.1"]],
  ["https://id.example:0#@public.example/", ["127.0.0.1"]],
  ["https://id.example:0?@public.example/", ["127.0.0.1"]],
  ["https://@id.example:0/", ["127.0.0.1"]],
  ["https://metadata.google.internal/", ["169.254.169.254"]],
  ["https://metadata/", ["169.254.169.254"]],
  ["https://intranet.example/", ["10.1.2.3"]],
  ["https://router.example/", ["192.168.0.1"]],
  ["https://carrier.example/", ["100.64.1.1"]],
  ["https://zero.example:0/", ["0.0.0.0"]],
  ["https://zero6.example:0/", ["::"]],
  ["https://broadcast.example/", ["255.255.255.255"]],
  ["https://multicast.example/", ["224.0.0.251"]],
  ["https://unique-local.example/", ["fd12:3456:789a::1"]],
  ["https://link-local.example/", ["fe80::1"]],
  ["https://zone.example:0/", ["fe80::1%lo"]],
  ["https://zoned-loopback.example:0/", ["::1%lo"]],
  ["https://zoned.example:0/", ["2600::1%lo"]],
  ["https://mapped.example:0/", ["::ffff:127.0.0.1"]],
  ["https://compatible.example:0/", ["::127.0.0.1"]],
  ["https://nat64.example:0/", ["64:ff9b::7f00:1"]],
  ["https://local-nat64.example:0/", ["64:ff9b:1::7f00:1"]],
  ["https://6to4.example:0/", ["2002:7f00:1::1"]],
  ["https://teredo.example:0/", ["2001:0:7f00:1::1"]],
  ["https://mixture.example:0/", [publicAddress, "127.0.0.1"]],
  ["https://mixture-turned.example:0/", ["127.0.0.1", publicAddress]],
  ["https://mixture-of-families.example:0/", [publicAddress, "::1"]],
  ["https://mixture-at-the-end.example:0/", [publicAddress, publicAddress, "2600::1", "10.0.0.1"]],
  ["https://octal.example:0/", ["0177.0.0.1"]],
  ["https://short.example:0/", ["127.1"]],
  ["https://number.example:0/", ["2130706433"]],
  ["https://another-name.example:0/", ["localhost"]],
  ["https://blank.example:0/", [""]],
  ["https://padded.example:0/", [" 127.0.0.1"]],
  ["https://nothing.example:0/", []],
];

let trap: Trap;

beforeAll(async () => {
  trap = await openTrap();
});

afterAll(() => trap.close());

const aimed = (url: string): string => url.replace(/:0(?=[/\\?#@]|$)/, `:${trap.port}`);

/** How a request was refused, and whom that reached. */
const refusal = async (
  url: string,
  answers: readonly string[],
): Promise<{ code: unknown; connections: number; asked: number }> => {
  const before = trap.connections();
  let asked = 0;
  const fetch = await guardedFetch({
    connectTimeoutMs: 600_000,
    resolve: (hostname) => {
      asked += 1;
      expect(hostname).not.toContain("public.example");
      return Promise.resolve(answers);
    },
  });
  const thrown: unknown = await fetch(aimed(url), { method: "POST", body: "body" }).catch(
    (error: unknown) => error,
  );
  if (!(thrown instanceof Error)) throw new Error(`${url} was answered`);
  return {
    code: "code" in thrown ? thrown.code : undefined,
    connections: trap.connections() - before,
    asked,
  };
};

it("the trap is where the targets lead", async () => {
  const fetch = await guardedFetch({
    allow: { ranges: ["127.0.0.0/8"] },
    resolve: () => Promise.resolve(["127.0.0.1"]),
  });
  const before = trap.connections();
  for (const url of ["https://0x7f.1:0/", "https://id.example:0/"])
    await expect(fetch(aimed(url), {})).rejects.not.toHaveProperty("code", "ERR_TARGET_REFUSED");
  expect(trap.connections() - before).toBe(2);
});

describe("refuses an address", () => {
  it.each(literals)("%j", async (url) => {
    expect(await refusal(url, ["127.0.0.1"])).toEqual({
      code: "ERR_TARGET_REFUSED",
      connections: 0,
      asked: 0,
    });
  });
});

describe("refuses without a look-up", () => {
  it.each(notAsked)("%j", async (url) => {
    expect(await refusal(url, ["127.0.0.1"])).toEqual({
      code: "ERR_TARGET_REFUSED",
      connections: 0,
      asked: 0,
    });
  });
});

describe("refuses a name", () => {
  it.each(names)("%j with %j", async (url, answers) => {
    expect(await refusal(url, answers)).toEqual({ code: "ERR_TARGET_REFUSED", connections: 0, asked: 1 });
  });
});

it("asks the resolver of the machine where none is given", async () => {
  const fetch = await guardedFetch();
  const before = trap.connections();
  await expect(fetch(`https://localhost:${trap.port}/`, {})).rejects.toMatchObject({
    code: "ERR_TARGET_REFUSED",
  });
  expect(trap.connections()).toBe(before);
});

it.each([
  "http://127.0.0.1/secret?secret",
  "secret://secret:secret@id.example/secret",
  "https://secret:secret@127.0.0.1/secret?secret#secret",
  "https://secret@id.example/secret?secret",
  "https://id.example./secret?secret",
  "https://[::1]/secret?secret#secret",
  "https://id.example/secret?secret#secret",
  "https://secret secret",
])("a refusal of %j says no more than the host", async (url) => {
  const fetch = await guardedFetch({ resolve: () => Promise.resolve(["127.0.0.1"]) });
  const thrown: unknown = await fetch(url, { headers: { authorization: "secret" } }).catch(
    (error: unknown) => error,
  );
  expect(thrown).toHaveProperty("code", "ERR_TARGET_REFUSED");
  expect(inspect(thrown).replaceAll(/^ +at .*$/gm, "")).not.toContain("secret");
});
