/**
 * The published `@rocket.chat/federation-sdk` (AGPL-3.0), as it is, over collections in memory in place of MongoDB: those that its `init`
 * registers, registered here.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { compileFunction } from "node:vm";
import type { JsonObject } from "matrix-third-party-invites/ports";
import type { FederationSdk, SdkEvent, SdkState } from "../sdk.js";
import { Collection } from "./collection.js";

const require = createRequire(import.meta.url);

/** It needs Node 22, which its package.json does not say: Node 20 lacks these. */
const lend = (prototype: object, name: string, value: unknown): void => {
  if (!(name in prototype)) Object.defineProperty(prototype, name, { value, configurable: true });
};
const iterators: unknown = Object.getPrototypeOf(Object.getPrototypeOf([].values()));
if (typeof iterators !== "object" || iterators === null) throw new Error("no prototype of iterators");
lend(iterators, "toArray", function (this: Iterable<unknown>) {
  return [...this];
});
for (const name of ["map", "filter"] as const)
  lend(iterators, name, function (this: Iterable<unknown>, by: (one: unknown) => unknown) {
    return [...this][name](by).values();
  });
lend(iterators, "forEach", function (this: Iterable<unknown>, by: (one: unknown) => void) {
  for (const one of this) by(one);
});
lend(
  iterators,
  "reduce",
  function (this: Iterable<unknown>, by: (whole: unknown, one: unknown) => unknown, start: unknown) {
    return [...this].reduce(by, start);
  },
);
lend(Set.prototype, "difference", function (this: Set<unknown>, other: Set<unknown>) {
  return new Set([...this].filter((one) => !other.has(one)));
});
lend(Set.prototype, "intersection", function (this: Set<unknown>, other: Set<unknown>) {
  return new Set([...this].filter((one) => other.has(one)));
});
lend(Set.prototype, "union", function (this: Set<unknown>, other: Set<unknown>) {
  return new Set([...this, ...other]);
});

/** What the tests ask of the SDK beside what the adapter does. */
export interface TestSdk extends FederationSdk {
  setConfig(config: object): void;
  createRoom(
    creator: string,
    name: string,
    joinRule: string,
  ): Promise<{ readonly room_id: string; readonly event_id: string }>;
  processIncomingTransaction(transaction: {
    readonly origin: string;
    readonly pdus: readonly object[];
  }): Promise<void>;
  processInvite(
    event: object,
    eventId: string,
    roomVersion: string,
    shown: readonly object[],
  ): Promise<unknown>;
  readonly stateService: FederationSdk["stateService"] & {
    processInitialState(
      state: readonly object[],
      authChain: readonly object[],
      notifier: object,
    ): Promise<string>;
  };
  readonly eventService: { validateEvent(pdu: JsonObject): Promise<void> };
}

interface Package {
  readonly federationSDK: TestSdk;
  readonly eventSchemas: Record<
    string,
    Record<string, { safeParse(value: unknown): { readonly success: boolean } }>
  >;
}

interface Container {
  register(token: string, provider: { readonly useValue: unknown }): void;
}

// Under "test" it signs nothing and takes any configuration.
process.env["NODE_ENV"] = "production";
process.env["LOG_LEVEL"] = "silent";
// It gives an address as a TLS server name, as which the tests' peer is reached.
process.noDeprecation = true;
const path = require.resolve("@rocket.chat/federation-sdk");
export const published = require(path) as Package;
// The one that the SDK itself has.
const { container } = createRequire(path)("tsyringe") as { readonly container: Container };

export const collections = {
  EventCollection: new Collection(),
  EventStagingCollection: new Collection(),
  KeyCollection: new Collection(),
  LockCollection: new Collection(),
  RoomCollection: new Collection(),
  RoomAliasCollection: new Collection(),
  ServerCollection: new Collection(),
  UploadCollection: new Collection(),
  AvatarCollection: new Collection(),
  StateGraphCollection: new Collection(),
  UserCollection: new Collection(),
  AppServiceStateCollection: new Collection(),
  AppServiceTxnCollection: new Collection(),
};
for (const [token, collection] of Object.entries(collections))
  container.register(token, { useValue: collection });

export const forgetAll = (): void => {
  for (const collection of Object.values(collections)) collection.rows.splice(0);
};

