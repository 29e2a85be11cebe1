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
import { type DropoutParams, type LoraParams, loraFor, type TrainingParams } from "./params.ts";

/** How long it trains is the business of its loop. */
type SessionParams = Omit<TrainingParams, "epochs" | "steps_per_run"> & Partial<DropoutParams> & LoraParams;

export interface Session {
  readonly trainer: Trainer;
  /** The weights to keep, averaged with `ema_decay` and merged with LoRA. */
  weights(): Params;
  /** The weights as they are now, merged with LoRA: valid until the next step. */
  present(): Params;
  /** Writes the tuned model into the task's folder; with LoRA the merged one, and the adapter in `adapter/`. */
  save(write?: (dir: string, tuned: Params) => Promise<void>): Promise<void>;
}

/** `heads` are weights outside the model's own layers, which LoRA does not reach: they are trained whole. */
export function openSession(
  ctx: Pick<OutputContext<SessionParams>, "params" | "out">,
  backend: Backend,
  model: OpenModel,
  loss: LossFn,
  heads: readonly string[] = [],
): Session {
  const { params, out } = ctx;
  const lora = params.lora && loraFor(model.config.model_type, params.lora);
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
    ...(lora ? { lora, trainable: (name: string) => isAdapter(name) || heads.includes(name) } : {}),
    ...(params.residual_dropout
      ? { residual_dropout: { p: params.residual_dropout, ramp: params.residual_dropout_ramp ?? false } }
      : {}),
  });
  const merged = (tuned: Params) => {
    return lora
      ? mergeLora(
          only(tuned, (name) => !isAdapter(name)),
          only(tuned, isAdapter),
          lora.alpha,
        )
      : tuned;
  };
  return {
    trainer,
    weights: () => merged(trainer.averaged()),
    present: () => merged(trainer.params()),
    async save(write = (dir, tuned) => saveModel(dir, model, tuned)) {
      await write(out, merged(trainer.averaged()));
      if (!lora) return;
      const encodes = model.geometry.decoderStart !== undefined;
      await writeAdapter(join(out, "adapter"), only(trainer.averaged(), isAdapter), { ...lora, encodes });
    },
  };
}

const only = (params: Params, wanted: (name: string) => boolean): Params =>
  Object.fromEntries(Object.entries(params).filter(([name]) => wanted(name)));

export function optimizerOf(params: SessionParams): Optimizer {
  const { weight_decay, momentum } = params;
  switch (params.optimizer) {
    case "adafactor":
      return adafactor({ weight_decay, scale_parameter: params.scale_parameter ?? false });
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
