// Generates answers to prompts: prefill, then one compiled step per token with the weights as live inputs.

import type { Arrays, Backend, Executable } from "../backends/backend.ts";
import { check, TensorError } from "../error.ts";
import { checkParams, type ParamSource, paramsOf } from "../host.ts";
import type { Graph, HostArray } from "../ir/graph.ts";
import { geometry, type ModelConfig, parameterShapes } from "../models/config.ts";
import type { Random } from "../random.ts";
import { type BatchRow, decodeAll } from "./batch.ts";
import { prefillGraph, stepGraph } from "./graphs.ts";
import { rollingBatch } from "./rolling.ts";
import { checkSampling, penalized, type SamplingOptions, sampleToken } from "./sample.ts";

export interface GeneratorOptions {
  readonly backend: Backend;
  readonly config: ModelConfig;
  readonly params: ParamSource;
  /**
   * Most rows decoded together, default 16; above 16 last bits differ from those up to 16. A row's tokens and log-probabilities were the same bits for every batch
   * that the tests tried (sizes 2 to 16, or 2 to 20 of a batch_size of 32; other prompts, other padding), because onnxruntime computes each row of a
   * product in the same order; only a product with a single row differs, so a lone row is padded to two.
   */
  readonly batch_size?: number;
  /**
   * "live" reads the weights anew at every call, for rollouts between updates. The others are for weights that stay as
   * they are: "frozen" packs them for the processor, "q8" and "q4" round the matrices to 8 or 4 bits for every token but
   * the prompt's. They compile for seconds and hold a copy, and a row's last bits may depend on its batch.
   */
  readonly weights?: "live" | "frozen" | "q8" | "q4";
}

export interface GenerateOptions extends SamplingOptions {
  readonly max_new_tokens: number;
  /** End-of-sequence tokens are not drawn before this many. */
  readonly min_new_tokens?: number;
  /** Tokens that end a row; the one drawn is part of the answer. */
  readonly eos: readonly number[];
  readonly banned?: readonly number[];
  /** Token sequences that end a row once its answer ends with one; they are part of the answer. */
  readonly stop_sequences?: readonly (readonly number[])[];
  /** Ends a row when true of the tokens drawn so far: a stop string has many spellings in tokens, its text has one. */
  readonly stopWhen?: (ids: readonly number[], index: number) => boolean;
  /** Row i draws from random.split(row_ids[i]): its tokens do not depend on the other rows. */
  readonly random: Random;
  /** Default: the index of the prompt. */
  readonly row_ids?: readonly (number | string)[];
  /** Called for every token as it is drawn, the ending one included; `logprobs` [V] are the model's, and only lent. */
  readonly onToken?: (index: number, id: number, logprob: number, logprobs: Float32Array) => void;
  /** Called when a row has ended, in order of ending. */
  readonly onRow?: (index: number, generation: Generation) => void;
  /** Called after every decoding step with the tokens drawn so far. */
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
  /** What ended it: an end-of-sequence token, a stop sequence or condition, or max_new_tokens. */
  readonly stop: "eos" | "stop" | "length";
}

export interface Generator {
  /** Prompts of any lengths ≥ 1, an encoder's input where the model has one → one generation each, in the same order. */
  generate(prompts: readonly ArrayLike<number>[], options: GenerateOptions): Promise<Generation[]>;
  /**
   * One prompt, decoded together with the others that are under way: it joins them at the next step. Draws what
   * `generate` would. `signal` takes it out again, at the latest after the next step.
   */
  submit(prompt: ArrayLike<number>, options: GenerateOptions, signal?: AbortSignal): Promise<Generation>;
  dispose(): Promise<void>;
}

/** What of its shape a compiled graph is besides. */
interface Variant {
  readonly draws: boolean;
  readonly sourceSlots: number;
}

/** Lengths are rounded up to these, so that few graphs are compiled; short ones to a quarter, so that little is padded. */
const PROMPT_BUCKET = 32;
const SLOT_BUCKET = 64;

const rounded = (length: number, bucket: number): number => {
  const step = length <= bucket ? bucket / 4 : bucket;
  return Math.ceil(length / step) * step;
};

/** See CompileOptions.narrow. */
const NARROW = 16;

const bitsOf = { frozen: 32, q8: 8, q4: 4 } as const;

/** A device with memory of its own is given the weights once. */
const weightsStay = { state: (name: string) => name.startsWith("p/") };

