import { describe, expect } from "vitest";
import {
  type Stage,
  alice,
  dave,
  deliver,
  idServer,
  membershipOn,
  provenInvitesOn,
  queueOf,
  scenario,
  zoe,
} from "./stage.js";

/** When the fault begins: before the invitee binds, before the invite is made of the proof, or before the join. */
type Moment = "before the bind" | "before the onbind" | "before the join";

interface RefusedCase {
  readonly name: string;
  readonly fault: (stage: Stage) => void;
  readonly moment: Moment;
  /** Why the inviter's server says no. */
  readonly code: string;
  /** What becomes of the proof on the inviter's server, and on another. */
  readonly queue: { readonly here: string; readonly away: string };
  /** What the join is answered over federation; on one server the invitee is just not invited. */
  readonly join: { readonly status: number; readonly errcode: string };
}

const rotate = ({ identityServer }: Stage): void => void identityServer.rotateKey();
const silence = ({ takeDown }: Stage): void => {
  takeDown(idServer);
};

const forbidden = { status: 403, errcode: "M_FORBIDDEN" };
const unknownHere = { status: 400, errcode: "M_UNABLE_TO_AUTHORISE_JOIN" };

const cases: readonly RefusedCase[] = [
  {
    name: "11 the identity server's keys were rotated before the bind",
    fault: rotate,
    moment: "before the bind",
    code: "NotProven",
    queue: { here: "NotProven", away: "Waiting" },
    join: forbidden,
  },
  {
    name: "12 the key is no longer valid (isvalid false)",
    // The old key has signed the proof, so all but its validity is good.
    fault: rotate,
    moment: "before the onbind",
    code: "KeyRevoked",
    queue: { here: "KeyRevoked", away: "Waiting" },
    join: forbidden,
  },
  {
    name: "12 the key is no longer valid (isvalid false) when the server first joins",
    fault: rotate,
    moment: "before the join",
    code: "KeyRevoked",
    queue: { here: "Redeemed", away: "Done" },
    join: forbidden,
  },
  {
    name: "13 the identity server cannot be reached when validity is asked",
    fault: silence,
    moment: "before the onbind",
    code: "KeyValidityUnknown",
    queue: { here: "Waiting", away: "Waiting" },
    join: forbidden,
  },
  {
    name: "13 the identity server cannot be reached when validity is asked as the server first joins",
    fault: silence,
    moment: "before the join",
    code: "KeyValidityUnknown",
    queue: { here: "Redeemed", away: "Done" },
    join: unknownHere,
  },
];

const isHere = (invitee: string): boolean => invitee === dave;

const homeOf = ({ hs1, hs2 }: Stage, invitee: string): Stage["hs1"] => (isHere(invitee) ? hs1 : hs2);

/** Alice invites an address, the invitee binds it and joins: everything but what is expected of the fault. */
const tell = async (stage: Stage, invitee: string, name: string, fault?: RefusedCase) => {
  const at = (moment: Moment): void => {
    if (fault?.moment === moment) fault.fault(stage);
  };
  const roomId = await stage.createRoom(alice);
  const address = stage.addressOf(name);
  expect(await stage.inviteAddress(alice, roomId, address)).toEqual({ status: 200, body: {} });
  at("before the bind");
  await stage.bind(invitee, address);
  at("before the onbind");
  await stage.deliverOnBind();
  // What was learnt of the key is forgotten after five minutes.
  stage.advance(300_000);
  at("before the join");
  const state = (await queueOf(homeOf(stage, invitee))).at(-1);
  const join = await stage.join(invitee, roomId);
  return { roomId, state, join, membership: membershipOn(stage.hs1, roomId, invitee) };
};

const variants = cases.flatMap((refused) =>
  [dave, zoe]
    // On the inviter's own server nobody joins for the first time.
    .filter((invitee) => refused.moment !== "before the join" || !isHere(invitee))
    .map((invitee) => ({ refused, invitee })),
);

/** How a row ends whose invite was made: here, as the room shows, or by the exchange. */
const ended = (invitee: string) => (isHere(invitee) ? "Redeemed" : "Done");

describe("refused when", () => {
  for (const { refused, invitee } of variants)
    scenario(`${refused.name}, ${isHere(invitee) ? "on one server" : "over federation"}`, async (stage) => {
      const good = await tell(stage, invitee, "good");
      expect(good).toMatchObject({ state: ended(invitee), join: { status: 200 }, membership: "join" });
      expect(stage.troubles("hs1.example")).toEqual([]);

      // What was learnt of the key is forgotten.
      stage.advance(300_000);
      const { roomId, ...bad } = await tell(stage, invitee, "bad", refused);
      const isInvited = refused.moment === "before the join";
      expect(stage.troubles("hs1.example")).toEqual([refused.code]);
      expect(bad).toMatchObject({
        state: isHere(invitee) ? refused.queue.here : refused.queue.away,
        join: { status: refused.join.status, body: { errcode: refused.join.errcode } },
        membership: isInvited ? "invite" : "",
      });
      expect(provenInvitesOn(stage.hs1, roomId)).toHaveLength(isInvited ? 1 : 0);
      if (refused.code !== "KeyValidityUnknown") return;

      // Nothing but the silence was in the way.
      stage.bringBack(idServer);
      stage.advance(10_000);
      const home = homeOf(stage, invitee);
      await deliver(home);
      expect((await queueOf(home)).at(-1)).toBe(ended(invitee));
      expect((await stage.join(invitee, roomId)).status).toBe(200);
    });
});
