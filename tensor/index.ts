// The door of the tensor room: sessions, models, losses, optimisers, backends.

export type { Arrays, Backend, Executable } from "./backends/backend.ts";
export {
  type Device,
  devices,
  isDevice,
  likelyDevices,
  machineStamp,
} from "./backends/devices.ts";
export { type OnnxOptions, onnxBackend } from "./backends/onnx/index.ts";
export { referenceBackend } from "./backends/reference/index.ts";
export { type TfjsOptions, tfjsBackend } from "./backends/tfjs/index.ts";
export { decodingCost } from "./decode/estimate.ts";
export {
  createGenerator,
  type GenerateOptions,
  type Generation,
  type Generator,
  type GeneratorOptions,
} from "./decode/generator.ts";
export { type SamplingOptions, sampleToken, temperedLogprob } from "./decode/sample.ts";
export { TensorError, type TensorErrorCode } from "./error.ts";
export { type HostTensor, type ParamSource, type Params, tensor } from "./host.ts";
export { grad } from "./ir/autodiff.ts";
export { Builder } from "./ir/builder.ts";
export type { Graph, Value } from "./ir/graph.ts";
export {
  explainedVariance,
  gae,
  groupRelative,
  leaveOneOut,
  tokenRewards,
  whiten,
} from "./loss/advantage.ts";
export { crossEntropy, sequenceLogprobs } from "./loss/cross-entropy.ts";
export {
  type DpoKind,
  type DpoOptions,
  type DpoResult,
  dpo,
  dpoKinds,
  type PairLogprobs,
  smoothedKinds,
} from "./loss/dpo.ts";
export { fullKl, type KlEstimator, klEstimate, klTerm } from "./loss/kl.ts";
export { type KlControl, nextKlCoef } from "./loss/kl-control.ts";
export { kto } from "./loss/kto.ts";
export { type Aggregation, entropy, policyLoss, tokenWeights, valueLoss, weighted } from "./loss/ppo.ts";
export { kWise, pairAccuracy, plackettLuce } from "./loss/ranking.ts";
export { orpo, simpo, unlikelihood } from "./loss/reference-free.ts";
export { type SupervisedRows, sumPerSequence, supervisedRows } from "./loss/supervised-rows.ts";
export type { Geometry } from "./models/architecture.ts";
export {
  adoptParams,
  geometry,
  initialize,
  type LlamaConfig,
  type ModelConfig,
  type ModelType,
  modelTypes,
  parameterCount,
  parameterShapes,
} from "./models/config.ts";
export {
  fromPeft,
  initializeLora,
  isAdapter,
  type LoraOptions,
  mergeLora,
  peftConfig,
  toPeft,
} from "./models/lora.ts";
export { buildModel, type Encoded, type Model, sourceOf } from "./models/model.ts";
export { type AdafactorOptions, adafactor } from "./optim/adafactor.ts";
export { type AdamWOptions, adamw } from "./optim/adamw.ts";
export { EMA } from "./optim/ema.ts";
export type { Optimizer, Slot } from "./optim/optimizer.ts";
export { type RmspropOptions, rmsprop } from "./optim/rmsprop.ts";
export { type Schedule, type ScheduleOptions, schedule } from "./optim/schedule.ts";
export { type SgdOptions, sgd } from "./optim/sgd.ts";
export { type Random, type RandomState, resume, stream } from "./random.ts";
export { type ContinuationScore, scoreContinuations } from "./score/continuations.ts";
export { scoringCost } from "./score/estimate.ts";
export {
  createEvaluator,
  type Evaluator,
  type EvaluatorOptions,
  type ModelSource,
} from "./score/evaluator.ts";
export type { ContinuationItem, ContinuationOptions } from "./score/passes.ts";
export { createScorer, type Scorer, type ScorerOptions, type SourceBatch } from "./score/scorer.ts";
export { type SelfCheck, selfcheck } from "./selfcheck.ts";
export { machineRates, stepTime } from "./step-time.ts";
export { trainingCost } from "./train/estimate.ts";
export {
  type Batch,
  createTrainer,
  type LossFn,
  type PlannedStep,
  type StepResult,
  type Trainer,
  type TrainerOptions,
  type TrainerState,
} from "./train/trainer.ts";
