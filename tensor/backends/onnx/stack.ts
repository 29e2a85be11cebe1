// Frozen weights of query, key and value become one matrix: one product for three, which attention takes as it is.

import type { HostArray } from "../../ir/graph.ts";
import type { OnnxInitializer, OnnxModel, OnnxNode, OnnxValueInfo } from "./encode.ts";
import { withoutIdle } from "./lowering.ts";

type Weights = Readonly<Record<string, HostArray>>;

/** The model with such attention, and the weights with the new matrices among them. */
export function stackProjections(
  model: OnnxModel,
  weights: Weights,
): { readonly model: OnnxModel; readonly weights: Weights } {
  const makers = new Map(model.nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)));
  const sides = new Map(model.inputs.map(({ name, shape = [] }) => [name, shape]));
  const constants = new Map(model.initializers.map((constant) => [constant.name, constant]));
  const more: {
    inputs: OnnxValueInfo[];
    initializers: OnnxInitializer[];
    weights: Record<string, HostArray>;
  } = { inputs: [], initializers: [], weights: {} };

  /** The product x Wᵀ with a frozen W that this is the result of, in another shape. */
  function projection(name: string | undefined) {
    const reshaped = makers.get(name ?? "");
    const product = makers.get(reshaped?.inputs[0] ?? "");
    if (reshaped?.op !== "Reshape" || product?.op !== "FusedMatMul") return undefined;
    const { transA, transB, alpha } = product.attributes as Record<string, { int: number } | number>;
    const plain =
      (transA as { int: number }).int === 0 && (transB as { int: number }).int === 1 && alpha === 1;
    const [x, w] = product.inputs as [string, string];
    const [data, shape, rows] = [weights[w], sides.get(w), constants.get(reshaped.inputs[1]!)];
    if (!plain || !(data instanceof Float32Array) || shape?.length !== 2 || !rows) return undefined;
    return { product, x, w, data, shape, rows: (rows.data as BigInt64Array)[0]! };
  }

  const nodes = model.nodes.flatMap((node): OnnxNode[] => {
    if (node.op !== "GroupQueryAttention") return [node];
    const [q, k, v] = node.inputs.slice(0, 3).map(projection);
    if (!q || !k || !v || q.x !== k.x || q.x !== v.x) return [node];
    const name = [q.w, k.w, v.w].join(" ");
    const [wide, packed, to] = [`${name} product`, `${name} packed`, `${name} shape`];
    const out = [q, k, v].reduce((sum, { shape }) => sum + shape[0]!, 0);
    more.inputs.push({ name, shape: [out, q.shape[1]!], dtype: "f32" });
    more.weights[name] = concatenated([q, k, v].map(({ data }) => data));
    more.initializers.push({ name: to, shape: [3], data: BigInt64Array.of(q.rows, 1n, BigInt(out)) });
    return [
      { ...q.product, inputs: [q.x, name], outputs: [wide] },
      { op: "Reshape", inputs: [wide, to], outputs: [packed] },
      { ...node, inputs: [packed, "", "", ...node.inputs.slice(3)] },
    ];
  });
  const stacked = withoutIdle({
    ...model,
    nodes,
    inputs: [...model.inputs, ...more.inputs],
    initializers: [...model.initializers, ...more.initializers],
  });
  return { model: stacked, weights: { ...weights, ...more.weights } };
}

function concatenated(parts: readonly Float32Array[]): Float32Array {
  const out = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
