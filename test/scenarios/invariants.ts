import { authorize, checkPdu, roomState } from "matrix-third-party-invites/judge";
import { nodeCrypto } from "matrix-third-party-invites/node";
import type { Mail } from "matrix-third-party-invites/testing";
import { expect } from "vitest";
import { at, listAt, parseJson, textAt } from "../../docs/examples/homeserver/json.js";
import type { Homeserver } from "../../docs/examples/homeserver/homeserver.js";
import type { Transcript } from "../../docs/examples/demo/transcript.js";

/** What a scenario leaves behind. */
interface Remains {
  readonly homeservers: readonly Homeserver[];
  readonly transcript: Transcript;
  readonly addresses: readonly string[];
  readonly mails: readonly Mail[];
}

/** Every event that a server has is what it says it is, and was allowed by what the server had before it. */
const everyEventIsGood = ({ homeservers, transcript }: Remains): void => {
  const keys = new Map(homeservers.map(({ name, key }) => [name, key]));
  const keyOf = (server: string) => keys.get(server);
  for (const server of homeservers) {
    const roomIds = new Set(
      transcript.events.filter((line) => line.server === server.name).map(({ roomId }) => roomId),
    );
    for (const roomId of roomIds) {
      const { version } = server.store.stateNow(roomId);
      const events = server.store.timeline(roomId);
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

const contentOf = (event: unknown, type: string): unknown =>
  at(event, "type") === type ? at(event, "content") : undefined;

/** An invite that came of a proof shows the name that the room's own event has under its token. */
const everyProofHasItsName = ({ transcript }: Remains): void => {
  const pdus = transcript.events.map(({ pdu }) => pdu);
  const names = new Map(
    pdus.flatMap((pdu): (readonly [string, string])[] => {
      const name = textAt(contentOf(pdu, "m.room.third_party_invite"), "display_name");
      return name === "" ? [] : [[textAt(pdu, "state_key"), name]];
    }),
  );
  for (const pdu of pdus) {
    const proof = at(contentOf(pdu, "m.room.member"), "third_party_invite");
    if (proof === undefined) continue;
    const name = names.get(textAt(proof, "signed", "token"));
    expect(name).toBeDefined();
    expect(proof).toMatchObject({ display_name: name });
  }
};

/** A user who is invited by another server is shown the room and who invited them. */
const everyInviteShowsItsRoom = ({ homeservers }: Remains): void => {
  for (const row of homeservers.flatMap(({ database }) => database.rows("SELECT * FROM invite"))) {
    const shown = listAt(parseJson(String(row["shown"])));
    expect(shown.map((one) => [at(one, "type"), at(one, "state_key")])).toEqual(
      expect.arrayContaining([
        ["m.room.create", ""],
        ["m.room.join_rules", ""],
        ["m.room.member", row["sender"]],
      ]),
    );
  }
};

/** What must hold whatever has happened. */
export const checkInvariants = (remains: Remains): void => {
  everyEventIsGood(remains);
  noAddressIsTold(remains);
  noInviteIsMailedTwice(remains);
  everyProofHasItsName(remains);
  everyInviteShowsItsRoom(remains);
};
