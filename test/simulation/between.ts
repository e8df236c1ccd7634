import { garbage, stall, strikes } from "./faults.js";
import type { Flow } from "./server.js";
import { outcomeOf } from "./trace.js";
import { type World, mayCrash } from "./world.js";

/** One call of a port on its way, and what is to become of it. */
interface Call {
  readonly world: World;
  readonly flow: Flow;
  readonly what: string;
  readonly resolve: (value: unknown) => void;
  readonly reject: (cause: Error) => void;
  /** Nothing was done; or all was, and the answer is lost, or is nonsense. */
  readonly fate: "fails" | "is lost" | "is garbled" | "is well";
  /** How long it hangs before it takes effect, and after. */
  readonly hangs: readonly [before: number, after: number];
  /** What was on its way when the process died may or may not have arrived. */
  readonly survives: boolean;
}

/** Gives the answer after a while, if the process is alive by then; it may die over it. */
const answer = ({ world, flow, what, hangs }: Call, outcome: () => string, give: () => void): void => {
  const { process, server } = flow;
  world.scheduler.after(
    1 + world.chance.below(4) + hangs[1],
    () => {
      mayCrash(world, server, process);
      if (!process.alive) return;
      world.trace.note(process.name, () => `${flow.name}#${flow.id} ${what}: ${outcome()}`);
      give();
    },
    process,
  );
};

const fail = (call: Call, why: string): void => {
  answer(
    call,
    () => why,
    () => {
      call.reject(new Error(why));
    },
  );
};

const takeEffect = async (call: Call, perform: () => unknown): Promise<void> => {
  const { flow, fate, what, survives, resolve, world } = call;
  if (!flow.process.alive && !survives) return;
  if (fate === "fails") {
    fail(call, "the connection is lost");
    return;
  }
  const value = await perform();
  // What the flow would do after an event that it has not heard of is left to the clean-up.
  if (fate !== "is well" && what === "events.append") world.ledger.stumbles += 1;
  if (fate === "is lost") {
    fail(call, `the answer is lost (${outcomeOf(value)})`);
    return;
  }
  const given = fate === "is garbled" ? garbage(world.chance) : value;
  answer(
    call,
    () => (fate === "is garbled" ? `garbage ${JSON.stringify(given)} for ` : "") + outcomeOf(value),
    () => {
      resolve(given);
    },
  );
};

const drawFate = ({ chance, faults }: World): Call["fate"] => {
  const { rejectsBefore, rejectsAfter, garbles } = faults.ports;
  if (strikes(faults, chance, rejectsBefore)) return "fails";
  if (strikes(faults, chance, rejectsAfter)) return "is lost";
  return strikes(faults, chance, garbles) ? "is garbled" : "is well";
};

const begin = (world: World, flow: Flow, what: string, perform: () => unknown): Promise<unknown> => {
  const { chance, faults, scheduler } = world;
  mayCrash(world, flow.server, flow.process);
  const hang = strikes(faults, chance, faults.ports.stalls) ? stall(chance) : 0;
  const hangs = chance.happens(0.5) ? ([hang, 0] as const) : ([0, hang] as const);
  const [fate, survives] = [drawFate(world), chance.happens(0.5)];
  return new Promise((resolve, reject) => {
    const call = { world, flow, what, resolve, reject, fate, hangs, survives };
    const delay = hangs[0] + (chance.happens(0.25) ? 1 + chance.below(20) : 0);
    if (delay === 0) void takeEffect(call, perform);
    else scheduler.after(delay, () => void takeEffect(call, perform));
  });
};

/**
 * Stands between a flow and a port: each call may fail before or after it took effect, hang, or be answered with
 * nonsense; each answer comes from the scheduler. The process may die at the call, and at the answer.
 */
export const between =
  (world: World, flow: Flow) =>
  <P extends object>(name: string, port: P): P =>
    new Proxy(port, {
      get: (target, method, receiver) => {
        const real: unknown = Reflect.get(target, method, receiver);
        if (typeof real !== "function") return real;
        return (...args: readonly unknown[]): Promise<unknown> =>
          begin(world, flow, `${name}.${String(method)}`, () => Reflect.apply(real, target, args));
      },
    });
