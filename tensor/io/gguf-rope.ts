// Stretched rotary positions: `linear` is a setting of a GGUF file, Llama 3.1's a tensor of divisors, both are `rope_scaling` in config.json.
import type { GgufMetadata } from "./gguf-header.ts";
import { unsupported } from "./gguf-unsupported.ts";
import type { JsonObject } from "./tokenizer-files.ts";

/** What each frequency is divided by. */
export const divisorsName = "rope_freqs.weight";

interface Llama3 {
  readonly factor: number;
  readonly low_freq_factor: number;
  readonly high_freq_factor: number;
  readonly original_max_position_embeddings: number;
}

/** Of Llama 3.1, 3.2 and 3.3, which differ in their factor only (8 or 32); a GGUF file does not say these. */
const published = { low_freq_factor: 1, high_freq_factor: 4, original_max_position_embeddings: 8192 };

/** `rope_scaling` of config.json; null where nothing is stretched. */
export function ropeScalingIn(
  metadata: GgufMetadata,
  divisors: ArrayLike<number> | undefined,
  { name, theta, headDim }: { readonly name: string; readonly theta: number; readonly headDim: number },
  where: string,
): JsonObject | null {
  const type = metadata.get(`${name}.rope.scaling.type`) ?? "none";
  if (divisors !== undefined) {
    const llama3 = { ...published, factor: Math.max(...Array.from(divisors)) };
    const wanted = divisorsOf(llama3, theta, headDim);
    const off = Array.from(wanted, (value, j) => Math.abs(value / (divisors[j] ?? 0) - 1));
    // fp32 on one side; NaN is no match either.
    if (type !== "none" || divisors.length !== wanted.length || !off.every((difference) => difference < 1e-4))
      throw unsupported(
        `its rotary positions are stretched (${divisorsName}) in another way than those of Llama 3.1 to 3.3`,
        where,
      );
    return { rope_type: "llama3", ...llama3 };
  }
  if (type === "none") return null;
  const factor = metadata.get(`${name}.rope.scaling.factor`);
  if (type !== "linear" || typeof factor !== "number" || !(factor > 0))
    throw unsupported(`its rotary positions are stretched (${String(type)}), which is not supported`, where);
  return { rope_type: "linear", factor };
}

/** Settings and tensors that say the same in a GGUF file. */
export function stretchedRope(config: JsonObject, name: string, headDim: number, where: string) {
  const scaling = (config.rope_scaling ?? config.rope_parameters ?? {}) as Record<string, unknown>;
  const type = scaling.rope_type ?? scaling.type ?? "default";
  const settings = new Map<string, string | number>();
  const tensors = new Map<string, Float32Array>();
  if (type === "linear") {
    settings.set(`${name}.rope.scaling.type`, "linear");
    settings.set(`${name}.rope.scaling.factor`, scaling.factor as number);
  } else if (type === "llama3") {
    const theta = (scaling.rope_theta ?? config.rope_theta ?? 10_000) as number;
    tensors.set(divisorsName, divisorsOf(scaling as unknown as Llama3, theta, headDim));
  } else if (type !== "default") {
    throw unsupported(`its rotary positions are stretched (${type}), which is not supported`, where);
  }
  return { settings, tensors };
}

/** As llama.cpp's converter: waves longer than the first training's length by the factor, short ones not, between them blended. */
function divisorsOf(llama3: Llama3, theta: number, headDim: number): Float32Array {
  const { factor, low_freq_factor: low, high_freq_factor: high } = llama3;
  return Float32Array.from({ length: headDim / 2 }, (_, j) => {
    const turns = llama3.original_max_position_embeddings / (2 * Math.PI * theta ** ((2 * j) / headDim));
    const keep = Math.min(1, Math.max(0, (turns - low) / (high - low)));
    return 1 / ((1 - keep) / factor + keep);
  });
}
