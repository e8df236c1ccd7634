import { createThirdPartyInvites } from "matrix-third-party-invites";
import type { JsonObject } from "matrix-third-party-invites/ports";
import { type ValidityAnswer, type World, type WorldOptions, openWorld, pend } from "../flows/ports.js";
import {
  address,
  alice,
  anna,
  bob,
  longTerm,
  must,
  pendingContent,
  room,
  signedBy,
  stranger,
  urlFor,
  validityUrl,
} from "../flows/samples.js";

/** What stands in the way of one proof for Anna of our server. */
interface Scene {
  readonly options?: WorldOptions;
  /** Who has made the invite; Alice of our server, who is in the room. */
  readonly sender?: string;
  readonly signed?: JsonObject;
  /** The content of the room's event; `null` for none. */
  readonly content?: JsonObject | null;
  readonly prepare?: (world: World) => void;
}

const token = "t1";

const answering = (name: string, answer: object): ((world: World) => void) => {
  return (world) => {
    world.intercept = (call, perform) => (call.name === name ? Promise.resolve(answer) : perform());
  };
};

const keySays =
  (answer: ValidityAnswer) =>
  (world: World): void => {
    world.validity.set(urlFor(validityUrl, longTerm.publicKey), answer);
  };

const appendSays =
  (...answers: World["next"]["append"]) =>
  (world: World): void => {
    world.next.append.push(...answers);
  };

const manyKeys = Array.from({ length: 65 }, (_, index) => ({
  public_key: Buffer.from([...longTerm.key.publicKey].map((byte, at) => (at === 0 ? index : byte))).toString(
    "base64",
  ),
}));

const closed: WorldOptions = { createContent: { "m.federate": false } };
const outside: WorldOptions = { resident: false };
const refused = (status: number, errcode = "M_FORBIDDEN") => ({ _tag: "Refused", status, errcode }) as const;

const exchangeSays =
  (...answers: World["next"]["exchange"]) =>
  (world: World): void => {
    world.next.exchange.push(...answers);
  };

/** A scene for each code that may end or hold up a redemption, by the code and what is said beside it. */
const scenes: Readonly<Record<string, Scene>> = {
  InviteRevoked: { content: {} },
  NotProven: { signed: signedBy(anna, token, stranger) },
  TargetBanned: {
    prepare: (world) => {
      world.join(anna, "ban");
    },
  },
  NotFederated: { options: closed, sender: bob },
  TargetNotFederated: { options: { ...closed, creator: bob }, sender: bob },
  TooManyPairs: { content: { ...pendingContent(), public_keys: manyKeys } },
  KeyRevoked: { prepare: keySays({ _tag: "Validity", valid: false }) },
  ExchangeRefused: { sender: bob, options: outside, prepare: exchangeSays(refused(403)) },
  ExchangeNotFound: { sender: bob, options: outside, prepare: exchangeSays(refused(404, "M_NOT_FOUND")) },
  ExchangeUnclear: { sender: bob, options: outside, prepare: exchangeSays(refused(403, "ORG.EXAMPLE")) },
  "AppendRefused (a 4xx)": { prepare: appendSays(refused(403)) },
  "AppendRefused (a 5xx, 401, 408, 424, 425, 429)": { prepare: appendSays(refused(503)) },
  TokenUnknown: { content: null },
  NotInRoom: { options: outside },
  RoomVersionUnknown: {
    prepare: (world) => {
      const found = world.rooms.get(room);
      if (found !== undefined) world.rooms.set(room, { ...found, version: "org.example.next" });
    },
  },
  NoCreateEvent: {
    prepare: (world) => {
      const state = world.rooms.get(room)?.state;
      for (const [place, { event }] of state ?? []) if (event.type === "m.room.create") state?.delete(place);
    },
  },
  RoomIncomplete: {
    prepare: (world) => {
      // On the second look, after a conflict: on the first one the room counts as one that we are not in.
      world.next.append.push({ _tag: "Conflict" });
      let looks = 0;
      world.intercept = (call, perform) => {
        if (call.name === "rooms.snapshot") looks += 1;
        return looks > 1 && call.name === "rooms.snapshot"
          ? Promise.resolve({ _tag: "Incomplete" })
          : perform();
      };
    },
  },
  KeyValidityUnknown: { prepare: keySays({ _tag: "Unreachable", sent: true }) },
  ExchangeUnreachable: { sender: bob, options: outside, prepare: exchangeSays(refused(500)) },
  ServerBackedOff: { sender: bob, options: outside },
  AppendUnavailable: { prepare: appendSays({ _tag: "Unavailable" }) },
  AppendContended: {
    prepare: appendSays(...Array.from({ length: 5 }, () => ({ _tag: "Conflict" }) as const)),
  },
  PortBroken: { prepare: answering("rooms.snapshot", { _tag: "None of them" }) },
};

const deliver = async ({
  options,
  sender = alice,
  signed = signedBy(anna, token),
  content,
  prepare,
}: Scene) => {
  const world = openWorld(options);
  world.users.set(anna, {});
  if (content !== null) pend(world, token, { sender, ...(content === undefined ? {} : { content }) });
  const entry = { medium: "email", address, mxid: anna, room_id: room, sender, signed };
  const body = { medium: "email", address, mxid: anna, invites: [entry] };
  must(await createThirdPartyInvites(world.ports).receiveOnBind({ body }));
  const told: { reason: string; becomes: string }[] = [];
  prepare?.(world);
  const { replace } = world.ports.redemptions;
  const redemptions = {
    ...world.ports.redemptions,
    replace: (...args: Parameters<typeof replace>) => {
      const { state } = args[0];
      if (state._tag === "Dead") told.push({ reason: state.reason, becomes: "dead" });
      if (state._tag === "Waiting")
        told.push({ reason: state.last?.reason ?? "ServerBackedOff", becomes: "waits" });
      return replace(...args);
    },
  };
  must(await createThirdPartyInvites({ ...world.ports, redemptions }).deliverOwed({ limit: 1 }));
  return told;
};

/** What each becomes, by a run: the rows of the page's table, without what is said of them. */
export const becomesOf = async (name: string): Promise<string> => {
  const scene = scenes[name];
  if (scene === undefined) return "no scene";
  const [told] = await deliver(scene);
  return told?.reason === name.replace(/ .*/, "") ? told.becomes : `is ${String(told?.reason)}`;
};

export const sceneNames: readonly string[] = Object.keys(scenes);
