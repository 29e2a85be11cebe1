// One run builds a key, the others wait for it: a lease names its holder, and is void when the holder is gone.
//
// A lease is a link to a file of its holder's that says who that is: made in one step with what it says, or not at all.
import {
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import type { Clock, Processes, ProcessName } from "../ports.ts";
import { removeFile, temporaryName } from "./durable.ts";
import type { Claim } from "./store.ts";

/** Whether a holder on another machine is alive shows only in its heartbeat. */
const HEARTBEAT_MS = 10_000;
const SILENT_MS = 6 * HEARTBEAT_MS;

export class Leases {
  readonly #dir: string;
  readonly #processes: Processes;
  readonly #clock: Clock;
  /** The path of a file of this process's own; none that anybody else may have removed. */
  readonly #card: () => string;
  #held = 0;
  #offBeat: () => void = () => {};

  constructor(dir: string, card: () => string, ports: { processes: Processes; clock: Clock }) {
    this.#dir = dir;
    this.#card = card;
    this.#processes = ports.processes;
    this.#clock = ports.clock;
    mkdirSync(dir, { recursive: true });
  }

  get held(): number {
    return this.#held;
  }

  /** `inherited`: from a holder that is gone. */
  claim(key: string): { readonly claim: Claim; readonly inherited: boolean } {
    const path = join(this.#dir, key);
    for (let inherited = false; ; ) {
      if (this.#take(path)) return { claim: { mine: true, release: () => this.#release(path) }, inherited };
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
    const card = this.#card();
    if (!existsSync(card)) writeFileSync(card, JSON.stringify(this.#processes.self()));
    if (!tryLink(card, path)) return false;
    if (this.#held++ === 0) this.#beat(card);
    return true;
  }

  /** All leases of a process are one file: a heartbeat is one for all of them. */
  #beat(card: string): void {
    this.#offBeat = this.#clock.after(HEARTBEAT_MS, () => {
      const now = this.#clock.now() / 1000;
      try {
        utimesSync(card, now, now);
      } catch {
        // Removed by somebody who thought this process gone: the record that is written first counts.
      }
      this.#beat(card);
    });
  }

  #release(path: string): void {
    if (--this.#held === 0) this.#offBeat();
    // Whoever took it over keeps it.
    const [mine, there] = [this.#card(), path].map((file) => statSync(file, { throwIfNoEntry: false })?.ino);
    if (there !== undefined && there === mine) removeFile(path);
  }

  #holds(holder: ProcessName, path: string): boolean {
    const alive = this.#processes.alive(holder);
    if (alive !== undefined) return alive;
    return this.#clock.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0) < SILENT_MS;
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
  // If a third run has it by now, both build: the first record counts.
  if (textOf(aside) !== expected) tryLink(aside, path);
  removeFile(aside);
}

/** False when the name is taken. */
function tryLink(card: string, path: string): boolean {
  try {
    linkSync(card, path);
    return true;
  } catch (error) {
    if ((error as { code?: string }).code === "EEXIST") return false;
    throw error;
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
