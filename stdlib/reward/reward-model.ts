// A reward model in memory and as Hugging Face keeps it: a sequence-classification folder with one label.
import { type Artifact, TaskError } from "../../engine/index.ts";
import {
  type Builder,
  type Model,
  type ModelConfig,
  type Params,
  tensor,
  type Value,
} from "../../tensor/index.ts";
import { type JsonObject, openModelFolder } from "../../tensor/io/index.ts";
import { type OpenModel, openModel, saveModel } from "../training/model.ts";

/** The head's weight [1,D], by the name that all families give it. */
export const SCORE = "score.weight";

export interface OpenRewardModel extends OpenModel {
  /** Added to every score; Hugging Face's heads have none, so it is kept in config.json as `score_bias`. */
  readonly bias: number;
}

const suffix = "ForSequenceClassification";

/** Its class in transformers, by model_type. */
const classes: Readonly<Record<string, string>> = {
  llama: "Llama",
  mistral: "Mistral",
  qwen2: "Qwen2",
  qwen3: "Qwen3",
  gpt2: "GPT2",
  gpt_neox: "GPTNeoX",
};

/** Whether a folder says of itself that it scores sequences. */
export async function isRewardModel(dir: string): Promise<boolean> {
  const { config } = await openModelFolder(dir);
  return (
    Array.isArray(config.architectures) && config.architectures.some((name) => String(name).endsWith(suffix))
  );
}

export async function openRewardModel(source: Pick<Artifact, "dir" | "node">): Promise<OpenRewardModel> {
  const opened = await openModel(source);
  const head = opened.params[SCORE];
  const width = opened.geometry.hiddenSize;
  if (head?.shape[0] !== 1 || head.shape[1] !== width) {
    throw new TaskError({
      code: "not-a-reward-model",
      message: `${source.node} has ${head ? `a score head of ${head.shape.join(" × ")}` : "no score head"}, wanted is ${SCORE} of 1 × ${width}`,
      where: source.dir,
      help: "the stage `reward` makes reward models; a classifier with several labels is none",
    });
  }
  const { score_bias = 0 } = opened.configFile;
  return { ...headless(opened), bias: Number(score_bias) };
}

/** A decoder with a head for scores: `head` [1,D], or none of another kind. Its head for tokens is left out. */
export function withScoreHead(model: OpenModel, head: Float32Array): OpenModel {
  const { params } = headless(model);
  return {
    ...headless(model),
    params: { ...params, [SCORE]: tensor(head, [1, head.length]) },
  };
}

/** Only the trunk is computed, so a head for tokens is neither wanted nor kept: as if it were tied. */
function headless<M extends OpenModel>(model: M): M {
  const { "lm_head.weight": _, "embed_out.weight": __, ...params } = model.params;
  return { ...model, config: trunkOf(model.config), params };
}

/** The shapes of a model whose head for tokens is left out. */
export const trunkOf = (config: ModelConfig): ModelConfig => ({ ...config, tie_word_embeddings: true });

/**
 * Writes the folder that `…ForSequenceClassification` loads. Its pad_token_id is only set where padding has a token of its
 * own: transformers scores the last token that is not padding, and here that is the end of text.
 */
export async function saveRewardModel(
  dir: string,
  model: OpenModel,
  params: Params,
  bias: number,
): Promise<void> {
  const { configFile, tokenizer } = model;
  const pad = configFile.pad_token_id;
  const config: JsonObject = {
    ...configFile,
    architectures: [`${classes[String(configFile.model_type)]}${suffix}`],
    id2label: { 0: "LABEL_0" },
    label2id: { LABEL_0: 0 },
    num_labels: 1,
    problem_type: "regression",
    pad_token_id: typeof pad === "number" && pad !== tokenizer.eos ? pad : null,
    score_bias: bias,
  };
  await saveModel(dir, { ...model, configFile: config, generationConfig: undefined }, params);
}

/** hidden states at the rows [N] of ids [B,T] → their scores without bias, [N]. */
export function scoresAt(b: Builder, model: Model, ids: Value, rows: Value): Value {
  const states = model.hiddenAt(ids, rows);
  return b.reshape(b.linear(states, model.param(SCORE)), [rows.shape[0]!]);
}
