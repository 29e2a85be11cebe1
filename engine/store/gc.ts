// What the files of a store are there for: which nobody needs any more, and how much room they take.
import { rmSync } from "node:fs";
import { basename, join } from "node:path";
import { systemFiles } from "../ports.ts";
import type { ActionRecord, Collected, Keep, Manifest, Usage } from "./store.ts";

export interface Garbage {
  readonly root: string;
  readonly records: readonly ActionRecord[];
  manifest(tree: string): Promise<Manifest | undefined>;
  readonly keep: Keep;
}

export async function collectGarbage({ root, records, manifest, keep }: Garbage): Promise<Collected> {
  const kept = records.filter(({ key, tree }) => keep.keys.has(key) || keep.trees?.has(tree));
  const trees = new Set(kept.map(({ tree }) => tree));
  const blobs = new Set<string>();
  for (const tree of trees) for (const { sha256 } of (await manifest(tree)) ?? []) blobs.add(sha256);

  let bytes = 0;
  const remove = (path: string): void => {
    bytes += sizeOf(path);
    if (!keep.dryRun) rmSync(path, { recursive: true, force: true });
  };
  // Records first: whatever a crash leaves behind then is garbage, not a record of something missing.
  const keys = new Set(kept.map(({ key }) => `${key}.json`));
  for (const path of twoDeep(join(root, "actions"))) if (!keys.has(basename(path))) remove(path);
  for (const path of twoDeep(join(root, "trees"))) if (!trees.has(basename(path, ".json"))) remove(path);
  for (const path of twoDeep(join(root, "objects"))) if (!blobs.has(basename(path))) remove(path);
  for (const path of twoDeep(join(root, "views"))) {
    // Links to objects that have been counted.
    if (!trees.has(basename(path)) && !keep.dryRun) rmSync(path, { recursive: true, force: true });
  }
  for (const path of oneDeep(join(root, "runs"))) if (!keep.runs.has(basename(path))) remove(path);
  const scopes = new Set([...kept.map(({ rows }) => rows), ...(keep.rows ?? [])]);
  for (const path of oneDeep(join(root, "rows"))) if (!scopes.has(basename(path, ".jsonl"))) remove(path);
  for (const path of oneDeep(join(root, "scratch"))) if (!keep.unfinished?.has(basename(path))) remove(path);
  for (const folder of ["quarantine", "standing"])
    for (const path of oneDeep(join(root, folder))) remove(path);
  return { artifacts: records.length - kept.length, bytes };
}

function oneDeep(dir: string): string[] {
  return (systemFiles.list(dir) ?? []).map((entry) => join(dir, entry.name));
}

function twoDeep(dir: string): string[] {
  return oneDeep(dir).flatMap(oneDeep);
}

export function usageOf(root: string): Usage {
  const of = (folder: string): number => sizeOf(join(root, folder));
  return {
    artifacts: of("objects"),
    checkpoints: of("scratch"),
    rows: of("rows"),
    runs: of("runs"),
    quarantine: of("quarantine"),
  };
}

function sizeOf(path: string): number {
  const stat = systemFiles.stat(path);
  if (stat?.kind === "dir") return oneDeep(path).reduce((sum, below) => sum + sizeOf(below), 0);
  return stat?.size ?? 0;
}
