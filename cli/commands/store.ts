// `align store`: what is kept, whether it is whole, what nobody needs any more, and where it lies.
import {
  type ActionRecord,
  loadHistory,
  openStore,
  pipelinesOf,
  publicationsOf,
  rootsOf,
  type Store,
} from "../../engine/index.ts";
import { artifactOf } from "../artifact.ts";
import type { PipelineOptions } from "../pipeline.ts";
import { storePath } from "../store-path.ts";
import { bytes, duration } from "../ui/format.ts";
import { paint } from "../ui/terminal.ts";

export interface StoreOptions {
  readonly store?: string;
  readonly json?: boolean;
}

export interface GcOptions extends StoreOptions {
  readonly keepRuns: number;
  readonly dryRun?: boolean;
}

const open = (options: StoreOptions): Store => openStore(storePath("here.align", options.store));

interface Listed {
  readonly key: string;
  /** `pipeline.stage`, for every stage whose last key this is. */
  readonly stages: readonly string[];
  readonly ops: readonly string[];
  readonly bytes: number;
  /** What it took to make. */
  readonly seconds: number;
  readonly published: readonly string[];
}

export async function ls(options: StoreOptions): Promise<number> {
  const store = open(options);
  const stages = new Map<string, string[]>();
  for (const pipeline of pipelinesOf(store)) {
    for (const [node, entries] of loadHistory(store, pipeline)) {
      const { key } = entries.at(-1)!;
      stages.set(key, [...(stages.get(key) ?? []), `${pipeline}.${node}`]);
    }
  }
  const publications = publicationsOf(store);
  const listed = await Promise.all(
    (await store.records()).map(async (record): Promise<Listed> => {
      const { key, ops, seconds, tree } = record;
      const published = publications.flatMap((of) => (of.tree === tree ? [of.to] : []));
      const size = await sizeOf(store, record);
      return { key, stages: stages.get(key) ?? [], published, ops, bytes: size, seconds };
    }),
  );
  listed.sort((a, b) => b.bytes - a.bytes || (a.key < b.key ? -1 : 1));
  const usage = await store.usage();
  if (options.json) {
    console.log(JSON.stringify({ root: store.root, usage, artifacts: listed }, null, 2));
    return 0;
  }
  for (const { key, stages, ops, bytes: size, seconds, published } of listed) {
    const name = stages.length > 0 ? stages.join(", ") : paint.dim(`(no stage) ${ops.join(" → ")}`);
    const where = published.length > 0 ? paint.green(`  published to ${published.join(", ")}`) : "";
    console.log(
      `${key.slice(0, 12)}  ${bytes(size).padStart(7)}  ${duration(seconds).padStart(8)}  ${name}${where}`,
    );
  }
  const { artifacts, checkpoints, rows, runs, quarantine } = usage;
  console.log(
    paint.dim(
      `${listed.length} artifacts, ${bytes(artifacts)}; checkpoints ${bytes(checkpoints)}, rows ${bytes(rows)}, runs ${bytes(runs)}, damaged ${bytes(quarantine)}; ${store.root}`,
    ),
  );
  return 0;
}

/** Files that artifacts share count for each. */
async function sizeOf(store: Store, { tree }: ActionRecord): Promise<number> {
  return ((await store.manifest(tree)) ?? []).reduce((sum, { size }) => sum + size, 0);
}

export async function verify(options: StoreOptions): Promise<number> {
  const store = open(options);
  const problems = await store.verify();
  if (options.json) console.log(JSON.stringify({ root: store.root, problems }));
  else if (problems.length === 0)
    console.log(`${paint.green("✓")} every byte is what was written; ${store.root}`);
  else for (const problem of problems) console.log(`${paint.red("✗")} ${problem}`);
  if (problems.length > 0 && !options.json)
    console.log("what is damaged was set aside; the next run builds it again");
  return problems.length > 0 ? 1 : 0;
}

export async function gc(options: GcOptions): Promise<number> {
  const store = open(options);
  const keep = { ...rootsOf(store, options.keepRuns), dryRun: options.dryRun ?? false };
  const collected = await store.collect(keep);
  if (options.json) console.log(JSON.stringify({ root: store.root, ...collected }));
  else {
    const verb = options.dryRun ? "would remove" : "removed";
    console.log(`${verb} ${collected.artifacts} artifacts, ${bytes(collected.bytes)}; ${store.root}`);
  }
  return 0;
}

/** The store's folder; with a stage, the read-only folder of what it made. */
export async function path(
  file: string | undefined,
  stage: string | undefined,
  options: PipelineOptions,
): Promise<number> {
  if (file === undefined || stage === undefined) {
    console.log(storePath(file ?? "here.align", options.store));
    return 0;
  }
  const found = await artifactOf(file, stage, options);
  if (typeof found === "number") return found;
  console.log(found.dir);
  return 0;
}
