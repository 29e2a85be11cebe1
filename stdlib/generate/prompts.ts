// Reads the prompts of a dataset as a model's tokenizer sees them.
import { readRows } from "../../engine/index.ts";
import type { Json } from "../../grammar/index.ts";
import type { Tokenizer } from "../../tensor/io/index.ts";
import { encodePrompt } from "../template/index.ts";
import { type Encoded, rowIds } from "./respond.ts";

export interface Prompt extends Encoded {
  readonly prompt: Json;
}

export async function readPrompts(dir: string, tokenizer: Tokenizer): Promise<Prompt[]> {
  const rows: { prompt: Json; ids: readonly number[] }[] = [];
  for await (const row of readRows(dir))
    rows.push({ prompt: row.prompt!, ids: encodePrompt(row, tokenizer) });
  const ids = rowIds(
    rows.map(({ prompt }) => (typeof prompt === "string" ? prompt : JSON.stringify(prompt))),
  );
  return rows.map((row, i) => ({ ...row, id: ids[i]! }));
}
