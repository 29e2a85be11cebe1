// In-memory twins of the ports: tests of what the engine decides touch no disk and never sleep.
import { dirname } from "node:path";
import type { Operation } from "./operation.ts";
import type { Clock, DirEntry, FileStat, FileSystem, Processes, ProcessName } from "./ports.ts";
import { asProblem } from "./problem.ts";
import type { Exit, FromWorker, Spawn, Task } from "./run/protocol.ts";
import { runTask } from "./run/worker.ts";

/** A clock that stands still until it is told to go on. */
export class FakeClock implements Clock {
  #now = 0;
  readonly #timers = new Set<{ readonly at: number; readonly then: () => void }>();

  now(): number {
    return this.#now;
  }

  after(ms: number, then: () => void): () => void {
    const timer = { at: this.#now + ms, then };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Lets time pass; calls back in the order in which things are due. */
  tick(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const due = [...this.#timers].filter((t) => t.at <= end).sort((a, b) => a.at - b.at)[0];
      if (!due) break;
      this.#timers.delete(due);
      this.#now = due.at;
      due.then();
    }
    this.#now = end;
  }
}

/** Files by absolute path; folders exist as long as there is something in them. */
export class MemoryFiles implements FileSystem {
  readonly #files = new Map<string, { bytes: Uint8Array; version: number }>();
  #writes = 0;

  write(path: string, content: string | Uint8Array): void {
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
    this.#files.set(path, { bytes, version: ++this.#writes });
  }

  remove(path: string): void {
    for (const file of [...this.#files.keys()]) {
      if (file === path || file.startsWith(`${path}/`)) this.#files.delete(file);
    }
  }

  stat(path: string): FileStat | undefined {
    const file = this.#files.get(path);
    if (file)
      return { kind: "file", size: file.bytes.length, stamp: String(file.version), changedMs: file.version };
    const isDir = path === "/" || [...this.#files.keys()].some((other) => other.startsWith(`${path}/`));
    return isDir ? { kind: "dir", size: 0, stamp: "", changedMs: 0 } : undefined;
  }

  list(dir: string): readonly DirEntry[] | undefined {
    if (this.stat(dir)?.kind !== "dir") return undefined;
    const prefix = dir === "/" ? "/" : `${dir}/`;
    const entries = new Map<string, DirEntry>();
    for (const path of this.#files.keys()) {
      if (!path.startsWith(prefix)) continue;
      const [name, ...below] = path.slice(prefix.length).split("/");
      entries.set(name!, { name: name!, kind: below.length > 0 ? "dir" : "file" });
    }
    return [...entries.values()];
  }

  read(path: string): Uint8Array {
    const file = this.#files.get(path);
    if (!file) throw Object.assign(new Error(`no such file: ${path}`), { code: "ENOENT", path });
    return file.bytes;
  }

  /** Every file below, absolute. */
  below(dir: string): string[] {
    return [...this.#files.keys()].filter((path) => path.startsWith(`${dir}/`) || dirname(path) === dir);
  }
}

/** One machine, on which only the processes named are alive. */
export class FakeProcesses implements Processes {
  readonly alivePids = new Set<number>([1]);
  readonly #self: ProcessName;

  constructor(pid = 1) {
    this.#self = { host: "here", boot: "boot", pid, start: "0" };
  }

  self(): ProcessName {
    return this.#self;
  }

  named(pid: number): ProcessName | undefined {
    return this.alivePids.has(pid) ? { ...this.#self, pid } : undefined;
  }

  end(process: ProcessName): void {
    this.alivePids.delete(process.pid);
  }

  alive(process: ProcessName): boolean | undefined {
    return process.host === "here" ? this.alivePids.has(process.pid) : undefined;
  }
}

export interface FakeWorker {
  readonly task: Task;
  readonly aborted: boolean;
  readonly killed: boolean;
  say(message: FromWorker): void;
  exit(exit?: Exit): void;
}

/** Workers that do what the test tells them: `work` is called when one gets its task. */
export function fakeSpawn(work: (worker: FakeWorker) => void): Spawn {
  return ({ onMessage }) => {
    let end: (exit: Exit) => void = () => {};
    const exited = new Promise<Exit>((resolve) => {
      end = resolve;
    });
    const state = { aborted: false, killed: false };
    const workerFor = (task: Task): FakeWorker => ({
      task,
      get aborted() {
        return state.aborted;
      },
      get killed() {
        return state.killed;
      },
      say: onMessage,
      exit: (exit = { code: 0 }) => end(exit),
    });
    return {
      exited,
      tail: () => [],
      send(message) {
        if (message.type === "abort") state.aborted = true;
        else queueMicrotask(() => work(workerFor(message.task)));
      },
      kill() {
        state.killed = true;
        end({ signal: "SIGKILL" });
      },
    };
  };
}

/** Does every task in this process: for operations in which there is nothing that could crash. */
export function inlineSpawn(operations: ReadonlyMap<string, Operation>): Spawn {
  return ({ onMessage }) => {
    const abort = new AbortController();
    let end: (exit: Exit) => void = () => {};
    const exited = new Promise<Exit>((resolve) => {
      end = resolve;
    });
    return {
      exited,
      tail: () => [],
      kill() {},
      send(message) {
        if (message.type === "abort") abort.abort();
        else {
          runTask(message.task, operations, { signal: abort.signal, progress() {} })
            .then((result) => onMessage({ type: "done", ...result }))
            .catch((error) => {
              const problem = asProblem(error) ?? { code: "bug", message: String(error) };
              onMessage({ type: "failed", error: problem });
            })
            .finally(() => end({ code: 0 }));
        }
      },
    };
  };
}
