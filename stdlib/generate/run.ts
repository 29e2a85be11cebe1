// Generates: prompts → samples of every model → one row per prompt with all its responses.
import {
  type OutputContext,
  type RowData,
  type RunResult,
  type StageRun,
  writeRows,
} from "../../engine/index.ts";
import { openBackend } from "../training/backend.ts";
import { openModel } from "../training/model.ts";
import { readPrompts } from "./prompts.ts";
import { respond, type Sampling } from "./respond.ts";

export const generate: StageRun<Sampling> = { run };

async function run(ctx: OutputContext<Sampling>): Promise<RunResult> {
  const backend = await openBackend(ctx);
  const sources = ctx.inputs.models!;
  const rows: { prompt: RowData["prompt"]; responses: string[]; models: number[] }[] = [];
  let responses = 0;
  let tokens = 0;
  let ended = 0;
  for (const [index, source] of sources.entries()) {
    const model = await openModel(source, { encoders: true });
    const prompts = await readPrompts(ctx.inputs.prompts![0]!, model.tokenizer);
    const each = prompts.length * ctx.params.samples;
    const total = sources.length * each;
    const sampled = await respond(
      backend,
      model,
      prompts,
      ctx.params,
      (done) => ctx.progress({ done: index * each + done, total, unit: "responses" }),
      { journal: ctx.journal, name: `${index}` },
    );
    prompts.forEach(({ prompt }, i) => {
      rows[i] ??= { prompt, responses: [], models: [] };
      for (const response of sampled[i]!) {
        rows[i]!.responses.push(response.text);
        // Which of the models, by position: names of declarations stay out of artifacts.
        rows[i]!.models.push(index);
        responses++;
        tokens += response.ids.length;
        if (response.ended) ended++;
      }
    });
  }
  await writeRows(ctx.out, rows);
  const share = (x: number) => (responses > 0 ? x / responses : 0);
  return { metrics: { prompts: rows.length, responses, mean_length: share(tokens), ended: share(ended) } };
}
