// The parameters that every training stage shares, declared once; each stage says its own defaults and where they come from.
import Type from "typebox";
import type { ParamProblem } from "../../grammar/index.ts";

export interface TrainingDefaults {
  readonly learning_rate: number;
  readonly schedule: "constant" | "linear" | "cosine";
  readonly warmup: number;
  readonly batch_size: number;
  readonly epochs: number;
  readonly weight_decay: number;
  readonly adam_beta2: number;
  /** What the best epoch may be chosen by; default `eval_loss` alone. */
  readonly selects?: readonly string[];
  /** Where these come from, one line. */
  readonly source: string;
}

const trl = "TRL and transformers TrainingArguments";

export function trainingParams(defaults: TrainingDefaults) {
  const source = { "x-source": defaults.source };
  return {
    epochs: Type.Number({
      "x-rehearse": { most: 1 },
      exclusiveMinimum: 0,
      default: defaults.epochs,
      description: "Passes over the data; a fraction is allowed. `steps` wins when it is given.",
      ...source,
    }),
    steps: Type.Optional(
      Type.Integer({
        "x-rehearse": { always: 2 },
        minimum: 1,
        description: "Optimiser steps, instead of epochs.",
        "x-unit": "steps",
      }),
    ),
    batch_size: Type.Integer({
      "x-rehearse": { most: 4 },
      minimum: 1,
      default: defaults.batch_size,
      description: "Examples per optimiser step.",
      "x-unit": "examples",
      ...source,
    }),
    learning_rate: Type.Number({
      exclusiveMinimum: 0,
      default: defaults.learning_rate,
      description: "Peak learning rate.",
      "x-usual": [1e-8, 1],
      ...source,
    }),
    schedule: Type.Enum(["constant", "linear", "cosine", "inverse_sqrt"], {
      type: "string",
      default: defaults.schedule,
      description:
        "How the learning rate falls after the warm-up; `cosine(final: 10%)` sets the floor with it.",
      "x-options": { final: "final_learning_rate" },
      ...source,
    }),
    warmup: Type.Number({
      minimum: 0,
      maximum: 1,
      default: defaults.warmup,
      description:
        "Share of the steps in which the learning rate rises linearly from zero. `warmup_steps` wins when it is given.",
      "x-unit": "fraction",
      ...source,
    }),
    warmup_steps: Type.Optional(
      Type.Integer({
        minimum: 0,
        description: "Those steps as a number; a run that has fewer ends on the way up.",
        "x-unit": "steps",
      }),
    ),
    final_learning_rate: Type.Number({
      minimum: 0,
      maximum: 1,
      default: 0,
      description: "Floor of the schedule, as a share of the peak (InstructGPT uses 10%).",
      "x-unit": "fraction",
      "x-source": trl,
    }),
    optimizer: Type.Enum(["adamw", "adafactor", "rmsprop", "sgd"], {
      type: "string",
      default: "adamw",
      description:
        "adamw keeps two arrays per weight, rmsprop (the DPO paper's choice) one, adafactor (T5, FLAN, T0) one number per row and column, sgd none or one.",
      "x-source": trl,
    }),
    weight_decay: Type.Number({
      minimum: 0,
      default: defaults.weight_decay,
      description:
        "On matrices only; decoupled from the gradient in adamw and adafactor, added to it in rmsprop and sgd.",
      ...source,
    }),
    adam_beta1: Type.Number({
      minimum: 0,
      exclusiveMaximum: 1,
      default: 0.9,
      description: "Decay of adamw's first moment.",
      "x-source": "Loshchilov & Hutter 2019; all peers",
    }),
    adam_beta2: Type.Number({
      minimum: 0,
      exclusiveMaximum: 1,
      default: defaults.adam_beta2,
      description: "Decay of adamw's second moment.",
      ...source,
    }),
    adam_epsilon: Type.Number({
      exclusiveMinimum: 0,
      default: 1e-8,
      description: "Added to the root of adamw's second moment.",
      "x-source": trl,
    }),
    rmsprop_decay: Type.Number({
      minimum: 0,
      exclusiveMaximum: 1,
      default: 0.99,
      description: "Decay of rmsprop's mean square (torch calls it alpha).",
      "x-source": "torch.optim.RMSprop, as in the DPO authors' code",
    }),
    scale_parameter: Type.Optional(
      Type.Boolean({
        description:
          "adafactor's steps in proportion to each weight's root mean square, as T5, FLAN and T0 were trained (transformers: `scale_parameter`); off unless given, as in TRL.",
      }),
    ),
    momentum: Type.Number({
      minimum: 0,
      exclusiveMaximum: 1,
      default: 0,
      description: "Momentum of sgd and rmsprop.",
      "x-source": "torch.optim",
    }),
    max_grad_norm: Type.Number({
      exclusiveMinimum: 0,
      default: 1,
      description: "Gradients are scaled down to this global norm.",
      "x-source": trl,
    }),
    ema_decay: Type.Optional(
      Type.Number({
        minimum: 0,
        exclusiveMaximum: 1,
        description:
          "Keeps the running average e ← d·e + (1-d)·w of the weights, which is then the result (InstructGPT: 0.992).",
      }),
    ),
    select_by: Type.Optional(
      Type.Enum([...(defaults.selects ?? ["eval_loss"])], {
        type: "string",
        description:
          "Measures the `eval` data after every epoch and keeps the weights that were best by this, not the last ones (transformers: `load_best_model_at_end`).",
      }),
    ),
    seed: Type.Integer({
      minimum: 0,
      default: 42,
      description: "Of the data order and of everything drawn at random.",
      "x-source": "alignment-handbook",
    }),
    micro_batch_size: Type.Optional(
      Type.Integer({
        "x-rehearse": { most: 4 },
        minimum: 1,
        description:
          "Examples computed at a time; a batch is accumulated from such pieces. Less memory, the same result up to rounding.",
        "x-unit": "examples",
        "x-execution": true,
      }),
    ),
    recompute: Type.Boolean({
      default: false,
      description:
        "Computes every layer a second time instead of keeping its activations: less memory, more time, the same bits.",
      "x-source": "off in torch; TRL turns it on for memory",
      "x-execution": true,
    }),
    checkpoint_every: Type.Number({
      minimum: 0,
      default: 60,
      description: "Seconds between checkpoints, from which a killed run goes on; 0 is after every step.",
      "x-unit": "seconds",
      "x-source": "Align: a kill costs a minute at most",
      "x-execution": true,
    }),
    steps_per_run: Type.Integer({
      minimum: 1,
      default: 1,
      description:
        "Most optimiser steps in one run of the device, where batches in a row have one shape (as packed ones do) and none is in " +
        "pieces: the same bits, and weights that need not travel in between. Checkpoints and evaluations wait for its end.",
      "x-unit": "steps",
      "x-source": "torch and transformers: a step at a time",
      "x-execution": true,
    }),
    eval_every: Type.Optional(
      Type.Integer({
        "x-rehearse": { most: 1 },
        minimum: 1,
        description:
          "Steps between evaluations while it trains, the first before any step, if there is `eval` data. Always at the end.",
        "x-unit": "steps",
        "x-execution": true,
      }),
    ),
  };
}

