// A small project on a real disk whose stages are stand-ins: each writes down everything that reaches it, at no cost.
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import {
  canonicalJson,
  createPlan,
  type Event,
  type Operation,
  type OutputContext,
  openStore,
  type RunOptions,
  resolveFiles,
  run,
  writeRows,
} from "../../engine/index.ts";
import { keepStanding, standingRun, Witness } from "../../engine/standing.ts";
import { inlineSpawn } from "../../engine/testing.ts";
import { check } from "../../grammar/index.ts";
import { library, peekRow } from "../../stdlib/index.ts";

export const pipeline = `/// What is asked of an edit: which of these run again?
pipeline truth

param beta: float(> 0) = 0.1

dataset prose   = text(["corpus/one.txt", "corpus/two.txt"]) |> sentences(min_words: 2, max_words: 40)
dataset train   = prose |> take(6)
dataset demos   = jsonl("demos.jsonl") as Instruction
dataset prompts = jsonl("prompts.jsonl") as Prompt |> take(3)

stage bpe   = tokenizer(train) { vocab_size: 320 }
model fresh = decoder(bpe) { layers: 1 }
model cheer = lexicon("words.json")

stage base    = pretrain(fresh, train) { steps: 20, learning_rate: 5e-3 }
stage sft     = sft(base, demos) { epochs: 1, learning_rate: 1e-3 }
stage samples = generate(sft, prompts) { samples: 2 }
stage scored  = judge(samples, by: cheer)
stage pairs   = binarize(scored)
stage aligned = dpo(sft, pairs) { beta: beta, learning_rate: 1e-3 }
stage result  = compare(aligned, sft, prompts, judge: cheer)

profile big {
  param beta = 0.5
}

expect result.prompts > 0

publish aligned to "out/aligned"
`;

const files: Readonly<Record<string, string>> = {
  "truth.align": pipeline,
  "corpus/one.txt": "The sea was wide. The ship was old. Nobody spoke that night.\n",
  "corpus/two.txt": "The whale was white. It went down at dawn. We never saw it again.\n",
  "demos.jsonl":
    '{"prompt":"Who spoke?","completion":"Nobody."}\n{"prompt":"How was the ship?","completion":"Old."}\n',
  "prompts.jsonl":
    '{"prompt":"The sea"}\n{"prompt":"The whale"}\n{"prompt":"The ship"}\n{"prompt":"At dawn"}\n',
  "words.json": '{"good":2,"white":1,"old":-1}\n',
};

/** Datasets are real. A stage's artifact is a digest of what it was given, minus what only says how it is executed. */
const standIns: ReadonlyMap<string, Operation> = new Map(
  Array.from(library).map(([name, operation]): [string, Operation] => {
    if (["source", "transform"].includes(operation.kind)) return [name, operation];
    return [name, { ...operation, load: async () => ({ run: (ctx) => writeDown(operation, ctx) }) }];
  }),
);

async function writeDown({ name, params }: Operation, ctx: OutputContext<unknown>) {
  const given = Object.entries(ctx.params as Record<string, unknown>).filter(([param]) => {
    const schema = params.properties[param];
    return schema?.["x-execution"] !== true && schema?.["x-align"] !== "path";
  });
  const contents = Object.values(ctx.files)
    .flat()
    .map((file) => readFileSync(file, "base64"));
  const inputs = Object.entries(ctx.inputs).map(([input, artifacts]) => [
    input,
    artifacts.map((a) => a.digest),
  ]);
  const text = canonicalJson([name, Object.fromEntries(given), contents, Object.fromEntries(inputs)]);
  await writeRows(ctx.out, [{ text: createHash("sha256").update(text).digest("hex") }]);
  return { metrics: { prompts: 3 } };
}

const NUMERICS = "cpu f32";

export interface RunWith extends Partial<RunOptions> {
  readonly operations?: (operations: ReadonlyMap<string, Operation>) => ReadonlyMap<string, Operation>;
  readonly numerics?: string;
  readonly profile?: string;
  readonly set?: Readonly<Record<string, string>>;
}

