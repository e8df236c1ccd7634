import { authorize, checkPdu, roomState } from "matrix-third-party-invites/judge";
import { nodeCrypto } from "matrix-third-party-invites/node";
import type { Mail } from "matrix-third-party-invites/testing";
import { expect } from "vitest";
import type { Homeserver } from "../../docs/examples/demo/homeserver.js";
import type { Network } from "../../docs/examples/demo/network.js";
import type { Transcript } from "../../docs/examples/demo/transcript.js";

/** What a scenario leaves behind. */
interface Remains {
  readonly homeservers: readonly Homeserver[];
  readonly network: Network;
  readonly transcript: Transcript;
  readonly addresses: readonly string[];
  readonly mails: readonly Mail[];
}

/** Every event that a server has is what it says it is, and was allowed by what the server had before it. */
const everyEventIsGood = ({ homeservers, network, transcript }: Remains): void => {
  const keyOf = network.keyOf.bind(network);
  for (const server of homeservers) {
    const roomIds = new Set(
      transcript.events.filter((line) => line.server === server.name).map(({ roomId }) => roomId),
    );
    for (const roomId of roomIds) {
      const { version } = server.memory.state(roomId);
      const events = server.memory.timeline(roomId);
      for (const [count, { eventId, pdu }] of events.entries()) {
        const checked = checkPdu(nodeCrypto, pdu, version, { keyOf, now: Date.now() });
        expect(checked).toMatchObject({ _tag: "Right", right: { eventId, hashMatches: true } });
        const before = roomState(
          roomId,
          version,
          events.slice(0, count).map((event) => event.pdu),
        );
        const verdict = authorize(pdu, before, nodeCrypto);
        expect(verdict, JSON.stringify(pdu)).toSatisfy(
          ({ _tag }: typeof verdict) => _tag === "Allow" || _tag === "NotOurs",
        );
      }
    }
  }
};

/** Addresses stay between a client, its homeserver and the identity server. */
const noAddressIsTold = ({ homeservers, transcript, addresses }: Remains): void => {
  const names = homeservers.map(({ name }) => name);
  const between = transcript.requests.filter(({ from, to }) => names.includes(from) && names.includes(to));
  const told = [...transcript.events.map(({ pdu }) => pdu), ...between].map((one) => JSON.stringify(one));
  for (const address of addresses)
    expect(
      told.filter((text) => text.includes(address) || text.includes(encodeURIComponent(address))),
    ).toEqual([]);
};

const noInviteIsMailedTwice = ({ mails }: Remains): void => {
  const invites = mails
    .filter((mail) => mail.kind === "invite")
    .map(({ roomId, sender, address }) => JSON.stringify([roomId, sender, address]));
  expect(invites).toEqual([...new Set(invites)]);
};

/** What must hold whatever has happened. */
export const checkInvariants = (remains: Remains): void => {
  everyEventIsGood(remains);
  noAddressIsTold(remains);
  noInviteIsMailedTwice(remains);
};
