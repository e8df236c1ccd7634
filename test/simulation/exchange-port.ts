import { isRight } from "fp-ts/lib/Either.js";
import { matrixError } from "matrix-third-party-invites";
import { member, stringMember } from "matrix-third-party-invites/matrix";
import type { Federation } from "matrix-third-party-invites/ports";
import { judgeExchangeRefusal } from "./dead-checks.js";
import { exchangeName } from "./ledger.js";
import { request } from "./network.js";
import { runFlow } from "./run-flow.js";
import { keepsSecrets } from "./secrecy.js";
import type { Flow } from "./server.js";
import type { World } from "./world.js";

type Exchanged = Awaited<ReturnType<Federation["exchangeThirdPartyInvite"]>>;

/** The exchange with another server of the world; what it answers, and why, is written down. */
export const federationPort = (world: World, flow: Flow): Federation => ({
  exchangeThirdPartyInvite: async ({ destination, roomId, body }): Promise<Exchanged> => {
    const to = world.servers.get(destination);
    if (to === undefined) return { _tag: "Unreachable" };
    keepsSecrets(world, `the exchange request to ${destination}`, body);
    const origin = flow.server.name;
    const reply = await request(world, to, "exchange", flow.process, async (process) => {
      const result = await runFlow(world, to, process, "receiveExchange", (invites, own) => {
        const started = invites.receiveExchange({ roomId, origin, body });
        return started.then((ended) => {
          judgeExchangeRefusal(world, own, { roomId, origin, body }, ended);
          return ended;
        });
      });
      return isRight(result)
        ? { status: 200, errcode: "", why: "" }
        : { ...answerOf(result.left), why: result.left.code };
    });
    if (reply._tag !== "Answer") {
      const { chance } = world;
      const odd = chance.pick([undefined, undefined, undefined, 200, 204, 302]);
      const status = reply._tag === "Error" ? (odd ?? reply.status) : 0;
      noteAnswer(world, roomId, body, { status, why: "fault" });
      if (status === 0) return { _tag: "Unreachable" };
      world.ledger.met.add("a junk answer to an exchange");
      // What stands between two servers answers with a page, or with an errcode that says nothing.
      const errcode = chance.pick([undefined, undefined, "M_UNKNOWN", "M_UNRECOGNIZED"]);
      return { _tag: "Refused", status, ...(errcode === undefined ? {} : { errcode }) };
    }
    const { answer } = reply;
    noteAnswer(world, roomId, body, answer);
    return answer.status === 200
      ? { _tag: "Accepted" }
      : { _tag: "Refused", status: answer.status, errcode: answer.errcode };
  },
});

const answerOf = (problem: Parameters<typeof matrixError>[0]): { status: number; errcode: string } => {
  const { status, body } = matrixError(problem);
  return { status, errcode: body.errcode };
};

const noteAnswer = (
  world: World,
  roomId: string,
  body: unknown,
  answer: { readonly status: number; readonly why: string },
): void => {
  const signed = member(member(member(body, "content"), "third_party_invite"), "signed");
  const token = stringMember(signed, "token") ?? "";
  const name = exchangeName({ roomId, token, mxid: stringMember(signed, "mxid") ?? "" }, signed);
  const { exchangeAnswers } = world.ledger;
  exchangeAnswers.set(name, [...(exchangeAnswers.get(name) ?? []), answer]);
};
