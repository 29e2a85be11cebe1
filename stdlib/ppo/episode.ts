// One sampled response with everything that is known of it, and how several lie side by side in the arrays of a batch.
import type { RowData } from "../../engine/index.ts";
import type { Json } from "../../grammar/index.ts";
import { type HostTensor, tensor } from "../../tensor/index.ts";
import { paddedLength } from "../training/padding.ts";

export interface Episode {
  readonly prompt: Json;
  readonly row: RowData;
  readonly promptIds: readonly number[];
  /** The tokens drawn, the end of text included. */
  readonly ids: readonly number[];
  /** Whether it ended by itself. */
  readonly ended: boolean;
  readonly text: string;
}

export interface Sampled extends Episode {
  /** log π(a_t|s_t) of the policy that drew them, at its temperature, in nats. */
  readonly logprobs: readonly number[];
}

/** What the reward says of the whole response. */
export interface Scored extends Sampled {
  readonly score: number;
  /** The score that is learnt from: clipped, and less where the response did not end. */
  readonly shaped: number;
  /** By the judge that training never sees. */
  readonly truth?: number;
}

/** What the other models say of its tokens, one number each. */
export interface Assessed extends Scored {
  readonly reference: readonly number[];
  /** V(s_t); nothing where there is no value function. */
  readonly values: readonly number[];
}

/** Which hidden states predict which response tokens; N is the longest response, rounded up. */
export interface Tokens {
  /** Prompt and response, right-padded, [B,T]. */
  readonly ids: HostTensor<Int32Array>;
  /** Places among the B·T positions that predict the response tokens, [B·N], none twice: behind the response they go on and round. */
  readonly rows: HostTensor<Int32Array>;
  /** The response tokens, [B·N]. */
  readonly targets: HostTensor<Int32Array>;
}

export function tokensOf(episodes: readonly Episode[], rows: number, limit: number): Tokens {
  const longest = longestOf(episodes);
  const whole = Math.max(longest, Math.min(rounded(longest, 8), limit));
  const width = responseWidth(episodes);
  const ids = new Int32Array(rows * whole);
  const at = new Int32Array(rows * width);
  const targets = new Int32Array(rows * width);
  episodes.forEach(({ promptIds, ids: response }, i) => {
    ids.set(promptIds, i * whole);
    ids.set(response, i * whole + promptIds.length);
    targets.set(response, i * width);
  });
  for (let i = 0; i < rows; i++) {
    const first = (episodes[i]?.promptIds.length ?? 1) - 1;
    for (let t = 0; t < width; t++) at[i * width + t] = i * whole + ((first + t) % whole);
  }
  return {
    ids: tensor(ids, [rows, whole]),
    rows: tensor(at, [rows * width]),
    targets: tensor(targets, [rows * width]),
  };
}

/** One number for each response token of each episode, laid out as `targets` are: [B·N], 0 for padding. */
export function perToken(
  episodes: readonly Episode[],
  rows: number,
  of: (index: number) => readonly number[],
): HostTensor<Float32Array> {
  const width = responseWidth(episodes);
  const data = new Float32Array(rows * width);
  for (const i of episodes.keys()) data.set(of(i), i * width);
  return tensor(data, [rows * width]);
}

/** The rows of an array laid out as `targets` are, each cut to its episode's length. */
export function rowsOf(data: ArrayLike<number>, episodes: readonly Episode[]): number[][] {
  const width = responseWidth(episodes);
  return episodes.map(({ ids }, i) => ids.map((_, t) => data[i * width + t]!));
}

/** Short lengths are rounded up to multiples of `step`, so that little is padded; longer ones as sequences are. */
const rounded = (longest: number, step: number): number =>
  longest <= 64 ? step * Math.ceil(longest / step) : paddedLength(longest);

const longestOf = (episodes: readonly Episode[]): number =>
  Math.max(2, ...episodes.map(({ promptIds, ids }) => promptIds.length + ids.length));

/** Never more than a sequence has positions. */
function responseWidth(episodes: readonly Episode[]): number {
  const longest = Math.max(1, ...episodes.map(({ ids }) => ids.length));
  return Math.min(rounded(longest, 4), longestOf(episodes));
}
