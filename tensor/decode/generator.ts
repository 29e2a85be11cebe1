// Generates answers to prompts: prefill, then one compiled step per token with the weights as live inputs.

import type { Arrays, Backend, Executable } from "../backends/backend.ts";
import { check, TensorError } from "../error.ts";
import { checkParams, type ParamSource, paramsOf } from "../host.ts";
import { type LlamaConfig, parameterShapes } from "../models/config.ts";
import type { Random } from "../random.ts";
import { KvCache } from "./cache.ts";
import { prefillGraph, stepGraph } from "./graphs.ts";
import { checkSampling, type SamplingOptions, sampleToken } from "./sample.ts";

export interface GeneratorOptions {
  readonly backend: Backend;
  readonly config: LlamaConfig;
  readonly params: ParamSource;
  /** Rows decoded together. Part of the result's last bits, so keep it in cache keys. Default 16. */
  readonly batch_size?: number;
}

export interface GenerateOptions extends SamplingOptions {
  readonly max_new_tokens: number;
  /** End-of-sequence tokens are not drawn before this many. */
  readonly min_new_tokens?: number;
  /** Tokens that end a row; the one drawn is part of the answer. */
  readonly eos: readonly number[];
  readonly banned?: readonly number[];
  /** Row i draws from random.split(row_ids[i]): its tokens do not depend on the other rows. */
  readonly random: Random;
  /** Default: the index of the prompt. */
  readonly row_ids?: readonly (number | string)[];
  /** Called when a row has ended, in order of ending. */
  readonly onRow?: (index: number, generation: Generation) => void;
  /** Called after every decoding step with the tokens kept so far. */
  readonly onProgress?: (progress: {
    readonly rowsDone: number;
    readonly rows: number;
    readonly tokens: number;
  }) => void;
}

export interface Generation {
  /** New tokens, the ending one included. */
  readonly ids: Int32Array;
  /** log p of each under the model itself (temperature 1, nothing filtered), in nats. */
  readonly logprobs: Float32Array;
  readonly stop: "eos" | "length";
}

export interface Generator {
  /** Prompts of any lengths ≥ 1 → one generation each, in the same order. */
  generate(prompts: readonly ArrayLike<number>[], options: GenerateOptions): Promise<Generation[]>;
  dispose(): Promise<void>;
}

/** Lengths are rounded up to these, so that few graphs are compiled. */
const PROMPT_BUCKET = 32;
const SLOT_BUCKET = 64;
const roundUp = (n: number, to: number) => Math.ceil(n / to) * to;

interface Row {
  readonly index: number;
  readonly prompt: ArrayLike<number>;
  readonly random: Random;
  readonly ids: number[];
  readonly logprobs: number[];
  stop: "eos" | "length" | undefined;
}

