// Rotary positions: the frequencies of a config, plain or stretched, as tables for the rope op.

import { check } from "../error.ts";
import type { Builder } from "../ir/builder.ts";
import type { Value } from "../ir/graph.ts";

/** How Llama 3.1 and position interpolation stretch the rotary frequencies. */
export interface RopeScaling {
  /** "default", "linear" or "llama3". */
  readonly rope_type?: string;
  /** Its name in older configs. */
  readonly type?: string;
  readonly factor?: number;
  readonly low_freq_factor?: number;
  readonly high_freq_factor?: number;
  readonly original_max_position_embeddings?: number;
}

export interface RopeConfig {
  /** Base of the rotary frequencies. Default 10000. */
  readonly rope_theta?: number;
  readonly rope_scaling?: RopeScaling | null;
  /** Where newer configs keep all of it. */
  readonly rope_parameters?:
    | (RopeScaling & { readonly rope_theta?: number; readonly partial_rotary_factor?: number })
    | null;
}

const scalingOf = (config: RopeConfig): RopeScaling => ({
  ...config.rope_scaling,
  ...config.rope_parameters,
});
const typeOf = ({ rope_type, type }: RopeScaling) => rope_type ?? type ?? "default";

const ropeTheta = (config: RopeConfig): number =>
  config.rope_parameters?.rope_theta ?? config.rope_theta ?? 10_000;

export function checkRope(config: RopeConfig): void {
  const scaling = scalingOf(config);
  const type = typeOf(scaling);
  check(
    ["default", "linear", "llama3"].includes(type),
    "argument",
    () => `rope type "${type}" is not supported, only "default", "linear" and "llama3"`,
  );
  const wanted: readonly (keyof RopeScaling)[] =
    type === "llama3"
      ? ["factor", "low_freq_factor", "high_freq_factor", "original_max_position_embeddings"]
      : type === "linear"
        ? ["factor"]
        : [];
  for (const name of wanted) {
    check(
      typeof scaling[name] === "number",
      "argument",
      () => `rope type "${type}" wants a number for ${name}`,
    );
  }
}

/** Radians per position of the pairs 0..d/2-1, rounded to fp32 where Hugging Face rounds. */
function ropeFrequencies(config: RopeConfig, d: number): number[] {
  const theta = ropeTheta(config);
  const scaling = scalingOf(config);
  const { factor = 1, low_freq_factor: low = 1, high_freq_factor: high = 1 } = scaling;
  return Array.from({ length: d / 2 }, (_, j) => {
    const plain = Math.fround(1 / theta ** ((2 * j) / d));
    switch (typeOf(scaling)) {
      case "linear":
        return Math.fround(plain / factor);
      case "llama3": {
        // Waves longer than the training length are stretched, short ones kept, those between blended.
        const turns = (scaling.original_max_position_embeddings! * plain) / (2 * Math.PI);
        const keep = Math.min(1, Math.max(0, (turns - low) / (high - low)));
        return Math.fround((1 - keep) * (plain / factor) + keep * plain);
      }
      default:
        return plain;
    }
  });
}

/** cos and sin of position · frequency for positions 0..P-1: [P, d/2] each. */
export function rotaryTables(
  b: Builder,
  config: RopeConfig,
  d: number,
  P: number,
): { cos: Value; sin: Value } {
  const half = d / 2;
  const frequencies = ropeFrequencies(config, d);
  const angle = (i: number) => Math.fround(Math.floor(i / half) * frequencies[i % half]!);
  const table = (f: (x: number) => number) =>
    b.constant(
      Float32Array.from({ length: P * half }, (_, i) => f(angle(i))),
      [P, half],
    );
  return { cos: table(Math.cos), sin: table(Math.sin) };
}
