// Global-norm gradient clipping (https://arxiv.org/abs/1211.5063).

import type { Builder } from "../ir/builder.ts";
import type { Value } from "../ir/graph.ts";

/** √ Σ g² over all gradients, a scalar. */
export function globalNorm(b: Builder, gradients: readonly Value[]): Value {
  return b.sqrt(gradients.map((g) => b.sum(b.mul(g, g))).reduce((x, y) => b.add(x, y)));
}

/** min(1, max_norm / (norm + 1e-6)), as PyTorch computes it. */
export function clipScale(b: Builder, norm: Value, maxNorm: number | undefined): Value {
  return maxNorm === undefined ? b.scalar(1) : b.minimum(b.div(maxNorm, b.add(norm, 1e-6)), 1);
}
