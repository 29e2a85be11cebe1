// A large JSONL on its way to training: read, put into words, tokenised, packed; beside datasets, tokenizers and TRL's packing.
import { createWriteStream, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { stream } from "../tensor/index.ts";
import type { BenchOptions, BenchRow } from "./main.ts";
import { measured } from "./memory.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const align = join(root, "cli/bin/align.js");
const peer = join(root, "bench/data_hf.py");

const LENGTH = 1024;

/** The one step is the smallest there is: what counts is all that comes before it. */
const pipeline = `
pipeline data
dataset rows = jsonl("data.jsonl")
dataset some = rows |> take(4_000) |> select(text: answer)
stage words = tokenizer(some) { vocab_size: 8192 }
model small = decoder(words) { layers: 1, hidden_size: 16, heads: 1, intermediate_size: 16, max_length: ${LENGTH} }
template asked { input: "Question: {{ question }}\\nAnswer:", target: "{{ answer }}" }
stage tuned = sft(small, rows) { template: asked, packing: true, steps: 1, batch_size: 1 }
publish words to "words"
`;

/** Megabytes that both read, megabytes that only a stream can read in this much memory. */
const [SMALL, BIG, LIMIT] = [300, 5000, 1000];

export async function* dataBench({ python, big }: BenchOptions): AsyncGenerator<BenchRow> {
  const dir = mkdtempSync(join(tmpdir(), "align-bench-data-"));
  try {
    await writeRows(join(dir, "data.jsonl"), SMALL * 1e6);
    const ours = await alignOn(dir);
    const [data, words, cache] = ["data.jsonl", "words", "cache"].map((name) => join(dir, name));
    const { output, peak } = await measured(python, [peer, data!, words!, String(LENGTH), cache!]);
    const { seconds } = JSON.parse(output) as { seconds: number };
    const speed = megabytes(data!) / seconds;
    const peerName = "datasets, tokenizers, TRL";
    yield {
      name: `${SMALL} MB of JSONL to packed rows`,
      ours: ours.speed,
      peer: speed,
      peerName,
      ratio: ours.speed / speed,
      unit: "MB/s",
    };
    yield {
      name: "memory for that",
      ours: ours.peak,
      peer: peak,
      peerName,
      ratio: peak / ours.peak,
      unit: "MB",
    };
    if (!big) return;
    rmSync(cache!, { recursive: true });
    await writeRows(data!, BIG * 1e6);
    const large = await alignOn(dir);
    yield {
      name: `${BIG} MB of JSONL to packed rows`,
      ours: large.speed,
      peer: speed,
      peerName: `theirs on ${SMALL} MB`,
      ratio: large.speed / speed,
      unit: "MB/s",
    };
    yield {
      name: "memory for that",
      ours: large.peak,
      peer: LIMIT,
      peerName: "limit",
      ratio: LIMIT / large.peak,
      unit: "MB",
    };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

const megabytes = (path: string): number => statSync(path).size / 1e6;

/** Reading the rows and training's way to its first step, of a run from an empty store. */
async function alignOn(dir: string): Promise<{ speed: number; peak: number }> {
  const [file, store] = [join(dir, "data.align"), join(dir, "store")];
  await writeFile(file, pipeline);
  const run = ["run", file, "--store", store, "--device", "cpu", "--json"];
  const { output, peak } = await measured(process.execPath, [align, ...run]);
  rmSync(store, { recursive: true });
  const events = output
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  const seconds = ["rows", "tuned"]
    .map((node) => events.find((e) => e.type === "task-finished" && e.node === node)!.seconds as number)
    .reduce((sum, s) => sum + s, 0);
  return { speed: megabytes(join(dir, "data.jsonl")) / seconds, peak };
}

/** Questions of a sentence, answers of 2 to 14, all from two books of prose, so that words are as frequent as they are in prose. */
async function writeRows(path: string, bytes: number): Promise<void> {
  const sentences = ["datasets-moby-dick", "datasets-sotu"]
    .map((name) => join(root, "node_modules/@stdlib", name, "data"))
    .flatMap((folder) => readdirSync(folder).map((file) => join(folder, file)))
    .filter((file) => file.endsWith(".txt"))
    .flatMap((file) =>
      readFileSync(file, "utf8")
        .replace(/\s+/g, " ")
        .split(/(?<=[.?!]) /),
    );
  const random = stream(0).split("bench data");
  const out = createWriteStream(path);
  for (let written = 0; written < bytes; ) {
    const lines: string[] = [];
    for (let i = 0; i < 1000; i++) {
      const at = random.int(sentences.length - 15);
      const answer = sentences.slice(at + 1, at + 3 + random.int(13)).join(" ");
      lines.push(`${JSON.stringify({ question: sentences[at], answer })}\n`);
    }
    const text = lines.join("");
    written += Buffer.byteLength(text);
    if (!out.write(text)) await new Promise<void>((resolve) => out.once("drain", () => resolve()));
  }
  await new Promise<void>((resolve) => out.end(() => resolve()));
}
