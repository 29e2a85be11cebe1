// What the engine itself costs: a thousand trivial stages from nothing and with nothing to do, beside the engines on the PATH.
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { BenchRow } from "./main.ts";
import { measured } from "./memory.ts";

const align = fileURLToPath(new URL("../cli/bin/align.js", import.meta.url));

/** Half of the stages read a file each, the others what one of those made, the last one everything. */
interface Peer {
  /** Also the command by which it is known to be installed. */
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  /** The name and text of its file. */
  file(pairs: number): readonly [string, string];
  /** What else it needs. */
  readonly more?: (pairs: number) => Readonly<Record<string, string>>;
}

const numbers = (pairs: number): number[] => Array.from({ length: pairs }, (_, i) => i);
const list = (pairs: number, name: (i: number) => string, by = " ") => numbers(pairs).map(name).join(by);

const peers: readonly Peer[] = [
  {
    name: "make",
    command: ["make", "-s", "-j2", "all.txt"],
    file: (n) => [
      "Makefile",
      [
        ...numbers(n).map((i) => `a${i}.txt: in${i}.txt\n\tcat in${i}.txt > a${i}.txt`),
        ...numbers(n).map((i) => `b${i}.txt: a${i}.txt\n\tcat a${i}.txt > b${i}.txt`),
        `all.txt: ${list(n, (i) => `b${i}.txt`)}\n\tcat b*.txt > all.txt\n`,
      ].join("\n"),
    ],
  },
  {
    name: "ninja",
    command: ["ninja", "--quiet", "-j2"],
    file: (n) => [
      "build.ninja",
      [
        "rule cat\n  command = cat $in > $out",
        "rule all\n  command = cat b*.txt > $out",
        ...numbers(n).map((i) => `build a${i}.txt: cat in${i}.txt\nbuild b${i}.txt: cat a${i}.txt`),
        `build all.txt: all ${list(n, (i) => `b${i}.txt`)}\n`,
      ].join("\n"),
    ],
  },
  {
    name: "doit",
    command: ["doit", "-n2", "-v0"],
    file: (n) => [
      "dodo.py",
      `def task_cat():
    def cat(source, target):
        return {"name": target, "actions": [f"cat {source} > {target}"], "file_dep": source.split(), "targets": [target]}
    for i in range(${n}):
        yield cat(f"in{i}.txt", f"a{i}.txt")
        yield cat(f"a{i}.txt", f"b{i}.txt")
    yield cat(" ".join(f"b{i}.txt" for i in range(${n})), "all.txt")
`,
    ],
  },
  {
    name: "snakemake",
    command: ["snakemake", "-q", "-c2"],
    file: (n) => [
      "Snakefile",
      `rule all:
    input: [f"b{i}.txt" for i in range(${n})]
    output: "all.txt"
    shell: "cat b*.txt > {output}"
rule a:
    input: "in{i}.txt"
    output: "a{i}.txt"
    shell: "cat {input} > {output}"
rule b:
    input: "a{i}.txt"
    output: "b{i}.txt"
    shell: "cat {input} > {output}"
`,
    ],
  },
  {
    name: "wireit",
    command: ["npm", "run", "-s", "all"],
    file: (n) => {
      const task = (command: string, from: readonly string[], files: readonly string[], output: string) => ({
        command,
        dependencies: from,
        files,
        output: [output],
      });
      const tasks = Object.fromEntries([
        ...numbers(n).map((i) => [
          `a${i}`,
          task(`cat in${i}.txt > a${i}.txt`, [], [`in${i}.txt`], `a${i}.txt`),
        ]),
        ...numbers(n).map((i) => [`b${i}`, task(`cat a${i}.txt > b${i}.txt`, [`a${i}`], [], `b${i}.txt`)]),
        [
          "all",
          task(
            "cat b*.txt > all.txt",
            numbers(n).map((i) => `b${i}`),
            [],
            "all.txt",
          ),
        ],
      ]);
      const scripts = Object.fromEntries(Object.keys(tasks).map((name) => [name, "wireit"]));
      return ["package.json", JSON.stringify({ name: "bench", scripts, wireit: tasks })];
    },
  },
];

/**
 * Tasks are scripts of packages there, run by npm. With a thousand of them npm takes a second to find each, which says nothing of turbo: here `npm`
 * is a shell that runs the script of that name.
 */
