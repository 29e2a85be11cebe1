// Estimates what a training stage costs: the model's configuration, the examples as far as they are known, the graphs of a step.
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Artifact, Cost, Estimate, EstimateContext, Facts, Known } from "../../engine/index.ts";
import {
  type Batch,
  type Geometry,
  geometry,
  type HostTensor,
  type LossFn,
  type ModelConfig,
  parameterCount,
  trainingCost,
} from "../../tensor/index.ts";
import { isAssistant } from "../assistant/assistant.ts";
import { batches, chunks, stepsOf } from "./loop.ts";
import { type ModelShell, openShell } from "./model.ts";
import type { Example } from "./padding.ts";
import { type LoraParams, loraFor, type TrainingParams } from "./params.ts";
import { optimizerOf } from "./session.ts";

/** What is known of a model before it is made. */
export interface KnownModel {
  readonly config: ModelConfig;
  /** With its tokenizer, where there is one already. */
  readonly shell?: ModelShell;
  /** For the estimates of what comes after. */
  readonly facts: Facts;
}

/** Facts of a model: its config.json, and a folder or GGUF file with the same tokenizer. */
export const modelFacts = (config: object, folder?: string): Facts => ({
  config: config as Facts,
  ...(folder === undefined ? {} : { folder }),
});

export async function modelOf(known: Known): Promise<KnownModel | undefined> {
  const folder = (await known.open()) ?? (known.facts.folder as string | undefined);
  if (folder !== undefined && !existsSync(join(folder, "config.json")) && isAssistant(folder))
    return undefined;
  if (folder !== undefined) {
    const shell = await openShell({ dir: folder, node: known.node }, { encoders: true });
    return { config: shell.config, shell, facts: modelFacts(shell.configFile, folder) };
  }
  const config = known.facts.config as unknown as ModelConfig | undefined;
  return config && { config, facts: known.facts };
}

export const unknownModel = ({ node }: Known): Estimate => ({
  note: `the shape of ${node} is not known yet`,
});

/** Rows of a dataset, at most. */
export const rowsOf = ({ facts, metrics }: Known): number | undefined =>
  metrics.rows ?? (facts.rows as number | undefined);

/** Of a stage that learns from one dataset, before it runs. */
export interface Learning<E> {
  readonly model: KnownModel;
  readonly about: Geometry;
  /** Those of the dataset, once there is one and a tokenizer. */
  readonly examples: readonly E[] | undefined;
  /** Whether all are taken to be as long as they may be. */
  readonly bound: boolean;
  readonly rows: number | undefined;
  /** A sequence as long as one may be, of which everything is learnt. */
  readonly full: Example;
}

export async function learning<E>(
  { params, inputs }: Pick<EstimateContext<{ readonly max_length?: number }>, "params" | "inputs">,
  read: (data: Place, model: ModelShell, max_length: number | undefined) => Promise<readonly E[]>,
  estimate: (learning: Learning<E>) => Estimate,
): Promise<Estimate> {
  const [start] = inputs.model!;
  const [data] = inputs.data!;
  const model = await modelOf(start!);
  if (!model) return unknownModel(start!);
  const dir = await data!.open();
  const known = dir !== undefined && model.shell !== undefined;
  const examples = known ? await read({ dir, node: data!.node }, model.shell!, params.max_length) : undefined;
  const length = longestOf(model, params.max_length);
  return estimate({
    model,
    about: geometry(model.config),
    examples,
    bound: examples === undefined,
    rows: examples?.length ?? rowsOf(data!),
    full: { ids: Array<number>(length).fill(0), mask: Array<boolean>(length).fill(true) },
  });
}

type Place = Pick<Artifact, "dir" | "node">;

/** fp32 safetensors. */
export const modelBytes = (config: ModelConfig): number => 4 * parameterCount(config);

type Params = Omit<TrainingParams, "epochs" | "steps_per_run"> & { readonly epochs?: number } & LoraParams;

export interface Work<E> {
  readonly params: Params;
  readonly model: KnownModel;
  readonly loss: LossFn;
  /** Weights that the loss uses beside the model's own. */
  readonly extra?: Readonly<Record<string, readonly number[]>>;
  /** The first or all, in the order of the dataset; undefined while there is none, or when all are as long as the longest. */
  readonly examples: readonly E[] | undefined;
  /** How many there will be in all, if that is known. */
  readonly rows: number | undefined;
  /** An example as long as they can be. */
  readonly longest: E;
  /** Whether `longest` is only a bound for examples that are not known yet. */
  readonly bound: boolean;
  length(example: E): number;
  batch(chosen: readonly E[], rows: number): Batch;
}

