import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Extractor, ExtractorConfig, ExtractorLogLevel } from "@microsoft/api-extractor";
import { type EntryPoint, entryPoints } from "./entry-points.js";

const root = fileURLToPath(new URL("../..", import.meta.url));

const none = { logLevel: ExtractorLogLevel.None, addToApiReportFile: false };

/** The report of one entry point: every type that its signatures lead to, exported or not. */
const reportOf = ({ name, declarations }: EntryPoint, folder: string): Report => {
  const config = ExtractorConfig.prepare({
    configObjectFullPath: undefined,
    packageJsonFullPath: join(root, "package.json"),
    configObject: {
      projectFolder: root,
      mainEntryPointFilePath: join(root, declarations),
      newlineKind: "lf",
      compiler: {
        overrideTsconfig: {
          compilerOptions: {
            ...{ target: "es2023", lib: ["es2023"], types: ["node"], strict: true },
            ...{ module: "nodenext", moduleResolution: "nodenext" },
          },
          files: [join(root, declarations)],
        },
      },
      apiReport: {
        enabled: true,
        reportFolder: folder,
        reportTempFolder: join(folder, "temp"),
        reportFileName: `${name}.api.md`,
        includeForgottenExports: true,
      },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      messages: {
        compilerMessageReporting: { default: { logLevel: ExtractorLogLevel.Error } },
        // Release tags and TSDoc's finer rules are not of this house.
        extractorMessageReporting: { default: none },
        tsdocMessageReporting: { default: none },
      },
    },
  });
  Extractor.invoke(config, {
    localBuild: true,
    messageCallback: (message) => {
      message.handled = true;
      if (message.logLevel === ExtractorLogLevel.Error) throw new Error(`${declarations}: ${message.text}`);
    },
  });
  return { name, blocks: readFileSync(join(folder, `${name}.api.md`), "utf8").split("\n\n") };
};

/** The page of an entry point in its blocks: a declaration each, and what frames them. */
interface Report {
  readonly name: string;
  readonly blocks: readonly string[];
}

/** What a block declares, if anything. */
const declared = (block: string): { readonly type: string; readonly isExported: boolean } | undefined => {
  const found = /^(export )?(?:abstract )?(?:class|const|enum|function|interface|type) (\w+)/m.exec(block);
  return found === null ? undefined : { type: found[2] ?? "", isExported: found[1] !== undefined };
};

const withoutExport = (block: string): string => block.replace(/^export /m, "");

/** Shown in the report, and not exported on purpose. */
const internal: ReadonlySet<string> = new Set([
  // How a type is made, not what anybody would name.
  ...["Answer", "Branded", "brand", "failures", "refusals"],
  // How the needs of a flow are told from its definition; PortsOf is the name for them.
  ...["Common", "Context", "Flow", "flows", "Step"],
  ...["BackedOffServers", "Brought", "ProcessMemory", "RememberedValidity", "Turns", "Worker"],
  // Short for what their own files spell out.
  ...["Result", "Server", "User"],
]);

/** Everything that some entry point exports, as it is declared. */
const exportedBlocks = (reports: readonly Report[]): ReadonlySet<string> =>
  new Set(
    reports.flatMap(({ blocks }) =>
      blocks.filter((block) => declared(block)?.isExported === true).map(withoutExport),
    ),
  );

/** A page leaves out what its entry point does not export and another does. */
const pageOf = ({ blocks }: Report, exported: ReadonlySet<string>): string =>
  blocks.filter((block) => declared(block)?.isExported !== false || !exported.has(block)).join("\n\n");

/** What a page shows that nobody could import: no entry point exports it. */
const forgotten = (name: string, page: string): readonly string[] =>
  page
    .split("\n\n")
    .map(declared)
    .filter((found) => found?.isExported === false && !internal.has(found.type))
    .map((found) => `a signature of the entry point ${name} names ${found?.type}, which nothing exports`);

/**
 * The signature of everything that is exported, a page for each entry point, out of the built declarations. Throws
 * where a signature names a type that is not exported.
 */
export const apiReports = (): ReadonlyMap<string, string> => {
  const folder = mkdtempSync(join(tmpdir(), "api-report-"));
  try {
    const reports = entryPoints.map((entry) => reportOf(entry, folder));
    const exported = exportedBlocks(reports);
    const pages = reports.map((report) => [report.name, pageOf(report, exported)] as const);
    const wrong = pages.flatMap(([name, page]) => forgotten(name, page));
    if (wrong.length > 0) throw new Error(wrong.join("\n"));
    return new Map(pages.map(([name, page]) => [`test/package/api/${name}.api.md`, page]));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};