export function createGenerator(options: GeneratorOptions): Generator {
  const { backend, config, params, batch_size = 16, weights: mode = "live" } = options;
  check(
    mode === "live" || mode === "frozen" || backend.freezes === true,
    "argument",
    () => `${backend.name} cannot decode with weights "${mode}"`,
    'weights: "live"',
  );
  const freezing = mode !== "live" && backend.freezes === true;
  check(
    Number.isInteger(batch_size) && batch_size >= 1,
    "argument",
    () => `batch_size is ${batch_size}, must be >= 1`,
  );
  const compiled = new Map<string, Promise<Executable>>();
  const shapes = parameterShapes(config);
  const about = geometry(config);
  const encodes = about.decoderStart !== undefined;

  function executable(
    kind: "prefill" | "step",
    B: number,
    n: number,
    { draws, sourceSlots }: Variant,
  ): Promise<Executable> {
    const key = `${kind} ${B} ${n} ${kind === "step" ? sourceSlots : 0} ${draws}`;
    let found = compiled.get(key);
    if (!found) {
      found =
        kind === "prefill"
          ? backend.compile(prefillGraph(config, B, n, { draws }), weightsStay)
          : compileStep(key, stepGraph(config, B, n, { draws, sourceSlots }));
      compiled.set(key, found);
    }
    return found;
  }

  async function compileStep(kept: string, graph: Graph): Promise<Executable> {
    if (!freezing) {
      const stays = new Set(about.cache.filter(({ slots }) => slots === "own").map(({ name }) => name));
      const state = (name: string) => weightsStay.state(name) || stays.has(name);
      return backend.compile(graph, { state, narrow: batch_size <= NARROW });
    }
    // Each holds all weights, so only the last one is kept.
    for (const [key, run] of [...compiled].filter(([key]) => key.startsWith("step"))) {
      if (key === kept) continue;
      compiled.delete(key);
      await (await run).dispose();
    }
    return backend.compile(graph, {
      frozen: { arrays: weightFeeds(), bits: bitsOf[mode as keyof typeof bitsOf] },
    });
  }

  function weightFeeds(): Arrays {
    const weights = paramsOf(params);
    checkParams(weights, shapes);
    return Object.fromEntries(Object.keys(shapes).map((name) => [`p/${name}`, weights[name]!.data]));
  }

  const limit = about.maxLength;

  /** One row of a batch, asked for as it must be; `end` gets what it came to. */
  function rowOf(
    prompt: ArrayLike<number>,
    index: number,
    options: GenerateOptions,
    end: (generation: Generation) => void,
  ): BatchRow & { readonly room: number } {
    const { max_new_tokens } = options;
    check(
      Number.isInteger(max_new_tokens) && max_new_tokens >= 1,
      "argument",
      () => `max_new_tokens is ${max_new_tokens}`,
    );
    check(
      prompt.length >= 1,
      "argument",
      () => `prompt ${index} is empty`,
      "start it with a beginning-of-sequence token",
    );
    check(prompt.length < limit, "argument", () => {
      return `prompt ${index} has ${prompt.length} tokens, the model's limit is ${limit}`;
    });
    const room = encodes ? max_new_tokens : Math.min(max_new_tokens, limit - prompt.length);
    const { temperature } = options;
    return {
      prompt,
      temperature,
      room: prompt.length + room,
      next: drawer(options, index, prompt, room, end),
    };
  }

  const common = () => ({
    geometry: about,
    weights: weightFeeds(),
    size: freezing ? batch_size : Math.max(2, batch_size),
    fixed: freezing,
    ...(backend.reclaim && { reclaim: (arrays: Iterable<HostArray>) => backend.reclaim!(arrays) }),
  });

  const rolling = rollingBatch<Generation>((rows) =>
    decodeAll(rows, {
      ...common(),
      slots: { own: Math.min(SLOT_BUCKET, limit), source: 0 },
      promptLength: (longest) => doubled(PROMPT_BUCKET, longest),
      // Who joins later may draw.
      draws: true,
      executable: (kind, B, n) => executable(kind, B, n, { draws: true, sourceSlots: 0 }),
      tick: () => {},
    }),
  );

  return {
    submit(prompt, options, signal) {
      checkSampling(options);
      check(!encodes, "argument", () => "a model with an encoder decodes whole batches only", "generate");
      return rolling.join((end) => {
        const row = rowOf(prompt, 0, options, end);
        // Few lengths: what is compiled for one stays.
        return { ...row, room: Math.min(doubled(SLOT_BUCKET, row.room), limit) };
      }, signal);
    },
    async generate(prompts, options) {
      checkSampling(options);
      const { max_new_tokens, row_ids } = options;
      if (row_ids && row_ids.length !== prompts.length) {
        throw new TensorError("argument", `${row_ids.length} row_ids for ${prompts.length} prompts`);
      }
      const results = new Array<Generation>(prompts.length);
      const progress = { rowsDone: 0, rows: prompts.length, tokens: 0 };
      const rows = prompts.map((prompt, index): BatchRow => {
        const row = rowOf(prompt, index, options, (generation) => {
          results[index] = generation;
          progress.rowsDone++;
          options.onRow?.(index, generation);
        });
        const next: BatchRow["next"] = (distribution) => {
          progress.tokens++;
          return row.next(distribution);
        };
        return { prompt, temperature: options.temperature, next };
      });
      if (rows.length === 0) return [];
      // Prompts of like length are prefilled together, so that little is padded.
      rows.sort((x, y) => x.prompt.length - y.prompt.length);
      const longest = rows.at(-1)!.prompt.length;
      // Frozen weights are packed anew for every length: few of them.
      const bucket = (n: number) =>
        Math.min(freezing ? doubled(SLOT_BUCKET, n) : rounded(n, SLOT_BUCKET), limit);
      const slots = encodes
        ? { own: bucket(1 + max_new_tokens), source: bucket(longest) }
        : { own: bucket(longest + max_new_tokens), source: 0 };
      const draws = options.temperature > 0 && (options.repetition_penalty ?? 1) === 1;
      await decodeAll(rows, {
        ...common(),
        slots,
        promptLength: (length) => rounded(length, PROMPT_BUCKET),
        draws,
        executable: (kind, B, n) => executable(kind, B, n, { draws, sourceSlots: slots.source }),
        tick: () => options.onProgress?.({ ...progress }),
      });
      return results;
    },
    async dispose() {
      for (const run of compiled.values()) await (await run).dispose();
      compiled.clear();
    },
  };
}