/** The first rows are tokenised to learn how long they are, and so many batches made to learn how much of them is padding. */
export const LOOKED_AT = { rows: 4000, batches: 200 };

export function trainingEstimate<E>(work: Work<E>): Estimate {
  const { params, model, examples, longest } = work;
  const size = params.micro_batch_size ?? params.batch_size;
  const { rows = examples?.length } = work;
  const pieces = Math.ceil(Math.min(params.batch_size, rows ?? params.batch_size) / size);
  // Where only the first are known, a later one may be as long as they can be.
  const all = examples !== undefined && examples.length >= (work.rows ?? 0);
  const widest = all
    ? [...examples].sort((a, b) => work.length(b) - work.length(a)).slice(0, size)
    : Array<E>(size).fill(longest);
  const batch = work.batch(widest, size);
  const lora = params.lora && loraFor(model.config.model_type, params.lora);
  const { flops, memory } = trainingCost({
    config: model.config,
    loss: work.loss,
    ...(work.extra && { extra: work.extra }),
    optimizer: optimizerOf(params),
    max_grad_norm: params.max_grad_norm,
    recompute: params.recompute,
    ...(params.ema_decay === undefined ? {} : { ema_decay: params.ema_decay }),
    ...(lora ? { lora } : {}),
    batch,
    pieces,
  });
  const steps = rows === undefined ? params.steps : stepsOf(params, rows);
  const share = examples ? usualPositions(work, examples, size) / positions(batch) : 1;
  const kept = params.select_by === undefined || lora ? 0 : modelBytes(model.config);
  const cost: Cost = {
    memory: memory + kept,
    disk: modelBytes(model.config),
    ...(steps === undefined
      ? {}
      : { flops: flops * steps * share, tokens: Math.round(positions(batch) * pieces * steps * share) }),
  };
  const missing = steps === undefined ? "how many rows there will be is not known yet" : undefined;
  const bound = !work.bound ? undefined : `as if every example had ${work.length(longest)} tokens`;
  const note = [missing, bound].filter((part) => part !== undefined).join("; ");
  return { facts: model.facts, cost, ...(note === "" ? {} : { note }) };
}

/** Places for tokens in a batch, padding and all. */
const positions = ({ ids }: Batch): number => (ids as HostTensor).data.length;

/** Mean number of positions of a micro-batch, padding and all, over the first batches of the run itself. */
function usualPositions<E>({ params, batch }: Work<E>, examples: readonly E[], size: number): number {
  const order = batches(examples.length, params.batch_size, params.seed);
  let [sum, pieces] = [0, 0];
  for (let step = 0; step < LOOKED_AT.batches; step++) {
    for (const piece of chunks(order.next().value, size)) {
      sum += positions(
        batch(
          piece.map((i) => examples[i]!),
          size,
        ),
      );
      pieces++;
    }
  }
  return sum / pieces;
}

/**
 * With what a reference adds to training steps, which cost about three of its passes forward: so many over the examples that the steps
 * will see, each once however often they come.
 */
export function withReference(
  estimate: Estimate,
  { steps, epochs = 1, batch_size }: Params,
  rows: number | undefined,
  passes = 1,
): Estimate {
  const { flops } = estimate.cost ?? {};
  if (flops === undefined) return estimate;
  const epoch = steps === undefined ? epochs : (steps * batch_size) / (rows ?? Number.POSITIVE_INFINITY);
  return { ...estimate, cost: { ...estimate.cost, flops: flops * (1 + passes / (3 * Math.max(1, epoch))) } };
}

/** Of work that is done one after the other. */
export function inTurn(costs: readonly Cost[]): Cost {
  const all = (name: keyof Cost, together: (values: readonly number[]) => number) => {
    const values = costs.flatMap((cost) => cost[name] ?? []);
    return values.length === 0 ? {} : { [name]: together(values) };
  };
  const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
  return {
    ...all("flops", sum),
    ...all("traffic", sum),
    ...all("tokens", sum),
    ...all("questions", sum),
    ...all("memory", (values) => Math.max(...values)),
  };
}

/** Longest example that a stage takes. */
export const longestOf = ({ config }: KnownModel, max_length: number | undefined): number =>
  max_length ?? geometry(config).maxLength;
