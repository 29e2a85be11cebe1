// Align and its peers as the failure table needs them: the same task in each one's own file, and how to start it.
import { execFileSync } from "node:child_process";
import { readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { bin } from "../align.ts";

export interface Engine {
  readonly name: string;
  /** Undefined where it is not installed. */
  version(): string | undefined;
  /** Writes the engine's file: the task runs `sh task.sh in.txt OUTPUT word`. */
  write(dir: string, word: string): void;
  readonly command: readonly [string, ...string[]];
  /** Relative to the project. */
  readonly output: string;
  /** Files of its cache that hold the output; undefined where there is no cache. */
  readonly blobs?: (dir: string) => string[];
}

const align: Engine = {
  name: "Align",
  version: () => "this version",
  write: (dir, word) =>
    writeFileSync(
      join(dir, "task.align"),
      `pipeline task

stage made = exec() { run: "sh task.sh in.txt {out}/out.txt ${word}", output: Files }

publish made to "out"
`,
    ),
  command: [process.execPath, bin, "run", "task.align"],
  output: "out/out.txt",
  blobs: (dir) => filesBelow(join(dir, ".align", "objects")).filter((path) => statSync(path).size > 20),
};

const make: Engine = {
  name: "make",
  version: () => versionOf("make", "--version"),
  write: (dir, word) =>
    writeFileSync(join(dir, "Makefile"), `out.txt: in.txt\n\tsh task.sh in.txt out.txt ${word}\n`),
  command: ["make"],
  output: "out.txt",
};

const ninja: Engine = {
  name: "ninja",
  version: () => versionOf("ninja", "--version"),
  write: (dir, word) =>
    writeFileSync(
      join(dir, "build.ninja"),
      `rule task\n  command = sh task.sh $in $out ${word}\nbuild out.txt: task in.txt\n`,
    ),
  command: ["ninja"],
  output: "out.txt",
};

const doit: Engine = {
  name: "doit",
  version: () => versionOf("doit", "--version"),
  write: (dir, word) =>
    writeFileSync(
      join(dir, "dodo.py"),
      `def task_out():\n    return {"actions": ["sh task.sh in.txt out.txt ${word}"], "file_dep": ["in.txt"], "targets": ["out.txt"]}\n`,
    ),
  command: ["doit"],
  output: "out.txt",
};

const snakemake: Engine = {
  name: "snakemake",
  version: () => versionOf("snakemake", "--version"),
  write: (dir, word) =>
    writeFileSync(
      join(dir, "Snakefile"),
      `rule out:\n    input: "in.txt"\n    output: "out.txt"\n    shell: "sh task.sh {input} {output} ${word}"\n`,
    ),
  command: ["snakemake", "-q", "-c1"],
  output: "out.txt",
};

const wireit: Engine = {
  name: "wireit",
  version: () => installed("wireit"),
  write: (dir, word) => {
    const task = { command: `sh task.sh in.txt out.txt ${word}`, files: ["in.txt"], output: ["out.txt"] };
    const file = { name: "task", scripts: { out: "wireit" }, wireit: { out: task } };
    writeFileSync(join(dir, "package.json"), JSON.stringify(file));
  },
  command: ["npm", "run", "-s", "out"],
  output: "out.txt",
  blobs: (dir) => filesBelow(join(dir, ".wireit")).filter((path) => path.endsWith("out.txt")),
};

export const engines: readonly Engine[] = [align, make, ninja, doit, snakemake, wireit];
export { align };

function versionOf(command: string, flag: string): string | undefined {
  try {
    const text = execFileSync(command, [flag], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
    return /\d+(\.\d+)+/.exec(text)?.[0];
  } catch {
    return undefined;
  }
}

/** Wireit answers no `--version`: it is on the PATH, or it is not. */
function installed(command: string): string | undefined {
  try {
    execFileSync("sh", ["-c", `command -v ${command}`], { stdio: "ignore" });
    return "on the PATH";
  } catch {
    return undefined;
  }
}

function filesBelow(dir: string): string[] {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}
