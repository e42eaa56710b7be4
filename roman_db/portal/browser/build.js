// Make ../bundle of what pages load: modules with what they import, the style sheet, and the view of the sky as it
// comes, a file of its own.
import { build } from "esbuild";
import { cpSync, readdirSync, rmSync } from "node:fs";

const out = new URL("../bundle/", import.meta.url).pathname;
const pages = readdirSync("pages").map((name) => `pages/${name}`);
rmSync(out, { recursive: true, force: true });
await build({
  entryPoints: [...pages, "style.css"],
  entryNames: "[name]",
  outdir: out,
  bundle: true,
  splitting: true,
  format: "esm",
  target: "es2022",
  minify: true,
  legalComments: "linked",
  external: ["*/aladin.js"],
  logLevel: "warning",
});
cpSync("node_modules/aladin-lite/dist/aladin.js", `${out}aladin.js`);
cpSync("node_modules/aladin-lite/LICENSE", `${out}aladin.js.LEGAL.txt`);
