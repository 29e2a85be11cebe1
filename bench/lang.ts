// How long an editor waits on a file of 10,000 lines: check, and what is asked between two keys.
// Measured as it is published, bundled: running from the sources gives every function its name again whenever it is made.
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";
import { bigPipeline } from "../grammar/big.testing.ts";
import type * as language from "../grammar/index.ts";
import { forNode } from "../scripts/bundle.js";
import type * as standard from "../stdlib/index.ts";
import type { BenchRow } from "./main.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

async function bundled(): Promise<typeof language & Pick<typeof standard, "library">> {
  // Inside of the repository, where what is not bundled is found.
  await mkdir(`${root}build`, { recursive: true });
  const folder = await mkdtemp(`${root}build/bench-`);
  try {
    const outfile = `${folder}/language.js`;
    const contents = 'export * from "./grammar/index.ts"; export { library } from "./stdlib/index.ts";';
    await build({ ...forNode, stdin: { contents, resolveDir: root }, outfile });
    return await import(pathToFileURL(outfile).href);
  } finally {
    await rm(folder, { recursive: true });
  }
}

const rounds = 12;

/** `peer` is what we allow ourselves. */
export async function* languageBench(): AsyncIterable<BenchRow> {
  const { check, format, library, services } = await bundled();
  const text = bigPipeline(10_000);
  const host: language.Host = { resolve: (path) => ({ files: [path] }), peek: () => undefined };
  const source = () => ({ path: "chapters.align", text });
  const { diagnostics } = check(source(), library, host);
  if (diagnostics.length > 0) throw new Error(`the pipeline has a mistake: ${diagnostics[0]!.title}`);
  yield row("check, 10,000 lines", 500, () => check(source(), library, host));
  yield row("format, 10,000 lines", 1000, () => format(source(), { width: 100 }));

  const document = services.openDocument(source(), library, host);
  const at = text.indexOf("generate(writer_99");
  yield row("hover over a name", 20, () => services.hover(document, at + 12));
  yield row("complete an argument", 20, () => services.complete(document, at + 12));
  const typed = `${text.slice(0, at + 9)}[${text.slice(at + 9)}`;
  yield row("complete after a key", 20, () => services.complete(document, at + 10, typed));
}

/** The fastest of a few rounds, warm. */
function row(name: string, limit: number, run: () => unknown): BenchRow {
  const times = Array.from({ length: rounds }, () => {
    const start = performance.now();
    run();
    return performance.now() - start;
  });
  const ours = Math.min(...times);
  return { name, peerName: "limit", ours, peer: limit, ratio: limit / ours, unit: "ms" };
}
