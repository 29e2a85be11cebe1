// What a block of text teaches: its next tokens, the spans that it lost, or how it goes on.
import { TaskError } from "../../engine/index.ts";
import type { Batch, Geometry, Random } from "../../tensor/index.ts";
import type { Tokenizer } from "../../tensor/io/index.ts";
import { type Blocks, blockRows } from "../training/blocks.ts";
import { pad, supervised } from "../training/padding.ts";
import { padSources, type SourceExample } from "../training/sources.ts";
import { supervision } from "../training/supervision.ts";
import { corrupted, countsOf, type Noise, noiseMask, tokensFor } from "./span-corruption.ts";

export interface ObjectiveParams extends Partial<Noise> {
  readonly objective?: "next_token" | "span_corruption" | "prefix_lm";
  readonly sequence_length?: number;
}

/** T5's (Raffel et al. 2019 §3.1.2, §3.1.4, §3.3.4). */
const defaults = { sequence_length: 512, noise_density: 0.15, mean_noise_span_length: 3 };

export interface Objective {
  /** Tokens of text in a block, at most. */
  readonly length: number;
  /** Blocks are cut from all documents end to end; otherwise each is a document, or a piece of a long one. */
  readonly packed: boolean;
  /** The arrays of some blocks, `rows` rows; `draw` gives each block its chance. */
  arrays(from: Blocks, chosen: readonly number[], rows: number, draw: Draw): Batch;
  /** Predictions that the loss counts. */
  tokens(from: Blocks, chosen: readonly number[], draw: Draw): number;
}

export type Draw = (block: number) => Random;

interface About {
  readonly node: string;
  readonly geometry: Geometry;
  readonly eos: number;
  /** Ids of `<extra_id_0>`, `<extra_id_1>`, …. */
  readonly sentinels: readonly number[];
}

export function sentinelsOf(tokenizer: Tokenizer): number[] {
  const ids: number[] = [];
  for (let id = tokenizer.id("<extra_id_0>"); id !== undefined; ) {
    ids.push(id);
    id = tokenizer.id(`<extra_id_${ids.length}>`);
  }
  return ids;
}

export function objectiveOf(params: ObjectiveParams, about: About): Objective {
  const { geometry, node } = about;
  const encodes = geometry.decoderStart !== undefined;
  const { objective = encodes ? "span_corruption" : "next_token" } = params;
  if (encodes === (objective === "next_token")) {
    throw new TaskError({
      code: "objective-of-another-model",
      message: encodes
        ? `${node} reads its input with an encoder, and next_token has nothing to give it`
        : `${objective} wants a model with an encoder, and ${node} has none`,
      help: encodes
        ? "use span_corruption or prefix_lm"
        : "leave `objective` out, or make the model with `encoder_decoder`",
    });
  }
  if (objective === "next_token") return nextToken(params.sequence_length ?? geometry.maxLength);
  const { sequence_length = defaults.sequence_length } = params;
  return objective === "prefix_lm"
    ? withEncoder({ length: sequence_length - 1, packed: false }, about, prefix)
    : spanCorruption(sequence_length, { ...defaults, ...params }, about);
}

const nextToken = (length: number): Objective => ({
  length,
  packed: true,
  arrays: (from, chosen, rows) => blockRows(from, chosen, rows),
  tokens: (_, chosen) => chosen.length * (length - 1),
});

interface Halves {
  readonly inputs: readonly number[];
  readonly targets: readonly number[];
}

function withEncoder(
  blocks: Pick<Objective, "length" | "packed">,
  { geometry, eos }: About,
  halves: (tokens: ArrayLike<number>, random: Random) => Halves,
): Objective {
  const example = (from: Blocks, block: number, draw: Draw): SourceExample => {
    const { inputs, targets } = halves(from.at(block), draw(block));
    return {
      source: [...inputs, eos],
      ids: [geometry.decoderStart!, ...targets, eos],
      mask: [false, ...targets.map(() => true), true],
    };
  };
  return {
    ...blocks,
    arrays(from, chosen, rows, draw) {
      const examples = chosen.map((block) => example(from, block, draw));
      const { ids, mask } = pad(examples, rows);
      return { ids, ...supervision(ids, mask, geometry.vocabSize), ...padSources(examples, rows) };
    },
    tokens: (from, chosen, draw) =>
      chosen.reduce((n, block) => n + supervised(example(from, block, draw)), 0),
  };
}

/** One token at least on both sides of the cut, of which every place is as likely (Raffel et al. 2019 §3.2.1; random_prefix_noise_mask of its code). */
function prefix(tokens: ArrayLike<number>, random: Random): Halves {
  const cut = 1 + random.int(tokens.length - 1);
  const all = Array.from(tokens);
  return { inputs: all.slice(0, cut), targets: all.slice(cut) };
}

function spanCorruption(inputs: number, noise: Noise, about: About): Objective {
  const length = tokensFor(inputs, noise);
  const { spans } = countsOf(length, noise);
  if (spans > about.sentinels.length) {
    throw new TaskError({
      code: "too-few-sentinels",
      message: `${inputs} tokens lose ${spans} spans, and the tokenizer of ${about.node} has ${about.sentinels.length} sentinels (\`<extra_id_0>\`, …) to put in their places`,
      help: `make the model with \`encoder_decoder\` and \`extra_ids: ${spans}\`, or lower sequence_length or noise_density`,
    });
  }
  return withEncoder({ length, packed: true }, about, (tokens, random) =>
    corrupted(
      tokens,
      noiseMask(length, noise, (marks) => random.shuffle(marks)),
      about.sentinels,
    ),
  );
}
