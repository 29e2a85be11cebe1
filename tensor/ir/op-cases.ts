// One small example of every op, from which the gradient test and the backend contract are both driven.

import { type Random, stream } from "../random.ts";
import { type Shape, sizeOf } from "../shape.ts";
import type { Builder } from "./builder.ts";
import type { OpName, Value } from "./graph.ts";

export interface Operand {
  readonly shape: Shape;
  readonly values: readonly number[];
  readonly dtype: "f32" | "i32";
}

export interface OpCase {
  readonly op: OpName;
  readonly title: string;
  readonly operands: readonly Operand[];
  readonly build: (b: Builder, x: readonly Value[]) => readonly Value[];
  /** False when the op has no useful derivative; then only backends are compared. */
  readonly differentiable: boolean;
}

const random: Random = stream("op cases");

/** Values in [low, high]; those near `avoid` (a kink) are pushed away so that finite differences are fair. */
function real(shape: Shape, low = -2, high = 2): Operand {
  const values = Array.from({ length: sizeOf(shape) }, () => {
    const x = low + (high - low) * random.uniform();
    return Math.abs(x) < 0.05 ? 0.1 : x;
  });
  return { shape, values, dtype: "f32" };
}

const ints = (shape: Shape, values: readonly number[]): Operand => ({ shape, values, dtype: "i32" });

function of(
  op: OpName,
  operands: readonly Operand[],
  build: (b: Builder, x: readonly Value[]) => Value | readonly Value[],
  options: { title?: string; differentiable?: boolean } = {},
): OpCase {
  return {
    op,
    title: options.title ?? op,
    operands,
    build: (b, x) => {
      const out = build(b, x);
      return "node" in out ? [out] : out;
    },
    differentiable: options.differentiable ?? true,
  };
}

const table = (P: number, half: number, f: (x: number) => number): Operand => ({
  shape: [P, half],
  values: Array.from({ length: P * half }, (_, i) => f(Math.floor(i / half) / 10 ** ((i % half) / half))),
  dtype: "f32",
});

const flat = { differentiable: false };

/** Two rows of four heads over two, at slots 4 and 2 of five. Slots after a row's own are of no account, so they are cut off. */
function cachedCases(
  cases: readonly (readonly [string, { d: number; window?: number; bias?: boolean }])[],
): OpCase[] {
  return cases.map(([title, { d, window, bias }]) => {
    const operands = [real([2, 4, 1, d]), real([2, 2, 1, d]), real([2, 2, 1, d])];
    const cache = [real([2, 2, 5, d]), real([2, 2, 5, d]), ints([2], [4, 2])];
    const scores = bias ? [real([1, 4, 1, 5])] : [];
    return of(
      "cachedAttention",
      [...operands, ...cache, ...scores],
      (b, [q, k, v, keys, values, positions, more]) => {
        const own = { q: q!, k: k!, v: v! };
        const options = { scale: 0.7, window, ...(more && { bias: more }) };
        const next = b.cachedAttention(own, { keys: keys!, values: values! }, positions!, options);
        const filled = (x: Value) => b.slice(x, 2, 0, 3);
        return [next.out, filled(next.keys), filled(next.values)];
      },
      { title, ...flat },
    );
  });
}

