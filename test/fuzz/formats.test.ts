// Model files that were damaged at random, thousands of ways: a FileError or a result, soon, and little memory.
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { initialize, type LlamaConfig, type Random, stream } from "../../tensor/index.ts";
import {
  decodeGguf,
  decodeSafetensors,
  encodeSafetensors,
  FileError,
  type JsonObject,
  makeTokenizer,
  openModelFolder,
  type TokenizerFiles,
  tokenizerFiles,
  trainBpe,
  wordCounter,
  writeGguf,
  writeModelFolder,
} from "../../tensor/io/index.ts";

/** In all; a failing case is repeated with its number alone. */
const cases = process.env.ALIGN_TEST === "full" ? 10_000 : 300;
/** Larger requests than so many times the file are refused. */
const allowance = 4;
const slowestMs = 2_000;

const config: LlamaConfig = {
  vocab_size: 264,
  hidden_size: 32,
  intermediate_size: 32,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  max_position_embeddings: 64,
  rms_norm_eps: 1e-5,
  tie_word_embeddings: true,
};

function words(): TokenizerFiles {
  const counter = wordCounter();
  counter.add("low low low lower lowest new newer newest");
  const bpe = trainBpe(counter.counts, { vocabSize: 264, minFrequency: 1, specialTokens: ["<|end|>"] });
  return tokenizerFiles(bpe, { eos: "<|end|>", chatTemplate: "{{ messages[0].content }}" });
}

let dir: string;
let safetensors: Uint8Array;
let gguf: Uint8Array;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "align-fuzz-"));
  const tensors = new Map(
    Object.entries(initialize(config, stream(1))).map(([name, { shape, data }]) => [
      name,
      { shape: [...shape], data },
    ]),
  );
  safetensors = encodeSafetensors(tensors);
  await writeModelFolder(dir, {
    config: { ...config, model_type: "llama" },
    tensors,
    tokenizer: words(),
  });
  await writeGguf(join(dir, "m.gguf"), await openModelFolder(dir), { type: "Q8_0" });
  gguf = await readFile(join(dir, "m.gguf"));
});
afterAll(() => rm(dir, { recursive: true }));

const edges = [
  0n,
  1n,
  0x7fn,
  0xffn,
  0xffffn,
  0x7fffffffn,
  0xffffffffn,
  1n << 40n,
  (1n << 63n) - 1n,
  (1n << 64n) - 1n,
];

/** One to four injuries, most of them in the header, where they matter. */
function damage(bytes: Uint8Array, headerBytes: number, random: Random): Uint8Array {
  let out = Uint8Array.from(bytes);
  for (let n = 1 + random.int(4); n > 0 && out.length > 8; n--) {
    const within = random.int(5) > 0 ? Math.min(headerBytes, out.length) : out.length;
    const at = random.int(within);
    switch (random.int(6)) {
      case 0:
        out[at]! ^= 1 << random.int(8);
        break;
      case 1:
        out[at] = random.int(256);
        break;
      case 2: {
        const number = Buffer.alloc(8);
        number.writeBigUInt64LE(edges[random.int(edges.length)]!);
        out.set(number.subarray(0, Math.min(random.int(2) ? 8 : 4, out.length - at)), at);
        break;
      }
      case 3:
        out = out.slice(0, at);
        break;
      case 4: {
        const piece = out.slice(at, at + 1 + random.int(64));
        out = Buffer.concat([out.subarray(0, at), piece, out.subarray(at)]);
        break;
      }
      default:
        out = Buffer.concat([
          out.subarray(0, at),
          out.subarray(Math.min(out.length, at + 1 + random.int(64))),
        ]);
    }
  }
  return out;
}

/** The JSON with one to three of its parts gone or replaced. */
function damageJson(value: unknown, random: Random): unknown {
  const copy = structuredClone(value);
  const junk = [
    null,
    true,
    -1,
    1e15,
    0.5,
    "",
    "x",
    "(",
    [],
    {},
    [[]],
    { type: "Split" },
    ["a", "b"],
    "__proto__",
  ];
  for (let n = 1 + random.int(3); n > 0; n--) {
    const places: [parent: Record<string, unknown>, key: string][] = [];
    const walk = (node: unknown, depth: number): void => {
      if (node === null || typeof node !== "object" || depth > 6) return;
      const keys = Object.keys(node);
      // The vocabulary would otherwise be all that is ever hit.
      for (const key of keys.length > 40 ? keys.filter(() => random.int(keys.length) < 8) : keys) {
        places.push([node as Record<string, unknown>, key]);
        walk((node as Record<string, unknown>)[key], depth + 1);
      }
    };
    walk(copy, 0);
    const place = places[random.int(Math.max(1, places.length))];
    if (!place) continue;
    const [parent, key] = place;
    if (random.int(4) === 0) delete parent[key];
    else parent[key] = structuredClone(junk[random.int(junk.length)]);
  }
  return copy;
}

