// A model artifact in memory, and back: an HF folder with weights, configuration and tokenizer.
import { TaskError } from "../../engine/index.ts";
import {
  adoptParams,
  type Geometry,
  geometry,
  type ModelConfig,
  mergeLora,
  modelTypes,
  type Params,
  parameterShapes,
  TensorError,
  tensor,
} from "../../tensor/index.ts";
import { type JsonObject, openModelFolder, type Tokenizer, writeModelFolder } from "../../tensor/io/index.ts";
import { type Adapter, readAdapter } from "./adapter.ts";

/** Everything of a model but its weights. */
export interface ModelShell {
  readonly config: ModelConfig;
  /** What any architecture says of itself: longest sequence, vocabulary. */
  readonly geometry: Geometry;
  /** Everything in config.json, to be written back as it was. */
  readonly configFile: JsonObject;
  readonly generationConfig: JsonObject | undefined;
  readonly tokenizer: Tokenizer & { readonly eos: number };
  /** Tokens that end what it says: the tokenizer's and those of generation_config.json. */
  readonly stops: readonly number[];
}

export interface OpenModel extends ModelShell {
  readonly params: Params;
}

interface Place {
  /** A model folder, or a GGUF file. */
  readonly dir: string;
  readonly node: string;
}

interface ModelNeeds {
  readonly encoders?: boolean;
}

/** `encoders` says whether the stage can use models that read their prompt with an encoder. */
export async function openModel(place: Place, needs: ModelNeeds = {}): Promise<OpenModel> {
  const folder = await openModelFolder(place.dir);
  const shell = await shellOf(folder, place, needs);
  const params: Params = {};
  for (const [name, { shape, data }] of await folder.tensors()) params[name] = tensor(data, shape);
  const adapter = await readAdapter(place.dir);
  return { ...shell, params: adapted(adoptParams(shell.config, params), adapter) };
}

/** Reads no weights. */
export const openShell = async (place: Place, needs: ModelNeeds = {}): Promise<ModelShell> =>
  shellOf(await openModelFolder(place.dir), place, needs);

async function shellOf(
  folder: Awaited<ReturnType<typeof openModelFolder>>,
  { dir, node }: Place,
  { encoders = false }: ModelNeeds,
): Promise<ModelShell> {
  const config = configOf(folder.config, { dir, node });
  if (!encoders && geometry(config).decoderStart !== undefined) {
    throw new TaskError({
      code: "encoder-decoder-model",
      message: `${node} is a ${String(config.model_type)} model, which reads its prompt with an encoder; this stage works with models that continue a text`,
      where: `${dir}/config.json`,
      help: "`pretrain`, `sft`, `generate`, `classify` and `evaluate` take such models",
    });
  }
  const tokenizer = await folder.tokenizer();
  const eos = tokenizer.eos ?? folder.config.eos_token_id;
  if (typeof eos !== "number") {
    throw new TaskError({
      code: "no-eos-token",
      message: `the tokenizer of ${node} names no eos_token, so a response could never end`,
      where: `${dir}/tokenizer_config.json`,
      help: 'add "eos_token" to tokenizer_config.json',
    });
  }
  return {
    config,
    geometry: geometry(config),
    configFile: folder.config,
    generationConfig: folder.generationConfig,
    tokenizer: { ...tokenizer, eos },
    stops: [...new Set([eos, ...[folder.generationConfig?.eos_token_id ?? []].flat()])].filter(
      (id): id is number => typeof id === "number",
    ),
  };
}

/** A folder with a base and an unmerged adapter is the model that they make together. */
function adapted(params: Params, adapter: Adapter | undefined): Params {
  return adapter ? mergeLora(params, adapter.params, adapter.alpha) : params;
}

function configOf(
  file: JsonObject,
  { dir, node }: { readonly dir: string; readonly node: string },
): ModelConfig {
  const where = `${dir}/config.json`;
  const type = String(file.model_type);
  if (!(modelTypes as readonly string[]).includes(type)) {
    throw new TaskError({
      code: "unsupported-model",
      message: `${node} is a ${type} model; supported are ${modelTypes.join(", ")}`,
      where,
    });
  }
  const config = file as unknown as ModelConfig;
  try {
    parameterShapes(config);
  } catch (error) {
    if (!(error instanceof TensorError)) throw error;
    throw new TaskError({ code: "unsupported-model", message: `${node}: ${error.message}`, where });
  }
  return config;
}

/** Writes tuned weights with the configuration and tokenizer of the model they came from. */
export async function saveModel(dir: string, from: OpenModel, params: Params): Promise<void> {
  await writeModelFolder(dir, {
    config: from.configFile,
    generationConfig: from.generationConfig,
    tokenizer: from.tokenizer.files,
    tensors: new Map(
      Object.entries(params).map(([name, { shape, data }]) => [name, { shape: [...shape], data }]),
    ),
  });
}

/** What reads the policy's own tokens must mean the same by them. */
export function checkTokenizers(name: string, model: OpenModel, policy: OpenModel): void {
  const vocabulary = ({ tokenizer }: OpenModel) => JSON.stringify(tokenizer.files.tokenizer.model);
  if (vocabulary(model) === vocabulary(policy)) return;
  throw new TaskError({
    code: "vocabulary-mismatch",
    message: `${name} cuts text into other tokens (${model.geometry.vocabSize}) than the policy (${policy.geometry.vocabSize})`,
    help: `train ${name} from a model that has the policy's tokenizer`,
  });
}
