import { right } from "fp-ts/lib/Either.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { KeyValidityAnswer, Ports, SnapshotAnswer, StateEntry } from "matrix-third-party-invites/ports";
import { describe, expect, it } from "vitest";
import { asList, callPort, unlessStopped } from "../../src/flows/steps/call-port.js";
import type { Step } from "../../src/flows/steps/step.js";
import { type World, openWorld } from "./ports.js";
import { alice, codeOf, must, problemOf, room } from "./samples.js";

const url = "https://id.example/isvalid?public_key=x";

const contextOf = (world: World, signal?: AbortSignal) => ({ ports: world.ports, signal });

const askValidity = (world: World, signal?: AbortSignal) =>
  callPort(contextOf(world, signal), "identityServer", "keyValidity", url);

const valid: KeyValidityAnswer = { _tag: "Validity", valid: true };

const broken = {
  _tag: "PortFailure",
  code: "PortBroken",
  port: "identityServer.keyValidity",
  message: "identityServer.keyValidity rejected its promise or answered what its contract does not allow.",
  status: 500,
};

describe("a call", () => {
  it("is made when its step runs, and each time that it runs", async () => {
    const world = openWorld();
    const { answer } = askValidity(world);
    expect(world.calls).toEqual([]);
    expect(must(await answer())).toEqual(valid);
    expect(must(await answer())).toEqual(valid);
    expect(world.names()).toEqual(["identityServer.keyValidity", "identityServer.keyValidity"]);
  });

  it("has the question as its arguments, and the options last", async () => {
    const world = openWorld();
    const { signal } = new AbortController();
    await askValidity(world, signal).answer();
    await askValidity(world).answer();
    await callPort(contextOf(world, signal), "redemptions", "nextDueAt").answer();
    expect(world.calls.map(({ args }) => args)).toEqual([
      [url, { signal }],
      [url, { signal: undefined }],
      [{ signal }],
    ]);
  });

  it("is made on its port, which may use `this`", async () => {
    class Users {
      readonly #name = "Alice";
      find() {
        return Promise.resolve({ _tag: "User", profile: { displayname: this.#name } } as const);
      }
    }
    const context = { ports: { users: new Users() }, signal: undefined };
    const answer = must(await callPort(context, "users", "find", { userId: alice }).answer());
    expect(answer).toEqual({ _tag: "User", profile: { displayname: "Alice" } });
  });
});

describe("what goes wrong is a PortFailure with the name of the call", () => {
  it.each<readonly [string, () => unknown]>([
    ["it rejects", () => Promise.reject(new Error("down"))],
    [
      "it throws",
      () => {
        throw new Error("down");
      },
    ],
  ])("%s; what it failed with is the cause", async (_, misbehave) => {
    const world = openWorld();
    world.intercept = misbehave;
    expect(problemOf(await askValidity(world).answer())).toMatchObject({
      ...broken,
      cause: { name: "Error", message: "down" },
    });
  });

  it.each<readonly [string, object]>([
    ["the port is missing", {}],
    ["the method is missing", { identityServer: {} }],
    ["the method is no function", { identityServer: { keyValidity: 5 } }],
  ])("%s", async (_, ports) => {
    const context = { ports: ports as Ports, signal: undefined };
    const { answer } = callPort(context, "identityServer", "keyValidity", url);
    expect(problemOf(await answer())).toMatchObject(broken);
  });

  it("the reader has nothing for the answer", async () => {
    const read = askValidity(openWorld()).read(() => undefined);
    expect(problemOf(await read())).toMatchObject(broken);
  });

  it("the reader throws at the answer", async () => {
    const world = openWorld();
    world.intercept = () => Promise.resolve(null);
    const read = askValidity(world).read((answer) => TE.right(answer._tag));
    expect(problemOf(await read())).toMatchObject(broken);
  });

  it.each([null, undefined, {}, "list", 5, { length: 1 }])("a list that is none: %o", async (odd) => {
    const world = openWorld();
    world.intercept = () => Promise.resolve(odd);
    const read = callPort(contextOf(world), "invites", "list", { by: { roomId: room } }).read(asList);
    expect(problemOf(await read())).toMatchObject({ code: "PortBroken", port: "invites.list" });
  });
});

describe("a caller who stops", () => {
  it("before the call: it is not made", async () => {
    const world = openWorld();
    expect(codeOf(await askValidity(world, AbortSignal.abort()).answer())).toBe("Cancelled");
    expect(codeOf(await unlessStopped({ signal: AbortSignal.abort() })())).toBe("Cancelled");
    expect(world.calls).toEqual([]);
  });

  it("during a call that rejects: the call was cancelled, and is not broken", async () => {
    const world = openWorld();
    const controller = new AbortController();
    world.intercept = () => {
      controller.abort();
      return Promise.reject(new Error("aborted"));
    };
    expect(codeOf(await askValidity(world, controller.signal).answer())).toBe("Cancelled");
  });

  it("during a call that answers: the answer counts", async () => {
    const world = openWorld();
    const controller = new AbortController();
    world.intercept = () => {
      controller.abort();
      return Promise.resolve(valid);
    };
    expect(await askValidity(world, controller.signal).answer()).toEqual(right(valid));
  });

  it("and nobody who does not stop: the step goes on", async () => {
    expect(await unlessStopped({ signal: undefined })()).toEqual(right(undefined));
    expect(await unlessStopped({ signal: new AbortController().signal })()).toEqual(right(undefined));
  });
});

/** Checked by the compiler: nobody calls it. Each line after an expected error must be one, or the type check fails. */
export const theTypesOfACall = ({ ports }: World): readonly unknown[] => {
  const context = { ports, signal: undefined };
  const { rooms, users } = ports;
  const onlyRooms = { ports: { rooms }, signal: undefined };
  const entries: readonly StateEntry[] = [{ type: "m.room.create", stateKey: "" }];
  const snapshot: Step<SnapshotAnswer> = callPort(onlyRooms, "rooms", "snapshot", room, entries).answer;
  const read = callPort(context, "users", "find", { userId: alice }).read((answer) =>
    answer._tag === "User" ? TE.right(answer.profile?.displayname) : undefined,
  );
  const name: Step<string | undefined> = read;

  // The method of another port.
  // @ts-expect-error -- `rooms` has no `append`
  callPort(context, "rooms", "append", { roomId: room, revision: "1", reads: entries, events: [] });
  // @ts-expect-error -- `events` has no `snapshot`
  callPort(context, "events", "snapshot", room, entries);
  // @ts-expect-error -- no port has such a method
  callPort(context, "rooms", "snapshots", room, entries);

  // Another port.
  // @ts-expect-error -- there is no such port
  callPort(context, "room", "snapshot", room, entries);
  // @ts-expect-error -- a clock is not asked by a call
  callPort(context, "clock", "now");
  // @ts-expect-error -- the configuration is no port
  callPort(context, "config", "serverName");
  // @ts-expect-error -- the flow has not named `users`
  callPort(onlyRooms, "users", "find", { userId: alice });
  // @ts-expect-error -- `users` is not `rooms`
  callPort({ ports: { rooms: users }, signal: undefined }, "rooms", "snapshot", room, entries);

  // Another question.
  // @ts-expect-error -- the entries are missing
  callPort(context, "rooms", "snapshot", room);
  // @ts-expect-error -- a text is no room ID
  callPort(context, "rooms", "snapshot", "!garden", entries);
  // @ts-expect-error -- an entry has a type and a state key
  callPort(context, "rooms", "snapshot", room, [{ type: "m.room.create" }]);
  // @ts-expect-error -- the parts are in the wrong order
  callPort(context, "rooms", "snapshot", entries, room);
  // @ts-expect-error -- the question is an object
  callPort(context, "users", "find", alice);
  // @ts-expect-error -- the options are not the caller's to give
  callPort(context, "rooms", "snapshot", room, entries, { signal: undefined });
  // @ts-expect-error -- there is no question
  callPort(context, "redemptions", "nextDueAt", 5);
  // @ts-expect-error -- there is no such target
  callPort(context, "policy", "mayInvite", { inviter: alice, roomId: room, target: { _tag: "ByName" } });

  // Another answer.
  // @ts-expect-error -- a snapshot is no answer about a key
  const validity: Step<KeyValidityAnswer> = callPort(context, "rooms", "snapshot", room, entries).answer;
  // @ts-expect-error -- the answer may be that the room is unknown
  const tokens = callPort(context, "rooms", "tokens", room).read((answer) => TE.right(answer.tokens));
  const odd = callPort(context, "users", "find", { userId: alice }).read(
    // @ts-expect-error -- no user is a text
    (answer: string) => TE.right(answer),
  );
  // @ts-expect-error -- it reads a text
  const wrongRead: Step<number> = read;
  // @ts-expect-error -- `find` answers with one record, or none
  const list = callPort(context, "users", "find", { userId: alice }).read(asList);
  // @ts-expect-error -- what is read is a step
  const bare = callPort(context, "users", "find", { userId: alice }).read((answer) => answer._tag);

  return [snapshot, name, validity, tokens, odd, wrongRead, list, bare];
};
