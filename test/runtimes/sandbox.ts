import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { pack } from "../package/tarball.js";
import { outputOf } from "./command.js";

const root = fileURLToPath(new URL("../..", import.meta.url));

/**
 * Gives a temporary folder where the library is installed from its tarball as a stranger has it, without any optional
 * peer, and beside it those packages of the registry. None of them may run a script of its own.
 */
export const withSandbox = async <A>(
  packages: Readonly<Record<string, string>>,
  use: (folder: string) => Promise<A>,
): Promise<A> => {
  const folder = await mkdtemp(join(tmpdir(), "from-tarball-"));
  try {
    const { file } = await pack(folder);
    const manifest = {
      private: true,
      type: "module",
      dependencies: { "matrix-third-party-invites": `file:${file}`, ...packages },
    };
    await writeFile(join(folder, "package.json"), JSON.stringify(manifest));
    const quietly = ["--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts", "--loglevel=error"];
    await outputOf("npm", ["install", "--prefer-offline", ...quietly], folder);
    await mkdir(join(folder, "node_modules/@types"), { recursive: true });
    await symlink(
      join(root, "node_modules/@types/node"),
      join(folder, "node_modules/@types/node"),
      "junction",
    );
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};
