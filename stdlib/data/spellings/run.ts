// Reads rows in the spellings of other projects: Alpaca, ShareGPT, and preferences with an implicit prompt.
import { type RowData, type Rows, TaskError, type TransformRun } from "../../../engine/index.ts";
import type { Json } from "../../../grammar/index.ts";

function each(change: (row: RowData, number: number) => RowData): TransformRun {
  return {
    async *transform(rows): Rows {
      let number = 0;
      for await (const row of rows) yield change(row, ++number);
    },
  };
}

export const fromAlpaca = each((row, number) => {
  const { instruction, input, output, ...others } = row;
  if (typeof instruction !== "string" || typeof output !== "string")
    throw unreadable(number, "`instruction` and `output` are texts in Alpaca's rows");
  const prompt = typeof input === "string" && input !== "" ? `${instruction}\n\n${input}` : instruction;
  return { ...others, prompt, completion: output };
});

/** FastChat's and LLaMA-Factory's names for who speaks. */
const roles: Readonly<Record<string, string>> = {
  human: "user",
  user: "user",
  gpt: "assistant",
  chatgpt: "assistant",
  bing: "assistant",
  bard: "assistant",
  assistant: "assistant",
  system: "system",
  tool: "tool",
  observation: "tool",
  function_call: "assistant",
};

export const fromShareGpt = each((row, number) => {
  const { conversations, ...others } = row;
  if (!Array.isArray(conversations)) throw unreadable(number, "`conversations` is a list in ShareGPT's rows");
  const messages = (conversations as readonly Json[]).map((turn) => {
    const { from, value, role = from, content = value } = (turn ?? {}) as Record<string, Json>;
    const known = typeof role === "string" && Object.hasOwn(roles, role) ? roles[role] : undefined;
    if (known === undefined || typeof content !== "string")
      throw unreadable(
        number,
        `a turn is ${JSON.stringify(turn)}; \`from\` (human, gpt, system) and \`value\` are wanted`,
      );
    return { role: known, content };
  });
  return { ...others, messages };
});

export const explicitPrompt = each((row, number) => {
  const { chosen, rejected } = row;
  if (row.prompt !== undefined) return row;
  if (typeof chosen === "string" && typeof rejected === "string") {
    const end = commonPrompt(chosen, rejected);
    return { ...row, prompt: chosen.slice(0, end), chosen: chosen.slice(end), rejected: rejected.slice(end) };
  }
  if (!Array.isArray(chosen) || !Array.isArray(rejected))
    throw unreadable(number, "`chosen` and `rejected` are two texts or two lists of messages");
  const [a, b] = [chosen, rejected] as readonly (readonly Json[])[] as [readonly Json[], readonly Json[]];
  const most = Math.min(a.length, b.length) - 1;
  let same = 0;
  while (same < most && JSON.stringify(a[same]) === JSON.stringify(b[same])) same++;
  return { ...row, prompt: a.slice(0, same), chosen: a.slice(same), rejected: b.slice(same) };
});

/** Anthropic's hh-rlhf: up to and with the last `Assistant:` that both have in common; else up to the last white space. */
function commonPrompt(a: string, b: string): number {
  let same = 0;
  while (same < a.length && same < b.length && a[same] === b[same]) same++;
  const common = a.slice(0, same);
  const turn = common.lastIndexOf("\n\nAssistant:");
  if (turn !== -1) return turn + "\n\nAssistant:".length;
  return common.search(/\s\S*$/) + 1;
}

function unreadable(number: number, why: string): TaskError {
  return new TaskError({
    code: "wrong-column",
    message: `row ${number} cannot be read: ${why}`,
    help: "`|> select(…)` names the columns as they are wanted",
  });
}
