// Remembers the digest of a file for as long as the file is untouched, so that nothing is read twice.
import { createHash } from "node:crypto";
import { createReadStream, readFileSync, writeFileSync } from "node:fs";
import { type Clock, systemClock, systemFiles } from "../ports.ts";
import { problemOfSystem } from "../problem.ts";
import { TaskError } from "../task.ts";
import { replaceFile } from "./durable.ts";
import type { FileDigest } from "./store.ts";

/** Up to here a file is read in one go. */
const SMALL = 4 << 20;
/** A file changed again within a tick of the file system's clock keeps its stamp: too young to be remembered. */
export const YOUNG_MS = 1000;
const MANY = 100_000;

/** `boot`: only as long as the machine is up, because the disk may not have it yet. */
type Remembered = readonly [stamp: string, sha256: string, boot?: string];

export class DigestMemo {
  readonly #path: string;
  readonly #clock: Clock;
  readonly #boot: string;
  readonly #known: Map<string, Remembered>;
  #changed = false;

  constructor(path: string, clock: Clock = systemClock, boot = "") {
    this.#path = path;
    this.#clock = clock;
    this.#boot = boot;
    this.#known = load(path, boot);
  }

  /** Undefined when there is no such regular file. `anew` reads it, whatever is remembered. */
  async digest(path: string, anew = false): Promise<FileDigest | undefined> {
    if (anew) this.forget(path);
    for (let attempt = 0; attempt < 3; attempt++) {
      const stat = systemFiles.stat(path);
      if (stat?.kind !== "file") return undefined;
      const known = this.#known.get(path);
      if (known?.[0] === stat.stamp) return { sha256: known[1], size: stat.size, stamp: stat.stamp };

      const sha256 = await hashFile(path, stat.size);
      if (systemFiles.stat(path)?.stamp !== stat.stamp) continue;
      if (this.#clock.now() - stat.changedMs > YOUNG_MS) this.#remember(path, [stat.stamp, sha256]);
      return { sha256, size: stat.size, stamp: stat.stamp };
    }
    throw new TaskError({
      code: "file-changing",
      message: `${path} keeps changing while it is read`,
      help: "wait until whatever writes it is done, then run again",
    });
  }

  /** For files that the store itself has just written and made read-only. */
  trust(path: string, sha256: string, synced: boolean): void {
    const stat = systemFiles.stat(path);
    if (stat) this.#remember(path, synced ? [stat.stamp, sha256] : [stat.stamp, sha256, this.#boot]);
  }

  /** Its inode changed, and its content did not: another link to it was made. */
  touched(path: string): void {
    const known = this.#known.get(path);
    const stat = systemFiles.stat(path);
    if (!known || !stat) return;
    const [, sha256, ...boot] = known;
    this.#remember(path, [stat.stamp, sha256, ...boot]);
  }

  forget(path: string): void {
    if (this.#known.delete(path)) this.#changed = true;
  }

  #remember(path: string, what: Remembered): void {
    this.#known.set(path, what);
    this.#changed = true;
  }

  /** The last writer wins; what it loses is only read again. */
  flush(): void {
    if (!this.#changed) return;
    if (this.#known.size > MANY) {
      for (const path of this.#known.keys()) if (!systemFiles.stat(path)) this.#known.delete(path);
    }
    try {
      replaceFile(this.#path, (temporary) => writeFileSync(temporary, JSON.stringify([...this.#known])));
    } catch (error) {
      // It is only a memory: looking at a store that is read-only or full goes on without it.
      if (!problemOfSystem(error, "write the memo")) throw error;
    }
    this.#changed = false;
  }
}

export async function hashFile(path: string, size: number): Promise<string> {
  const hash = createHash("sha256");
  if (size <= SMALL) return hash.update(readFileSync(path)).digest("hex");
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  return hash.digest("hex");
}

function load(path: string, boot: string): Map<string, Remembered> {
  try {
    const all = JSON.parse(readFileSync(path, "utf8")) as [string, Remembered][];
    return new Map(all.filter(([, [, , since = boot]]) => since === boot));
  } catch {
    // Missing or torn: it is only a memory.
    return new Map();
  }
}
