import { stall, statusBetween, statusForNow, strikes } from "./faults.js";
import type { Process } from "./scheduler.js";
import { type Server, livingProcess } from "./server.js";
import type { World } from "./world.js";

/** What comes back over the network: an answer, an error by something in between, or nothing. */
export type Reply<A> =
  | { readonly _tag: "Answer"; readonly answer: A }
  | { readonly _tag: "Error"; readonly status: number }
  | { readonly _tag: "Nothing" };

const nothing = { _tag: "Nothing" } as const;

const latency = (world: World): number => 5 + world.chance.below(60);

/**
 * Sends a request to a server, which handles it in one of its processes. It may be lost, come late, come twice, or be
 * answered by something in between; its answer may be lost; the server may be down or die over it.
 */
export const request = <A>(
  world: World,
  to: Server,
  what: string,
  caller: Process | undefined,
  handle: (process: Process) => Promise<A>,
): Promise<Reply<A>> =>
  new Promise((resolve) => {
    const { chance, faults, scheduler, trace } = world;
    const { network } = faults;
    const reply = (delay: number, value: Reply<A>): void => {
      scheduler.after(
        delay,
        () => {
          resolve(value);
        },
        caller,
      );
    };

    const arrive = (delay: number, fate: "answered" | "answered with junk" | "not answered"): void => {
      scheduler.after(delay, () => {
        const process = livingProcess(to, chance);
        if (process === undefined) {
          trace.note("net", () => `${what} to ${to.name}: nobody there`);
          if (fate !== "not answered") reply(latency(world), nothing);
          return;
        }
        void handle(process).then((answer) => {
          if (fate === "answered") reply(latency(world), { _tag: "Answer", answer });
          else if (fate === "answered with junk")
            reply(latency(world), { _tag: "Error", status: statusBetween(chance) });
        });
      });
    };

    // Nobody waits for ever, least of all for a server that died over the request.
    reply(30_000 + chance.below(40_000), nothing);
    if (strikes(faults, chance, network.errorForNow)) {
      reply(latency(world), { _tag: "Error", status: statusForNow(chance) });
      return;
    }
    if (strikes(faults, chance, network.errorForGood)) {
      reply(latency(world), { _tag: "Error", status: statusBetween(chance) });
      return;
    }
    if (strikes(faults, chance, network.lost)) {
      trace.note("net", () => `${what} to ${to.name}: lost`);
      return;
    }
    const late = strikes(faults, chance, network.late);
    if (late) trace.note("net", () => `${what} to ${to.name}: late`);
    const lost = chance.happens(0.3) ? "answered with junk" : "not answered";
    const fate = strikes(faults, chance, network.answerLost) ? lost : "answered";
    if (fate !== "answered") trace.note("net", () => `${what} to ${to.name}: will be ${fate}`);
    arrive(latency(world) + (late ? stall(chance) : 0), fate);
    if (strikes(faults, chance, network.doubled)) {
      trace.note("net", () => `${what} to ${to.name}: twice`);
      arrive(latency(world) + (chance.happens(0.3) ? stall(chance) : chance.below(500)), "not answered");
    }
  });
