import { type Either, isLeft } from "fp-ts/lib/Either.js";
import {
  type Ports,
  type Problem,
  type ThirdPartyInvites,
  createThirdPartyInvites,
} from "matrix-third-party-invites";
import { portsOf } from "./flow-ports.js";
import type { Process } from "./scheduler.js";
import { keepsSecrets } from "./secrecy.js";
import type { Flow, Server } from "./server.js";
import { outcomeOf } from "./trace.js";
import type { World } from "./world.js";

/** The library's object of each process: what it remembers is gone with the process. */
const objects = new WeakMap<Process, { readonly invites: ThirdPartyInvites; current: Ports }>();

/** The object of a process, whose next call is made over these ports. */
const objectOver = (process: Process, ports: Ports): ThirdPartyInvites => {
  const known = objects.get(process);
  if (known !== undefined) {
    known.current = ports;
    return known.invites;
  }
  const current = { current: ports };
  const changing = new Proxy(ports, { get: (_, name) => Reflect.get(current.current, name) as unknown });
  const made = Object.assign(current, { invites: createThirdPartyInvites(changing) });
  objects.set(process, made);
  return made.invites;
};

/**
 * Runs a flow of the library in a process of a server, over ports of its own. The promise stays open for ever if the
 * process dies; a flow that rejects is a violation.
 */
export const runFlow = <A>(
  world: World,
  server: Server,
  process: Process,
  name: string,
  run: (invites: ThirdPartyInvites, flow: Flow) => Promise<Either<Problem, A>>,
  options: { readonly resend?: boolean } = {},
): Promise<Either<Problem, A>> => {
  const flow: Flow = {
    id: world.number(),
    name,
    server,
    process,
    startedAt: world.scheduler.now,
    resend: options.resend ?? false,
    claimedAt: new Map(),
  };
  world.flows.add(flow);
  world.trace.note(process.name, () => `${name}#${flow.id} begins`);
  return new Promise((resolve) => {
    const broke = (cause: unknown): void => {
      world.flows.delete(flow);
      world.violate("flow", `${name}#${flow.id} of ${server.name} threw: ${String(cause)}`);
    };
    try {
      run(objectOver(process, portsOf(world, flow)), flow).then((result) => {
        world.flows.delete(flow);
        world.trace.note(process.name, () => `${name}#${flow.id} ends: ${outcomeOf(result)}`);
        if (isLeft(result)) {
          const { cause: _, ...told } = { cause: undefined, ...result.left };
          keepsSecrets(world, `the answer of ${name}`, told);
        }
        resolve(result);
      }, broke);
    } catch (cause) {
      broke(cause);
    }
  });
};