/** Bytes of the largest array that `work` asks for by size. */
function largestRequest(work: () => void): number {
  let largest = 0;
  const arrays = [
    "Uint8Array",
    "Uint16Array",
    "Uint32Array",
    "Float32Array",
    "Float64Array",
    "ArrayBuffer",
    "Array",
  ];
  const originals = new Map<string, unknown>();
  for (const name of arrays) {
    const original = (globalThis as Record<string, unknown>)[name] as new (...args: unknown[]) => object;
    originals.set(name, original);
    const size = (original as unknown as { BYTES_PER_ELEMENT?: number }).BYTES_PER_ELEMENT;
    (globalThis as Record<string, unknown>)[name] = new Proxy(original, {
      construct(target, args) {
        if (typeof args[0] === "number" && args.length === 1) {
          largest = Math.max(largest, args[0] * (size ?? (name === "Array" ? 8 : 1)));
        }
        return Reflect.construct(target, args);
      },
    });
  }
  try {
    work();
  } finally {
    for (const [name, original] of originals) (globalThis as Record<string, unknown>)[name] = original;
  }
  return largest;
}

/** How a case ended; anything but a result and a FileError is thrown on, with its number. */
function outcome(name: string, n: number, fileBytes: number, work: () => void): "read" | "refused" {
  const started = performance.now();
  let how: "read" | "refused" = "read";
  const asked = largestRequest(() => {
    try {
      work();
    } catch (error) {
      if (!(error instanceof FileError)) throw new Error(`${name} case ${n}: ${error}`, { cause: error });
      how = "refused";
    }
  });
  const ms = performance.now() - started;
  if (ms > slowestMs) throw new Error(`${name} case ${n} took ${ms.toFixed(0)} ms`);
  // Of fp16 tables and the like, whatever the file.
  const fixed = 1 << 18;
  if (asked > Math.max(fixed, allowance * fileBytes)) {
    throw new Error(`${name} case ${n} asked for ${asked} bytes, and the file has ${fileBytes}`);
  }
  return how;
}

function run(name: string, share: number, one: (random: Random, n: number) => "read" | "refused"): void {
  const ends = { read: 0, refused: 0 };
  const count = Math.round(cases * share);
  for (let n = 0; n < count; n++) ends[one(stream(7).split(name).split(n), n)]++;
  expect(ends.read + ends.refused).toBe(count);
  // A damage that is never noticed, or noticed always, tests nothing.
  expect(ends.refused).toBeGreaterThan(count / 10);
  expect(ends.read).toBeGreaterThan(0);
}

test("the instrument sees what the readers ask for", () => {
  expect(largestRequest(() => new Float32Array(100))).toBe(400);
  // The embeddings: 264 x 32 values of 4 bytes.
  expect(largestRequest(() => decodeSafetensors(safetensors))).toBe(264 * 32 * 4);
  decodeGguf(gguf); // makes the table of fp16, once
  expect(largestRequest(() => decodeGguf(gguf))).toBe(264 * 32 * 4);
});

describe(`${cases} damaged files end in a FileError or a result`, () => {
  test("safetensors", () => {
    run("safetensors", 0.35, (random, n) => {
      const bytes = damage(safetensors, 1400, random);
      return outcome("safetensors", n, bytes.length, () => decodeSafetensors(bytes));
    });
  }, 600_000);

  test("GGUF", () => {
    run("gguf", 0.4, (random, n) => {
      const bytes = damage(gguf, 9000, random);
      return outcome("gguf", n, bytes.length, () => decodeGguf(bytes));
    });
  }, 600_000);

  test("GGUF as a model, from disk", async () => {
    const path = join(dir, "damaged.gguf");
    const count = Math.round(cases * 0.05);
    for (let n = 0; n < count; n++) {
      await writeFile(path, damage(gguf, 9000, stream(7).split("model").split(n)));
      try {
        const model = await openModelFolder(path);
        await model.tensors();
        (await model.tokenizer()).encode("the lowest");
      } catch (error) {
        if (!(error instanceof FileError)) throw new Error(`model case ${n}: ${error}`, { cause: error });
      }
    }
  }, 600_000);

  test("tokenizers", () => {
    const files = words();
    const bytes = JSON.stringify(files).length;
    run("tokenizer", 0.2, (random, n) => {
      const damaged = damageJson(files, random) as { tokenizer?: unknown; config?: unknown };
      const given = {
        tokenizer: object(damaged.tokenizer),
        config: object(damaged.config),
      };
      return outcome("tokenizer", n, bytes, () => {
        const tokenizer = makeTokenizer(given);
        for (const text of ["the lowest newer é 🙂", "<|end|>", ""]) {
          const ids = tokenizer.encode(text);
          if (!ids.every((id) => Number.isInteger(id) && id >= 0)) throw new Error(`ids ${ids}`);
          if (typeof tokenizer.decode(ids) !== "string") throw new Error("no text");
        }
      });
    });
  }, 600_000);
});

/** What readJsonObject lets through. */
function object(value: unknown): JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
}
