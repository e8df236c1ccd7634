import { gzipSync } from "node:zlib";
import type { Figure } from "./figure.js";
import { bundled } from "./package.js";

/** What no judge of events needs. */
const unwanted = /TaskEither|case-fold|\/flows\//;

/** The package that a file of a bundle belongs to. */
const packageOf = (path: string): string =>
  /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? "this package";

const sizes = async (lines: string) => {
  const { code, metafile, sources } = await bundled(lines, {
    minify: true,
    platform: "neutral",
    external: ["crypto"],
    mainFields: ["module", "main"],
  });
  const inputs = Object.values(metafile.outputs).flatMap((output) => Object.entries(output.inputs));
  const shares = new Map<string, number>();
  for (const [path, { bytesInOutput }] of inputs)
    shares.set(packageOf(path), (shares.get(packageOf(path)) ?? 0) + bytesInOutput);
  const parts = [...shares]
    .filter(([, bytes]) => bytes > 0)
    .toSorted(([, one], [, other]) => other - one)
    .map(([name, bytes]) => `${name}: ${(bytes / 1024).toFixed(1)} KB before gzip`);
  return {
    kilobytes: gzipSync(code, { level: 9 }).length / 1024,
    parts,
    unwanted: sources.filter((path) => unwanted.test(path)),
  };
};

const engine = (name: string, path: string): string =>
  `export { authorize, roomState, roomVersion } from "matrix-third-party-invites/judge"; export { ${name} } from "matrix-third-party-invites/${path}";`;

const bundle = (name: string, target: number | null, lines: string, judgeOnly: boolean): Figure => ({
  name,
  unit: "KB",
  target,
  find: async () => {
    const { kilobytes: value, parts, unwanted } = await sizes(lines);
    const freeOf =
      unwanted.length === 0 ? "no TaskEither, case folding or flow in it" : `has ${unwanted.join(", ")}`;
    return { value, low: value, high: value, notes: judgeOnly ? [freeOf, ...parts] : parts };
  },
});

/** Every entry point that needs no platform. */
const everything = ["", "/judge", "/decisions", "/matrix"]
  .map((path) => `export * from "matrix-third-party-invites${path}";`)
  .join(" ");

/** Minified and gzipped, with all dependencies. */
export const bundleFigures: readonly Figure[] = [
  bundle("bundleKb", 40, `export * from "matrix-third-party-invites";`, false),
  bundle("bundleKb.everything", null, everything, false),
  bundle("bundleKb.authorize", 25, engine("portableCrypto", "portable"), true),
];
