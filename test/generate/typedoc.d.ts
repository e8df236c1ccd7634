/** Writes a page for each of these sources into a folder. Rejects where typedoc has anything to say. */
export const writePages: (sources: readonly string[], folder: string) => Promise<void>;
