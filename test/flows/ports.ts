import {
  type Config,
  type EventLike,
  type EventTemplate,
  type Ports,
  type ThirdPartyInvites,
  createThirdPartyInvites,
} from "matrix-third-party-invites";
import { redemptionId, tokensOf } from "matrix-third-party-invites/decisions";
import { lookupHash } from "matrix-third-party-invites/matrix";
import type {
  Events,
  Federation,
  IdentityServer,
  InviteKey,
  InviteRecord,
  Invites,
  JsonObject,
  Limits,
  Observation,
  Policy,
  RedemptionRecord,
  Rooms,
  StateEntry,
  Marked,
  Users,
  WaitingRedemption,
} from "matrix-third-party-invites/ports";
import { nodeCrypto } from "matrix-third-party-invites/node";
import { memoryRedemptions } from "matrix-third-party-invites/testing";
import {
  type FakeUser,
  aServer,
  alice,
  anna,
  bob,
  longTerm,
  pendingContent,
  room,
  signedBy,
  threepid,
} from "./samples.js";

/** The calls that an invite by address makes before its record is stored; each of them can be cancelled. */
export const callsBeforeStoring = [
  "rooms.snapshot",
  "policy.mayInvite",
  "identityServer.hashDetails",
  "identityServer.lookup",
  "users.find",
] as const;

/** The calls after that, up to the end of the invite. */
export const callsFromStoring = [
  "invites.putIfAbsent",
  "identityServer.storeInvite",
  "invites.findByToken",
  "invites.replace",
  "rooms.snapshot",
  "events.append",
  "invites.replace",
] as const;

/** The methods of ports whose failure ends an invite by address, in the order of their first call. */
export const portsOfInvite = [
  ...callsBeforeStoring,
  "invites.putIfAbsent",
  "identityServer.storeInvite",
  "invites.replace",
  "events.append",
] as const;

/** One call of an asynchronous port, as it was made. */
export interface Call {
  readonly name: string;
  readonly args: readonly unknown[];
  readonly signal: AbortSignal | undefined;
}

type Intercept = (call: Call, perform: () => unknown) => unknown;

type AnswerOf<Port, Method extends keyof Port> = Port[Method] extends (...args: never[]) => Promise<infer A>
  ? A
  : never;

/** What a scripted port answers next; when nothing is left, what it does by itself. */
interface Scripts {
  readonly hashDetails: AnswerOf<IdentityServer, "hashDetails">[];
  readonly lookup: AnswerOf<IdentityServer, "lookup">[];
  readonly storeInvite: AnswerOf<IdentityServer, "storeInvite">[];
  readonly mayInvite: AnswerOf<Policy, "mayInvite">[];
  readonly append: AnswerOf<Events, "append">[];
  readonly exchange: AnswerOf<Federation, "exchangeThirdPartyInvite">[];
}

export type ValidityAnswer = AnswerOf<IdentityServer, "keyValidity">;

interface FakeRoom {
  readonly version: string;
  readonly state: Map<string, { readonly event: EventLike; readonly changedAt: number }>;
}

const place = ({ type, stateKey }: StateEntry): string => JSON.stringify([type, stateKey]);

/** One homeserver and all around it, with every call written down and every answer open to change. */
export interface World {
  readonly ports: Ports;
  /** The library over these ports; made when it is first asked for. */
  readonly invites: ThirdPartyInvites;
  /** Every call of an asynchronous port. */
  readonly calls: Call[];
  readonly names: () => readonly string[];
  readonly count: (name: string) => number;
  readonly observed: Observation[];
  /** Is called in place of each port; calls go to the ports themselves unless it is set. */
  intercept: Intercept | undefined;
  now: number;
  fraction: number;
  readonly next: Scripts;
  /** Who is bound to which canonical address. */
  readonly bound: Map<string, string>;
  pepper: string;
  /** What `/isvalid` says of a URL; `true` unless it is here. */
  readonly validity: Map<string, ValidityAnswer>;
  /** The addresses that the identity server sent mail to. */
  readonly mails: string[];
  readonly users: Map<string, FakeUser>;
  readonly rooms: Map<string, FakeRoom>;
  /** Every event that a flow had appended, in order. */
  readonly appended: EventTemplate[];
  readonly records: Map<InviteKey, Marked<InviteRecord>>;
  readonly rows: () => readonly RedemptionRecord[];
  /** Puts a state event into the room, past all rules. */
  readonly put: (event: {
    readonly type: string;
    readonly key?: string;
    readonly sender?: string;
    readonly content: JsonObject;
    readonly roomId?: string;
    /** Its `origin_server_ts`; none unless it is here. */
    readonly at?: number;
  }) => void;
  readonly join: (userId: string, membership?: string) => void;
  readonly stateAt: (type: string, key?: string) => EventLike | undefined;
}

