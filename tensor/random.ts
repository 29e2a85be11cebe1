// Seeded random streams, split by name: the only source of chance in Align.
//
// A stream is xoshiro128** (Blackman & Vigna 2021) seeded from the hash of its path, so
// `stream(7).split("shuffle").split("epoch 2")` is the same sequence on every machine and in every
// order of calls. Its state is four 32-bit words and travels in checkpoints.

export type RandomState = readonly [number, number, number, number];

export interface Random {
  /** A child stream; the same name gives the same child whatever was drawn before. */
  split(name: string | number): Random;
  /** Uniform in [0, 1) with 32 random bits. */
  uniform(): number;
  /** Standard normal (Box-Muller, one value per call). */
  normal(): number;
  /** Uniform integer in [0, n). */
  int(n: number): number;
  /** Fisher-Yates permutation of 0..n-1. */
  permutation(n: number): number[];
  /** A shuffled copy. */
  shuffle<T>(items: readonly T[]): T[];
  state(): RandomState;
}

export function stream(seed: number | string): Random {
  return fromPath(`align:${seed}`);
}

/** Continues a stream from a checkpoint; `path` keeps its future splits the same. */
export function resume(path: string, state: RandomState): Random {
  return make(path, [...state]);
}

function fromPath(path: string): Random {
  return make(path, hash128(path));
}

function make(path: string, s: [number, number, number, number] | number[]): Random {
  let [a, b, c, d] = s as [number, number, number, number];

  function next(): number {
    const r = Math.imul(rotl(Math.imul(b, 5), 7), 9) >>> 0;
    const t = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= t;
    d = rotl(d, 11);
    return r;
  }

  const self: Random = {
    split: (name) => fromPath(`${path}/${typeof name}:${name}`),
    uniform: () => next() / 2 ** 32,
    normal: () => {
      const radius = Math.sqrt(-2 * Math.log((next() + 1) / (2 ** 32 + 1)));
      return radius * Math.cos(2 * Math.PI * (next() / 2 ** 32));
    },
    int: (n) => {
      if (!(n >= 1 && n <= 2 ** 32)) throw new RangeError(`int(n) needs 1 <= n <= 2^32, got ${n}`);
      // Rejection keeps the draw unbiased.
      const limit = 2 ** 32 - (2 ** 32 % n);
      let r = next();
      while (r >= limit) r = next();
      return r % n;
    },
    permutation: (n) => self.shuffle(Array.from({ length: n }, (_, i) => i)),
    shuffle: (items) => {
      const out = [...items];
      for (let i = out.length - 1; i > 0; i--) {
        const j = self.int(i + 1);
        [out[i], out[j]] = [out[j]!, out[i]!];
      }
      return out;
    },
    state: () => [a >>> 0, b >>> 0, c >>> 0, d >>> 0],
  };
  return self;
}

function rotl(x: number, k: number): number {
  return (x << k) | (x >>> (32 - k));
}

/** 128 bits of a string: four chained 32-bit multiply-xor lanes with a murmur3 finaliser (not cryptographic). */
function hash128(text: string): [number, number, number, number] {
  const bytes = new TextEncoder().encode(text);
  const lanes: [number, number, number, number] = [0x9e3779b9, 0x243f6a88, 0xb7e15162, 0x85a308d3];
  for (const byte of bytes) {
    for (let i = 0; i < 4; i++) {
      lanes[i] = Math.imul(lanes[i]! ^ (byte + i * 0x61), 0x5bd1e995 + 2 * i);
      lanes[i] = rotl(lanes[i]!, 13) ^ lanes[(i + 1) % 4]!;
    }
  }
  for (let i = 0; i < 4; i++) {
    let h = lanes[i]! ^ bytes.length ^ lanes[(i + 3) % 4]!;
    h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
    lanes[i] = (h ^ (h >>> 16)) >>> 0;
  }
  if (lanes.every((lane) => lane === 0)) lanes[0] = 1; // the one forbidden state
  return lanes;
}
