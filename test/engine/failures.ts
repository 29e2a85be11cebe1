// Twelve ways in which engines lose work or give wrong results, done to any engine that has an adapter in engines.ts.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Engine } from "./engines.ts";

/** `ok`: the right output without a human step. `wrong`: a wrong one, and status 0. `asks`: it stops and wants something done. */
export type Result = "ok" | "wrong" | "asks" | "-";

/** Writes the word, takes its time, then writes what was read: a kill in between leaves half a file. */
const TASK = `printf '%s ' "$3" > "$2"
echo started >> runs.log
sleep "$(cat pace)"
cat "$1" >> "$2"
`;
const LARGE_TASK = `${TASK}head -c 300000000 /dev/zero >> "$2"
echo written >> runs.log
`;

export class Project {
  readonly dir = mkdtempSync(join(tmpdir(), "align-failure-"));
  readonly engine: Engine;
  #word = "first";

  constructor(engine: Engine, task = TASK) {
    this.engine = engine;
    this.write("task.sh", task);
    this.write("in.txt", "one two three four five\n");
    this.write("runs.log", "");
    this.pace(0);
    engine.write(this.dir, this.#word);
  }

  path(name: string): string {
    return join(this.dir, name);
  }
  write(name: string, text: string): void {
    writeFileSync(this.path(name), text);
  }
  read(name: string): string {
    return existsSync(this.path(name)) ? readFileSync(this.path(name), "utf8") : "";
  }
  pace(seconds: number): void {
    this.write("pace", `${seconds}`);
  }
  word(word: string): void {
    this.#word = word;
    this.engine.write(this.dir, word);
  }
  /** How often the task has begun. */
  get runs(): number {
    return this.read("runs.log").split("started").length - 1;
  }

  start(): { child: ChildProcess; ended: Promise<number> } {
    const [command, ...args] = this.engine.command;
    const env = { ...process.env, ALIGN_STORE: join(this.dir, ".align"), ALIGN_DEVICE: "cpu" };
    const child = spawn(command, args, { cwd: this.dir, detached: true, stdio: "ignore", env });
    const ended = new Promise<number>((resolve) => child.on("exit", (code) => resolve(code ?? -1)));
    return { child, ended };
  }
  run(): Promise<number> {
    return this.start().ended;
  }
  /** Started, and in the middle of its task. */
  async startUntil(said: string): Promise<ReturnType<Project["start"]>> {
    const started = this.start();
    for (let i = 0; !this.read("runs.log").includes(said); i++) {
      if (i > 6000) throw new Error(`${this.engine.name} never said ${said}`);
      await sleep(10);
    }
    return started;
  }

  /** After a last run: what became of the output. */
  verdict(status: number): Result {
    const wanted = `${this.#word} ${this.read("in.txt")}`;
    if (this.read(this.engine.output) === wanted && status === 0) return "ok";
    return status === 0 ? "wrong" : "asks";
  }
  remove(): void {
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/** Everything that descends from a process, youngest last; `ps` sees through sessions and groups. */
function descendants(pid: number): number[] {
  const lines = execFileSync("ps", ["-eo", "pid=,ppid="], { encoding: "utf8" }).trim().split("\n");
  const pairs = lines.map((line) => line.trim().split(/\s+/).map(Number) as [number, number]);
  const all = [pid];
  for (const parent of all) for (const [child, of] of pairs) if (of === parent) all.push(child);
  return all.slice(1);
}

function kill(pids: readonly number[]): void {
  for (const pid of pids) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // Gone a moment ago.
    }
  }
}

function keepingTime(path: string, change: () => void): void {
  const { atime, mtime, mode } = statSync(path);
  chmodSync(path, 0o644);
  change();
  utimesSync(path, atime, mtime);
  chmodSync(path, mode);
}

/** Long enough for a stray task to do its harm, short enough to wait for. */
const PACE = 2;

type Failure = (project: Project) => Promise<Result>;

async function built(project: Project): Promise<void> {
  const status = await project.run();
  if (project.verdict(status) !== "ok")
    throw new Error(`${project.engine.name} does not even build (${status})`);
  // Two edits within a tick of the clock are another failure than these.
  await sleep(1100);
}

export const failures: Readonly<Record<string, Failure>> = {
  "the whole tree is killed in the middle of a task": async (project) => {
    project.pace(PACE);
    const { child, ended } = await project.startUntil("started");
    kill([child.pid!, ...descendants(child.pid!)]);
    await ended;
    return project.verdict(await project.run());
  },
  "the engine alone is killed, and started again at once": async (project) => {
    project.pace(PACE);
    const { child, ended } = await project.startUntil("started");
    kill([child.pid!]);
    await ended;
    const status = await project.run();
    const atOnce = project.verdict(status);
    // What was left running has had its time.
    await sleep(PACE * 1000 + 500);
    return atOnce === "ok" ? project.verdict(status) : atOnce;
  },
  "the task is killed (out of memory), and the engine started again": async (project) => {
    project.pace(PACE);
    const { child, ended } = await project.startUntil("started");
    // The task is the shell with the script and what it started.
    const task = descendants(child.pid!).filter((pid) => commandOf(pid).includes("task.sh"));
    kill(task);
    await ended;
    return project.verdict(await project.run());
  },
  "the output is edited, size and mtime kept": async (project) => {
    await built(project);
    const path = project.path(project.engine.output);
    keepingTime(path, () => writeFileSync(path, readFileSync(path, "utf8").replace("two", "owt")));
    return project.verdict(await project.run());
  },
  "the output is edited": async (project) => {
    await built(project);
    const path = project.path(project.engine.output);
    chmodSync(path, 0o644);
    writeFileSync(path, "something else\n");
    return project.verdict(await project.run());
  },
  "an input is touched: nothing must run": async (project) => {
    await built(project);
    const now = Date.now() / 1000;
    utimesSync(project.path("in.txt"), now, now);
    const status = await project.run();
    return project.runs > 1 ? "wrong" : project.verdict(status);
  },
  "an input is edited, size and mtime kept": async (project) => {
    await built(project);
    const path = project.path("in.txt");
    keepingTime(path, () => project.write("in.txt", project.read("in.txt").replace("two", "owt")));
    return project.verdict(await project.run());
  },
  "the command line is edited": async (project) => {
    await built(project);
    project.word("second");
    return project.verdict(await project.run());
  },
  "the body of the script is edited, which nobody declared": async (project) => {
    await built(project);
    project.write("task.sh", TASK.replace("printf '%s '", "printf '%s  '"));
    const status = await project.run();
    const right = project.read(project.engine.output) === `first  ${project.read("in.txt")}`;
    return right ? "ok" : status === 0 ? "wrong" : "asks";
  },
  "a file of the cache is cut short, and the output deleted": async (project) => {
    await built(project);
    const blobs = project.engine.blobs?.(project.dir);
    if (!blobs) return "-";
    for (const blob of blobs) {
      chmodSync(blob, 0o644);
      truncateSync(blob, 10);
    }
    rmSync(project.path(project.engine.output));
    return project.verdict(await project.run());
  },
  "the whole tree is killed while 300 MB are put into the cache": async (small) => {
    if (!small.engine.blobs) return "-";
    for (const delayMs of [20, 100, 200, 350, 500]) {
      const project = new Project(small.engine, LARGE_TASK);
      try {
        const { child, ended } = await project.startUntil("written");
        await sleep(delayMs);
        kill([child.pid!, ...descendants(child.pid!)]);
        await ended;
        // Whatever it left in its cache must not be taken for the whole.
        rmSync(project.path(project.engine.output), { force: true });
        const status = await project.run();
        const whole = `first ${project.read("in.txt")}`.length + 300_000_000;
        const found = statSync(project.path(project.engine.output), { throwIfNoEntry: false })?.size;
        if (found !== whole) return status === 0 ? "wrong" : "asks";
      } finally {
        project.remove();
      }
    }
    return "ok";
  },
  "two engines are started at once in one folder": async (project) => {
    project.pace(1);
    const statuses = await Promise.all([project.run(), project.run()]);
    const result = project.verdict(Math.max(...statuses));
    return result === "ok" && project.runs > 1 ? "wrong" : result;
  },
};

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "latin1").replaceAll("\0", " ");
  } catch {
    return "";
  }
}

export async function suffer(engine: Engine, failure: Failure): Promise<Result> {
  const project = new Project(engine);
  try {
    return await failure(project);
  } finally {
    project.remove();
  }
}
