// Puts weights into the file of the model: onnxruntime packs them for its kernels, or computes with 8 or 4 bits of each.

import type { HostArray } from "../../ir/graph.ts";
import type { Shape } from "../../shape.ts";
import type { OnnxInitializer, OnnxModel, OnnxNode } from "./encode.ts";

export type WeightBits = 32 | 8 | 4;

/** Numbers that share a scale. */
const BLOCK = 32;

/** `arrays` by input name. Inputs among them become initialisers; products with a matrix of them are quantized below 32 bits. */
export function freeze(
  model: OnnxModel,
  arrays: Readonly<Record<string, HostArray>>,
  bits: WeightBits,
): OnnxModel {
  const weights = new Map<string, { shape: Shape; data: Float32Array }>();
  for (const { name, shape = [] } of model.inputs) {
    const data = arrays[name];
    if (data instanceof Float32Array) weights.set(name, { shape, data });
  }

  const made = new Map<string, OnnxInitializer>();
  const nodes = model.nodes.map((node): OnnxNode => {
    const name = node.inputs[1];
    const weight = name === undefined ? undefined : weights.get(name);
    const sides = weight && bits < 32 && linear(node, weight.shape);
    if (!sides) return node;
    const { N, K, transposed } = sides;
    const [packed, scales] = [`${name} bits`, `${name} scales`];
    if (!made.has(packed)) {
      const rows = transposed ? weight.data : transpose(weight.data, K, N);
      const q = quantize(rows, N, K, bits as 8 | 4);
      const blocks = K / BLOCK;
      made.set(packed, {
        name: packed,
        shape: [N, blocks, (BLOCK * bits) / 8],
        data: q.packed,
        numeric: true,
      });
      made.set(scales, { name: scales, shape: [N * blocks], data: q.scales });
    }
    return {
      op: "MatMulNBits",
      domain: "com.microsoft",
      inputs: [node.inputs[0]!, packed, scales],
      outputs: node.outputs,
      attributes: {
        K: { int: K },
        N: { int: N },
        bits: { int: bits },
        block_size: { int: BLOCK },
        accuracy_level: { int: 4 }, // products of 8-bit integers
      },
    };
  });

  const read = new Set(nodes.flatMap(({ inputs }) => inputs));
  const plain = [...weights].flatMap(([name, w]) => (read.has(name) ? [{ name, ...w }] : []));
  return {
    ...model,
    nodes,
    inputs: model.inputs.filter(({ name }) => !weights.has(name)),
    initializers: [...model.initializers, ...plain, ...made.values()],
  };
}

/** The sides of x [.., K] times a weight, [N,K] if `transposed` and else [K,N]; undefined where blocks do not fit. */
function linear({ op, attributes = {} }: OnnxNode, shape: Shape) {
  if (shape.length !== 2) return undefined;
  const flag = (name: string) => (attributes[name] as { int: number } | undefined)?.int === 1;
  const transposed = op === "FusedMatMul" && flag("transB");
  const fits = op === "MatMul" || (transposed && !flag("transA") && attributes.alpha === 1);
  const [N, K] = transposed ? [shape[0]!, shape[1]!] : [shape[1]!, shape[0]!];
  return fits && K % BLOCK === 0 ? { N, K, transposed } : undefined;
}

function transpose(data: Float32Array, rows: number, columns: number): Float32Array {
  const out = new Float32Array(data.length);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) out[j * rows + i] = data[i * columns + j]!;
  }
  return out;
}

/** weights [N,K] → unsigned integers around 2^(bits-1) and one scale per block of a row: w ≈ scale · (q - 2^(bits-1)). */
export function quantize(weights: Float32Array, N: number, K: number, bits: 8 | 4) {
  const zero = 2 ** (bits - 1);
  const packed = new Uint8Array((N * K * bits) / 8);
  const scales = new Float32Array((N * K) / BLOCK);
  for (let block = 0; block < scales.length; block++) {
    let peak = 0; // the number farthest from zero, with its sign
    for (let i = block * BLOCK; i < (block + 1) * BLOCK; i++) {
      if (Math.abs(weights[i]!) > Math.abs(peak)) peak = weights[i]!;
    }
    // The peak falls on the end of the range that reaches farther.
    const scale = Math.fround(peak / -zero);
    scales[block] = scale;
    for (let i = block * BLOCK; i < (block + 1) * BLOCK; i++) {
      const q = scale === 0 ? zero : Math.min(2 * zero - 1, Math.round(weights[i]! / scale) + zero);
      if (bits === 8) packed[i] = q;
      else packed[i >> 1]! |= i % 2 === 0 ? q : q << 4;
    }
  }
  return { packed, scales };
}
