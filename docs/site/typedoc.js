// In JavaScript: typedoc's own types name those of a browser, which this package is checked without; typedoc.d.ts has what is used of this.
import { readFileSync } from "node:fs";
import { join, relative } from "node:path";
import {
  Application,
  Comment,
  CommentTag,
  Converter,
  DocumentReflection,
  KindRouter,
  PageEvent,
  ReflectionKind,
  Slugger,
} from "typedoc";

const root = join(import.meta.dirname, "../..");

/** The groups of the main entry point, by the directory that declares a name. */
const directories = [
  ["Flows", /src\/flows\//],
  ["Ports", /src\/ports\.ts/],
  ["Decisions", /src\/invite\//],
  ["Refusals and failures", /src\/refusal\.ts/],
  ["Third-party identifiers", /src\/threepid\//],
  ["Matrix", /src\/matrix\//],
];

/** The groups of the pages, in the order of the navigation. */
const sections = [
  ["Start", /^docs\/tutorial\.md$/],
  ["How to", /^docs\/how-to\//],
  ["Understand", /^docs\/(?:explanation|durability|threat-model|performance)/],
  ["Look up", /^docs\/(?:ports|errors|operators|stability|reference|decisions|vectors)\.md$/],
  ["Project", /\.md$/],
  ["Source files", /./],
];

const options = {
  name: "matrix-third-party-invites",
  tsconfig: join(root, "tsconfig.json"),
  logLevel: "Warn",
  // The types are checked in another step.
  skipErrorChecking: true,
  disableSources: true,
  disableGit: true,
  hideGenerator: true,
  searchInDocuments: true,
  headings: { readme: false, document: false },
  readme: join(root, "README.md"),
  router: "project",
  includeHierarchySummary: false,
  sort: ["kind", "alphabetical"],
  sortEntryPoints: false,
  kindSortOrder: ["Function", "Variable", "Class", "Interface", "TypeAlias"],
  groupOrder: [
    ...sections.slice(0, 4).map(([title]) => title),
    "Reference",
    ...sections.slice(4).map(([title]) => title),
    ...directories.map(([title]) => title),
    "Functions",
    "Variables",
    "*",
  ],
  navigation: { includeGroups: true, includeFolders: false },
  highlightLanguages: ["bash", "python", "console", "javascript", "json", "jsonc", "mermaid", "sql", "typescript", "yaml"],
  customCss: join(import.meta.dirname, "page.css"),
  customJs: join(import.meta.dirname, "page.js"),
  // "site:" is replaced by the way from each page to the top of the site.
  navigationLinks: { Inspector: "site:inspector/index.html" },
  // Types that are not exported on purpose.
  intentionallyNotExported: ["Branded", "failures", "flows", "refusals"],
};

/** The heading of a Markdown file, without its markup. */
const titleOf = (path) =>
  /^# +(.*)$/m.exec(readFileSync(join(root, path), "utf8"))[1].replaceAll("`", "");

const assignGroup = (reflection, title) => {
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

/** Names and groups the entry points, what they export, and the pages. */
const arrange = (project, entryPoints) => {
  for (const reflection of Object.values(project.reflections)) {
    nameParameter(reflection);
    const path = relative(root, project.files.getReflectionPath(reflection) ?? "");
    if (reflection.isDocument()) {
      reflection.frontmatter.group = sections.find(([, pattern]) => pattern.test(path))[0];
      reflection.name = path.endsWith(".md") ? titleOf(path) : path;
    } else if (reflection.kindOf(ReflectionKind.Module)) {
      assignGroup(reflection, "Reference");
      reflection.name = entryPoints.find(({ source }) => source === path).importName;
    } else if (reflection.parent?.kindOf(ReflectionKind.Module) && reflection.parent.name === options.name) {
      const file = project.getSymbolIdFromReflection(reflection)?.fileName ?? "";
      const title = directories.find(([, pattern]) => pattern.test(file))?.[0];
      if (title !== undefined) assignGroup(reflection, title);
    }
  }
};

/** The anchors that code hosts make of headings, so that a link works in both places. */
class PageSlugger extends Slugger {
  constructor(slugOf) {
    super({ lowercase: true });
    this.serialize = slugOf;
  }

  /** The check of the whole site knows the anchors that are no headings, too. */
  hasAnchor() {
    return true;
  }
}

/** A page stands where its Markdown file does, an entry point and what it exports under `reference`. */
const routerFor = (slugOf) =>
  class extends KindRouter {
    getIdealBaseName(reflection) {
      if (reflection.isDocument()) {
        const path = relative(root, reflection.project.files.getReflectionPath(reflection));
        return path.replace(/\.md$/, "").replaceAll("README", "index");
      }
      const names = [];
      for (let at = reflection; !at.isProject(); at = at.parent) names.unshift(at.name.split("/").at(-1));
      return ["reference", ...names.map((name) => this.getUrlSafeName(name))].join("/");
    }

    buildChildPages(target, pages) {
      super.buildChildPages(target, pages);
      if (target.isDocument()) this.sluggers.set(target, new PageSlugger(slugOf));
    }
  };

/** Code in a heading counts for its anchor. */
const readCodeInHeadings = (parser) => {
  parser.core.ruler.push("code-in-headings", ({ tokens, Token }) => {
    const made = (type, content) => Object.assign(new Token(type, "", 0), { content });
    for (const [at, { type }] of tokens.entries()) {
      const inline = tokens[at + 1];
      if (type !== "heading_open") continue;
      inline.children = inline.children.flatMap((child) =>
        child.type === "code_inline"
          ? [made("html_inline", "<code>"), made("text", child.content), made("html_inline", "</code>")]
          : [child],
      );
    }
  });
};

/** Writes the site of these entry points and pages into a folder. Rejects if typedoc reports anything. */
export const writeSite = async ({ entryPoints, pages, sourcePages, slugOf, folder }) => {
  const app = await Application.bootstrapWithPlugins({
    ...options,
    entryPoints: entryPoints.map(({ source }) => join(root, source)),
    projectDocuments: pages.map((page) => join(root, page)),
    markdownItLoader: readCodeInHeadings,
  });
  app.renderer.defineRouter("project", routerFor(slugOf));
  app.converter.on(Converter.EVENT_BEGIN, ({ project }) => {
    for (const [path, markdown] of sourcePages) {
      const page = new DocumentReflection(path, project, [{ kind: "text", text: markdown }], {});
      project.addChild(page);
      project.registerReflection(page, undefined, join(root, path));
    }
  });
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    arrange(project, entryPoints);
  });
  // Other linked files keep their place, too.
  app.files.getName = (id) => {
    const name = relative(root, app.files.mediaToPath.get(id));
    app.files.names.set(id, name);
    return name;
  };
  app.renderer.on(PageEvent.END, (page) => {
    page.contents = page.contents?.replaceAll('="site:', `="${"../".repeat(page.url.split("/").length - 1)}`);
  });
  const project = await app.convert();
  if (project !== undefined) {
    app.validate(project);
    await app.generateDocs(project, folder);
  }
  if (project === undefined || app.logger.hasErrors() || app.logger.hasWarnings())
    throw new Error("typedoc reports something about the sources or the pages");
};
