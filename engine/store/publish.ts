// Copies an artifact to a folder of the user's, so that a reader there never sees half a file.
import {
  chmodSync,
  constants,
  copyFileSync,
  existsSync,
  mkdirSync,
  renameSync,
  rmdirSync,
  rmSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { syncFolder, syncPath, temporaryName } from "./durable.ts";
import type { DigestMemo } from "./memo.ts";
import type { Manifest } from "./store.ts";

export interface Publishing {
  readonly manifest: Manifest;
  readonly to: string;
  /** What was published there before, if anything: its files that are in the way are removed. */
  readonly before: Manifest;
  readonly blob: (sha256: string) => string;
  readonly memo: DigestMemo;
}

/** True when anything had to be written. */
export async function publishTree({ manifest, to, before, blob, memo }: Publishing): Promise<boolean> {
  if (!existsSync(to)) {
    mkdirSync(dirname(to), { recursive: true });
    const whole = temporaryName(join(dirname(to), `.${basename(to)}`));
    try {
      for (const { path, sha256 } of manifest) copy(blob(sha256), join(whole, path));
      mkdirSync(whole, { recursive: true });
      renameSync(whole, to);
      syncFolder(dirname(to));
      return true;
    } catch (error) {
      // Another run published there meanwhile: its files are looked at one by one, like any that were there before.
      if (!["ENOTEMPTY", "EEXIST"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
    } finally {
      rmSync(whole, { recursive: true, force: true });
    }
  }

  let wrote = false;
  for (const { path, sha256 } of manifest) {
    const file = join(to, path);
    if ((await memo.digest(file))?.sha256 === sha256) continue;
    copy(blob(sha256), file);
    wrote = true;
  }
  const kept = new Set(manifest.map((entry) => entry.path));
  for (const { path, sha256 } of before) {
    const file = join(to, path);
    // A file that somebody changed since is theirs.
    if (kept.has(path) || (await memo.digest(file))?.sha256 !== sha256) continue;
    rmSync(file, { force: true });
    removeEmpty(dirname(file), to);
    wrote = true;
  }
  return wrote;
}

/** A copy and not a link: whoever edits a published file must not edit the store. */
function copy(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  const temporary = temporaryName(to);
  try {
    copyFileSync(from, temporary, constants.COPYFILE_FICLONE);
    chmodSync(temporary, 0o644);
    syncPath(temporary);
    renameSync(temporary, to);
  } finally {
    rmSync(temporary, { force: true });
  }
}

function removeEmpty(dir: string, stop: string): void {
  for (let at = dir; at !== stop && at.startsWith(stop); at = dirname(at)) {
    try {
      rmdirSync(at);
    } catch {
      return;
    }
  }
}
