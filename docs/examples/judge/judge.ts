import {
  type EventLike,
  type KeyName,
  type KnownKeys,
  type NamedAuthEvent,
  type RoomState,
  type RuleStep,
  authorize,
  checkAuthEvents,
  checkPdu,
  explain,
  keysNeeded,
  roomState,
  roomVersion,
} from "matrix-third-party-invites/judge";
import { stringMember } from "matrix-third-party-invites/matrix";
import { nodeCrypto } from "matrix-third-party-invites/node";
import type { JsonObject } from "matrix-third-party-invites/ports";

/** What the judge asks of your server. */
export interface JudgeHost {
  readonly versionOf: (roomId: string) => Promise<string | undefined>;
  /** Fetches those of the keys that are not known. */
  readonly fetchKeys: (keys: readonly KeyName[]) => Promise<void>;
  readonly keyOf: KnownKeys["keyOf"];
  readonly now: () => number;
  readonly createOf: (roomId: string) => Promise<EventLike>;
  /** The events that `auth_events` names; those that are missing are fetched. */
  readonly eventsNamedBy: (pdu: JsonObject) => Promise<readonly NamedAuthEvent[]>;
  readonly stateBefore: (pdu: JsonObject) => Promise<readonly EventLike[]>;
  readonly stateNow: (roomId: string) => Promise<readonly EventLike[]>;
  /** Your own rules, for every other event. */
  readonly allows: (pdu: JsonObject, state: RoomState) => Promise<boolean>;
  readonly log: (step: RuleStep | undefined) => void;
}

/** What becomes of a received event, in the words of the server-server API; or `Later`. */
export type Judged =
  | { readonly _tag: "Accept"; readonly eventId: string; readonly pdu: JsonObject }
  | { readonly _tag: "SoftFail" | "Reject"; readonly eventId: string; readonly why: string }
  | { readonly _tag: "Drop"; readonly why: string }
  | { readonly _tag: "Later"; readonly eventId: string; readonly pairs: number };

export const judge = async (received: JsonObject, host: JudgeHost): Promise<Judged> => {
  const roomId = stringMember(received, "room_id") ?? "";
  const version = roomVersion((await host.versionOf(roomId)) ?? "");
  if (version === undefined) return { _tag: "Drop", why: "RoomUnknown" };

  await host.fetchKeys(keysNeeded(nodeCrypto, received, version));
  const checked = checkPdu(nodeCrypto, received, version, { keyOf: host.keyOf, now: host.now() });
  if (checked._tag === "Left") return { _tag: "Drop", why: checked.left._tag };
  const { eventId, pdu, signers } = checked.right; // where the content hash is wrong, `pdu` is redacted

  const named = await host.eventsNamedBy(pdu);
  const wrong = checkAuthEvents(pdu, named, version);
  if (wrong._tag === "Left") return { _tag: "Reject", eventId, why: wrong.left.code };

  const states = [
    { otherwise: "Reject", events: [await host.createOf(roomId), ...named.map(({ event }) => event)] },
    { otherwise: "Reject", events: await host.stateBefore(pdu) },
    { otherwise: "SoftFail", events: await host.stateNow(roomId) },
  ] as const;
  for (const { otherwise, events } of states) {
    const state = roomState(roomId, version, events);
    const verdict = authorize(pdu, state, nodeCrypto, { verifiedSigners: signers });
    switch (verdict._tag) {
      case "Allow":
        break;
      case "Reject": {
        const { steps } = explain(pdu, state, nodeCrypto, { verifiedSigners: signers });
        host.log(steps.find(({ outcome }) => outcome === "refused"));
        return { _tag: otherwise, eventId, why: verdict.refusal.code };
      }
      case "NotOurs":
        if (!(await host.allows(pdu, state))) return { _tag: otherwise, eventId, why: "HostRules" };
        break;
      case "TooMuchWork":
        return { _tag: "Later", eventId, pairs: verdict.pairs };
    }
  }
  return { _tag: "Accept", eventId, pdu };
};
