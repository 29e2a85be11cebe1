// Span corruption as T5 does it (Raffel et al. 2019 §3.1.4 and §3.3.4; random_spans_noise_mask of its code): some spans of a text are
// dropped, a sentinel stands in the place of each, and the targets are the spans, each behind its sentinel.

export interface Noise {
  /** Share of the tokens that is dropped. */
  readonly noise_density: number;
  readonly mean_noise_span_length: number;
}

type Shuffle = (marks: readonly boolean[]) => readonly boolean[];

/** How many of `length` tokens are dropped, in how many spans: at least one of each, and one token at least stays before each span. */
export function countsOf(length: number, noise: Noise): { noise: number; spans: number } {
  const dropped = Math.min(Math.max(rounded(length * Math.fround(noise.noise_density)), 1), length - 1);
  const spans = Math.max(rounded(dropped / noise.mean_noise_span_length), 1);
  return { noise: dropped, spans: Math.min(spans, length - dropped) };
}

/**
 * The tokens of text whose corruption, with a sentinel for each span and the end of text, fills an encoder's input of at most
 * `inputs` tokens: 568 for 512, of which 85 are dropped in 28 spans: 568 - 85 + 28 + 1 = 512.
 */
export function tokensFor(inputs: number, noise: Noise): number {
  const filled = (length: number) => {
    const { noise: dropped, spans } = countsOf(length, noise);
    return length - dropped + spans + 1;
  };
  let length = Math.max(2, inputs - 1);
  while (filled(length + 1) <= inputs) length++;
  return length;
}

/** Which tokens are dropped. Kept and dropped spans take turns, beginning with a kept one; all such masks are equally likely. */
export function noiseMask(length: number, noise: Noise, shuffle: Shuffle): boolean[] {
  const { noise: dropped, spans } = countsOf(length, noise);
  const noisy = parts(dropped, spans, shuffle);
  const kept = parts(length - dropped, spans, shuffle);
  return kept.flatMap((n, i) => [...Array<boolean>(n).fill(false), ...Array<boolean>(noisy[i]!).fill(true)]);
}

/** The lengths of `count` parts that `items` things in a row fall into: a mark on the first of each but the first, shuffled. */
function parts(items: number, count: number, shuffle: Shuffle): number[] {
  const starts = shuffle(Array.from({ length: items - 1 }, (_, i) => i < count - 1));
  const lengths = [1];
  for (const start of starts) {
    if (start) lengths.push(1);
    else lengths[lengths.length - 1]!++;
  }
  return lengths;
}

/** What the encoder reads and what the decoder says, both without an end. */
export function corrupted(
  tokens: ArrayLike<number>,
  mask: readonly boolean[],
  sentinels: readonly number[],
): { inputs: number[]; targets: number[] } {
  const dropped = (noise: boolean): number[] => {
    const left: number[] = [];
    let spans = 0;
    for (const [i, noisy] of mask.entries()) {
      if (noisy !== noise) left.push(tokens[i]!);
      else if (mask[i - 1] !== noise) left.push(sentinels[spans++]!);
    }
    return left;
  };
  return { inputs: dropped(true), targets: dropped(false) };
}

/** As TensorFlow does in fp32, halves to the even neighbour: 1.5 and 2.5 are 2. */
function rounded(exact: number): number {
  const x = Math.fround(exact);
  const whole = Math.floor(x);
  if (x - whole !== 0.5) return Math.round(x);
  return whole % 2 === 0 ? whole : whole + 1;
}
