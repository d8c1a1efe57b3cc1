/** Builds dist/: the entry that every page loads, and the chunks that it fetches when they are needed. */
import { build } from "esbuild";
import { mkdirSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";

const debug = process.argv.includes("--debug");
const root = fileURLToPath(new URL("..", import.meta.url));
rmSync(`${root}dist`, { recursive: true, force: true });
mkdirSync(`${root}dist`);

export const ENTRIES = {
  kriptik: "src/index.ts",
  "kriptik-overlay": "src/overlay/chunk.ts",
  "kriptik-recorder": "src/recorder/chunk.ts",
};

await build({
  absWorkingDir: root,
  entryPoints: ENTRIES,
  outdir: "dist",
  bundle: true,
  minify: !debug,
  // Chunks are scripts, not modules: a script tag needs no CORS and takes the entry's nonce.
  format: "iife",
  target: "es2020",
  legalComments: "none",
  charset: "utf8",
  define: { KRIPTIK_DEBUG: String(debug), "process.env.NODE_ENV": '"production"' },
});
