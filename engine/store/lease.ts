// One run builds a key, the others wait for it: a lease names its holder, and is void when the holder is gone.
import {
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import type { Clock, Processes, ProcessName } from "../ports.ts";
import { temporaryName } from "./durable.ts";
import type { Claim } from "./store.ts";

/** Whether a holder on another machine is alive shows only in its heartbeat. */
const HEARTBEAT_MS = 10_000;
const SILENT_MS = 6 * HEARTBEAT_MS;

export class Leases {
  readonly #dir: string;
  readonly #processes: Processes;
  readonly #clock: Clock;

  constructor(dir: string, processes: Processes, clock: Clock) {
    this.#dir = dir;
    this.#processes = processes;
    this.#clock = clock;
    mkdirSync(dir, { recursive: true });
  }

  /** `inherited`: from a holder that is gone. */
  claim(key: string): { readonly claim: Claim; readonly inherited: boolean } {
    const path = join(this.#dir, key);
    for (let inherited = false; ; ) {
      if (this.#take(path)) return { claim: { mine: true, release: this.#keep(path) }, inherited };
      const text = textOf(path);
      if (text === undefined) continue; // released a moment ago
      const holder = holderOf(text);
      if (holder && this.#holds(holder, path)) {
        return { claim: { mine: false, holder: `process ${holder.pid} on ${holder.host}` }, inherited };
      }
      evict(path, text);
      inherited = true;
    }
  }

  #take(path: string): boolean {
    const temporary = temporaryName(path);
    writeFileSync(temporary, JSON.stringify(this.#processes.self()));
    try {
      linkSync(temporary, path);
      return true;
    } catch (error) {
      if ((error as { code?: string }).code === "EEXIST") return false;
      throw error;
    } finally {
      rmSync(temporary, { force: true });
    }
  }

  #holds(holder: ProcessName, path: string): boolean {
    const alive = this.#processes.alive(holder);
    if (alive !== undefined) return alive;
    return this.#clock.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0) < SILENT_MS;
  }

  #keep(path: string): () => void {
    let off: () => void;
    const beat = (): void => {
      off = this.#clock.after(HEARTBEAT_MS, () => {
        const now = this.#clock.now() / 1000;
        try {
          utimesSync(path, now, now);
          beat();
        } catch {
          // Taken over by somebody who thought this process gone: the record that is written first counts.
        }
      });
    };
    beat();
    return () => {
      off();
      if (holderOf(textOf(path) ?? "")?.pid === this.#processes.self().pid) rmSync(path, { force: true });
    };
  }
}

/** Takes a void lease away, unless it has become somebody's in the meantime. */
function evict(path: string, expected: string): void {
  const aside = temporaryName(path);
  try {
    renameSync(path, aside);
  } catch {
    return; // somebody else was faster
  }
  try {
    if (textOf(aside) !== expected) linkSync(aside, path);
  } catch {
    // A third run has it now. Both build; the first record counts.
  } finally {
    rmSync(aside, { force: true });
  }
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

function holderOf(text: string): ProcessName | undefined {
  try {
    return JSON.parse(text) as ProcessName;
  } catch {
    return undefined;
  }
}
