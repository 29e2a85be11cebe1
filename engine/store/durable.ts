// Files that are either all there or not there at all, also after the power went.
import {
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";

let counter = 0;

/** A name next to `path` that nobody else uses. */
export function temporaryName(path: string): string {
  return `${path}.${process.pid}.${counter++}.tmp`;
}

export function syncPath(path: string): void {
  const fd = openSync(path, "r");
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Not every system lets folders be synced. */
export function syncFolder(path: string): void {
  try {
    syncPath(path);
  } catch (error) {
    if ((error as { code?: string }).code === "ENOENT") throw error;
  }
}

/** Writes under another name, then renames. Not synced: for what can be made again. */
export function replaceFile(path: string, write: (temporary: string) => void): void {
  const temporary = temporaryName(path);
  try {
    write(temporary);
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

/** Writes, syncs if asked to, and gives it its name unless the name is taken; false when it was. */
export function createOnce(path: string, text: string, durably: boolean): boolean {
  mkdirSync(dirname(path), { recursive: true });
  const temporary = temporaryName(path);
  try {
    writeFileSync(temporary, text, { mode: 0o444 });
    if (durably) syncPath(temporary);
    // Unlike a rename, a link never replaces what another run wrote first.
    linkSync(temporary, path);
  } catch (error) {
    if ((error as { code?: string }).code === "EEXIST") return false;
    if (!["EPERM", "ENOTSUP", "ENOSYS"].includes((error as { code?: string }).code ?? "")) throw error;
    renameSync(temporary, path);
  } finally {
    rmSync(temporary, { force: true });
  }
  if (durably) syncFolder(dirname(path));
  return true;
}
