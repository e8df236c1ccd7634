import {
  authorize,
  checkAuthEvents,
  checkPdu,
  explain,
  keysNeeded,
  roomState,
  roomVersion,
} from "matrix-third-party-invites";
import { nodeCrypto } from "matrix-third-party-invites/node";

/** What becomes of a received event: `Accept`, `SoftFail`, `Reject` or `Drop`, as the server-server API has them; or `Later`. */
export const judge = async (received, host) => {
  const version = roomVersion(await host.versionOf(received.room_id));
  if (version === undefined) return { _tag: "Drop", why: "The room, or its version, is not known here." };

  await host.fetchKeys(keysNeeded(nodeCrypto, received, version));
  const checked = checkPdu(nodeCrypto, received, version, { keyOf: host.keyOf, now: host.now() });
  if (checked._tag === "Left") return { _tag: "Drop", why: checked.left };
  const { eventId, pdu, signers } = checked.right; // this pdu: it is redacted where the content hash was wrong

  const named = await host.eventsNamedBy(pdu); // [{ event, rejected }], those that were missing fetched
  const wrong = checkAuthEvents(pdu, named, version);
  if (wrong._tag === "Left") return { _tag: "Reject", eventId, why: wrong.left };

  const states = [
    ["Reject", [await host.createOf(pdu.room_id), ...named.map(({ event }) => event)]],
    ["Reject", await host.stateBefore(pdu)],
    ["SoftFail", await host.stateNow(pdu.room_id)],
  ];
  for (const [otherwise, events] of states) {
    const state = roomState(pdu.room_id, version, events);
    const verdict = authorize(pdu, state, nodeCrypto, { verifiedSigners: signers });
    switch (verdict._tag) {
      case "Allow":
        break;
      case "Reject": {
        const { steps } = explain(pdu, state, nodeCrypto, { verifiedSigners: signers });
        host.log(steps.find(({ outcome }) => outcome === "refused"));
        return { _tag: otherwise, eventId, why: verdict.refusal };
      }
      case "NotOurs":
        if (!(await host.allows(pdu, state)))
          return { _tag: otherwise, eventId, why: "The host's own rules." };
        break;
      case "TooMuchWork":
        return { _tag: "Later", eventId, pairs: verdict.pairs };
    }
  }
  return { _tag: "Accept", eventId, pdu };
};
