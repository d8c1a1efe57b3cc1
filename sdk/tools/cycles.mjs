/** Fails when a module of src/ imports itself by any way round, or when leaf folders import each other. */
import { build } from "esbuild";
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const files = readdirSync(`${root}src`, { recursive: true }).filter((name) => name.endsWith(".ts")).map((name) => `src/${name}`);
const result = await build({
  absWorkingDir: root, entryPoints: files, bundle: true, write: false, outdir: "out", metafile: true, packages: "external",
  logLevel: "error",
});
const imports = new Map(Object.entries(result.metafile.inputs).map(([path, { imports: list }]) => [
  path, list.filter((item) => !item.external).map((item) => item.path)]));

const done = new Set();
const problems = [];
function walk(path, trail) {
  if (trail.includes(path)) return problems.push(`circular import: ${[...trail.slice(trail.indexOf(path)), path].join(" -> ")}`);
  if (done.has(path)) return;
  for (const next of imports.get(path) ?? []) walk(next, [...trail, path]);
  done.add(path);
}
for (const path of imports.keys()) walk(path, []);

// detect/ reads what capture/ saw; the other leaf folders know only browser/, types, constants and themselves.
const ALLOWED = { detect: ["capture"], capture: [], feed: [], transport: [], recorder: [], overlay: [], browser: [] };
for (const [path, list] of imports) {
  const from = path.split("/")[1];
  for (const target of list) {
    const to = target.split("/")[1];
    if (!(from in ALLOWED) || !(to in ALLOWED) || to === from || to === "browser") continue;
    if (!ALLOWED[from].includes(to)) problems.push(`${path} must not import ${target}`);
  }
}
if (problems.length) {
  console.error(problems.join("\n"));
  process.exit(1);
}
console.log(`no circular imports in ${imports.size} modules`);