export const opCases: readonly OpCase[] = [
  of("input", [real([3])], (_b, [x]) => x!),
  of("constant", [real([2, 2])], (b, [x]) => b.mul(x!, b.constant([1, 2, 3, 4], [2, 2]))),
  of("neg", [real([5])], (b, [x]) => b.neg(x!)),
  of("exp", [real([5])], (b, [x]) => b.exp(x!)),
  of("log", [real([5], 0.2, 3)], (b, [x]) => b.log(x!)),
  of("sqrt", [real([5], 0.2, 3)], (b, [x]) => b.sqrt(x!)),
  of("reciprocal", [real([5], 0.3, 3)], (b, [x]) => b.reciprocal(x!)),
  of("abs", [real([6])], (b, [x]) => b.abs(x!)),
  of("sign", [real([6])], (b, [x]) => b.sign(x!), flat),
  of("sigmoid", [real([6])], (b, [x]) => b.sigmoid(x!)),
  of("tanh", [real([6])], (b, [x]) => b.tanh(x!)),
  of("erf", [real([9], -3, 3)], (b, [x]) => b.erf(x!)),
  of("relu", [real([6])], (b, [x]) => b.relu(x!)),
  of("softplus", [real([6], -9, 9)], (b, [x]) => b.softplus(x!)),
  of("silu", [real([6])], (b, [x]) => b.silu(x!)),
  of("cast", [real([4])], (b, [x]) => b.mul(x!, b.cast(b.greater(x!, 0), "f32"))),
  of("cast", [real([4], -3, 3)], (b, [x]) => b.cast(b.cast(x!, "i32"), "f32"), {
    title: "cast truncates",
    ...flat,
  }),
  of("stopGradient", [real([4])], (b, [x]) => b.stopGradient(x!), flat),
  of("barrier", [real([4])], (b, [x]) => b.barrier(x!)),
  of("add", [real([2, 3]), real([3])], (b, [x, y]) => b.add(x!, y!)),
  of("sub", [real([2, 1]), real([2, 3])], (b, [x, y]) => b.sub(x!, y!)),
  of("mul", [real([2, 3]), real([1, 3])], (b, [x, y]) => b.mul(x!, y!)),
  of("div", [real([2, 3]), real([2, 1], 0.5, 2)], (b, [x, y]) => b.div(x!, y!)),
  of("maximum", [real([6]), real([6])], (b, [x, y]) => b.maximum(x!, y!)),
  of("minimum", [real([6]), real([1])], (b, [x, y]) => b.minimum(x!, y!)),
  of("equal", [real([3])], (b, [x]) => b.cast(b.equal(x!, x!), "f32"), flat),
  of("greater", [real([3]), real([3])], (b, [x, y]) => b.cast(b.greater(x!, y!), "f32"), flat),
  of("greaterEqual", [real([3]), real([3])], (b, [x, y]) => b.cast(b.greaterEqual(x!, y!), "f32"), flat),
  of("select", [real([2, 3]), real([3])], (b, [x, y]) => b.select(b.greater(x!, 0), x!, y!)),
  of("sum", [real([2, 3, 4])], (b, [x]) => b.sum(x!, [0, 2])),
  of("sum", [real([2, 3])], (b, [x]) => b.sum(x!), { title: "sum of everything" }),
  of("max", [real([2, 5])], (b, [x]) => b.max(x!, [-1])),
  of("argmax", [real([3, 5])], (b, [x]) => b.cast(b.argmax(x!), "f32"), flat),
  of("reshape", [real([2, 6])], (b, [x]) => b.reshape(x!, [3, -1])),
  of("transpose", [real([2, 3, 4])], (b, [x]) => b.transpose(x!, [2, 0, 1])),
  of("expand", [real([3, 1])], (b, [x]) => b.expand(x!, [2, 3, 4])),
  of("slice", [real([2, 5])], (b, [x]) => b.slice(x!, 1, 1, 4)),
  of("pad", [real([2, 3])], (b, [x]) => b.pad(x!, 1, 2, 1)),
  of("concat", [real([2, 3]), real([2, 1])], (b, [x, y]) => b.concat([x!, y!], 1)),
  of("split", [real([2, 5])], (b, [x]) => b.split(x!, 1, [2, 3])),
  of("split", [real([2, 5])], (b, [x]) => b.split(x!, 1, [2, 3])[1]!, { title: "split, one part used" }),
  of("gatherRows", [real([4, 3]), ints([2, 3], [0, 2, 2, 1, 2, 0])], (b, [x, ids]) => b.gatherRows(x!, ids!)),
  of("gatherRows", [real([4, 3]), ints([3], [2, 0, 3])], (b, [x, ids]) => b.distinctRows(x!, ids!)),
  of("scatterRows", [real([6, 3]), ints([6], [0, 2, 2, 1, 2, 0])], (b, [x, ids]) =>
    b.scatterRows(x!, ids!, 4),
  ),
  of("takeAlong", [real([3, 4]), ints([3], [1, 3, 0])], (b, [x, ids]) => b.takeAlong(x!, ids!)),
  of("addAlong", [real([3, 4]), ints([3], [1, 3, 0]), real([3])], (b, [x, ids, u]) =>
    b.addAlong(x!, ids!, u!),
  ),
  of("matmul", [real([3, 4]), real([4, 2])], (b, [x, y]) => b.matmul(x!, y!)),
  of(
    "matmul",
    [real([4, 3]), real([2, 4])],
    (b, [x, y]) => b.matmul(x!, y!, { transA: true, transB: true, alpha: 0.5 }),
    {
      title: "matmul transposed and scaled",
    },
  ),
  of("matmul", [real([2, 2, 3, 4]), real([2, 1, 5, 4])], (b, [x, y]) => b.matmul(x!, y!, { transB: true }), {
    title: "matmul, batch broadcast",
  }),
  of("softmax", [real([3, 4])], (b, [x]) => b.softmax(x!)),
  of("logSoftmax", [real([3, 4])], (b, [x]) => b.logSoftmax(x!)),
  of("tokenLogprob", [real([3, 4]), ints([3], [1, 3, 0])], (b, [x, ids]) => b.tokenLogprob(x!, ids!).picked),
  of(
    "tokenLogprob",
    [real([3, 4]), ints([3], [1, 3, 0])],
    (b, [x, ids]) => {
      const { picked, all } = b.tokenLogprob(x!, ids!);
      return [picked, all];
    },
    { title: "tokenLogprob, both outputs" },
  ),
  of("rmsnorm", [real([3, 4]), real([4], 0.5, 1.5)], (b, [x, w]) => b.rmsnorm(x!, w!, 1e-5)),
  of("layernorm", [real([3, 4]), real([4], 0.5, 1.5), real([4])], (b, [x, w, bias]) =>
    b.layernorm(x!, w!, bias!, 1e-5),
  ),
  of(
    "rope",
    [real([2, 3, 2, 4]), ints([2, 2], [0, 1, 3, 4]), table(5, 2, Math.cos), table(5, 2, Math.sin)],
    (b, [x, p, cos, sin]) => b.rope(x!, p!, b.stopGradient(cos!), b.stopGradient(sin!)),
  ),
  of(
    "attention",
    [real([2, 4, 3, 2]), real([2, 2, 3, 2]), real([2, 2, 3, 2]), real([2, 1, 3, 3])],
    (b, [q, k, v, bias]) => b.attention(q!, k!, v!, bias!, 0.7),
    { title: "attention, grouped queries" },
  ),
  ...cachedCases([
    ["cachedAttention", { d: 8 }],
    ["cachedAttention, a window", { d: 8, window: 3 }],
    ["cachedAttention, scores to add", { d: 8, bias: true }],
    ["cachedAttention, an odd width", { d: 3, window: 3, bias: true }],
  ]),
  of("swiglu", [real([3, 4]), real([3, 4])], (b, [x, y]) => b.swiglu(x!, y!)),
  of("gelu", [real([9], -4, 4)], (b, [x]) => b.gelu(x!, "erf")),
  of("gelu", [real([9], -4, 4)], (b, [x]) => b.gelu(x!, "tanh"), { title: "gelu, tanh form" }),
];

/** Feeds for a case's operands, named x0, x1 … */
export function operandInputs(b: Builder, operands: readonly Operand[]): Value[] {
  return operands.map(({ shape, dtype }, i) => b.input(`x${i}`, shape, dtype));
}

export function operandFeeds(operands: readonly Operand[]): Record<string, Float32Array | Int32Array> {
  return Object.fromEntries(
    operands.map(({ values, dtype }, i) => [
      `x${i}`,
      dtype === "i32" ? Int32Array.from(values) : Float32Array.from(values),
    ]),
  );
}