export function dropoutParams() {
  return {
    residual_dropout: Type.Number({
      minimum: 0,
      exclusiveMaximum: 1,
      default: 0,
      description:
        "Dropout on what attention and MLP add to the residual stream (InstructGPT 0.2; LIMA 0.3 with the ramp).",
      "x-unit": "fraction",
      "x-source": "off in TRL and in Llama's configuration",
    }),
    residual_dropout_ramp: Type.Boolean({
      default: false,
      description:
        "Dropout rises linearly from 0 in the first layer to `residual_dropout` in the last (LIMA).",
      "x-source": "constant in Ouyang et al. 2022 App. C.1",
    }),
  };
}

interface Lora {
  readonly r: number;
  readonly alpha: number;
  readonly dropout: number;
  readonly target_modules: readonly string[];
}

const loraDefaults = { r: 16, alpha: 16, dropout: 0 };

/** By model_type: the alignment-handbook's for the Llama family, PEFT 0.21's own for the others. */
const targets: Readonly<Record<string, readonly string[]>> = {
  gpt2: ["c_attn"],
  gpt_neox: ["query_key_value"],
  t5: ["q", "v"],
};
const llamaTargets = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"];

/** What is not given, filled in for this kind of model. */
export const loraFor = (modelType = "llama", given: Partial<Lora>): Lora => ({
  ...loraDefaults,
  target_modules: targets[modelType] ?? llamaTargets,
  ...given,
});

