// Bundles the command line into cli/dist/, which is what is published: one entry for `align`, one for the worker that runs a task.
// Commands are split into chunks that load only when used, so that `align --version` stays instant.
import { rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));
const { version } = JSON.parse(await readFile(`${root}cli/package.json`, "utf8"));

/** `import text from "./x.align?raw"`, as the tests read it too. */
const raw = {
  name: "raw",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /\?raw$/ }, ({ path, resolveDir }) => ({
      path: resolve(resolveDir, path.slice(0, -"?raw".length)),
      namespace: "raw",
    }));
    onLoad({ filter: /.*/, namespace: "raw" }, async ({ path }) => ({
      contents: await readFile(path, "utf8"),
      loader: "text",
    }));
  },
};

rmSync(`${root}cli/dist`, { recursive: true, force: true });
await build({
  absWorkingDir: root,
  entryPoints: { align: "cli/main.ts", worker: "cli/worker.ts" },
  outdir: "cli/dist",
  bundle: true,
  splitting: true,
  platform: "node",
  format: "esm",
  target: "node20.19",
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: "none",
  // Native: found in node_modules at run time, and only by the process that computes.
  external: ["onnxruntime-node", "@tensorflow/*"],
  define: { ALIGN_VERSION: JSON.stringify(version) },
  // CommonJS dependencies ask for Node's own modules with require().
  banner: {
    js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);',
  },
  plugins: [raw],
  logLevel: "warning",
});
