// The activations that configs name.

import { check } from "../error.ts";
import type { Builder } from "../ir/builder.ts";
import type { Value } from "../ir/graph.ts";

const activations = {
  gelu: (b, x) => b.gelu(x, "erf"),
  gelu_new: (b, x) => b.gelu(x, "tanh"),
  gelu_fast: (b, x) => b.gelu(x, "tanh"),
  gelu_pytorch_tanh: (b, x) => b.gelu(x, "tanh"),
  relu: (b, x) => b.relu(x),
  silu: (b, x) => b.silu(x),
} as const satisfies Record<string, (b: Builder, x: Value) => Value>;

export type Activation = keyof typeof activations;

export function checkActivation(field: string, name: string): asserts name is Activation {
  check(
    name in activations,
    "argument",
    () => `${field} "${name}" is not supported, only ${Object.keys(activations).join(", ")}`,
  );
}

export const activate = (b: Builder, x: Value, name: Activation): Value => activations[name](b, x);