export const publishedVersion = String(
  (JSON.parse(readFileSync(join(dirname(path), "../package.json"), "utf8")) as { version: unknown }).version,
);

type Wrapper = new (pdu: object, version: string) => SdkEvent;

const wrappers = new WeakMap<FederationSdk, Map<string, Promise<Wrapper>>>();

/** The SDK's own class of event, for any version that it knows. It exports none, but its builder makes them. */
const wrapperOf = async (sdk: FederationSdk, version: string): Promise<Wrapper> =>
  (await sdk.buildEvent({ ...anyEvent, auth_events: ["$a"], prev_events: ["$p"] }, version))
    .constructor as Wrapper;

export const wrap = async (sdk: FederationSdk, pdu: object, version: string): Promise<SdkEvent> => {
  const known = wrappers.get(sdk) ?? new Map<string, Promise<Wrapper>>();
  wrappers.set(sdk, known);
  const wrapper = known.get(version) ?? wrapperOf(sdk, version);
  known.set(version, wrapper);
  return new (await wrapper)(pdu, version);
};

const anyEvent = {
  type: "m.room.name",
  room_id: "!r:hs1.example",
  sender: "@alice:hs1.example",
  state_key: "",
  content: {},
  depth: 1,
  origin_server_ts: 1,
};

type Judge = (event: SdkEvent, state: SdkState) => boolean;

/** The package with the changes that its maintainers would make. */
export interface Changed extends Package {
  /** Its own judge, which it does not export. */
  readonly ownJudge: (event: SdkEvent, state: SdkState, store: object) => Promise<void>;
}

/**
 * Reads the published bundle once more, with two of the changes of docs/how-to/rocket-chat.md made in memory: its judge asks ours first, and its
 * events know ours in their `getAuthEventStateKeys` and `_getRedactedEvent`. The name that the bundler gave to the judge is the
 * one that stands in the stack of its refusal.
 */
export const changedSdk = async (
  refusal: Error,
  rules: { readonly judge: Judge } & Overrides,
): Promise<Changed> => {
  const [, name = ""] = / at (?:async )?([\w$]+) \(.*index\.js:/.exec(refusal.stack ?? "") ?? [];
  const head = `async function ${name}(`;
  const source = readFileSync(path, "utf8");
  if (name === "" || source.split(head).length !== 2)
    throw new Error("The judge was not found in the bundle.");
  const theirs = `${name}_theirs`;
  const text = source.replace(
    head,
    () =>
      `async function ${name}(event,state,store){return ours.judge(event,state)?undefined:${theirs}(event,state,store)}` +
      `async function ${theirs}(`,
  );
  const made = { exports: {} };
  const run = compileFunction(`${text}\nmodule.exports.ownJudge=${theirs};`, [
    "module",
    "exports",
    "require",
    "ours",
  ]) as (...given: readonly unknown[]) => void;
  run(made, made.exports, createRequire(path), rules);
  const changed = made.exports as Changed;
  changed.federationSDK.setConfig(config);
  const sample: object = await wrap(changed.federationSDK, { ...anyEvent }, "11");
  for (const [method, by] of Object.entries(rules.methods)) {
    let owner: object | null = sample;
    while (owner !== null && !Object.hasOwn(owner, method))
      owner = Object.getPrototypeOf(owner) as object | null;
    if (owner === null) throw new Error(`The events have no ${method}.`);
    Object.defineProperty(owner, method, {
      value: function (this: SdkEvent, pdu: JsonObject) {
        return by(this, pdu);
      },
    });
  }
  return changed;
};

interface Overrides {
  readonly methods: Readonly<Record<string, (event: SdkEvent, pdu: JsonObject) => unknown>>;
}

export const serverName = "hs1.example";
export const seed = new Uint8Array(32).fill(7);

export const config = {
  serverName,
  matrixDomain: serverName,
  instanceId: "test",
  version: "1",
  port: 8008,
  keyRefreshInterval: 1,
  signingKey: `ed25519 1 ${Buffer.from(seed).toString("base64")}`,
  signingKeyPath: "",
  media: {
    maxFileSize: 1,
    allowedMimeTypes: [],
    enableThumbnails: false,
    rateLimits: { uploadPerMinute: 1, downloadPerMinute: 1 },
  },
  invite: { allowedEncryptedRooms: true, allowedNonPrivateRooms: true },
  edu: { processTyping: false, processPresence: false },
};
