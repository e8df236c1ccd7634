/**
 * `npm run inspector` writes docs/inspector/index.html, `npm run inspector -- FILE` that file: one file that needs
 * nothing else. The same sources give the same bytes.
 */
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build, transform } from "esbuild";
import { capturedRooms } from "./rooms.js";

const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const read = (name: string): string => readFileSync(here(name), "utf8");

const bundled = async (): Promise<string> => {
  const { outputFiles } = await build({
    entryPoints: [here("main.ts")],
    tsconfig: here("tsconfig.json"),
    bundle: true,
    minify: true,
    write: false,
    format: "iife",
    platform: "browser",
    target: "es2023",
    charset: "utf8",
    legalComments: "none",
  });
  return outputFiles
    .map(({ text }) => text)
    .join("")
    .trim();
};

const hashOf = (text: string): string => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

/** A text that ends no element early. */
const inScript = (text: string): string => text.replaceAll("</", "<\\/").replaceAll("<!--", "<\\!--");

export const inspectorPage = async (): Promise<string> => {
  const script = inScript(await bundled());
  const { code } = await transform(read("page.css"), { loader: "css", minify: true });
  const style = code.trim();
  // Only this script and this style, and nothing from anywhere, to anywhere; not even markup made by the script.
  const policy = [
    "default-src 'none'",
    `script-src ${hashOf(script)}`,
    `style-src ${hashOf(style)}`,
    "img-src data:",
    "base-uri 'none'",
    "form-action 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join("; ");
  const rooms = JSON.stringify(capturedRooms()).replaceAll("<", "\\u003c");
  const parts: Readonly<Record<string, string>> = {
    'content="policy"': `content="${policy}"`,
    "<!-- style -->": `<style>${style}</style>`,
    "<!-- rooms -->": `<script type="application/json" id="rooms">${rooms}</script>`,
    "<!-- script -->": `<script>${script}</script>`,
  };
  return Object.entries(parts).reduce((page, [place, part]) => {
    const [before, after, ...more] = page.split(place);
    if (before === undefined || after === undefined || more.length > 0)
      throw new Error(`page.html must have one ${place}.`);
    return before + part + after;
  }, read("page.html"));
};

if (process.argv[1] === fileURLToPath(import.meta.url))
  writeFileSync(process.argv[2] ?? here("index.html"), await inspectorPage());
