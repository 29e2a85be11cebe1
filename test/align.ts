// Runs the built command line as a person would, in a folder of its own.
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa, type Options, type ResultPromise } from "execa";

const root = fileURLToPath(new URL("..", import.meta.url));
export const bin = join(root, "cli/bin/align.js");

export interface Workspace {
  readonly dir: string;
  /** Exit status, stdout and stderr of `align …args`. */
  align(...args: string[]): Promise<{ status: number; stdout: string; stderr: string }>;
  start(...args: string[]): ResultPromise<Options>;
  /** Events of `align run FILE --json …`. */
  events(file: string, ...args: string[]): Promise<RunEvent[]>;
  write(path: string, text: string): Promise<void>;
  read(path: string): Promise<string>;
  edit(path: string, change: (text: string) => string): Promise<void>;
  remove(): Promise<void>;
}

export type RunEvent = {
  readonly type: string;
  readonly node?: string;
  readonly outcome?: string;
} & Readonly<Record<string, unknown>>;

/** An empty folder, or a copy of one of ours. */
export async function workspace(from?: string): Promise<Workspace> {
  const dir = await mkdtemp(join(tmpdir(), "align-test-"));
  if (from)
    await cp(join(root, from), dir, { recursive: true, filter: (path) => !path.endsWith(".test.ts") });
  const options = {
    cwd: dir,
    reject: false,
    stdin: "ignore",
    env: {
      NO_COLOR: "1",
      ALIGN_STORE: join(dir, ".align"),
      ALIGN_DEVICE: "cpu",
      CI: "1",
      FORCE_COLOR: undefined,
    },
  } as const;
  const start = (...args: string[]) =>
    execa(process.execPath, [bin, ...args], options) as ResultPromise<Options>;

  return {
    dir,
    start,
    async align(...args) {
      const { exitCode, stdout, stderr } = await execa(process.execPath, [bin, ...args], options);
      return { status: exitCode ?? -1, stdout, stderr };
    },
    async events(file, ...args) {
      const { stdout } = await execa(process.execPath, [bin, "run", file, "--json", ...args], options);
      return stdout
        .split("\n")
        .filter(Boolean)
        .map((line) => JSON.parse(line) as RunEvent);
    },
    write: (path, text) => writeFile(join(dir, path), text),
    read: (path) => readFile(join(dir, path), "utf8"),
    async edit(path, change) {
      await writeFile(join(dir, path), change(await readFile(join(dir, path), "utf8")));
    },
    remove: () => rm(dir, { recursive: true, force: true }),
  };
}

/** Nodes that ran, in order of finishing. */
export function ran(events: readonly RunEvent[]): string[] {
  return events.filter(({ type }) => type === "task-finished").map(({ node }) => node!);
}
