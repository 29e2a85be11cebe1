// Responses of an assistant to prompts: several questions at once, each sample with a seed of its own.
import { type OutputContext, type RowData, readRows } from "../../engine/index.ts";
import type { Json } from "../../grammar/index.ts";
import { stream } from "../../tensor/index.ts";
import type { Assistant } from "../assistant/assistant.ts";
import { inOrder } from "../assistant/in-order.ts";
import { asMessages } from "../template/index.ts";
import { noPrompts } from "./prompts.ts";
import { rowIds, type Sampling } from "./respond.ts";

export interface Asked {
  readonly prompt: Json;
  readonly sampled: { readonly text: string; readonly tokens: number; readonly ended: boolean }[];
}

/** An empty answer is asked for so often; then it is the answer. */
const TRIES = 3;

export async function askAll(
  { inputs, params }: Pick<OutputContext<Sampling>, "inputs" | "params">,
  assistant: Assistant,
  name: string,
  report: (done: number, each: number) => void,
): Promise<Asked[]> {
  const { samples, seed, max_new_tokens: max_tokens, ...sampling } = params;
  const { dir, node } = inputs.prompts![0]!;
  const rows: RowData[] = [];
  for await (const row of readRows(dir)) rows.push(row);
  if (rows.length === 0) throw noPrompts(node);
  const ids = rowIds(
    rows.map(({ prompt }) => (typeof prompt === "string" ? prompt : JSON.stringify(prompt))),
  );
  const random = stream(seed).split("assistant");
  const questions = rows.flatMap(({ prompt }, i) => {
    const messages = asMessages(prompt, "user", "prompt");
    return Array.from({ length: samples }, (_, sample) => ({ id: `${sample}:${ids[i]}`, messages }));
  });

  const sampled: Asked["sampled"] = [];
  const ask = async ({ id, messages }: (typeof questions)[number]) => {
    for (let tries = 1; ; tries++) {
      // Most endpoints take seeds of 32 bits.
      const own = random.split(`${id}/${tries}`).int(2 ** 31);
      const reply = await assistant.ask({
        id: [name, id, tries],
        messages,
        sampling: { ...sampling, max_tokens, seed: own },
      });
      if (reply.text.trim() !== "" || tries === TRIES) return reply;
    }
  };
  for await (const { text, completion_tokens, finish } of inOrder(
    questions,
    2 * assistant.concurrency,
    ask,
  )) {
    sampled.push({ text, tokens: completion_tokens, ended: finish === "stop" });
    report(sampled.length, questions.length);
  }
  return rows.map(({ prompt }, i) => ({
    prompt: prompt!,
    sampled: sampled.slice(i * samples, (i + 1) * samples),
  }));
}
