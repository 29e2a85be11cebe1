import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { trainBpe, wordCounter } from "./bpe-train.ts";
import { FileError } from "./error.ts";
import { quantise, type WrittenType, writtenTypes } from "./ggml-quantise.ts";
import { ggmlTypes } from "./ggml-types.ts";
import { decodeGguf, openGguf } from "./gguf.ts";
import { permute } from "./gguf-model.ts";
import { ropeScalingIn } from "./gguf-rope.ts";
import { writeGguf } from "./gguf-write.ts";
import { copyModel, openModelFolder, readWeights, writeModelFolder } from "./hf-folder.ts";
import { makeTokenizer } from "./tokenizer.ts";
import { type TokenizerFiles, tokenizerFiles } from "./tokenizer-files.ts";

const fixture = JSON.parse(await readFile(join(import.meta.dirname, "fixtures/ggml.json"), "utf8"));
const hex = (text: string) => new Uint8Array(Buffer.from(text, "hex"));
const floats = (text: string) => new Float32Array(hex(text).buffer);

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "align-gguf-"));
});
afterAll(() => rm(dir, { recursive: true }));

describe("number formats", () => {
  test.each(Object.keys(fixture.blocks))(
    "%s becomes the fp32 values of the Python package, bit by bit",
    (name) => {
      const type = [...ggmlTypes.values()].find((t) => t.name === name)!;
      const { bytes, values } = fixture.blocks[name];
      const out = new Float32Array((hex(bytes).length / type.bytes) * type.block);
      type.dequantise!(hex(bytes), out);
      expect(Buffer.from(out.buffer).toString("hex")).toBe(values);
    },
  );

  test.each(writtenTypes)("%s is written with the bytes of the Python package", (type) => {
    expect(Buffer.from(quantise(floats(fixture.given), type)).toString("hex")).toBe(fixture.made[type]);
  });

  test("rows of a head change between halves and neighbours", () => {
    // One head of 4 rows: HF has x0 x1 y0 y1, llama.cpp x0 y0 x1 y1.
    const hf = { shape: [4, 1], data: new Float32Array([0, 1, 10, 11]) };
    const gguf = permute(hf, 1, "gguf");
    expect([...gguf.data]).toEqual([0, 10, 1, 11]);
    expect(permute(gguf, 1, "hf")).toEqual(hf);
  });
});

