import type { Config } from "../../ports.js";

/** How long an identity server may be silent before its answer counts as lost; 60 s. */
export const askedForMs = ({ askedForMs: given = 60_000 }: Config): number => given;