export interface WorldOptions {
  readonly version?: string;
  readonly config?: Partial<Config>;
  readonly createContent?: JsonObject;
  readonly powerLevels?: JsonObject;
  readonly creator?: string;
  /** Whether this server is in the room; yes unless `false`. */
  readonly resident?: boolean;
  /** Off unless given. */
  readonly limits?: Limits;
  /** Ports in place of those of the world. */
  readonly ports?: Partial<Ports>;
}

const signalOf = (args: readonly unknown[]): AbortSignal | undefined => {
  const last = args.at(-1);
  return typeof last === "object" && last !== null && "signal" in last && last.signal instanceof AbortSignal
    ? last.signal
    : undefined;
};

export const openWorld = (options: WorldOptions = {}): World => {
  const { version = "11", creator = alice } = options;
  let revision = 0;
  let marks = 0;
  let tokens = 0;

  const recorded = <P extends object>(port: string, target: P): P =>
    new Proxy(target, {
      get: (object, method, receiver) => {
        const real: unknown = Reflect.get(object, method, receiver);
        if (typeof real !== "function") return real;
        return (...args: readonly unknown[]): unknown => {
          const call = { name: `${port}.${String(method)}`, args, signal: signalOf(args) };
          world.calls.push(call);
          const perform = (): unknown =>
            call.signal?.aborted === true
              ? Promise.reject(new Error("The call was aborted."))
              : Reflect.apply(real, object, args);
          return world.intercept === undefined ? perform() : world.intercept(call, perform);
        };
      },
    });

  const rooms: Rooms = {
    snapshot: async (roomId, entries) => {
      const found = world.rooms.get(roomId);
      await Promise.resolve();
      if (found === undefined) return { _tag: "NotResident" };
      const copy = new Map(entries.map((asked) => [place(asked), found.state.get(place(asked))?.event]));
      return {
        _tag: "Snapshot",
        roomVersion: found.version,
        revision: String(revision),
        get: (type, stateKey) => {
          const name = place({ type, stateKey });
          // Stricter than the contract: what a decision reads must have been asked for.
          if (!copy.has(name)) throw new Error(`The flow read ${name}, which it had not asked for.`);
          return copy.get(name);
        },
      };
    },
    tokens: (roomId) => {
      const found = world.rooms.get(roomId);
      return Promise.resolve(
        found === undefined
          ? { _tag: "NotResident" }
          : {
              _tag: "Tokens",
              tokens: [...found.state.values()].flatMap(({ event: { type, state_key: key } }) =>
                type === "m.room.third_party_invite" && typeof key === "string" ? [key] : [],
              ),
            },
      );
    },
  };

  const events: Events = {
    append: async ({ roomId, revision: on, reads, events: templates }) => {
      await Promise.resolve();
      const scripted = world.next.append.shift();
      if (scripted !== undefined) return scripted;
      const found = world.rooms.get(roomId);
      if (found === undefined) return { _tag: "Conflict" };
      if (reads.some((read) => (found.state.get(place(read))?.changedAt ?? 0) > Number(on)))
        return { _tag: "Conflict" };
      for (const template of templates) {
        const event = structuredClone(template);
        world.appended.push(event);
        world.put({
          type: event.type,
          key: event.state_key,
          sender: event.sender,
          content: event.content,
          roomId,
        });
      }
      return { _tag: "Appended", eventIds: templates.map((_, index) => `$${revision}.${index}`) };
    },
  };

  const identityServer: IdentityServer = {
    hashDetails: () =>
      Promise.resolve(
        world.next.hashDetails.shift() ?? {
          _tag: "HashDetails",
          pepper: world.pepper,
          algorithms: ["none", "sha256"],
        },
      ),
    lookup: ({ addresses }) => {
      const hashes = new Map(
        [...world.bound].map(([address, user]) => [
          lookupHash(nodeCrypto, threepid("email", address), world.pepper),
          user,
        ]),
      );
      const userIds = new Map(
        addresses.flatMap((asked) => {
          const user = hashes.get(asked);
          return user === undefined ? [] : [[asked, user] as const];
        }),
      );
      return Promise.resolve(world.next.lookup.shift() ?? { _tag: "Mappings", userIds });
    },
    storeInvite: ({ invite }) => {
      const scripted = world.next.storeInvite.shift();
      if (scripted !== undefined) return Promise.resolve(scripted);
      tokens += 1;
      world.mails.push(invite.address);
      return Promise.resolve({ _tag: "Stored", answer: storedAnswer(`token${tokens}`) });
    },
    keyValidity: (url) => Promise.resolve(world.validity.get(url) ?? { _tag: "Validity", valid: true }),
  };

  const putRecord = (record: InviteRecord): Marked<InviteRecord> => {
    marks += 1;
    const stored = { value: structuredClone(record), mark: String(marks) };
    world.records.set(record.key, stored);
    return stored;
  };

  const invites: Invites = {
    putIfAbsent: (record) => {
      const present = world.records.get(record.key);
      return Promise.resolve(
        present === undefined ? { ...putRecord(record), isNew: true } : { ...present, isNew: false },
      );
    },
    replace: (record, mark) =>
      Promise.resolve(
        world.records.get(record.key)?.mark === mark
          ? { _tag: "Replaced", mark: putRecord(record).mark }
          : { _tag: "Stale" },
      ),
    find: (key) => Promise.resolve(world.records.get(key)),
    findByToken: (roomId, token) =>
      Promise.resolve(
        [...world.records.values()].filter(
          ({ value }) => value.roomId === roomId && tokensOf(value.life).includes(token),
        ),
      ),
    // All invites of a test are of one time: the last one stored is the newest.
    list: ({ by, after, limit = Infinity }) => {
      const all = [...world.records.values()]
        .filter(({ value }) =>
          Object.entries(by).every(([name, asked]) => Reflect.get(value, name) === asked),
        )
        .toReversed();
      const from = after === undefined ? 0 : all.findIndex(({ value }) => value.key === after.key) + 1;
      return Promise.resolve(all.slice(from).slice(0, limit));
    },
  };

  const redemptions = memoryRedemptions();

  const federation: Federation = {
    exchangeThirdPartyInvite: () => Promise.resolve(world.next.exchange.shift() ?? { _tag: "Unreachable" }),
  };

  const users: Users = {
    find: ({ userId }) => {
      const user = world.users.get(userId);
      return Promise.resolve(user === undefined ? { _tag: "NoSuchUser" } : { _tag: "User", ...user });
    },
  };

  const policy: Policy = {
    mayInvite: () => Promise.resolve(world.next.mayInvite.shift() ?? { _tag: "Allow" }),
  };

  let invitesOfWorld: ThirdPartyInvites | undefined;

  const world: World = {
    get invites() {
      return (invitesOfWorld ??= createThirdPartyInvites(world.ports));
    },
    ports: {
      config: { serverName: aServer, addressKey: new Uint8Array(32).fill(7), ...options.config },
      crypto: nodeCrypto,
      rooms: recorded("rooms", rooms),
      events: recorded("events", events),
      identityServer: recorded("identityServer", identityServer),
      invites: recorded("invites", invites),
      redemptions: recorded("redemptions", redemptions),
      limits: options.limits === undefined ? "off" : recorded("limits", options.limits),
      federation: recorded("federation", federation),
      users: recorded("users", users),
      policy: recorded("policy", policy),
      clock: { now: () => world.now },
      random: { fraction: () => world.fraction },
      observe: (observation) => {
        world.observed.push(observation);
      },
      ...options.ports,
    },
    calls: [],
    names: () => world.calls.map(({ name }) => name),
    count: (name) => world.names().filter((made) => made === name).length,
    observed: [],
    intercept: undefined,
    now: 1_800_000_000_000,
    fraction: 0.5,
    next: { hashDetails: [], lookup: [], storeInvite: [], mayInvite: [], append: [], exchange: [] },
    bound: new Map(),
    pepper: "matrixrocks",
    validity: new Map(),
    mails: [],
    users: new Map<string, FakeUser>([[alice, { profile: { displayname: "Alice" } }]]),
    rooms: new Map(),
    appended: [],
    records: new Map(),
    rows: redemptions.all,
    put: ({ type, key = "", sender = alice, content, roomId = room, at }) => {
      revision += 1;
      const time = at === undefined ? {} : { origin_server_ts: at };
      const event = { type, room_id: roomId, state_key: key, sender, content, ...time };
      world.rooms.get(roomId)?.state.set(place({ type, stateKey: key }), { event, changedAt: revision });
    },
    join: (userId, membership = "join") => {
      world.put({ type: "m.room.member", key: userId, sender: userId, content: { membership } });
    },
    stateAt: (type, key = "") => world.rooms.get(room)?.state.get(place({ type, stateKey: key }))?.event,
  };

  if (options.resident !== false) found(world, version, creator, options);
  return world;
};

