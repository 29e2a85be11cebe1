// Where a process works in a store: a folder of its own that says whose it is, so that leftovers can be told from work in progress.
//
//   holder   what its leases link to     workers   a line per worker process     <n>/   the output of an attempt, or a view
import { appendFileSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Processes, ProcessName } from "../ports.ts";
import { nameFor, ownerOf } from "./owner.ts";

const HOLDER = "holder";
const WORKERS = "workers";

export class Workplace {
  readonly #root: string;
  readonly #processes: Processes;
  /** Empty folders, to be used again: making and removing one takes longer than most of what small tasks write. */
  readonly #spare: string[] = [];
  readonly #workers = new Set<string>();
  #folder: string | undefined;
  #given = 0;
  #inUse = 0;

  constructor(root: string, processes: Processes) {
    this.#root = root;
    this.#processes = processes;
  }

  get card(): string {
    return join(this.#own(), HOLDER);
  }

  get busy(): boolean {
    return this.#inUse > 0;
  }

  /** An empty folder; `giveBack` or `forget` it in any case. */
  take(): string {
    const folder = this.#spare.pop() ?? this.#fresh();
    this.#inUse++;
    return folder;
  }

  /** Whatever is left in it goes. `again`: nothing can still be about to write there, so that it may be used again. */
  async giveBack(folder: string, again: boolean): Promise<void> {
    this.#inUse--;
    if (again && readdirSync(folder).length === 0) this.#spare.push(folder);
    else await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  }

  /** It has been moved to where it belongs. */
  forget(): void {
    this.#inUse--;
  }

  /** Noted before it writes anything: should this process be killed, the next one ends it. */
  employ(pid: number): void {
    const worker = this.#processes.named(pid);
    const line = worker && `${JSON.stringify(worker)}\n`;
    if (line === undefined || this.#workers.has(line)) return;
    this.#workers.add(line);
    appendFileSync(join(this.#own(), WORKERS), line);
  }

  /** Another process of a run that goes on. */
  othersAreBusy(): boolean {
    return foldersIn(this.#root).some(({ path, owner }) => path !== this.#folder && this.#isAlive(owner));
  }

  /** Removes what processes that are gone have left, and ends their workers; returns how many. */
  sweep(): number {
    let swept = 0;
    for (const { path, owner } of foldersIn(this.#root)) {
      if (this.#isAlive(owner)) continue;
      // They end by themselves when they see that their run is gone; nobody should write beside them until then.
      for (const worker of workersOf(path)) this.#processes.end(worker);
      try {
        rmSync(path, { recursive: true, force: true, maxRetries: 3 });
        swept++;
      } catch {
        // A worker is still on the way out; the next run finds it dead.
      }
    }
    return swept;
  }

  /** When nothing is going on. */
  leave(): void {
    if (this.#folder === undefined || this.busy) return;
    rmSync(this.#folder, { recursive: true, force: true });
    this.#folder = undefined;
    this.#spare.length = 0;
    this.#workers.clear();
  }

  #isAlive(owner: ProcessName | undefined): boolean {
    return owner !== undefined && this.#processes.alive(owner) !== false;
  }

  #own(): string {
    for (let n = 0; this.#folder === undefined; n++) {
      const folder = join(this.#root, nameFor("run", this.#processes.self(), n));
      try {
        mkdirSync(folder);
        this.#folder = folder;
      } catch (error) {
        if ((error as { code?: string }).code !== "EEXIST") throw error;
      }
    }
    return this.#folder;
  }

  #fresh(): string {
    const folder = join(this.#own(), String(this.#given++));
    mkdirSync(folder);
    return folder;
  }
}

function foldersIn(root: string): { readonly path: string; readonly owner: ProcessName | undefined }[] {
  return readdirSync(root).map((name) => ({ path: join(root, name), owner: ownerOf(name) }));
}

/** A line that a kill has torn names nobody: its worker had not been told anything yet. */
function workersOf(folder: string): ProcessName[] {
  let text: string;
  try {
    text = readFileSync(join(folder, WORKERS), "utf8");
  } catch {
    return [];
  }
  return text.split("\n").flatMap((line) => {
    try {
      return line === "" ? [] : [JSON.parse(line) as ProcessName];
    } catch {
      return [];
    }
  });
}