const turbo: Peer = {
  name: "turbo",
  command: ["sh", "-c", 'PATH="$PWD/bin:$PATH" turbo run all --concurrency=2 --no-daemon --output-logs=none'],
  file: (n) => [
    "turbo.json",
    JSON.stringify({
      tasks: {
        a: { inputs: ["in.txt"], outputs: ["a.txt"] },
        b: { dependsOn: ["a"], inputs: ["a.txt"], outputs: ["b.txt"] },
        "//#all": { dependsOn: numbers(n).map((i) => `p${i}#b`), inputs: [], outputs: ["all.txt"] },
      },
    }),
  ],
  more: (n) => ({
    "bin/npm": '#!/bin/sh\n[ "$1" = run ] && exec sh "./$2.sh"\necho 11.0.0\n',
    "package.json": JSON.stringify({
      name: "bench",
      packageManager: "npm@11.0.0",
      workspaces: ["packages/*"],
      scripts: { all: "sh all.sh" },
    }),
    "package-lock.json": JSON.stringify({ name: "bench", lockfileVersion: 3, packages: {} }),
    "all.sh": "cat packages/*/b.txt > all.txt\n",
    ...Object.assign(
      {},
      ...numbers(n).map((i) => ({
        [`packages/p${i}/package.json`]: JSON.stringify({
          name: `p${i}`,
          scripts: { a: "sh a.sh", b: "sh b.sh" },
        }),
        [`packages/p${i}/in.txt`]: `line ${i}\n`,
        [`packages/p${i}/a.sh`]: "cat in.txt > a.txt\n",
        [`packages/p${i}/b.sh`]: "cat a.txt > b.txt\n",
      })),
    ),
  }),
};

const ours: Peer = {
  name: "Align",
  command: [process.execPath, align, "run", "bench.align", "--jobs", "2"],
  file: (n) => [
    "bench.align",
    [
      "pipeline bench",
      ...numbers(n).map((i) => `dataset a${i} = text("in${i}.txt")\ndataset b${i} = a${i} |> take(9)`),
      `dataset all = b0 |> concat([${list(n - 1, (i) => `b${i + 1}`, ", ")}])`,
      'publish all to "out"\n',
    ].join("\n"),
  ],
};

export async function* engineBench({ big }: { readonly big: boolean }): AsyncIterable<BenchRow> {
  const present = [...peers, turbo].filter(
    (peer) => spawnSync("sh", ["-c", `command -v ${peer.name}`]).status === 0,
  );
  const alone = measure(ours, 500);
  for (const peer of present) {
    const other = measure(peer, 500);
    for (const what of ["cold", "noop"] as const) {
      const name = `1,001 stages, ${what === "cold" ? "from nothing" : "nothing to do"}`;
      const [us, them] = [alone[what], other[what]];
      yield { name, peerName: peer.name, ours: us, peer: them, ratio: them / us, unit: "s" };
    }
  }
  if (!big) return;
  const tenfold = measure(ours, 5_000);
  for (const what of ["cold", "noop"] as const) {
    const name = `10,001 stages, ${what === "cold" ? "from nothing" : "nothing to do"}`;
    const them = 10 * alone[what];
    yield {
      name,
      peerName: "ten times 1,001",
      ours: tenfold[what],
      peer: them,
      ratio: them / tenfold[what],
      unit: "s",
    };
  }
  const [one, ten] = [await memory(500), await memory(5_000)];
  yield {
    name: "10,001 stages, memory of all processes",
    peerName: "ten times 1,001",
    ours: ten,
    peer: 10 * one,
    ratio: (10 * one) / ten,
    unit: "MB",
  };
}

/** Seconds of the whole process; the fastest of three with nothing to do. */
function measure(engine: Peer, pairs: number): { cold: number; noop: number } {
  const dir = project(engine, pairs);
  try {
    const run = (): number => {
      const [command, ...args] = engine.command;
      const started = performance.now();
      execFileSync(command, args, { cwd: dir, stdio: "ignore" });
      return (performance.now() - started) / 1000;
    };
    const cold = run();
    return { cold, noop: Math.min(run(), run(), run()) };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** MB that Align and its workers hold together at the most, from nothing. */
async function memory(pairs: number): Promise<number> {
  const dir = project(ours, pairs);
  try {
    const [command, ...args] = ours.command;
    return (await measured(command, [...args, "--json"], dir)).peak;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

function project(engine: Peer, pairs: number): string {
  const dir = mkdtempSync(join(tmpdir(), "align-overhead-"));
  for (const i of numbers(pairs)) writeFileSync(join(dir, `in${i}.txt`), `line ${i}\n`);
  const [name, text] = engine.file(pairs);
  for (const [path, content] of Object.entries({ [name]: text, ...engine.more?.(pairs) })) {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), content, { mode: 0o755 });
  }
  mkdirSync(join(dir, ".align"), { recursive: true });
  return dir;
}
