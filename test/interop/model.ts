// What Align says about a model folder or GGUF file: the same answers as model.py, for the same request.
import { readFile } from "node:fs/promises";
import {
  adoptParams,
  createEvaluator,
  createGenerator,
  type ModelConfig,
  onnxBackend,
  type Params,
  stream,
  tensor,
} from "../../tensor/index.ts";
import { chatTemplate, type Message, openModelFolder } from "../../tensor/io/index.ts";

export interface Request {
  readonly text: string;
  readonly messages: readonly Message[];
  /** Greedy tokens after the text. */
  readonly tokens: number;
}

export interface Answer {
  readonly ids: readonly number[];
  /** Of every position, [T·V]. */
  readonly logits: ArrayLike<number>;
  readonly greedy: readonly number[];
  readonly chat: string | null;
}

export async function askAlign(model: string, request: Request): Promise<Answer> {
  const folder = await openModelFolder(model);
  const tokenizer = await folder.tokenizer();
  const saved: Params = {};
  for (const [name, { shape, data }] of await folder.tensors()) saved[name] = tensor(data, shape);
  const config = folder.config as unknown as ModelConfig;
  const params = adoptParams(config, saved);
  const backend = await onnxBackend({ threads: 2 });
  const ids = tokenizer.encode(request.text);

  const evaluator = createEvaluator({
    backend,
    models: { model: { config, params } },
    build: (_b, models, inputs) => ({ logits: models.model!.logits(inputs.ids!) }),
  });
  const { logits } = await evaluator.run({ ids: tensor(Int32Array.from(ids), [1, ids.length]) });
  await evaluator.dispose();
  const generator = createGenerator({ backend, config, params });
  const [generation] = await generator.generate([ids], {
    max_new_tokens: request.tokens,
    temperature: 0,
    eos: [],
    random: stream(0),
  });
  await generator.dispose();
  const chat =
    tokenizer.chatTemplate === undefined
      ? null
      : chatTemplate(tokenizer).render(request.messages, { generate: true });
  return { ids, logits: logits!.data, greedy: [...generation!.ids], chat };
}

export async function readRequest(path: string): Promise<Request> {
  return JSON.parse(await readFile(path, "utf8"));
}
