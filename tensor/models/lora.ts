// Low-rank adapters (https://arxiv.org/abs/2106.09685): W' = W + alpha/r · B A with A [r,in] and B [out,r] trained alone.

import { check } from "../error.ts";
import { type Params, tensor } from "../host.ts";
import type { Random } from "../random.ts";
import { type Shape, sizeOf } from "../shape.ts";

export const LORA_A = ".lora_A.weight";
export const LORA_B = ".lora_B.weight";

export interface LoraOptions {
  readonly r: number;
  readonly alpha: number;
  /** Last parts of the names of the linear layers to adapt: "q_proj". */
  readonly target_modules: readonly string[];
}

/** GPT-2's blocks keep their matrices as [in,out], which PEFT calls fan_in_fan_out; all other layers are [out,in]. */
const fanInFanOut = (layer: string): boolean => /(^|\.)h\.\d+\.(attn|mlp)\.c_(attn|proj|fc)$/.test(layer);

export const isAdapter = (name: string): boolean => name.endsWith(LORA_A) || name.endsWith(LORA_B);

/** The shapes of the adapters of the layers named: A [r,in] and B [out,r] by the names of their weights. */
export function loraShapes(
  params: Readonly<Record<string, { readonly shape: Shape }>>,
  { r, target_modules }: Pick<LoraOptions, "r" | "target_modules">,
): Record<string, Shape> {
  check(Number.isInteger(r) && r >= 1, "argument", () => `lora: r is ${r}, must be a positive integer`);
  const shapes: Record<string, Shape> = {};
  for (const module of target_modules) {
    const found = Object.entries(params).filter(
      ([name, { shape }]) => name.endsWith(`.${module}.weight`) && shape.length === 2,
    );
    check(found.length > 0, "missing", () => `lora: the model has no linear layer "${module}"`);
    for (const [weight, { shape }] of found) {
      const name = weight.slice(0, -".weight".length);
      const [out, width] = (fanInFanOut(name) ? shape.toReversed() : shape) as [number, number];
      shapes[`${name}${LORA_A}`] = [r, width];
      shapes[`${name}${LORA_B}`] = [out, r];
    }
  }
  return shapes;
}

/**
 * Fresh adapters for the layers named: A uniform in ±1/√in (Kaiming with a = √5, as PEFT starts it), B zero, so that
 * the first forward pass is that of the base.
 */
export function initializeLora(params: Params, options: LoraOptions, random: Random): Params {
  return Object.fromEntries(
    Object.entries(loraShapes(params, options)).map(([name, shape]) => {
      const data = new Float32Array(sizeOf(shape));
      if (name.endsWith(LORA_A)) {
        const draw = random.split(name.slice(0, -LORA_A.length));
        const bound = 1 / Math.sqrt(shape[1]!);
        for (let i = 0; i < data.length; i++) data[i] = bound * (2 * draw.uniform() - 1);
      }
      return [name, tensor(data, shape)];
    }),
  );
}

/** The base with its adapters added in: W + alpha/r · B A, summed in float64. Weights without adapters are not copied. */
export function mergeLora(base: Params, adapters: Params, alpha: number): Params {
  const merged: Params = { ...base };
  for (const [name, a] of Object.entries(adapters)) {
    if (!name.endsWith(LORA_A)) continue;
    const layer = name.slice(0, -LORA_A.length);
    const [b, w] = [adapters[`${layer}${LORA_B}`], base[`${layer}.weight`]];
    check(b !== undefined && w !== undefined, "missing", () => `lora: ${layer} lacks its weight or lora_B`);
    const turned = fanInFanOut(layer);
    const [out, width] = (turned ? w.shape.toReversed() : w.shape) as [number, number];
    const r = a.shape[0]!;
    check(
      a.shape[1] === width && b.shape[0] === out && b.shape[1] === r,
      "shape",
      () => `lora: ${layer} is [${w.shape}], its adapters are A [${a.shape}] and B [${b.shape}]`,
    );
    const data = w.data.slice();
    const row = new Float64Array(width);
    for (let o = 0; o < out; o++) {
      row.fill(0);
      for (let k = 0; k < r; k++) {
        const factor = b.data[o * r + k]! * (alpha / r);
        if (factor === 0) continue;
        for (let i = 0; i < width; i++) row[i]! += factor * a.data[k * width + i]!;
      }
      for (let i = 0; i < width; i++) {
        const at = turned ? i * out + o : o * width + i;
        data[at] = w.data[at]! + row[i]!;
      }
    }
    merged[`${layer}.weight`] = tensor(data, w.shape);
  }
  return merged;
}

const PEFT = "base_model.model.";

/** Adapter weights under PEFT's names. */
export function toPeft(adapters: Params): Params {
  return Object.fromEntries(Object.entries(adapters).map(([name, t]) => [`${PEFT}${name}`, t]));
}

/** PEFT's names back to ours; anything that is not an adapter of a linear layer is refused by name. */
export function fromPeft(saved: Params): Params {
  return Object.fromEntries(
    Object.entries(saved).map(([name, t]) => {
      const ours = name.startsWith(PEFT) ? name.slice(PEFT.length) : name;
      check(isAdapter(ours), "argument", () => `${name} is not a LoRA matrix of a linear layer`);
      return [ours, t];
    }),
  );
}

/** adapter_config.json as PEFT writes it. */
export function peftConfig(
  options: LoraOptions & {
    readonly dropout: number;
    readonly base: string | null;
    /** Whether the model has an encoder. */
    readonly encodes?: boolean;
  },
) {
  return {
    base_model_name_or_path: options.base,
    bias: "none",
    fan_in_fan_out: options.target_modules.some((name) => /^c_(attn|proj|fc)$/.test(name)),
    inference_mode: true,
    init_lora_weights: true,
    lora_alpha: options.alpha,
    lora_dropout: options.dropout,
    modules_to_save: null,
    peft_type: "LORA",
    r: options.r,
    target_modules: [...options.target_modules].sort(),
    task_type: options.encodes ? "SEQ_2_SEQ_LM" : "CAUSAL_LM",
    use_dora: false,
    use_rslora: false,
  };
}
