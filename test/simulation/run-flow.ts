import { type Either, isLeft } from "fp-ts/lib/Either.js";
import { type Problem, type ThirdPartyInvites, createThirdPartyInvites } from "matrix-third-party-invites";
import { portsOf } from "./flow-ports.js";
import type { Process } from "./scheduler.js";
import { keepsSecrets } from "./secrecy.js";
import type { Flow, Server } from "./server.js";
import { outcomeOf } from "./trace.js";
import type { World } from "./world.js";

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
  };
  world.flows.add(flow);
  world.trace.note(process.name, () => `${name}#${flow.id} begins`);
  return new Promise((resolve) => {
    const broke = (cause: unknown): void => {
      world.flows.delete(flow);
      world.violate("flow", `${name}#${flow.id} of ${server.name} threw: ${String(cause)}`);
    };
    try {
      run(createThirdPartyInvites(portsOf(world, flow)), flow).then((result) => {
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
