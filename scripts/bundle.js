// How our TypeScript becomes JavaScript for Node: what is published is bundled so, and so is what is measured.
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";

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

/** @type {import("esbuild").BuildOptions} */
export const forNode = {
  bundle: true,
  platform: "node",
  format: "esm",
  target: "node20.19",
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: "none",
  // Native: found in node_modules at run time, and only by the process that computes.
  external: ["onnxruntime-node", "@tensorflow/*"],
  // CommonJS dependencies ask for Node's own modules with require().
  banner: {
    js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);',
  },
  plugins: [raw],
  logLevel: "warning",
};
