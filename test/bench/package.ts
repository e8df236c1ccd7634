import { fileURLToPath } from "node:url";
import { type BuildOptions, type Metafile, build } from "esbuild";

export const root = fileURLToPath(new URL("../../", import.meta.url));

/** What the bundler makes of some lines that import the built package. */
export const bundled = async (
  lines: string,
  options: BuildOptions,
): Promise<{ readonly code: Uint8Array; readonly metafile: Metafile }> => {
  const { outputFiles, metafile } = await build({
    ...options,
    stdin: { contents: lines, resolveDir: root },
    bundle: true,
    format: "esm",
    metafile: true,
    write: false,
    logLevel: "error",
  });
  const [file] = outputFiles;
  if (file === undefined) throw new Error("The bundler made nothing.");
  return { code: file.contents, metafile };
};
