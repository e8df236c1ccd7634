/** No input makes an exported function or decision throw, answer out of shape, or change what it was handed. */
import type { FuzzProperty } from "./property.js";
import { type ExportName, type Row, hostileSources, table, trappedSources } from "./table.js";

/** Of a name that comes more than once, the later ones are numbered. */
const named = (rows: readonly Row[], nameOf: (of: ExportName) => string): readonly FuzzProperty[] =>
  rows.map(({ of, cost, property }, at) => {
    const before = rows.slice(0, at).filter((row) => row.of === of).length;
    return { name: nameOf(of) + (before === 0 ? "" : `, ${before + 1}`), cost, share: 1, property };
  });

/**
 * These take anything that JavaScript has. The others take JSON that nobody has checked, and JSON has no getters: what
 * a host's own getter throws comes out of them.
 */
const takeAnything: ReadonlySet<ExportName> = new Set<ExportName>([
  "canonicalJson",
  "parseRoomId",
  "parseServerName",
  "parseStrict",
  "parseThreepid",
  "parseUserId",
  "parseXMatrix",
]);

export const hostileRows = table(hostileSources);

export const totalityProperties: readonly FuzzProperty[] = [
  ...named(hostileRows, (of) => `${of} takes what comes`),
  ...named(
    table(trappedSources).filter(({ of }) => takeAnything.has(of)),
    (of) => `${of} survives getters and proxies that throw`,
  ),
];
