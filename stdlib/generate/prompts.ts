// Reads the prompts of a dataset as a model's tokenizer sees them.
import { type Artifact, type RowData, readRows, TaskError } from "../../engine/index.ts";
import type { Json } from "../../grammar/index.ts";
import type { Tokenizer } from "../../tensor/io/index.ts";
import { encodePrompt } from "../template/index.ts";
import { type Encoded, rowIds } from "./respond.ts";

export interface Prompt extends Encoded {
  readonly prompt: Json;
  /** The whole row, for judges that look at other columns. */
  readonly row: RowData;
}

export async function readPrompts(
  { dir, node }: Pick<Artifact, "dir" | "node">,
  tokenizer: Tokenizer,
): Promise<Prompt[]> {
  const rows: { prompt: Json; ids: readonly number[]; row: RowData }[] = [];
  for await (const row of readRows(dir))
    rows.push({ prompt: row.prompt!, ids: encodePrompt(row, tokenizer), row });
  if (rows.length === 0) throw noPrompts(node);
  const ids = rowIds(
    rows.map(({ prompt }) => (typeof prompt === "string" ? prompt : JSON.stringify(prompt))),
  );
  return rows.map((row, i) => ({ ...row, id: ids[i]! }));
}

export function noPrompts(node: string): TaskError {
  return new TaskError({
    code: "no-prompts",
    message: `${node} has no rows, so there is nothing to respond to`,
    help: "look at its filters: a `skip` past the end leaves nothing",
  });
}
