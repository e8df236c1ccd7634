// typedoc's own types name those of a browser, which this package is checked without; typedoc.d.ts has what is used of this.
import { join } from "node:path";
import { Application, Comment, CommentTag, Converter, ReflectionKind } from "typedoc";

const root = join(import.meta.dirname, "../..");

/** The floors of the house, from the top down: a chapter each on the page of the core. */
const chapters = [
  ["Flows", /src\/flows\//],
  ["Ports", /src\/ports\.ts/],
  ["Decisions", /src\/invite\//],
  ["Refusals and failures", /src\/refusal\.ts/],
  ["Third-party identifiers", /src\/threepid\//],
  ["The ground", /src\/matrix\//],
];

const options = {
  plugin: ["typedoc-plugin-markdown"],
  tsconfig: join(root, "tsconfig.json"),
  logLevel: "Warn",
  // The types are another step's work, and a page can be read while they are being mended.
  skipErrorChecking: true,
  // Nothing that changes where no docstring did: no lines, no revisions, no version.
  ...{ disableSources: true, disableGit: true, hideGenerator: true, readme: "none" },
  ...{ sort: ["kind", "alphabetical"] },
  kindSortOrder: ["Function", "Variable", "Class", "Interface", "TypeAlias"],
  groupOrder: [...chapters.map(([title]) => title), "Functions", "Variables", "*"],
  ...{ router: "module", entryFileName: "README", hidePageHeader: true, hideBreadcrumbs: true },
  ...{ parametersFormat: "table", interfacePropertiesFormat: "table", typeDeclarationFormat: "table" },
  // The anchors that GitHub makes of headings are others where two names differ only by their case.
  ...{ expandObjects: true, expandParameters: true, useCodeBlocks: true, useHTMLAnchors: true },
};

/** Puts a declaration of the core into the chapter of its floor. */
const assignChapter = (reflection) => {
  const isOfCore = reflection.parent?.name === "index" && reflection.parent.kindOf(ReflectionKind.Module);
  const file = reflection.project.getSymbolIdFromReflection(reflection)?.fileName ?? "";
  const title = chapters.find(([, path]) => path.test(file))?.[0];
  if (!isOfCore || title === undefined) return;
  const tag = new CommentTag("@group", [{ kind: "text", text: title }]);
  const described = reflection.isDeclaration()
    ? [reflection, ...(reflection.signatures ?? [])]
    : [reflection];
  for (const one of described) {
    one.comment ??= new Comment();
    one.comment.blockTags.push(tag);
  }
};

/** A parameter that is taken apart where it is declared has no name of its own. */
const nameParameter = (reflection) => {
  if (reflection.name !== "__namedParameters" || !reflection.isParameter()) return;
  const { type } = reflection;
  const named = type?.type === "intersection" ? type.types[0] : type;
  reflection.name = named?.type === "reference" && named.name.endsWith("Options") ? "options" : "input";
};

export const writePages = async (sources, folder) => {
  const app = await Application.bootstrapWithPlugins({
    ...options,
    entryPoints: sources.map((source) => join(root, source)),
    outputs: [{ name: "markdown", path: folder }],
  });
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    for (const reflection of Object.values(project.reflections)) {
      assignChapter(reflection);
      nameParameter(reflection);
    }
  });
  const project = await app.convert();
  if (project !== undefined) await app.generateOutputs(project);
  if (project === undefined || app.logger.hasErrors() || app.logger.hasWarnings())
    throw new Error("typedoc is not content with the sources");
};
