// Lowers one step of decoding for the CPU, where rows are few: weights are read as they lie, and nodes are few too.

import { type Graph, reachable, type Value } from "../../ir/graph.ts";
import { sameShape } from "../../shape.ts";
import { cpuLowerings } from "./lower-cpu.ts";
import { int, type Lowerings } from "./lowering.ts";

export interface StepOptions {
  /** At most 16 rows, here and in every other program that is to give the same bits. */
  readonly narrow: boolean;
  /** The weights are packed once, when the session opens. */
  readonly frozen: boolean;
}

export const isStep = (graph: Graph): boolean =>
  reachable(Object.values(graph.outputs)).some(({ op }) => op === "cachedAttention");

export const stepLowerings = ({ narrow, frozen }: StepOptions): Lowerings => ({
  ...cpuLowerings,
  // x Wᵀ would pack all of W at every call, W xᵀ packs x. It adds up in another order than x Wᵀ, but in one order for two to
  // 16 rows: they are one strip of columns.
  matmul: (l, n) => {
    const [x, w] = n.inputs as [Value, Value];
    const { transA, transB, alpha } = n.attrs;
    const weight = w.node.op === "input" && w.shape.length === 2 && transB;
    if (frozen || !narrow || !weight || transA || x.shape.length !== 2 || x.shape[0] === 1) {
      cpuLowerings.matmul(l, n);
      return;
    }
    const columns = l.node("FusedMatMul", [l.in(w), l.in(x)], { transA: int(0), transB: int(1), alpha });
    l.node("Transpose", [columns], { perm: { ints: [1, 0] } }, l.out(0));
  },
  // Together with the addition before it, whose sum goes on to the next layer.
  rmsnorm: (l, n) => {
    const [x, weight] = n.inputs as [Value, Value];
    const [a, b] = x.node.op === "add" ? x.node.inputs : [];
    if (!a || !b || !sameShape(a.shape, b.shape) || l.used(n.outputs[1]!)) {
      cpuLowerings.rmsnorm(l, n);
      return;
    }
    const sum = l.fresh();
    const outputs = [l.out(0), "", "", sum];
    l.nodes("SkipSimplifiedLayerNormalization", [l.in(a), l.in(b), l.in(weight)], outputs, {
      epsilon: n.attrs.eps,
    });
    l.rename(x, sum);
  },
});
