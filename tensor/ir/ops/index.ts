// The table of all ops; a missing one does not compile.

import type { OpName } from "../graph.ts";
import type { OpDefs } from "../op.ts";
import { elementwise } from "./elementwise.ts";
import { fused } from "./fused.ts";
import { layout } from "./layout.ts";

export const ops: OpDefs<OpName> = {
  input: { infer: (_, { shape, dtype }) => [{ shape, dtype }], vjp: () => [] },
  constant: { infer: (_, { shape, dtype }) => [{ shape, dtype }], vjp: () => [] },
  ...elementwise,
  ...layout,
  ...fused,
};