/** The least n·2^k that is enough. */
const doubled = (n: number, enough: number): number => n * 2 ** Math.max(0, Math.ceil(Math.log2(enough / n)));

/** One row's life: draws tokens, keeps them with their log-probabilities, ends at a stop or when `room` is full. */
function drawer(
  options: GenerateOptions,
  index: number,
  prompt: ArrayLike<number>,
  room: number,
  end: (generation: Generation) => void,
): BatchRow["next"] {
  const { eos, min_new_tokens = 0, banned = [], stop_sequences = [], repetition_penalty = 1 } = options;
  const random = options.random.split(options.row_ids?.[index] ?? index);
  const [never, early] = [new Set(banned), new Set([...banned, ...eos])];
  const seen = new Set<number>(repetition_penalty === 1 ? [] : Array.from(prompt));
  const ids: number[] = [];
  const kept: number[] = [];

  function ending(token: number): Generation["stop"] | undefined {
    if (eos.includes(token)) return "eos";
    if (stop_sequences.some((stop) => endsWith(ids, stop)) || options.stopWhen?.(ids, index)) return "stop";
    return ids.length >= room ? "length" : undefined;
  }

  return (given) => {
    const { logprobs, normalizer } = given;
    const out = ids.length < min_new_tokens ? early : never;
    const from =
      repetition_penalty === 1
        ? given
        : { logprobs: penalized(logprobs, normalizer, seen, repetition_penalty) };
    const token = sampleToken(from, options, random, out.size > 0 ? (id) => !out.has(id) : undefined);
    ids.push(token);
    seen.add(token);
    kept.push(logprobs[token]!);
    options.onToken?.(index, token, logprobs[token]!, logprobs);
    const stop = ending(token);
    if (!stop) return token;
    end({ ids: Int32Array.from(ids), logprobs: Float32Array.from(kept), stop });
    return undefined;
  };
}

const endsWith = (ids: readonly number[], tail: readonly number[]): boolean =>
  tail.length > 0 &&
  tail.length <= ids.length &&
  tail.every((id, i) => id === ids[ids.length - tail.length + i]);
