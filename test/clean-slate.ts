import { afterAll, vi } from "vitest";

/**
 * Files of tests share a process, in any order. What one of them did to it, the next one must not see. Vitest itself takes
 * back spies, at the end of each file.
 */
const environment = { ...process.env };
const { noDeprecation } = process;

afterAll(() => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
  vi.unstubAllGlobals();
  for (const name of Object.keys(process.env))
    if (!(name in environment)) Reflect.deleteProperty(process.env, name);
  for (const [name, value] of Object.entries(environment))
    if (process.env[name] !== value) process.env[name] = value;
  process.noDeprecation = noDeprecation ?? false;
});
