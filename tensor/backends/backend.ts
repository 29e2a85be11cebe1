// The interface that every backend implements: compile a graph once, run it many times.

import type { Graph, HostArray } from "../ir/graph.ts";

export interface CompileOptions {
  /** Runs the graph as given, without the rewriting passes; for tests of the passes. */
  readonly verbatim?: boolean;
  /**
   * Inputs and outputs that hold state (weights, moments): between runs the caller neither reads nor writes their
   * arrays without `Backend.reclaim`. A device with memory of its own then keeps them there.
   */
  readonly state?: (name: string) => boolean;
  /**
   * Gives working memory back after every run instead of keeping it for the next: for callers that hold several large
   * programs, of which only one runs at a time. Costs some time, changes no bit.
   */
  readonly frugal?: boolean;
  /**
   * A decoding step of at most 16 rows, as is every other program that is to give the same bits: products may be
   * computed in an order of their own.
   */
  readonly narrow?: boolean;
  /** Only where `Backend.loops`: the graph is computed several times in one run. */
  readonly loop?: Loop;
  /** Only where `Backend.freezes`: inputs that are given now and for good, and not fed at any run. */
  readonly frozen?: FrozenInputs;
}

/** An output with the name of an input is that input the next time; in the end it comes out. The others come out of every time: [times, …]. */
export interface Loop {
  readonly times: number;
  /** Inputs that are others every time: they are fed as [times, …]. */
  readonly each: (input: string) => boolean;
}

export interface FrozenInputs {
  /** By input name. The arrays are copied. */
  readonly arrays: Readonly<Arrays>;
  /** Below 32, matrices that stand right in a product are rounded to so many bits in blocks of 32 numbers. */
  readonly bits?: 32 | 8 | 4;
}

export interface Backend {
  readonly name: string;
  /** Everything about the backend that can change a bit of a result, e.g. "onnx-cpu/1.30.0/fp32/x64". Goes into cache keys. */
  readonly fingerprint: string;
  /** Knows CompileOptions.frozen. */
  readonly freezes?: boolean;
  /** Knows CompileOptions.loop. */
  readonly loops?: boolean;
  compile(graph: Graph, options?: CompileOptions): Promise<Executable>;
  /**
   * Brings the numbers of `state` arrays back from the device and lets go of its copies: they are plain arrays again.
   * Missing where the device computes in the host's memory. An array that stands for state may be fed to any
   * executable of this backend without it.
   */
  readonly reclaim?: (arrays: Iterable<HostArray>) => Promise<void>;
  /** Frees the device's copies without bringing them back. */
  readonly forget?: (arrays: Iterable<HostArray>) => void;
}

/** Row-major arrays by name; shapes are those of the graph. f32 is Float32Array, i32 Int32Array, bool Uint8Array. */
export type Arrays = Record<string, HostArray>;

export interface Executable {
  /**
   * Feeds every input of the graph. An array in `into` receives the output of that name and is returned as it;
   * it may be the array fed for an input that no other node reads after the output is written (Adam's moments).
   */
  run(feeds: Readonly<Arrays>, into?: Readonly<Arrays>): Promise<Arrays>;
  dispose(): Promise<void>;
}
