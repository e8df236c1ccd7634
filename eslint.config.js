import { defineConfig, globalIgnores } from "eslint/config";
import tseslint from "typescript-eslint";

/** The layers of the core, lowest first. A layer imports itself and what is below it, nothing above. */
const layers = ["matrix", "threepid", "invite", "flows"];

/** The files beside the layers that only re-export, or make the library's one object. */
const publicFiles =
  "index|third-party-invites|operator-calls|create-third-party-invites|judge|decisions|matrix";

const edges = ["node", "portable", "libsodium", "http", "storage", "postgres", "sqlite", "testing"];

/** Edges that may lean on another: the databases on what their tables have in common. */
const shared = new Set(["testing portable", "postgres storage", "sqlite storage"]);

const forbidImports = (...patterns) => ({
  "@typescript-eslint/no-restricted-imports": [
    "error",
    { patterns: patterns.map(([regex, message]) => ({ regex, message })) },
  ],
});

const impure = "The core is pure: time, chance and the network are ports.";

/** Both libraries have an import that type-checks and then goes wrong. */
const trapImports = [
  {
    selector: "ImportDeclaration[source.value='canonical-json'] ImportDefaultSpecifier",
    message: "Its default export misplaces integer-like keys and drops an own __proto__; use canonicalJson.",
  },
  {
    selector: "ImportDeclaration[source.value=/^fp-ts\\u002f(?!lib\\u002f.*\\.js$)/]",
    message: "Import fp-ts/lib/X.js: without the extension it type-checks and then fails at run time.",
  },
];

/** A code of a requirement; names of standards look the same. Pages are held by test/matrix/specification.test.ts. */
const requirementCode = /\b(?!(?:UTF|SHA|HMAC|AGPL)-)[A-Z][\dA-Z]+(?:-[\dA-Z]+)+[a-z]?\b|\bspec \u00a7/g;

const noRequirementCode = {
  create: ({ sourceCode, report }) => ({
    Program: () => {
      for (const { 0: code, index } of sourceCode.text.matchAll(requirementCode))
        report({
          loc: sourceCode.getLocFromIndex(index),
          message: `Say it in words, or name a decision (D-1): ${code}.`,
        });
    },
  }),
};

const core = layers.map((layer, height) => {
  const above = [...layers.slice(height + 1), ...edges];
  const bare = layer === "matrix" || layer === "threepid";
  return {
    files: [`src/${layer}/**/*.ts`],
    rules: forbidImports(
      [`^(\\.\\./)+(${above.join("|")})/`, `Arrows point down: ${layer} imports nothing that is above it.`],
      [`^(\\.\\./)+(${publicFiles})\\.js$`, "Import from the file that has it, not from an entry point."],
      ["^(node:|undici$|ipaddr\\.js$)", impure],
      ...(layer === "flows" ? [] : [["^(\\.\\./)+ports\\.js$", "Only flows call ports."]]),
      ...(bare
        ? [["^(\\.\\./)+refusal\\.js$", "What any Matrix server shares has no word of invites."]]
        : []),
      ...(layer === "flows" ? [] : [["^fp-ts/lib/Task", "Decisions are synchronous."]]),
    ),
  };
});

export default defineConfig(
  globalIgnores([
    "dist",
    "coverage",
    "site",
    "test/fixtures",
    "src/core-globals.d.ts",
    "src/threepid/case-fold-table.ts",
  ]),
  tseslint.configs.strictTypeChecked,
  tseslint.configs.stylisticTypeChecked,
  {
    languageOptions: {
      parserOptions: {
        projectService: { allowDefaultProject: ["test/mutation/*.mjs"] },
        tsconfigRootDir: import.meta.dirname,
      },
    },
    plugins: { project: { rules: { "no-requirement-code": noRequirementCode } } },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      "@typescript-eslint/switch-exhaustiveness-check": [
        "error",
        { considerDefaultExhaustiveForUnions: true },
      ],
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/no-import-type-side-effects": "error",
      "@typescript-eslint/no-unused-vars": ["error", { ignoreRestSiblings: true, varsIgnorePattern: "^_" }],
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "no-restricted-syntax": ["error", ...trapImports],
      "project/no-requirement-code": "error",
    },
  },
  {
    files: ["src/**/*.ts"],
    rules: { "max-params": ["error", { max: 4 }] },
  },
  {
    files: ["src/**/*.ts"],
    ignores: ["src/{ports,refusal}.ts", "src/invite/rules.ts"],
    rules: { "max-lines": ["error", { max: 300 }] },
  },
  ...core,
  {
    files: ["src/{matrix,threepid,invite,flows}/**/*.ts", "src/*.ts"],
    rules: {
      "no-restricted-globals": [
        "error",
        ...[
          "Date",
          "fetch",
          "process",
          "setTimeout",
          "setInterval",
          "performance",
          "crypto",
          "console",
          "Buffer",
        ].map((name) => ({ name, message: impure })),
      ],
      "no-restricted-properties": ["error", { object: "Math", property: "random", message: impure }],
    },
  },
  {
    files: ["src/{matrix,threepid,invite}/**/*.ts"],
    rules: {
      "no-restricted-syntax": [
        "error",
        ...trapImports,
        { selector: "ThrowStatement", message: "Errors are values: the core never throws." },
        { selector: "AwaitExpression", message: "Decisions are synchronous." },
      ],
    },
  },
  ...edges.map((edge) => ({
    files: [`src/${edge}/**/*.ts`],
    rules: forbidImports([
      `^\\.\\./(${edges.filter((other) => other !== edge && !shared.has(`${edge} ${other}`)).join("|")})/`,
      "Adapters stand side by side: each leans on the core alone.",
    ]),
  })),
  { files: ["**/*.{js,mjs}"], extends: [tseslint.configs.disableTypeChecked] },
);