export function loraParams() {
  const source = { "x-source": "alignment-handbook, zephyr-7b-beta SFT qlora" };
  return {
    lora: Type.Optional(
      Type.Object(
        {
          r: Type.Optional(
            Type.Integer({ minimum: 1, default: loraDefaults.r, description: "Rank.", ...source }),
          ),
          alpha: Type.Optional(
            Type.Number({
              exclusiveMinimum: 0,
              default: loraDefaults.alpha,
              description: "The update is alpha/r · B A.",
              ...source,
            }),
          ),
          dropout: Type.Optional(
            Type.Number({
              minimum: 0,
              exclusiveMaximum: 1,
              default: loraDefaults.dropout,
              description: "Dropout on the adapters' inputs.",
              "x-source": "Hu et al. 2021 for language models; TRL switches it off in DPO",
            }),
          ),
          target_modules: Type.Optional(
            Type.Array(Type.String(), {
              minItems: 1,
              description:
                "Last parts of the names of the layers that get an adapter. Without it all linear layers of the Llama family " +
                "(as the alignment-handbook), c_attn of GPT-2, query_key_value of GPT-NeoX, q and v of T5 (as PEFT).",
            }),
          ),
        },
        {
          additionalProperties: false,
          description:
            "Trains low-rank adapters (Hu et al. 2021) instead of the weights: { r: 16, alpha: 16, dropout: 0 }. " +
            "The result is the merged model, with the adapter in PEFT's layout in its folder `adapter`. Wants a learning rate about ten times higher.",
        },
      ),
    ),
  };
}

/** What the training loop reads. */
export interface TrainingParams {
  readonly epochs: number;
  readonly steps?: number;
  readonly batch_size: number;
  readonly learning_rate: number;
  readonly schedule: "constant" | "linear" | "cosine" | "inverse_sqrt";
  readonly warmup: number;
  readonly warmup_steps?: number;
  readonly final_learning_rate: number;
  readonly optimizer: "adamw" | "adafactor" | "rmsprop" | "sgd";
  readonly weight_decay: number;
  readonly adam_beta1: number;
  readonly adam_beta2: number;
  readonly adam_epsilon: number;
  readonly rmsprop_decay: number;
  readonly scale_parameter?: boolean;
  readonly momentum: number;
  readonly max_grad_norm: number;
  readonly ema_decay?: number;
  readonly select_by?: string;
  readonly seed: number;
  readonly micro_batch_size?: number;
  readonly recompute: boolean;
  readonly checkpoint_every: number;
  readonly steps_per_run: number;
  readonly eval_every?: number;
}

/** Half the micro-batch, then a quarter, …: the same batch in more pieces. */
export function inLessMemory<P extends { readonly batch_size: number; readonly micro_batch_size?: number }>(
  params: P,
  times: number,
): P | undefined {
  const largest = Math.min(params.micro_batch_size ?? params.batch_size, params.batch_size);
  // The try before had single examples already.
  if (Math.ceil(largest / 2 ** (times - 1)) === 1) return undefined;
  return { ...params, micro_batch_size: Math.ceil(largest / 2 ** times) };
}

export interface DropoutParams {
  readonly residual_dropout: number;
  readonly residual_dropout_ramp: boolean;
}

export interface LoraParams {
  readonly lora?: Partial<Lora>;
}

const usedBy: Readonly<Record<string, readonly string[]>> = {
  adam_beta1: ["adamw"],
  adam_beta2: ["adamw"],
  adam_epsilon: ["adamw"],
  rmsprop_decay: ["rmsprop"],
  scale_parameter: ["adafactor"],
  momentum: ["sgd", "rmsprop"],
};

/** Parameters that were written down and do nothing beside the others. `given` knows them from defaults, and which inputs there are. */
export function withoutEffect(
  params: Pick<TrainingParams, "optimizer" | "schedule"> & Partial<TrainingParams & DropoutParams>,
  given: (name: string) => boolean,
): ParamProblem[] {
  const problems: ParamProblem[] = [];
  const idle = (param: string, message: string, help: string) => {
    if (given(param)) problems.push({ param, kind: "other", message, help });
  };
  for (const [param, optimizers] of Object.entries(usedBy)) {
    if (optimizers.includes(params.optimizer)) continue;
    idle(
      param,
      `has no effect with optimizer: ${params.optimizer}`,
      `leave it out, or use optimizer: ${optimizers.join(" or ")}`,
    );
  }
  if (params.schedule === "constant")
    idle("final_learning_rate", "has no effect with schedule: constant", "leave it out");
  if (!given("eval"))
    idle("select_by", "chooses by data that is not given", "give `eval` rows that are not trained on");
  if (params.residual_dropout === 0 && params.residual_dropout_ramp)
    idle("residual_dropout_ramp", "has no effect without residual_dropout", "set residual_dropout: 0.3");
  return problems;
}
