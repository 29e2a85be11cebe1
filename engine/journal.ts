// What happened: the events of every run, and the keys that every stage has had.
import type { Event } from "./events.ts";
import type { KeyTree } from "./plan/key.ts";
import type { Log, Store } from "./store/store.ts";

/** The key of a stage changed to this in that run. */
export interface HistoryEntry {
  readonly node: string;
  readonly key: string;
  readonly keyTree: KeyTree;
  readonly run: string;
}
/** By node, oldest first; neighbours differ in their key. */
export type History = ReadonlyMap<string, readonly HistoryEntry[]>;

export function loadHistory(store: Store, pipeline: string): History {
  const history = new Map<string, HistoryEntry[]>();
  for (const entry of store.log(historyName(pipeline)).read() as HistoryEntry[]) {
    const entries = history.get(entry.node);
    if (!entries) history.set(entry.node, [entry]);
    else if (entries.at(-1)!.key !== entry.key) entries.push(entry);
  }
  return history;
}

/** Remembers the keys that are new since the last run. */
export class HistoryWriter {
  readonly #log: Log;
  readonly #run: string;
  readonly #last: Map<string, string>;
  #new: HistoryEntry[] = [];

  constructor(store: Store, pipeline: string, run: string) {
    this.#log = store.log(historyName(pipeline));
    this.#run = run;
    const entries = [...loadHistory(store, pipeline)];
    this.#last = new Map(entries.map(([node, of]) => [node, of.at(-1)!.key]));
  }

  has(node: string, key: string, keyTree: KeyTree): void {
    if (this.#last.get(node) === key) return;
    this.#last.set(node, key);
    this.#new.push({ node, key, keyTree, run: this.#run });
  }

  write(): void {
    this.#log.append(this.#new);
    this.#new = [];
  }
}

export function readEvents(store: Store, run: string): Event[] {
  return store.log(eventsName(run)).read() as Event[];
}

export function eventsName(run: string): string {
  return `runs/${run}/events.jsonl`;
}

function historyName(pipeline: string): string {
  return `history/${encodeURIComponent(pipeline)}.jsonl`;
}

/** Runs of a pipeline, oldest first. */
export function runsOf(store: Store, pipeline: string): string[] {
  const lines = store.log("runs.jsonl").read() as { run: string; pipeline: string }[];
  return lines.filter((line) => line.pipeline === pipeline).map((line) => line.run);
}

/** By time, and by process; `n` tells those of one process apart. */
export function nameOfRun(now: number, pid: number, n = 0): string {
  return `${new Date(now).toISOString().replace(/[-:]/g, "")}-${pid}-${n}`;
}

export function recordRun(store: Pick<Store, "log">, pipeline: string, run: string): void {
  store.log("runs.jsonl").append([{ run, pipeline }]);
}
