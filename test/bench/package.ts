import { fileURLToPath } from "node:url";
import { type BuildOptions, type Metafile, build } from "esbuild";

export const root = fileURLToPath(new URL("../../", import.meta.url));

/** What the bundler makes of some lines that import the built package; with our tsconfig.json it would take the sources. */
export const bundled = async (
  lines: string,
  options: BuildOptions,
): Promise<{
  readonly code: Uint8Array;
  readonly metafile: Metafile;
  readonly sources: readonly string[];
}> => {
  const { outputFiles, metafile } = await build({
    ...options,
    stdin: { contents: lines, resolveDir: root },
    bundle: true,
    format: "esm",
    outfile: "bundle.js",
    metafile: true,
    sourcemap: "external",
    tsconfigRaw: {},
    write: false,
    logLevel: "error",
  });
  const [map, file] = outputFiles;
  if (map === undefined || file === undefined) throw new Error("The bundler made nothing.");
  const { sources } = JSON.parse(map.text) as { readonly sources: readonly string[] };
  return { code: file.contents, metafile, sources };
};
