// Generates: prompts → samples of every model → one row per prompt with all its responses.
import {
  type Artifact,
  type OutputContext,
  type RowData,
  type RunResult,
  type StageRun,
  writeRows,
} from "../../engine/index.ts";
import type { Json } from "../../grammar/index.ts";
import { isAssistant, openAssistant } from "../assistant/assistant.ts";
import { openBackend } from "../training/backend.ts";
import { openModel } from "../training/model.ts";
import { askAll } from "./ask-all.ts";
import { readPrompts } from "./prompts.ts";
import { respond, type Sampling } from "./respond.ts";

export const generate: StageRun<Sampling> = { run };

async function run(ctx: OutputContext<Sampling>): Promise<RunResult> {
  const sources = ctx.inputs.models!;
  const rows: { prompt: RowData["prompt"]; responses: string[]; models: number[] }[] = [];
  let responses = 0;
  let tokens = 0;
  let ended = 0;
  for (const [index, source] of sources.entries()) {
    const report = (done: number, each: number) =>
      ctx.progress({ done: index * each + done, total: sources.length * each, unit: "responses" });
    const answered = await (isAssistant(source.dir) ? ofAssistant : ofModel)(ctx, source, index, report);
    answered.forEach(({ prompt, sampled }, i) => {
      rows[i] ??= { prompt, responses: [], models: [] };
      for (const response of sampled) {
        rows[i]!.responses.push(response.text);
        // Which of the models, by position: names of declarations stay out of artifacts.
        rows[i]!.models.push(index);
        responses++;
        tokens += response.tokens;
        if (response.ended) ended++;
      }
    });
  }
  await writeRows(ctx.out, rows);
  const share = (x: number) => (responses > 0 ? x / responses : 0);
  return { metrics: { prompts: rows.length, responses, mean_length: share(tokens), ended: share(ended) } };
}

interface Answered {
  readonly prompt: Json;
  readonly sampled: readonly { readonly text: string; readonly tokens: number; readonly ended: boolean }[];
}
type Report = (done: number, each: number) => void;

async function ofModel(
  ctx: OutputContext<Sampling>,
  source: Artifact,
  index: number,
  report: Report,
): Promise<Answered[]> {
  const model = await openModel(source, { encoders: true });
  const prompts = await readPrompts(ctx.inputs.prompts![0]!, model.tokenizer);
  const each = prompts.length * ctx.params.samples;
  const sampled = await respond(
    await openBackend(ctx),
    model,
    prompts,
    ctx.params,
    (done) => report(done, each),
    { journal: ctx.journal, name: `${index}` },
  );
  return prompts.map(({ prompt }, i) => ({
    prompt,
    sampled: sampled[i]!.map(({ text, ids, ended }) => ({ text, tokens: ids.length, ended })),
  }));
}

async function ofAssistant(
  ctx: OutputContext<Sampling>,
  source: Artifact,
  index: number,
  report: Report,
): Promise<Answered[]> {
  const assistant = await openAssistant(source, ctx);
  try {
    return await askAll(ctx, assistant, `${index}`, report);
  } finally {
    await assistant.dispose();
  }
}