describe("a model", () => {
  const config = {
    architectures: ["LlamaForCausalLM"],
    model_type: "llama",
    vocab_size: 264,
    hidden_size: 32,
    intermediate_size: 64,
    num_hidden_layers: 1,
    num_attention_heads: 4,
    num_key_value_heads: 2,
    max_position_embeddings: 128,
    rms_norm_eps: 1e-5,
    rope_theta: 10000,
    tie_word_embeddings: true,
  };
  const shapes: Record<string, number[]> = {
    "model.embed_tokens.weight": [264, 32],
    "model.layers.0.input_layernorm.weight": [32],
    "model.layers.0.mlp.down_proj.weight": [32, 64],
    "model.layers.0.self_attn.k_proj.weight": [16, 32],
    "model.layers.0.self_attn.q_proj.weight": [32, 32],
    "model.norm.weight": [32],
  };
  const tensors = new Map(
    Object.entries(shapes).map(([name, shape], t) => {
      const data = new Float32Array(shape.reduce((n, size) => n * size, 1));
      return [name, { shape, data: data.map((_, i) => Math.sin(i + t)) }] as const;
    }),
  );

  function words(): TokenizerFiles {
    const counter = wordCounter();
    counter.add("low low low lower lowest new newer newest");
    const bpe = trainBpe(counter.counts, {
      vocabSize: 263,
      minFrequency: 1,
      specialTokens: ["<|end|>", "<|user|>"],
    });
    return tokenizerFiles(bpe, { eos: "<|end|>", chatTemplate: "{{ messages[0].content }}" });
  }

  async function written(type: WrittenType): Promise<string> {
    const folder = await mkdtemp(join(dir, "model-"));
    await writeModelFolder(folder, { config, tensors: new Map(tensors), tokenizer: words() });
    const path = join(folder, `${type}.gguf`);
    await writeGguf(path, await openModelFolder(folder), { type, name: "a test" });
    return path;
  }

  test("comes back from F32 exactly, with its settings, tokenizer and chat template", async () => {
    const path = await written("F32");
    const model = await openModelFolder(path);
    const { torch_dtype, ...read } = model.config;
    expect(read).toMatchObject(config);
    expect(read).toMatchObject({ head_dim: 8, eos_token_id: 0, bos_token_id: 0 });
    expect(await model.tensors()).toEqual(tensors);
    const tokenizer = await model.tokenizer();
    const original = makeTokenizer(words());
    for (const text of ["lowest newest", " low é 🙂\n\n  x1234", "<|user|>low<|end|>"]) {
      expect(tokenizer.encode(text)).toEqual(original.encode(text));
    }
    expect(tokenizer.chatTemplate).toBe("{{ messages[0].content }}");
    expect(tokenizer).toMatchObject({ eos: 0, prefix: [], vocabSize: original.vocabSize });

    const folder = await mkdtemp(join(dir, "copy-"));
    await copyModel(model, folder);
    expect(await readWeights(folder)).toEqual(new Map([...tensors].sort(([a], [b]) => (a < b ? -1 : 1))));
  });

  const llama3 = {
    rope_type: "llama3",
    factor: 32,
    low_freq_factor: 1,
    high_freq_factor: 4,
    original_max_position_embeddings: 8192,
  };
  test.each([llama3, { rope_type: "linear", factor: 2.5 }])(
    "comes back with its %s",
    async (rope_scaling) => {
      const folder = await mkdtemp(join(dir, "stretched-"));
      const stretched = { ...config, rope_theta: 500_000, rope_scaling };
      await writeModelFolder(folder, { config: stretched, tensors: new Map(tensors), tokenizer: words() });
      const path = join(folder, "model.gguf");
      await writeGguf(path, await openModelFolder(folder), { type: "F32" });
      const model = await openModelFolder(path);
      expect(model.config).toMatchObject(stretched);
      expect([...(await model.tensors()).keys()].sort()).toEqual([...tensors.keys()].sort());
    },
  );

  test("divisors of rotary frequencies are those of llama.cpp's converter, and others are refused", () => {
    const of = (divisors: number[]) =>
      ropeScalingIn(new Map(), divisors, { name: "llama", theta: 500_000, headDim: 8 }, "m.gguf");
    // Four pairs of a head of 8: 8192/(2π·500000^(j/4)) turns, 1303.8, 49.03, 1.8438 and 0.0693. The third is between 1 and 4:
    // its share (1.8438 − 1)/3 = 0.28127 is kept, 1 / (0.71873/32 + 0.28127) = 3.2924.
    expect(of([1, 1, 3.2924, 32])).toEqual(llama3);
    expect(() => of([1, 1, 3.3, 32])).toThrow("in another way than those of Llama 3.1 to 3.3");
    expect(() => of([1, 1, 32])).toThrow("in another way");
  });

  test("F16 and Q8_0 are near, and take a half and a quarter", async () => {
    const [wide, half, quarter] = await Promise.all([written("F32"), written("F16"), written("Q8_0")]);
    const sizeOf = async (path: string) => (await readFile(path)).length;
    // 264·32 + 32·64 + 16·32 + 32·32 = 12032 matrix values: 2 bytes less each, or 4 − 34/32
    // but for the 264·34 = 8976 bytes of the embeddings, which are padded by 16.
    expect((await sizeOf(wide)) - (await sizeOf(half))).toBe(12032 * 2);
    expect((await sizeOf(wide)) - (await sizeOf(quarter))).toBe(12032 * (4 - 34 / 32) - 16);
    for (const [path, near] of [
      [half, 2 ** -11],
      // Half a step of 1/127, and the fp16 of the scale.
      [quarter, 0.5 / 127 + 2 ** -11],
    ] as const) {
      for (const [name, { data }] of await (await openModelFolder(path)).tensors()) {
        const given = tensors.get(name)!.data;
        expect(Math.max(...data.map((v, i) => Math.abs(v - given[i]!)))).toBeLessThanOrEqual(near);
      }
    }
  });

  test("the same model gives the same bytes", async () => {
    expect(await readFile(await written("Q8_0"))).toEqual(await readFile(await written("Q8_0")));
  });

  test("what has no counterpart is refused with what to do", async () => {
    const folder = await mkdtemp(join(dir, "refused-"));
    await writeModelFolder(folder, {
      config: { ...config, model_type: "bloom" },
      tensors: new Map(tensors),
      tokenizer: words(),
    });
    const bloom = await openModelFolder(folder);
    await expect(writeGguf(join(dir, "x"), bloom, { type: "F16" })).rejects.toThrow(
      "a bloom model cannot be written as GGUF; llama, mistral, qwen2, qwen3 can",
    );
    const files = words();
    const odd = { ...files, tokenizer: { ...files.tokenizer, pre_tokenizer: { type: "Whitespace" } } };
    await writeModelFolder(folder, { config, tokenizer: odd });
    await expect(
      writeGguf(join(dir, "x"), await openModelFolder(folder), { type: "F16" }),
    ).rejects.toMatchObject({ code: "gguf-model", help: expect.stringContaining("--format hf") });
  });
});

/** A file of these numbers and texts. */
function file(...parts: (string | readonly [bytes: 1 | 4 | 8, value: number | bigint])[]): Uint8Array {
  return Buffer.concat(
    parts.map((part) => {
      if (typeof part === "string") return Buffer.from(part);
      const bytes = Buffer.alloc(8);
      bytes.writeBigUInt64LE(BigInt(part[1]));
      return bytes.subarray(0, part[0]);
    }),
  );
}
const u32 = (value: number) => [4, value] as const;
const u64 = (value: number | bigint) => [8, value] as const;
const text = (value: string) => [u64(value.length), value] as const;
const head = (tensors: number | bigint, values: number | bigint) =>
  ["GGUF", u32(3), u64(tensors), u64(values)] as const;