export function createGenerator({ backend, config, params, batch_size = 16 }: GeneratorOptions): Generator {
  check(
    Number.isInteger(batch_size) && batch_size >= 1,
    "argument",
    () => `batch_size is ${batch_size}, must be >= 1`,
  );
  const compiled = new Map<string, Promise<Executable>>();
  const shapes = parameterShapes(config);

  function executable(kind: "prefill" | "step", B: number, n: number): Promise<Executable> {
    const key = `${kind} ${B} ${n}`;
    let found = compiled.get(key);
    if (!found) {
      found = backend.compile((kind === "prefill" ? prefillGraph : stepGraph)(config, B, n));
      compiled.set(key, found);
    }
    return found;
  }

  function weightFeeds(): Arrays {
    const weights = paramsOf(params);
    checkParams(weights, shapes);
    return Object.fromEntries(Object.keys(shapes).map((name) => [`p/${name}`, weights[name]!.data]));
  }

  async function wave(
    rows: readonly Row[],
    options: GenerateOptions,
    ended: (row: Row) => void,
    tick: () => void,
  ) {
    // A batch of one would take other kernels than a batch of many, so it is padded to two.
    const B = Math.max(2, Math.min(batch_size, nextPowerOfTwo(rows.length)));
    const limit = config.max_position_embeddings;
    const longest = Math.max(...rows.map((row) => row.prompt.length));
    const T = Math.min(roundUp(longest, PROMPT_BUCKET), limit);
    const S = Math.min(roundUp(longest + options.max_new_tokens, SLOT_BUCKET), limit);
    const weights = weightFeeds();
    const draw = drawer(options);

    // Prefill: prompts right-padded; padding slots are overwritten before anything may read them.
    const ids = new Int32Array(B * T);
    const last = Int32Array.from({ length: B }, (_, r) => r * T);
    rows.forEach(({ prompt }, r) => {
      ids.set(prompt, r * T);
      last[r] = r * T + prompt.length - 1;
    });
    let out = await (await executable("prefill", B, T)).run({ ...weights, ids, last });
    const cache = new KvCache(config, B, Math.max(S, T));
    cache.fill(out, T);

    const step = await executable("step", B, Math.max(S, T));
    const tokens = new Int32Array(B);
    const positions = new Int32Array(B);
    let into: Arrays | undefined;
    for (;;) {
      rows.forEach((row, r) => {
        if (row.stop) return;
        const all = (out.logprobs as Float32Array).subarray(
          r * config.vocab_size,
          (r + 1) * config.vocab_size,
        );
        tokens[r] = draw(row, all);
        positions[r] = row.prompt.length + row.ids.length - 1;
        if (options.eos.includes(tokens[r]!)) row.stop = "eos";
        else if (row.ids.length >= options.max_new_tokens || positions[r]! + 1 >= limit) row.stop = "length";
        if (row.stop) ended(row);
      });
      tick();
      if (rows.every((row) => row.stop)) return;
      out = await step.run({ ...weights, ...cache.arrays, ids: tokens, positions }, into);
      into = out; // the next step writes into the same arrays
      cache.write(out, positions);
    }
  }

  return {
    async generate(prompts, options) {
      checkSampling(options);
      const { max_new_tokens, random, row_ids } = options;
      check(
        Number.isInteger(max_new_tokens) && max_new_tokens >= 1,
        "argument",
        () => `max_new_tokens is ${max_new_tokens}`,
      );
      if (row_ids && row_ids.length !== prompts.length) {
        throw new TensorError("argument", `${row_ids.length} row_ids for ${prompts.length} prompts`);
      }
      const rows: Row[] = prompts.map((prompt, index) => {
        check(
          prompt.length >= 1,
          "argument",
          () => `prompt ${index} is empty`,
          "start it with a beginning-of-sequence token",
        );
        check(prompt.length < config.max_position_embeddings, "argument", () => {
          return `prompt ${index} has ${prompt.length} tokens, the model's limit is ${config.max_position_embeddings}`;
        });
        return {
          index,
          prompt,
          random: random.split(row_ids?.[index] ?? index),
          ids: [],
          logprobs: [],
          stop: undefined,
        };
      });
      const results = new Array<Generation>(rows.length);
      let rowsDone = 0;
      const ended = (row: Row) => {
        const generation = {
          ids: Int32Array.from(row.ids),
          logprobs: Float32Array.from(row.logprobs),
          stop: row.stop!,
        };
        results[row.index] = generation;
        rowsDone++;
        options.onRow?.(row.index, generation);
      };
      const tick = () => {
        const tokens = rows.reduce((n, row) => n + row.ids.length, 0);
        options.onProgress?.({ rowsDone, rows: rows.length, tokens });
      };
      // Prompts of like length share a wave, so that little is padded.
      const queue = rows.toSorted((x, y) => x.prompt.length - y.prompt.length || x.index - y.index);
      for (let i = 0; i < queue.length; i += batch_size)
        await wave(queue.slice(i, i + batch_size), options, ended, tick);
      return results;
    },
    async dispose() {
      for (const run of compiled.values()) await (await run).dispose();
      compiled.clear();
    },
  };
}

/** Draws a row's next token, keeps it with its log-probability and returns it. */
function drawer(options: GenerateOptions): (row: Row, logprobs: Float32Array) => number {
  const banned = new Set(options.banned);
  const early = new Set([...banned, ...options.eos]);
  const { min_new_tokens = 0 } = options;
  return (row, logprobs) => {
    const out = row.ids.length < min_new_tokens ? early : banned;
    const token = sampleToken(logprobs, options, row.random, out.size > 0 ? (id) => !out.has(id) : undefined);
    row.ids.push(token);
    row.logprobs.push(logprobs[token]!);
    return token;
  };
}

function nextPowerOfTwo(n: number): number {
  return 2 ** Math.ceil(Math.log2(n));
}
