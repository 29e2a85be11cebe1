// Plain text as training sequences: all documents end to end, cut into blocks of one length, or each by itself.
import { type Artifact, readRows, TaskError } from "../../engine/index.ts";
import { type HostTensor, tensor } from "../../tensor/index.ts";
import { Records } from "../data/records.ts";

export interface Blocks {
  /** Tokens of each; the most that one has where each document is by itself. */
  readonly length: number;
  /** How many there are; a rest is left out. */
  readonly blocks: number;
  at(block: number): ArrayLike<number>;
}

/** An end-of-text token comes after each document. `path` is where the blocks go when they are too many for memory. */
export async function readBlocks(
  data: Pick<Artifact, "dir" | "node">,
  tokenizer: Encoder,
  length: number,
  path?: string,
): Promise<Blocks> {
  const Words = wordsFor(tokenizer);
  const records = new Records({ path });
  const block = new Words(length);
  let used = 0;
  const put = (token: number) => {
    block[used++] = token;
    if (used < length) return;
    records.add(new Uint8Array(block.buffer));
    used = 0;
  };
  for await (const row of readRows(data.dir)) {
    for (const token of tokenizer.encode(String(row.text))) put(token);
    put(tokenizer.eos);
  }
  if (records.count > 0) return blocksOf(records, Words, length);
  throw new TaskError({
    code: "too-little-text",
    message: `${data.node} has ${used} tokens, fewer than one sequence of ${length}`,
    help: "give more text or a smaller sequence_length",
  });
}

/** Each document by itself, in pieces of at most `length` tokens where it is longer; a single token is left out. */
export async function readDocuments(
  data: Pick<Artifact, "dir" | "node">,
  tokenizer: Encoder,
  length: number,
  path?: string,
): Promise<Blocks> {
  const Words = wordsFor(tokenizer);
  const records = new Records({ path });
  for await (const row of readRows(data.dir)) {
    const tokens = Words.from(tokenizer.encode(String(row.text)));
    for (let at = 0; at + 1 < tokens.length; at += length)
      records.add(new Uint8Array(tokens.slice(at, at + length).buffer));
  }
  if (records.count > 0) return blocksOf(records, Words, length);
  throw new TaskError({
    code: "too-little-text",
    message: `no text of ${data.node} has two tokens, one to go on from and one to say`,
    help: "look at the rows",
  });
}

const wordsFor = ({ vocabSize }: Encoder) => (vocabSize <= 2 ** 16 ? Uint16Array : Uint32Array);

const blocksOf = (records: Records, Words: ReturnType<typeof wordsFor>, length: number): Blocks => ({
  length,
  blocks: records.count,
  at: (index) => new Words(records.at(index).buffer as ArrayBuffer),
});

/** Some blocks as ids [rows,T] and mask [rows,T]; rows without a block count nothing, so that a short batch keeps its shape. */
export function blockRows(
  { at, length }: Blocks,
  chosen: readonly number[],
  rows: number,
): { ids: HostTensor<Int32Array>; mask: HostTensor<Float32Array> } {
  const ids = new Int32Array(rows * length);
  const mask = new Float32Array(rows * length);
  chosen.forEach((block, row) => {
    ids.set(at(block), row * length);
    mask.fill(1, row * length + 1, (row + 1) * length);
  });
  return { ids: tensor(ids, [rows, length]), mask: tensor(mask, [rows, length]) };
}

interface Encoder {
  encode(text: string): number[];
  readonly eos: number;
  readonly vocabSize: number;
}
