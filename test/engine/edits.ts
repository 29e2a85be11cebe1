// The truth table: edits of a project, and which of its stages each makes run again.
import {
  chmodSync,
  copyFileSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import type { Operation } from "../../engine/index.ts";
import { FakeClock } from "../../engine/testing.ts";
import type { RunWith, World } from "./world.ts";

export interface Edit {
  readonly what: string;
  /** Stages that run again, as a sentence of names; "" for none. */
  readonly reruns: string;
  readonly make?: (world: World) => unknown;
  /** How the run after it is started. */
  readonly with?: RunWith;
}

const afterSft = "samples scored pairs aligned result";
const afterBase = `sft ${afterSft}`;
const afterTrain = `bpe fresh base ${afterBase}`;

/** By what is touched. */
export const edits: Readonly<Record<string, readonly Edit[]>> = {
  "How the file is written": [
    { what: "a comment", reruns: "", make: (w) => w.change("pipeline truth", "// a remark\npipeline truth") },
    {
      what: "a doc comment",
      reruns: "",
      make: (w) => w.change("/// What is asked", "/// What is really asked"),
    },
    {
      what: "spaces and line ends",
      reruns: "",
      make: (w) =>
        w.change("{ steps: 20, learning_rate: 5e-3 }", "{\n  steps: 20\n\n  learning_rate:   5e-3\n}"),
    },
    {
      what: "the order of declarations",
      reruns: "",
      make: (w) => moveFirst(w, 'model cheer = lexicon("words.json")\n'),
    },
    {
      what: "the order of parameters",
      reruns: "",
      make: (w) => w.change("steps: 20, learning_rate: 5e-3", "learning_rate: 5e-3, steps: 20"),
    },
    {
      what: "the name of the pipeline",
      reruns: "",
      make: (w) => w.change("pipeline truth", "pipeline beauty"),
    },
    {
      what: "the name of a stage, wherever it is used",
      reruns: "",
      make: (w) => w.change("aligned", "tuned"),
    },
    {
      what: "the name of a param",
      reruns: "",
      make: (w) =>
        rename(w, [
          ["param beta:", "param strength:"],
          ["beta: beta", "beta: strength"],
          ["param beta = 0.5", "param strength = 0.5"],
        ]),
    },
    {
      what: "a number in another spelling (5e-3 → 0.005)",
      reruns: "",
      make: (w) => w.change("5e-3", "0.005"),
    },
    {
      what: "a default written out",
      reruns: "",
      make: (w) => w.change("{ samples: 2 }", "{ samples: 2, temperature: 1 }"),
    },
    {
      what: "a literal replaced by a param of the same value",
      reruns: "",
      make: (w) => w.change("vocab_size: 320", "vocab_size: 300 + 20"),
    },
    {
      what: "the expression of an `expect`",
      reruns: "",
      make: (w) => w.change("result.prompts > 0", "result.prompts > 1"),
    },
    {
      what: "where something is published",
      reruns: "",
      make: (w) => w.change("out/aligned", "out/elsewhere"),
    },
    {
      what: "a stage removed that nothing reads",
      reruns: "",
      make: (w) =>
        rename(w, [
          ["stage result  = compare(aligned, sft, prompts, judge: cheer)\n", ""],
          ["expect result.prompts > 0\n", ""],
        ]),
    },
    {
      what: "a stage added",
      reruns: "again",
      make: (w) =>
        w.change("profile big", "stage again = judge(samples, by: cheer) { score: full }\nprofile big"),
    },
    {
      what: "a stage that equals another one",
      reruns: "",
      make: (w) => w.change("profile big", "stage twin = judge(samples, by: cheer)\nprofile big"),
    },
  ],
  Parameters: [
    { what: "beta of dpo", reruns: "aligned result", make: (w) => w.change("= 0.1", "= 0.5") },
    { what: "beta of dpo with --set", reruns: "aligned result", with: { set: { beta: "0.5" } } },
    { what: "beta of dpo with --set, to what it is", reruns: "", with: { set: { beta: "0.1" } } },
    { what: "beta of dpo with a profile", reruns: "aligned result", with: { profile: "big" } },
    {
      what: "the smallest change of a number",
      reruns: "aligned result",
      make: (w) => w.change("= 0.1", "= 0.10000000000000002"),
    },
    {
      what: "learning_rate of sft",
      reruns: afterBase,
      make: (w) => w.change("epochs: 1, learning_rate: 1e-3", "epochs: 1, learning_rate: 2e-3"),
    },
    {
      what: "seed of sft",
      reruns: afterBase,
      make: (w) => w.change("epochs: 1, learning_rate: 1e-3", "epochs: 1, learning_rate: 1e-3, seed: 7"),
    },
    {
      what: "steps of pretrain",
      reruns: `base ${afterBase}`,
      make: (w) => w.change("steps: 20", "steps: 30"),
    },
    { what: "vocab_size of the tokenizer", reruns: afterTrain, make: (w) => w.change("320", "330") },
    {
      what: "temperature of generate",
      reruns: afterSft,
      make: (w) => w.change("{ samples: 2 }", "{ samples: 2, temperature: 0.7 }"),
    },
    {
      what: "what the judge reads",
      reruns: "scored pairs aligned result",
      make: (w) => w.change("by: cheer)\n", "by: cheer) { score: full }\n"),
    },
    {
      what: "micro_batch_size, recompute, checkpoint_every, steps_per_run, eval_every: how it is executed",
      reruns: "",
      make: (w) =>
        w.change(
          "{ beta: beta,",
          "{ micro_batch_size: 2, recompute: true, checkpoint_every: 5, steps_per_run: 4, eval_every: 10, beta: beta,",
        ),
    },
  ],
  Data: [
    { what: "a data file touched", reruns: "", make: (w) => utimesSync(w.path("corpus/one.txt"), 1, 1) },
    {
      what: "a data file replaced by its copy",
      reruns: "",
      make: (w) => replaceByCopy(w.path("corpus/one.txt")),
    },
    {
      what: "a data file renamed",
      reruns: "",
      make: (w) => {
        renameSync(w.path("demos.jsonl"), w.path("examples.jsonl"));
        w.change("demos.jsonl", "examples.jsonl");
      },
    },
    {
      what: "a path written in another way",
      reruns: "",
      make: (w) => w.change('["corpus/one.txt", "corpus/two.txt"]', '"./corpus/*.txt"'),
    },
    { what: "the project in another folder, with spaces and é", reruns: "" },
    { what: "a file that nobody names", reruns: "", make: (w) => w.write("notes.md", "nothing") },
    {
      what: "an empty line at the end of the corpus: the same sentences",
      reruns: "prose",
      make: (w) => w.edit("corpus/two.txt", "again.\n", "again.\n\n"),
    },
    {
      what: "a sentence behind those that `take` keeps",
      reruns: "prose train",
      make: (w) => w.write("corpus/two.txt", `${w.read("corpus/two.txt")}Nor did they.\n`),
    },
    {
      what: "a word in a sentence that is trained on",
      reruns: `prose train ${afterTrain}`,
      make: (w) => w.edit("corpus/one.txt", "old", "new"),
    },
    {
      what: "the same, with size and mtime kept",
      reruns: `prose train ${afterTrain}`,
      make: (w) => keepingTime(w.path("corpus/one.txt"), () => w.edit("corpus/one.txt", "old", "new")),
    },
    {
      what: "the order of two data files",
      reruns: `prose train ${afterTrain}`,
      make: (w) => w.change('"corpus/one.txt", "corpus/two.txt"', '"corpus/two.txt", "corpus/one.txt"'),
    },
    {
      what: "a demonstration",
      reruns: `demos ${afterBase}`,
      make: (w) => w.edit("demos.jsonl", "Nobody.", "Somebody."),
    },
    {
      what: "a prompt that is used",
      reruns: "prompts samples scored pairs aligned result",
      make: (w) => w.edit("prompts.jsonl", "The ship", "A ship"),
    },
    {
      what: "a prompt behind the last one used",
      reruns: "prompts",
      make: (w) => w.edit("prompts.jsonl", "At dawn", "At night"),
    },
    {
      what: "one score in the judge's word list",
      reruns: "cheer scored pairs aligned result",
      make: (w) => w.edit("words.json", '"good":2', '"good":1'),
    },
    {
      what: "a transform that changes nothing",
      reruns: "prompts",
      make: (w) => w.change("|> take(3)", "|> take(3) |> take(9)"),
    },
    {
      what: "a transform that takes fewer rows",
      reruns: `train ${afterTrain}`,
      make: (w) => w.change("take(6)", "take(5)"),
    },
  ],
  Inputs: [
    {
      what: "dpo from another model",
      reruns: "aligned result",
      make: (w) => w.change("dpo(sft, pairs)", "dpo(base, pairs)"),
    },
    {
      what: "compare against another baseline",
      reruns: "result",
      make: (w) => w.change("compare(aligned, sft,", "compare(aligned, base,"),
    },
    {
      what: "a stage that ran again and gave the same bytes (its operation has a new version)",
      reruns: "base",
      with: { operations: withVersion("pretrain", 99) },
    },
    {
      what: "another tensor backend that gives the same bytes: everything numeric",
      reruns: "base sft samples aligned result",
      with: { numerics: "cuda f32" },
    },
  ],
  Surroundings: [
    {
      what: "the number of jobs, threads and the device's name",
      reruns: "",
      with: { jobs: 1, threads: 7, device: "cpu" },
    },
    {
      what: "the environment, secrets among it",
      reruns: "",
      make: () => void Object.assign(process.env, { HF_TOKEN: "secret" }),
    },
    { what: "the clock set back to 1970", reruns: "", with: { clock: new FakeClock() } },
    {
      what: "the published copy edited or removed",
      reruns: "",
      make: (w) => rmSync(w.path("out"), { recursive: true }),
    },
    {
      what: "a model in the store cut short",
      reruns: "sft",
      make: (w) => damage(w, "sft", (path) => truncateSync(path, 3)),
    },
    {
      what: "a model in the store changed, with size and mtime kept",
      reruns: "sft",
      make: (w) =>
        damage(w, "sft", (path) =>
          keepingTime(path, () =>
            writeFileSync(path, readFileSync(path, "latin1").replace(/\d/, "x"), "latin1"),
          ),
        ),
    },
    {
      what: "a model in the store removed",
      reruns: "sft",
      make: (w) => damage(w, "sft", (path) => rmSync(path)),
    },
  ],
};

function moveFirst(world: World, line: string): void {
  const text = world.read("truth.align").replace(line, "");
  world.write("truth.align", text.replace("param beta", `${line}param beta`));
}

function rename(world: World, changes: readonly (readonly [string, string])[]): void {
  for (const [from, to] of changes) world.change(from, to);
}

function replaceByCopy(path: string): void {
  copyFileSync(path, `${path}.copy`);
  renameSync(`${path}.copy`, path);
}

function keepingTime(path: string, change: () => void): void {
  const { atime, mtime } = statSync(path);
  change();
  utimesSync(path, atime, mtime);
}

function withVersion(name: string, version: number) {
  return (all: ReadonlyMap<string, Operation>) => new Map([...all, [name, { ...all.get(name)!, version }]]);
}

/** Somebody's hands on the file that holds what a stage made. */
async function damage(world: World, node: string, hurt: (path: string) => void): Promise<void> {
  const { plan, store } = await world.run();
  const { tree } = plan.tasks.find(({ id }) => id === node)!.artifact!;
  const rows = (await store.manifest(tree))!.find(({ path }) => path === "rows.jsonl")!;
  const path = join(store.root, "objects", rows.sha256.slice(0, 2), rows.sha256);
  chmodSync(path, 0o644);
  chmodSync(dirname(path), 0o755);
  hurt(path);
}
