// The contents in a store: files named by their sha256, read-only, verified before they are used.
import { chmodSync, existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { systemFiles } from "../ports.ts";
import { inFolder, removeFile, syncFolder, syncPath } from "./durable.ts";
import { type DigestMemo, hashFile } from "./memo.ts";
import type { ManifestEntry } from "./store.ts";

export class Blobs {
  readonly #root: string;
  readonly #memo: DigestMemo;

  constructor(root: string, memo: DigestMemo) {
    this.#root = root;
    this.#memo = memo;
  }

  path(sha256: string): string {
    return join(this.#root, "objects", sha256.slice(0, 2), sha256);
  }

  /** What is wrong with it, or undefined. `anew` reads every byte, whatever is remembered. */
  async damage(entry: ManifestEntry, anew = false): Promise<string | undefined> {
    const path = this.path(entry.sha256);
    const stat = systemFiles.stat(path);
    if (!stat) return `${entry.path} is missing`;
    if (stat.kind !== "file") return `${entry.path} is not a file`;
    if (stat.size !== entry.size) return `${entry.path} has ${stat.size} bytes instead of ${entry.size}`;
    if ((await this.#memo.digest(path, anew))?.sha256 === entry.sha256) return undefined;
    return `${entry.path} has other content than was written`;
  }

  /**
   * Moves a finished file in. Afterwards a good blob is there, whether it was this file or one from before; `durably`
   * also when the power goes now.
   */
  async put(file: string, size: number, durably: boolean): Promise<string> {
    chmodSync(file, 0o444);
    const sha256 = await hashFile(file, size);
    const path = this.path(sha256);
    if (existsSync(path)) {
      if (!(await this.damage({ path: file, size, sha256 }))) {
        removeFile(file);
        return sha256;
      }
      this.quarantine(sha256);
    }
    if (durably) syncPath(file);
    inFolder(path, () => renameSync(file, path));
    if (durably) syncFolder(dirname(path));
    this.#memo.trust(path, sha256, durably);
    return sha256;
  }

  /** Sets a damaged blob aside, for people to look at. */
  quarantine(sha256: string): void {
    const path = this.path(sha256);
    this.#memo.forget(path);
    setAside(path, this.#root, sha256);
  }
}

export function setAside(path: string, root: string, name: string): void {
  if (!existsSync(path)) return;
  mkdirSync(join(root, "quarantine"), { recursive: true });
  const to = join(root, "quarantine", name);
  rmSync(to, { recursive: true, force: true });
  renameSync(path, to);
}
