// Plain text as training sequences: all documents end to end, cut into blocks of one length.
import { type Artifact, readRows, TaskError } from "../../engine/index.ts";
import { type HostTensor, tensor } from "../../tensor/index.ts";

export interface Blocks {
  readonly tokens: Int32Array;
  /** Tokens of each. */
  readonly length: number;
  /** Whole sequences in it; a rest is left out. */
  readonly blocks: number;
}

export async function readBlocks(
  data: Pick<Artifact, "dir" | "node">,
  tokenizer: Encoder,
  length: number,
): Promise<Blocks> {
  const tokens = await packed(data, tokenizer);
  const blocks = Math.floor(tokens.length / length);
  if (blocks > 0) return { tokens, length, blocks };
  throw new TaskError({
    code: "too-little-text",
    message: `${data.node} has ${tokens.length} tokens, fewer than one sequence of ${length}`,
    help: "give more text or a smaller sequence_length",
  });
}

/** Some blocks as ids [rows,T] and mask [rows,T]; rows without a block count nothing, so that a short batch keeps its shape. */
export function blockRows(
  { tokens, length }: Blocks,
  chosen: readonly number[],
  rows: number,
): { ids: HostTensor<Int32Array>; mask: HostTensor<Float32Array> } {
  const ids = new Int32Array(rows * length);
  const mask = new Float32Array(rows * length);
  chosen.forEach((block, row) => {
    ids.set(tokens.subarray(block * length, (block + 1) * length), row * length);
    mask.fill(1, row * length + 1, (row + 1) * length);
  });
  return { ids: tensor(ids, [rows, length]), mask: tensor(mask, [rows, length]) };
}

interface Encoder {
  encode(text: string): number[];
  readonly eos: number;
}

/** All documents end to end, an end-of-text token after each. */
async function packed(data: Pick<Artifact, "dir" | "node">, tokenizer: Encoder): Promise<Int32Array> {
  let tokens = new Int32Array(1 << 16);
  let used = 0;
  for await (const row of readRows(data.dir)) {
    const ids = tokenizer.encode(String(row.text));
    if (used + ids.length + 1 > tokens.length) {
      const larger = new Int32Array(2 * (used + ids.length + 1));
      larger.set(tokens);
      tokens = larger;
    }
    tokens.set(ids, used);
    used += ids.length;
    tokens[used++] = tokenizer.eos;
  }
  return tokens.subarray(0, used);
}