/** Everything that a run is told, beside what it looks at. */
function askedFor(dir: string, { profile = "", set = {}, operations = (all) => all }: RunWith) {
  return [dir, profile, set, [...operations(standIns)].map(([name, { version }]) => `${name} ${version}`)];
}

export class World {
  readonly dir: string;

  constructor(dir = mkdtempSync(join(tmpdir(), "align-world-"))) {
    this.dir = dir;
    for (const [name, text] of Object.entries(files)) this.write(name, text);
  }

  /** A project of its own with the same files and the same store. */
  copy(name: string): World {
    const dir = join(mkdtempSync(join(tmpdir(), "align-world-")), name);
    cpSync(this.dir, dir, { recursive: true, preserveTimestamps: true });
    return Object.assign(Object.create(World.prototype), { dir }) as World;
  }

  path(name: string): string {
    return join(this.dir, name);
  }
  read(name: string): string {
    return readFileSync(this.path(name), "utf8");
  }
  write(name: string, text: string): void {
    mkdirSync(dirname(this.path(name)), { recursive: true });
    writeFileSync(this.path(name), text);
  }
  /** Replaces every `from`, of which there must be one. */
  edit(name: string, from: string, to: string): void {
    const text = this.read(name);
    if (!text.includes(from)) throw new Error(`${name} has no ${JSON.stringify(from)}`);
    this.write(name, text.replaceAll(from, to));
  }
  /** In the pipeline. */
  change(from: string, to: string): void {
    this.edit("truth.align", from, to);
  }
  remove(): void {
    rmSync(this.dir, { recursive: true, force: true });
  }

  /** Whether a run with these options would be told from memory, because nothing that the last one rested on has changed. */
  stands({ numerics = NUMERICS, ...options }: RunWith = {}): boolean {
    const now = { numerics, isSet: () => false };
    return standingRun(this.path(".align"), askedFor(this.dir, options), now) !== undefined;
  }

  async run({
    operations: changed = (all) => all,
    numerics = NUMERICS,
    profile,
    set,
    ...options
  }: RunWith = {}) {
    const path = this.path("truth.align");
    const witness = new Witness();
    witness.read(path);
    const host = {
      resolve: (spec: string, as?: "path" | "folder") => resolveFiles(spec, path, witness, as),
      peek: (spec: string) => peekRow(spec, path),
    };
    const given = { ...(profile === undefined ? {} : { profile }), ...(set === undefined ? {} : { set }) };
    const { program, diagnostics } = check({ path, text: this.read("truth.align") }, library, host, given);
    const errors = diagnostics.filter(({ severity }) => severity === "error");
    if (!program || errors.length > 0) throw new Error(JSON.stringify(errors, undefined, 1));
    const store = openStore(this.path(".align"));
    const operations = changed(standIns);
    const planned = await createPlan(program, { operations, store, numerics, files: witness });
    if ("problems" in planned) throw new Error(JSON.stringify(planned.problems));
    const events: Event[] = [];
    const all = { store, spawn: inlineSpawn(operations), jobs: 2, ...options };
    for await (const event of run(planned.plan, all)) events.push(event);
    const failed = events.find((event) => event.type === "task-failed");
    if (failed) throw new Error(JSON.stringify(failed));
    const of = (event: Event) =>
      event.type === "task-finished" || event.type === "task-cached" ? [event] : [];
    const artifacts = new Map(events.flatMap(of).map((event) => [event.node, event]));
    const published: string[] = [];
    for (const event of events) {
      if (event.type !== "published") continue;
      const manifest = await store.manifest(artifacts.get(event.node)!.tree);
      published.push(...manifest!.map((entry) => join(event.to, entry.path)));
    }
    const ended = { plan: planned.plan, artifacts, events, outcome: "done" as const, published, witness };
    await keepStanding(store, askedFor(this.dir, { ...given, operations: changed }), ended);
    return { plan: planned.plan, events, store };
  }

  /** The nodes that ran, in the order of the file. */
  async reruns(options?: RunWith): Promise<string[]> {
    const { plan, events } = await this.run(options);
    const ran = new Set(events.flatMap((event) => (event.type === "task-finished" ? [event.node] : [])));
    return plan.tasks.map(({ id }) => id).filter((id) => ran.has(id));
  }
}
