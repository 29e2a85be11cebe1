// Demonstrations for models with an encoder: the prompt is its input, the response the decoder's sequence.
import type { HostTensor } from "../../tensor/index.ts";
import { type Example, pad } from "./padding.ts";

export interface SourceExample extends Example {
  /** What the encoder reads, with the end of text as T5 was trained. */
  readonly source: readonly number[];
}

/** The last response of an example becomes the decoder's, behind its start token; all before it the encoder's. */
export function withSource({ ids, mask }: Example, start: number, eos: number): SourceExample {
  let end = mask.length;
  while (end > 0 && !mask[end - 1]) end--;
  let begin = end;
  while (begin > 0 && mask[begin - 1]) begin--;
  const response = ids.slice(begin, end);
  return {
    source: [...ids.slice(0, begin), eos],
    ids: [start, ...response],
    mask: [false, ...response.map(() => true)],
  };
}

/** Right-padded: source int32 [rows,S] and source_mask float32 [rows,S]. */
export function padSources(
  examples: readonly SourceExample[],
  rows: number,
): { source: HostTensor<Int32Array>; source_mask: HostTensor<Float32Array> } {
  const { ids: source, mask: source_mask } = pad(
    examples.map(({ source }) => ({ ids: source, mask: source.map(() => true) })),
    rows,
  );
  return { source, source_mask };
}