const found = (world: World, version: string, creator: string, options: WorldOptions): void => {
  world.rooms.set(room, { version, state: new Map() });
  const create = { room_version: version, creator, ...options.createContent };
  world.put({ type: "m.room.create", sender: creator, content: create });
  world.put({
    type: "m.room.power_levels",
    sender: creator,
    content: options.powerLevels ?? { users: { [creator]: 100 }, invite: 50 },
  });
  world.join(creator);
  world.put({ type: "m.room.name", content: { name: "The garden" } });
};

/** What an identity server answers to store-invite. */
export const storedAnswer = (token: string, more: JsonObject = {}): JsonObject => ({
  token,
  display_name: "zo...@ex...",
  public_key: longTerm.publicKey,
  public_keys: pendingContent()["public_keys"],
  ...more,
});

/** The states of those that wait. */
export const waitingIn = (world: World): readonly WaitingRedemption[] =>
  world.rows().flatMap(({ state }) => (state._tag === "Waiting" ? [state] : []));

/** What is owed: an invite of one of our users, by the proof that an identity server delivered. */
export const owe = async (
  world: World,
  {
    token = "t1",
    mxid = anna,
    sender = bob,
    roomId = room,
    signed = signedBy(mxid, token),
    owedAt = world.now,
    ...state
  }: Partial<Omit<RedemptionRecord, "state" | "id">> & Partial<Omit<WaitingRedemption, "_tag">> = {},
): Promise<RedemptionRecord> => {
  const record: RedemptionRecord = {
    id: redemptionId(nodeCrypto, { roomId, sender, signed: { mxid, token, json: signed } }),
    roomId,
    token,
    mxid,
    sender,
    owedAt,
    state: {
      _tag: "Waiting",
      signed,
      isVouched: false,
      turn: 0,
      depth: 0,
      dueAt: owedAt,
      attempts: 0,
      ...state,
    },
  };
  await world.ports.redemptions.put([record], {});
  world.calls.length = 0;
  return record;
};

/** Puts a pending third-party invite into the room, made by `sender`. */
export const pend = (
  world: World,
  token: string,
  {
    sender = alice,
    content = pendingContent(),
    ...time
  }: { sender?: string; content?: JsonObject; at?: number } = {},
): void => {
  world.put({ type: "m.room.third_party_invite", key: token, sender, content, ...time });
};

/** A call that fails before it does anything, or after it did all and its answer is lost. */
export const failNth = (world: World, nth: number, how: "before" | "after"): void => {
  let calls = 0;
  world.intercept = async (_, perform) => {
    calls += 1;
    if (calls !== nth) return perform();
    if (how === "after") await perform();
    throw new Error("The port broke.");
  };
};

/** From the nth call on nobody is answered any more, as when a process is killed. Tells when that call was made. */
export const dieAtNth = (world: World, nth: number, how: "before" | "after"): Promise<string> =>
  new Promise((resolve) => {
    let calls = 0;
    world.intercept = async (call, perform) => {
      calls += 1;
      if (calls < nth) return perform();
      if (calls === nth && how === "after") await perform();
      if (calls === nth) resolve(call.name);
      return new Promise(() => undefined);
    };
  });
