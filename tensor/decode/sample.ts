// Draws one token from a row of log-probabilities.

import { check } from "../error.ts";
import type { Random } from "../random.ts";

export interface SamplingOptions {
  /** 0 is greedy: the most probable token, the lowest id at a tie. */
  readonly temperature: number;
  /** Keep the k most probable tokens; 0 or undefined keeps all. */
  readonly top_k?: number;
  /** Then keep the fewest most probable tokens whose mass reaches p; 1 or undefined keeps all. */
  readonly top_p?: number;
  /** Then keep the tokens that are at least this fraction as probable as the most probable one; 0 or undefined keeps all. */
  readonly min_p?: number;
  /**
   * Logits of tokens that the row has already seen, its prompt included, are divided by this if positive and multiplied
   * if negative, before everything else (https://arxiv.org/abs/1909.05858). 1 or undefined changes nothing.
   */
  readonly repetition_penalty?: number;
}

export function checkSampling(options: SamplingOptions): void {
  const { temperature, top_k = 0, top_p = 1, min_p = 0, repetition_penalty = 1 } = options;
  check(
    temperature >= 0 && Number.isFinite(temperature),
    "argument",
    () => `temperature is ${temperature}, must be >= 0`,
  );
  check(
    Number.isInteger(top_k) && top_k >= 0,
    "argument",
    () => `top_k is ${top_k}, must be an integer >= 0`,
  );
  check(top_p > 0 && top_p <= 1, "argument", () => `top_p is ${top_p}, must be in (0, 1]`);
  check(min_p >= 0 && min_p <= 1, "argument", () => `min_p is ${min_p}, must be in [0, 1]`);
  check(
    repetition_penalty > 0 && Number.isFinite(repetition_penalty),
    "argument",
    () => `repetition_penalty is ${repetition_penalty}, must be > 0`,
  );
}

/** A copy of logprobs [V] with the tokens of `seen` made less probable; `normalizer` is logit minus log-probability. */
export function penalized(
  logprobs: Float32Array,
  normalizer: number,
  seen: Iterable<number>,
  penalty: number,
): Float32Array {
  const out = logprobs.slice();
  for (const id of seen) {
    const logit = logprobs[id]! + normalizer;
    out[id] = (logit > 0 ? logit / penalty : logit * penalty) - normalizer;
  }
  return out;
}

/** What a model says of the next token of one row. */
export interface Distribution {
  /** [V], in nats, at temperature 1. */
  readonly logprobs: Float32Array;
  /** [V], p^(1/temperature), of sum 1, where a graph has worked them out: a thousand times an exponential is dear here. */
  readonly weights?: Float32Array | undefined;
}

/**
 * `allowed(id)` leaves tokens out before anything else. Temperature comes first, then top_k, top_p and min_p, each over
 * what is left. Draws exactly one uniform number unless greedy.
 */
export function sampleToken(
  { logprobs, weights = undefined }: Distribution,
  { temperature, top_k = 0, top_p = 1, min_p = 0 }: SamplingOptions,
  random: Random,
  allowed?: (id: number) => boolean,
): number {
  if (temperature === 0) return argmax(logprobs, allowed);
  const u = random.uniform();
  const whole = weights ?? tempered(logprobs, temperature);
  if (top_k === 0 && top_p >= 1 && min_p === 0 && !allowed)
    return inverse(whole, u * (weights ? 1 : sum(whole))) ?? argmax(logprobs);

  const best = argmax(logprobs, allowed);
  let ids = candidates(logprobs, allowed, top_k);
  if (top_p < 1) ids = nucleus(ids, logprobs, whole, top_p);
  if (min_p > 0) ids = ids.filter((id) => whole[id]! >= min_p * whole[best]!);
  const left = Float64Array.from(ids, (id) => whole[id]!);
  const at = inverse(left, u * sum(left));
  return at === undefined ? best : ids[at]!;
}

/** log p(id), in nats, at a temperature above 0, of log-probabilities [V] at temperature 1. */
export function temperedLogprob(logprobs: Float32Array, id: number, temperature: number): number {
  if (temperature === 1) return logprobs[id]!;
  const weights = tempered(logprobs, temperature);
  return Math.log(weights[id]! / sum(weights));
}

/** p^(1/temperature), the most probable one 1. */
function tempered(logprobs: Float32Array, temperature: number): Float64Array {
  const most = logprobs.reduce((x, y) => Math.max(x, y), Number.NEGATIVE_INFINITY);
  return Float64Array.from(logprobs, (x) => Math.exp((x - most) / temperature));
}

type Weights = Float32Array | Float64Array;

function sum(weights: Weights): number {
  let total = 0;
  for (let i = 0; i < weights.length; i++) total += weights[i]!;
  return total;
}

/** Where the running sum of the weights passes `mass`; undefined only by rounding. */
function inverse(weights: Weights, mass: number): number | undefined {
  let left = mass;
  for (let i = 0; i < weights.length; i++) {
    left -= weights[i]!;
    if (left < 0) return i;
  }
  return undefined;
}

function argmax(logprobs: Float32Array, allowed?: (id: number) => boolean): number {
  let best = -1;
  let most = Number.NEGATIVE_INFINITY;
  for (let id = 0; id < logprobs.length; id++) {
    const x = logprobs[id]!;
    if ((x > most || best < 0) && (!allowed || allowed(id))) {
      best = id;
      most = x;
    }
  }
  check(best >= 0, "argument", () => "every token is banned");
  return best;
}

/** Allowed ids, only the top k of them when k > 0 (ties at the edge go to the lower id), in order of id. */
function candidates(
  logprobs: Float32Array,
  allowed: ((id: number) => boolean) | undefined,
  k: number,
): number[] {
  const ids: number[] = [];
  for (let id = 0; id < logprobs.length; id++) if (!allowed || allowed(id)) ids.push(id);
  if (k === 0 || k >= ids.length) return ids;
  const edge = Float32Array.from(ids, (id) => logprobs[id]!).sort()[ids.length - k]!;
  let ties = k - ids.reduce((n, id) => n + Number(logprobs[id]! > edge), 0);
  return ids.filter((id) => logprobs[id]! > edge || (logprobs[id] === edge && ties-- > 0));
}

function nucleus(ids: number[], logprobs: Float32Array, weights: ArrayLike<number>, p: number): number[] {
  let total = 0;
  for (const id of ids) total += weights[id]!;
  // Tokens below this floor hold less than 1-p together, so the nucleus is above it and little is left to sort.
  const floor = ((1 - p) * total) / ids.length;
  const sorted = ids
    .filter((id) => weights[id]! >= floor)
    .sort((x, y) => logprobs[y]! - logprobs[x]! || x - y);
  let mass = 0;
  const end = sorted.findIndex((id) => {
    mass += weights[id]!;
    return mass >= p * total;
  });
  return end < 0 ? sorted : sorted.slice(0, end + 1);
}
