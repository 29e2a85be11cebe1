// Files that are either all there or not there at all, also after the power went.
import {
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  unlinkSync,
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

/** Quicker than `rmSync`, which looks at what it removes first. */
export function removeFile(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if ((error as { code?: string }).code !== "ENOENT") throw error;
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

/** Does what makes an entry of `path`'s folder; the folder is made when it turns out to be missing. */
export function inFolder<T>(path: string, make: () => T): T {
  try {
    return make();
  } catch (error) {
    if ((error as { code?: string }).code !== "ENOENT") throw error;
    mkdirSync(dirname(path), { recursive: true });
    return make();
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
  const temporary = temporaryName(path);
  try {
    inFolder(path, () => writeFileSync(temporary, text, { mode: 0o444 }));
    if (durably) syncPath(temporary);
    // Unlike a rename, a link never replaces what another run wrote first.
    linkSync(temporary, path);
  } catch (error) {
    if ((error as { code?: string }).code === "EEXIST") return false;
    if (!["EPERM", "ENOTSUP", "ENOSYS"].includes((error as { code?: string }).code ?? "")) throw error;
    renameSync(temporary, path);
  } finally {
    removeFile(temporary);
  }
  if (durably) syncFolder(dirname(path));
  return true;
}
