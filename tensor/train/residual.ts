// Which weights belong to which layer, and which of them write into the residual stream, by the names of known families.

/** The number of the layer that a weight belongs to; undefined for embeddings, heads and final norms. */
export function layerOf(name: string): number | undefined {
  const found = /(?:^|\.)(?:layers|h|block)\.(\d+)\./.exec(name);
  return found ? Number(found[1]) : undefined;
}

/** Output projections of attention and MLP: Llama, GPT-2, GPT-NeoX, T5. */
const outputs =
  /\.(self_attn\.o_proj|mlp\.down_proj|(cross)?attn\.c_proj|mlp\.c_proj|attention\.dense|mlp\.dense_4h_to_h|(Self|EncDec)Attention\.o|DenseReluDense\.wo)$/;

export const writesResidual = (name: string): boolean => layerOf(name) !== undefined && outputs.test(name);

/** Share of the residual dropout's places that layer `layer` of `layers` leaves out: p, or with the ramp p·l/(L-1). */
export const residualRate = (
  { p, ramp = false }: { readonly p: number; readonly ramp?: boolean },
  layer: number,
  layers: number,
): number => (ramp ? p * (layer / Math.max(1, layers - 1)) : p);
