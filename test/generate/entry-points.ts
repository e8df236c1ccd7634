import { readFileSync } from "node:fs";

const manifest = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
  readonly exports: Readonly<Record<string, string | { readonly types: string }>>;
};

/** An entry point of the package, and where its declarations and its source stand. */
export interface EntryPoint {
  /** `index` for the package's own name, else what follows it. */
  readonly name: string;
  readonly declarations: string;
  readonly source: string;
}

/** All of them, as package.json exports them. */
export const entryPoints: readonly EntryPoint[] = Object.entries(manifest.exports).flatMap(
  ([path, target]) =>
    typeof target === "string"
      ? []
      : [
          {
            name: path === "." ? "index" : path.slice(2),
            declarations: target.types.slice(2),
            source: target.types.replace("./dist/", "src/").replace(".d.ts", ".ts"),
          },
        ],
);
