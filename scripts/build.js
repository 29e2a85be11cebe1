// Bundles the command line into cli/dist/, which is what is published: one entry for `align`, one for the worker that runs a task.
// Commands are split into chunks that load only when used, so that `align --version` stays instant.
import { rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { forNode } from "./bundle.js";

const root = fileURLToPath(new URL("..", import.meta.url));
const { version } = JSON.parse(await readFile(`${root}cli/package.json`, "utf8"));

rmSync(`${root}cli/dist`, { recursive: true, force: true });
await build({
  ...forNode,
  absWorkingDir: root,
  entryPoints: { align: "cli/main.ts", worker: "cli/worker.ts" },
  outdir: "cli/dist",
  splitting: true,
  define: { ALIGN_VERSION: JSON.stringify(version) },
});
