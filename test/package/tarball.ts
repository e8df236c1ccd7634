import { execFile } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

/** A packed library, and what its tarball holds. */
export interface Tarball {
  readonly file: string;
  readonly paths: readonly string[];
  readonly size: number;
}

interface Packed {
  readonly filename: string;
  readonly size: number;
  readonly files: readonly { readonly path: string }[];
}

/** What `npm publish` would send, put into that folder. */
export const pack = async (folder: string): Promise<Tarball> => {
  const cwd = fileURLToPath(new URL("../..", import.meta.url));
  const { stdout } = await promisify(execFile)("npm", ["pack", "--json", "--pack-destination", folder], {
    cwd,
  });
  const [packed] = JSON.parse(stdout) as readonly Packed[];
  if (packed === undefined) throw new Error("npm pack made nothing");
  const { filename, size, files } = packed;
  return { file: join(folder, filename), size, paths: files.map(({ path }) => path) };
};
