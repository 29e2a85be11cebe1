// The quickstart from an empty store and again from a full one, as the README shows it.
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { availableParallelism, cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import type { Event } from "../engine/index.ts";
import type { BenchRow } from "./main.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const file = "examples/quickstart/quickstart.align";

/** First run in `ours`, second in `peer`: what the cache is worth. */
export async function* quickstartBench({ write }: { readonly write: boolean }): AsyncIterable<BenchRow> {
  const store = await mkdtemp(join(tmpdir(), "align-quickstart-"));
  try {
    const first = await timed(store);
    const second = await timed(store);
    if (write) await intoReadme(first, second);
    yield {
      name: "quickstart: first run, second run",
      ours: first.seconds,
      peer: second.seconds,
      ratio: first.seconds / second.seconds,
      unit: "s",
    };
  } finally {
    await rm(store, { recursive: true, force: true });
  }
}

interface Run {
  /** Of the whole process, npx left out. */
  readonly seconds: number;
  readonly events: readonly Event[];
}

async function timed(store: string): Promise<Run> {
  const start = performance.now();
  const { stdout } = await execa(
    process.execPath,
    ["cli/bin/align.js", "run", file, "--json", "--store", store],
    { cwd: root },
  );
  const seconds = (performance.now() - start) / 1000;
  return {
    seconds,
    events: stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Event),
  };
}

async function intoReadme(first: Run, second: Run): Promise<void> {
  const stages = first.events.flatMap((event) => (event.type === "task-finished" ? [event] : []));
  const result = stages.find(({ node }) => node === "result")!;
  const slow = stages
    .filter(({ seconds }) => seconds >= 1)
    .map(({ node, seconds }) => `${node} ${seconds.toFixed(0)} s`);
  const [table, samples] = result.summary!.split(/\n\n/) as [string, string];
  const text = [
    `On ${availableParallelism()} cores (${cpus()[0]!.model.trim()}): ${first.seconds.toFixed(0)} s the first time (${slow.join(", ")}), ${second.seconds.toFixed(1)} s the second.`,
    "",
    "```",
    table,
    "",
    ...samples.split("\n").slice(0, 10),
    "```",
  ].join("\n");
  const path = join(root, "README.md");
  const readme = await readFile(path, "utf8");
  const marked = /(<!-- quickstart:begin -->\n)[\s\S]*?(<!-- quickstart:end -->)/;
  if (!marked.test(readme)) throw new Error("README.md has lost its quickstart markers");
  await writeFile(
    path,
    readme.replace(marked, (_, begin: string, end: string) => `${begin}${text}\n${end}`),
  );
}
