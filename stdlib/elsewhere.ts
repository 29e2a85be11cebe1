// What parameters of ours are called in other tools: whoever writes `cutoff_len` is told of `max_length`.
import type { Operation } from "../engine/index.ts";
import type { Elsewhere } from "../grammar/index.ts";

export const tools = ["transformers, TRL", "axolotl", "LLaMA-Factory", "OpenRLHF", "vLLM"] as const;

type Tool = (typeof tools)[number];

interface Row {
  readonly parameter: string;
  readonly names: Partial<Readonly<Record<Tool, readonly string[]>>>;
  /** What differs, where the value cannot be taken over; goes on after "is `batch_size` here, ". */
  readonly but?: string;
}

const pieces =
  "which counts all examples of an optimiser step; those computed at a time are `micro_batch_size`";
const block = "a block: `lora: { r: 16, alpha: 16 }`";

/** A name is looked up from the top: `beta` is `kl_coef` only where an operation has no `beta` of its own. */
export const elsewhere: readonly Row[] = [
  {
    parameter: "epochs",
    names: {
      "transformers, TRL": ["num_train_epochs"],
      axolotl: ["num_epochs"],
      "LLaMA-Factory": ["num_train_epochs"],
      OpenRLHF: ["max_epochs"],
    },
  },
  {
    parameter: "steps",
    names: { "transformers, TRL": ["max_steps"], axolotl: ["max_steps"], "LLaMA-Factory": ["max_steps"] },
  },
  { parameter: "batch_size", names: { OpenRLHF: ["train_batch_size"] } },
  {
    parameter: "batch_size",
    names: {
      "transformers, TRL": ["per_device_train_batch_size", "gradient_accumulation_steps"],
      axolotl: ["gradient_accumulation_steps"],
      "LLaMA-Factory": ["per_device_train_batch_size", "gradient_accumulation_steps"],
    },
    but: pieces,
  },
  { parameter: "micro_batch_size", names: { OpenRLHF: ["micro_train_batch_size"] } },
  { parameter: "learning_rate", names: { OpenRLHF: ["lr"] } },
  {
    parameter: "schedule",
    names: {
      "transformers, TRL": ["lr_scheduler_type"],
      axolotl: ["lr_scheduler"],
      "LLaMA-Factory": ["lr_scheduler_type"],
      OpenRLHF: ["lr_scheduler"],
    },
  },
  {
    parameter: "warmup",
    names: {
      "transformers, TRL": ["warmup_ratio"],
      axolotl: ["warmup_ratio"],
      "LLaMA-Factory": ["warmup_ratio"],
      OpenRLHF: ["lr_warmup_ratio"],
    },
  },
  {
    parameter: "final_learning_rate",
    names: { axolotl: ["cosine_min_lr_ratio"], OpenRLHF: ["min_lr_ratio"] },
  },
  { parameter: "optimizer", names: { "transformers, TRL": ["optim"], "LLaMA-Factory": ["optim"] } },
  { parameter: "max_grad_norm", names: { OpenRLHF: ["max_norm"] } },
  {
    parameter: "recompute",
    names: {
      "transformers, TRL": ["gradient_checkpointing"],
      axolotl: ["gradient_checkpointing"],
      "LLaMA-Factory": ["gradient_checkpointing"],
      OpenRLHF: ["gradient_checkpointing"],
    },
  },
  {
    parameter: "eval_every",
    names: { "transformers, TRL": ["eval_steps"], axolotl: ["eval_steps"], "LLaMA-Factory": ["eval_steps"] },
  },
  {
    parameter: "checkpoint_every",
    names: {
      "transformers, TRL": ["save_steps"],
      axolotl: ["save_steps"],
      "LLaMA-Factory": ["save_steps"],
      OpenRLHF: ["save_steps"],
    },
    but: "which counts seconds",
  },
  {
    parameter: "select_by",
    names: { "transformers, TRL": ["metric_for_best_model"], axolotl: ["metric_for_best_model"] },
  },
  {
    parameter: "select_by",
    names: { "transformers, TRL": ["load_best_model_at_end"], axolotl: ["load_best_model_at_end"] },
    but: "which names what is looked at: `select_by: eval_loss`",
  },
  { parameter: "ema_decay", names: { OpenRLHF: ["ema_beta"] } },
  { parameter: "ema", names: { OpenRLHF: ["ema_beta"] } },
  {
    parameter: "max_length",
    names: {
      "transformers, TRL": ["max_seq_length"],
      axolotl: ["sequence_len"],
      "LLaMA-Factory": ["cutoff_len"],
      OpenRLHF: ["max_len"],
    },
  },
  {
    parameter: "packing",
    names: { axolotl: ["sample_packing"], "LLaMA-Factory": ["neat_packing"], OpenRLHF: ["packing_samples"] },
  },
  {
    parameter: "lora",
    names: {
      "transformers, TRL": ["lora_r", "lora_alpha", "lora_dropout", "lora_target_modules", "use_peft"],
      axolotl: ["lora_r", "lora_alpha", "lora_dropout", "lora_target_modules"],
      "LLaMA-Factory": ["lora_rank", "lora_alpha", "lora_dropout", "lora_target"],
      OpenRLHF: ["lora_rank", "lora_alpha", "lora_dropout"],
    },
    but: block,
  },
  {
    parameter: "loss",
    names: {
      "transformers, TRL": ["loss_type"],
      axolotl: ["dpo_loss_type"],
      "LLaMA-Factory": ["pref_loss"],
      OpenRLHF: ["loss_type"],
    },
  },
  { parameter: "beta", names: { axolotl: ["rl_beta"], "LLaMA-Factory": ["pref_beta"] } },
  {
    parameter: "label_smoothing",
    names: { axolotl: ["dpo_label_smoothing"], "LLaMA-Factory": ["dpo_label_smoothing"] },
  },
  { parameter: "gamma", names: { axolotl: ["simpo_gamma"], "LLaMA-Factory": ["simpo_gamma"] } },
  { parameter: "sync_reference_every", names: { "transformers, TRL": ["ref_model_sync_steps"] } },
  { parameter: "sync_reference_mixup", names: { "transformers, TRL": ["ref_model_mixup_alpha"] } },
  {
    parameter: "desirable_weight",
    names: { axolotl: ["kto_desirable_weight"], "LLaMA-Factory": ["kto_chosen_weight"] },
  },
  {
    parameter: "undesirable_weight",
    names: { axolotl: ["kto_undesirable_weight"], "LLaMA-Factory": ["kto_rejected_weight"] },
  },
  {
    parameter: "center_coef",
    names: {
      "transformers, TRL": ["center_rewards_coefficient"],
      axolotl: ["center_rewards_coefficient"],
    },
  },
  { parameter: "episodes", names: { "transformers, TRL": ["total_episodes"] } },
  {
    parameter: "inner_epochs",
    names: {
      "transformers, TRL": ["num_ppo_epochs", "num_iterations"],
      axolotl: ["num_iterations"],
      "LLaMA-Factory": ["ppo_epochs"],
      OpenRLHF: ["max_epochs"],
    },
  },
  {
    parameter: "kl_coef",
    names: { "transformers, TRL": ["beta"], axolotl: ["beta"], OpenRLHF: ["init_kl_coef"] },
  },
  { parameter: "kl_target", names: { "LLaMA-Factory": ["ppo_target"] } },
  {
    parameter: "clip",
    names: { "transformers, TRL": ["cliprange", "epsilon"], axolotl: ["epsilon"], OpenRLHF: ["eps_clip"] },
  },
  { parameter: "clip_high", names: { "transformers, TRL": ["epsilon_high"], axolotl: ["epsilon_high"] } },
  { parameter: "value_clip", names: { "transformers, TRL": ["cliprange_value"] } },
  { parameter: "value_coef", names: { "transformers, TRL": ["vf_coef"] } },
  { parameter: "lambda", names: { "transformers, TRL": ["lam"], OpenRLHF: ["lambd"] } },
  { parameter: "whiten_rewards", names: { "LLaMA-Factory": ["ppo_whiten_rewards"] } },
  {
    parameter: "samples",
    names: {
      "transformers, TRL": ["num_generations", "num_return_sequences"],
      axolotl: ["num_generations"],
      OpenRLHF: ["n_samples_per_prompt"],
      vLLM: ["n"],
    },
  },
  {
    parameter: "max_new_tokens",
    names: {
      "transformers, TRL": ["response_length", "max_completion_length"],
      axolotl: ["max_completion_length"],
      OpenRLHF: ["generate_max_len"],
      vLLM: ["max_tokens"],
    },
  },
  { parameter: "stop", names: { "transformers, TRL": ["stop_strings"] } },
];

/** The operation, which knows its parameters by these names too. */
export function alsoByOtherNames(operation: Operation): Operation {
  const own = new Set([
    ...Object.keys(operation.params.properties),
    ...operation.inputs.map(({ name }) => name),
  ]);
  const known = new Map<string, Elsewhere>();
  for (const { parameter, names, but } of elsewhere) {
    if (!own.has(parameter)) continue;
    for (const tool of tools) {
      for (const name of names[tool] ?? []) {
        const before = known.get(name);
        if (own.has(name) || (before && before.parameter !== parameter)) continue;
        known.set(name, {
          parameter,
          tools: [...(before?.tools ?? []), tool],
          ...(but !== undefined && { but }),
        });
      }
    }
  }
  return known.size === 0 ? operation : { ...operation, elsewhere: known };
}
