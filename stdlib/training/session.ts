// Opens the trainer that a stage's parameters ask for, and writes down what it made.
import { join } from "node:path";
import type { OutputContext } from "../../engine/index.ts";
import {
  adafactor,
  adamw,
  type Backend,
  createTrainer,
  initializeLora,
  isAdapter,
  type LossFn,
  mergeLora,
  type Optimizer,
  type Params,
  rmsprop,
  sgd,
  stream,
  type Trainer,
} from "../../tensor/index.ts";
import { writeAdapter } from "./adapter.ts";
import { type OpenModel, saveModel } from "./model.ts";
import { type DropoutParams, type LoraParams, loraDefaults, type TrainingParams } from "./params.ts";

type SessionParams = TrainingParams & Partial<DropoutParams> & LoraParams;

export interface Session {
  readonly trainer: Trainer;
  /** Writes the tuned model into the task's folder; with LoRA the merged one, and the adapter in `adapter/`. */
  save(): Promise<void>;
}

export function openSession(
  ctx: Pick<OutputContext<SessionParams>, "params" | "out">,
  backend: Backend,
  model: OpenModel,
  loss: LossFn,
): Session {
  const { params, out } = ctx;
  const lora = params.lora && { ...loraDefaults, ...params.lora };
  const adapters = lora
    ? initializeLora(model.params, lora, stream(params.seed).split("lora"))
    : ({} as Params);
  const trainer = createTrainer({
    backend,
    config: model.config,
    params: { ...model.params, ...adapters },
    loss,
    optimizer: optimizerOf(params),
    max_grad_norm: params.max_grad_norm,
    recompute: params.recompute,
    seed: params.seed,
    ...(params.ema_decay === undefined ? {} : { ema_decay: params.ema_decay }),
    ...(lora ? { lora, trainable: isAdapter } : {}),
    ...(params.residual_dropout
      ? { residual_dropout: { p: params.residual_dropout, ramp: params.residual_dropout_ramp ?? false } }
      : {}),
  });
  return {
    trainer,
    async save() {
      const tuned = trainer.averaged();
      if (!lora) return saveModel(out, model, tuned);
      const learned = Object.fromEntries(Object.entries(tuned).filter(([name]) => isAdapter(name)));
      await saveModel(out, model, mergeLora(model.params, learned, lora.alpha));
      const encodes = model.geometry.decoderStart !== undefined;
      await writeAdapter(join(out, "adapter"), learned, { ...lora, encodes });
    },
  };
}

function optimizerOf(params: TrainingParams): Optimizer {
  const { weight_decay, momentum } = params;
  switch (params.optimizer) {
    case "adafactor":
      return adafactor({ weight_decay });
    case "rmsprop":
      return rmsprop({ alpha: params.rmsprop_decay, momentum, weight_decay });
    case "sgd":
      return sgd({ momentum, weight_decay });
    case "adamw":
      return adamw({
        beta1: params.adam_beta1,
        beta2: params.adam_beta2,
        eps: params.adam_epsilon,
        weight_decay,
      });
  }
}
