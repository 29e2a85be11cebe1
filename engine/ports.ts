// What the engine asks of the world it runs in; the in-memory twins are in testing.ts.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { hostname } from "node:os";

export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Calls back once, later; returns how to call it off. */
  after(ms: number, then: () => void): () => void;
}

export interface FileStat {
  readonly kind: "file" | "dir" | "other";
  readonly size: number;
  /** Changes whenever the content may have: device, inode, size, mtime and ctime in nanoseconds. */
  readonly stamp: string;
  /** When the inode last changed, milliseconds since 1970. */
  readonly changedMs: number;
}

export interface DirEntry {
  readonly name: string;
  readonly kind: "file" | "dir" | "link" | "other";
}

/** Looking at files. Writing them is the store's business. */
export interface FileSystem {
  stat(path: string): FileStat | undefined;
  /** Undefined when it is not a readable folder. */
  list(dir: string): readonly DirEntry[] | undefined;
  read(path: string): Uint8Array;
}

/** A process, told apart from a later one with the same number. */
export interface ProcessName {
  readonly host: string;
  /** Differs after every boot of the machine. */
  readonly boot: string;
  readonly pid: number;
  /** In the system's own ticks; "" where it cannot be known. */
  readonly start: string;
}

export interface Processes {
  self(): ProcessName;
  /** Undefined when there is none. */
  named(pid: number): ProcessName | undefined;
  /** Undefined when it is on another machine. */
  alive(process: ProcessName): boolean | undefined;
  /** Ends a process of this machine, and the group that it leads, at once. */
  end(process: ProcessName): void;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, then) {
    const timer = setTimeout(then, ms);
    return () => clearTimeout(timer);
  },
};

export const systemFiles: FileSystem = {
  stat(path) {
    const s = statSync(path, { bigint: true, throwIfNoEntry: false });
    if (!s) return undefined;
    return {
      kind: s.isFile() ? "file" : s.isDirectory() ? "dir" : "other",
      size: Number(s.size),
      stamp: `${s.dev}:${s.ino}:${s.size}:${s.mtimeNs}:${s.ctimeNs}`,
      changedMs: Number(s.ctimeMs),
    };
  },
  list(dir) {
    try {
      return readdirSync(dir, { withFileTypes: true }).map((e) => ({
        name: e.name,
        kind: e.isFile() ? "file" : e.isDirectory() ? "dir" : e.isSymbolicLink() ? "link" : "other",
      }));
    } catch {
      return undefined;
    }
  },
  read: (path) => readFileSync(path),
};

export const systemProcesses: Processes = {
  self() {
    own ??= nameOf(process.pid);
    return own;
  },
  named: (pid) => (answers(pid) ? nameOf(pid) : undefined),
  alive(name) {
    if (name.host !== hostname()) return undefined;
    if (name.boot !== bootId()) return false;
    const start = startTime(name.pid);
    if (start !== undefined) return start === name.start;
    return name.start === "" && answers(name.pid);
  },
  end(name) {
    if (systemProcesses.alive(name) !== true) return;
    for (const target of [-name.pid, name.pid]) {
      try {
        process.kill(target, "SIGKILL");
      } catch {
        // No group, or gone a moment ago.
      }
    }
  },
};

let own: ProcessName | undefined;

function nameOf(pid: number): ProcessName {
  return { host: hostname(), boot: bootId(), pid, start: startTime(pid) ?? "" };
}

/** Field 22 of /proc/PID/stat; undefined without /proc or without the process. */
function startTime(pid: number): string | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "latin1");
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    // A zombie is as good as gone: it writes nothing any more.
    return fields[0] === "Z" ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

function answers(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as { code?: string }).code === "EPERM";
  }
}

let boot: string | undefined;
function bootId(): string {
  try {
    boot ??= readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim();
  } catch {
    boot = "";
  }
  return boot;
}
