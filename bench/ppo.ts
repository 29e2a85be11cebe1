// One iteration of PPO, phase by phase: rollout, scoring, update; Align's `ppo` stage against TRL's trainer on the same models and prompts.
import { mkdtempSync, rmSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import os from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import type { Event } from "../engine/index.ts";
import { initialize, stream } from "../tensor/index.ts";
import { tokenizerFiles, trainBpe, wordCounter, writeModelFolder } from "../tensor/io/index.ts";
import type { BenchOptions, BenchRow } from "./main.ts";

interface Case {
  readonly name: string;
  readonly config: Readonly<Record<string, number>>;
  /** Tokens of a prompt, and new ones. */
  readonly prompt: number;
  readonly tokens: number;
  readonly batch: number;
  readonly minibatch: number;
  readonly epochs: number;
  /** The first one compiles, on either side, and does not count. */
  readonly iterations: number;
  readonly rounds: number;
}

/** The sizes of pipelines/instructgpt.align's laptop profile. */
const tiny: Case = {
  name: "0.14M, 128 x 28 tokens",
  config: {
    vocab_size: 512,
    hidden_size: 64,
    intermediate_size: 192,
    num_hidden_layers: 2,
    num_attention_heads: 4,
    num_key_value_heads: 4,
    max_position_embeddings: 64,
  },
  prompt: 12,
  tokens: 28,
  batch: 128,
  minibatch: 64,
  epochs: 2,
  iterations: 4,
  rounds: 2,
};
/** The shapes of SmolLM2-135M; policy, reference, reward model and value function are one of them each. */
const big: Case = {
  name: "135M, 8 x 32 tokens",
  config: {
    vocab_size: 49152,
    hidden_size: 576,
    intermediate_size: 1536,
    num_hidden_layers: 30,
    num_attention_heads: 9,
    num_key_value_heads: 3,
    max_position_embeddings: 2048,
  },
  prompt: 32,
  tokens: 32,
  batch: 8,
  minibatch: 8,
  epochs: 1,
  iterations: 2,
  rounds: 1,
};

const threads = 2;
const phases = ["rollout", "scoring", "update"] as const;
/** Seconds of an iteration. */
type Phases = Readonly<Record<(typeof phases)[number], number>>;

export async function* ppoBench({ python, big: also, only = "" }: BenchOptions): AsyncIterable<BenchRow> {
  for (const shape of [tiny, ...(also ? [big] : [])]) {
    if (!shape.name.includes(only)) continue;
    const dir = mkdtempSync(join(os.tmpdir(), "align-bench-ppo-"));
    try {
      const prompts = await write(dir, shape);
      const [ours, theirs]: [Phases[], Phases[]] = [[], []];
      // In turns, so that a slow minute of the machine hits both.
      for (let round = 0; round < shape.rounds; round++) {
        ours.push(...(await iterationsOfAlign(dir, round)).slice(1));
        theirs.push(...(await iterationsOfTrl(python, dir, prompts, shape)).slice(1));
      }
      const whole = ({ rollout, scoring, update }: Phases) => rollout + scoring + update;
      const of = { iteration: whole, ...Object.fromEntries(phases.map((p) => [p, (x: Phases) => x[p]])) };
      for (const [phase, seconds] of Object.entries(of)) {
        const [mine, peer] = [ours, theirs].map((all) => 1000 * Math.min(...all.map(seconds)));
        yield {
          name: `${shape.name}: ${phase}`,
          peerName: "TRL",
          ours: mine!,
          peer: peer!,
          ratio: peer! / mine!,
          unit: "ms",
        };
      }
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  }
}

/** A model with random weights, prompts of random letters, and what is to be done with them. Gives the prompts' tokens. */
async function write(dir: string, shape: Case): Promise<number[][]> {
  const config = { ...shape.config, rms_norm_eps: 1e-5, tie_word_embeddings: true } as never;
  const counter = wordCounter();
  counter.add("a");
  const bytes = trainBpe(counter.counts, { vocabSize: 257, minFrequency: 1, specialTokens: ["<end>"] });
  // A letter is a token. The others are there to be drawn.
  const others = Array.from({ length: shape.config.vocab_size! - bytes.vocab.size }, (_, i) => `other${i}`);
  const vocab = new Map([...bytes.vocab.keys(), ...others].map((token, id) => [token, id]));
  const random = stream("bench");
  await writeModelFolder(await folder(dir, "policy"), {
    config: {
      ...(config as object),
      model_type: "llama",
      architectures: ["LlamaForCausalLM"],
      bos_token_id: null,
      eos_token_id: vocab.get("<end>")!,
    },
    tokenizer: tokenizerFiles({ ...bytes, vocab }, { eos: "<end>" }),
    tensors: new Map(
      Object.entries(initialize(config, random.split("weights"))).map(([name, { shape, data }]) => [
        name,
        { shape: [...shape], data },
      ]),
    ),
  });
  const texts = Array.from({ length: 2 * shape.batch }, () =>
    Array.from({ length: shape.prompt }, () => String.fromCharCode(97 + random.int(26))).join(""),
  );
  const lines = (rows: readonly object[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join("");
  await writeFile(join(dir, "prompts.jsonl"), lines(texts.map((prompt) => ({ prompt }))));
  await writeFile(join(dir, "pairs.jsonl"), lines([{ prompt: "a", chosen: "b", rejected: "c" }]));
  await writeFile(
    join(dir, "ppo.align"),
    `pipeline bench
param seed: int = 0
dataset prompts = jsonl("prompts.jsonl") as Prompt
dataset pairs = jsonl("pairs.jsonl")
model policy = local("policy")
stage rm = reward(policy, pairs) { steps: 1, batch_size: 1 }
stage tuned = ppo(policy, rm, prompts) {
  episodes: ${shape.batch * shape.iterations}, batch_size: ${shape.batch}, minibatch_size: ${shape.minibatch}
  inner_epochs: ${shape.epochs}, max_new_tokens: ${shape.tokens}, seed: seed, checkpoint_every: 3600
}
`,
  );
  return texts.map((text) => [...text].map((letter) => vocab.get(letter)!));
}

async function folder(dir: string, name: string): Promise<string> {
  const made = join(dir, name);
  await mkdir(made);
  return made;
}

/** From what the stage says of every iteration. The reward model is made by the first run. */
async function iterationsOfAlign(dir: string, seed: number): Promise<Phases[]> {
  const bin = fileURLToPath(new URL("../cli/bin/align.js", import.meta.url));
  const run = [
    "run",
    join(dir, "ppo.align"),
    "--store",
    join(dir, "store"),
    "--set",
    `seed=${seed}`,
    "--json",
  ];
  const { stdout } = await execa(process.execPath, [bin, ...run], {
    env: { ALIGN_DEVICE: "cpu" },
    maxBuffer: 2 ** 28,
  });
  return stdout
    .split("\n")
    .map((line) => JSON.parse(line) as Event)
    .flatMap((event) => (event.type === "task-progress" && event.node === "tuned" ? [event.metrics!] : []))
    .map((m) => ({ rollout: m.rollout_seconds!, scoring: m.scoring_seconds!, update: m.update_seconds! }));
}

async function iterationsOfTrl(
  python: string,
  dir: string,
  prompts: readonly (readonly number[])[],
  shape: Case,
): Promise<Phases[]> {
  const script = fileURLToPath(new URL("./ppo_trl.py", import.meta.url));
  const input = JSON.stringify({ ...shape, folder: join(dir, "policy"), prompts, threads });
  const { stdout } = await execa(python, [script], { input, stderr: "ignore" });
  return JSON.parse(stdout.trim().split("\n").at(-1)!) as Phases[];
}