/** Name, dimensions, type, offset. */
const tensor = (name: string, sizes: (number | bigint)[], type: number, offset: number | bigint) =>
  [...text(name), u32(sizes.length), ...sizes.map(u64), u32(type), u64(offset)] as const;

function problem(bytes: Uint8Array): string {
  try {
    decodeGguf(bytes);
  } catch (error) {
    if (error instanceof FileError) return `${error.code}: ${error.message}`;
    throw error;
  }
  return "none";
}

describe("a damaged file is refused before anything is allocated", () => {
  const padding = "\0".repeat(200);
  test.each<[string, Uint8Array, string]>([
    ["an empty file", file(), "gguf-truncated: the header wants text of 4 bytes at byte 0"],
    [
      "another format",
      file("ggml", padding),
      "gguf-header: the file cannot be read as GGUF: it does not start",
    ],
    ["version 1", file("GGUF", u32(1), padding), "it has version 1"],
    ["big-endian", file("GGUF", u32(0x03000000), padding), "it is big-endian"],
    [
      "2^60 tensors",
      file(...head(2n ** 60n, 0), padding),
      "claims 1152921504606846976 tensors, more than fit",
    ],
    ["2^64-1 values", file(...head(0, 2n ** 64n - 1n), padding), "metadata values, more than fit"],
    [
      "a text longer than the file",
      file(...head(0, 1), ...text("a"), u32(8), u64(1000), padding),
      "the metadata a claims 1000 bytes, more than the 200 that are left",
    ],
    [
      "a list longer than the file",
      file(...head(0, 1), ...text("a"), u32(9), u32(4), u64(2n ** 40n), padding),
      "claims 1099511627776 values of a",
    ],
    [
      "lists in lists in lists",
      file(...head(0, 1), ...text("a"), u32(9), ...[0, 1, 2].flatMap(() => [u32(9), u64(1)]), padding),
      "the metadata a is a list in a list in a list",
    ],
    ["an unknown value", file(...head(0, 1), ...text("a"), u32(13), padding), "a has the unknown type 13"],
    ["a half truth", file(...head(0, 1), ...text("a"), u32(7), [1, 2], padding), "a truth value of 2"],
    [
      "a key given twice",
      file(...head(0, 2), ...text("a"), u32(7), [1, 1], ...text("a"), u32(7), [1, 1], padding),
      'the metadata "a" twice',
    ],
    [
      "a name that is not UTF-8",
      Buffer.concat([file(...head(0, 1), u64(1)), Uint8Array.of(0xff), file(padding)]),
      "is not UTF-8",
    ],
    [
      "an odd alignment",
      file(...head(0, 1), ...text("general.alignment"), u32(4), u32(33), padding),
      "is not a power of two",
    ],
    [
      "five dimensions",
      file(...head(1, 0), ...tensor("t", [1, 1, 1, 1, 1], 0, 0), padding),
      "t has 5 dimensions",
    ],
    [
      "a size that overflows",
      file(...head(1, 0), ...tensor("t", [2 ** 40, 2 ** 40], 0, 0), padding),
      "impossible size",
    ],
    [
      "an unknown number format",
      file(...head(1, 0), ...tensor("t", [32], 4, 0), padding),
      "t has the unknown type 4",
    ],
    [
      "a row that is no block",
      file(...head(1, 0), ...tensor("t", [33], 8, 0), padding),
      "rows of 33, which are not blocks of 32",
    ],
    [
      "an unaligned offset",
      file(...head(1, 0), ...tensor("t", [1], 0, 4), padding),
      "starts at 4, which is not a multiple of 32",
    ],
    [
      "an offset that overflows",
      file(...head(1, 0), ...tensor("t", [1], 0, 2n ** 63n), padding),
      "impossible offset",
    ],
    [
      "a tensor twice",
      file(...head(2, 0), ...tensor("t", [1], 0, 0), ...tensor("t", [1], 0, 32), padding),
      'the tensor "t" twice',
    ],
    [
      "overlapping tensors",
      file(...head(2, 0), ...tensor("a", [16], 0, 0), ...tensor("b", [1], 0, 32), padding),
      "b overlaps a",
    ],
    [
      // 24 header + 33 info = 57, so data begin at 64; 1000 values take 4000 bytes; the file has 57 + 200.
      "data cut short",
      file(...head(1, 0), ...tensor("t", [1000], 0, 0), padding),
      "gguf-truncated: t ends at byte 4064 but the file has only 257: 3807 bytes are missing",
    ],
    [
      "a format that is known and not read",
      file(...head(1, 0), ...tensor("t", [256], 16, 0), padding),
      "gguf-type: t is stored as IQ2_XXS, which is not read",
    ],
  ])("%s", (_, bytes, expected) => {
    expect(problem(bytes)).toContain(expected);
  });

  test("a header longer than the first read is read on", async () => {
    const path = join(dir, "long.gguf");
    const long = "x".repeat(5_000_000);
    await writeFile(
      path,
      file(...head(0, 2), ...text("a"), u32(8), ...text(long), ...text("b"), u32(4), u32(7)),
    );
    const opened = await openGguf(path);
    expect(opened.metadata.get("b")).toBe(7);
    await opened.close();
  });
});
