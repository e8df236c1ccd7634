interface Site {
  readonly entryPoints: readonly { readonly source: string; readonly importName: string }[];
  /** Markdown files, by their path. */
  readonly pages: readonly string[];
  /** Pages in Markdown for files and directories that are none, by the path that others link to. */
  readonly sourcePages: ReadonlyMap<string, string>;
  /** The anchor of a heading. */
  readonly slugOf: (heading: string) => string;
  readonly folder: string;
}

/** Writes the site into a folder. Rejects if typedoc reports anything. */
export const writeSite: (site: Site) => Promise<void>;
