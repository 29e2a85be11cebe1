// Which files of a store nobody needs any more.
import { rmSync } from "node:fs";
import { basename, join } from "node:path";
import { systemFiles } from "../ports.ts";
import type { ActionRecord, Collected, Keep, Manifest } from "./store.ts";

export interface Garbage {
  readonly root: string;
  readonly records: readonly ActionRecord[];
  manifest(tree: string): Promise<Manifest | undefined>;
  readonly keep: Keep;
}

export async function collectGarbage({ root, records, manifest, keep }: Garbage): Promise<Collected> {
  const kept = records.filter(({ key }) => keep.keys.has(key));
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
  for (const folder of ["scratch", "quarantine"])
    for (const path of oneDeep(join(root, folder))) remove(path);
  return { artifacts: records.length - kept.length, bytes };
}

function oneDeep(dir: string): string[] {
  return (systemFiles.list(dir) ?? []).map((entry) => join(dir, entry.name));
}

function twoDeep(dir: string): string[] {
  return oneDeep(dir).flatMap(oneDeep);
}

function sizeOf(path: string): number {
  const stat = systemFiles.stat(path);
  if (stat?.kind === "dir") return oneDeep(path).reduce((sum, below) => sum + sizeOf(below), 0);
  return stat?.size ?? 0;
}
