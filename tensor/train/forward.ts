// What training changes in the forward pass: adapters, dropout and packing, as rewrites of ops while a model is built.
//
// No architecture knows of them. A linear layer is a matmul by a weight `<layer>.weight`, found by that weight;
// a packed row is the same attention with a mask of its own and the same rotation at other positions.

import { check } from "../error.ts";
import type { Builder, Intercept } from "../ir/builder.ts";
import type { NodeOf, OpAttrs, OpName, Value } from "../ir/graph.ts";
import { LORA_A, LORA_B } from "../models/lora.ts";
import { layerOf, residualRate, writesResidual } from "./residual.ts";

export interface Adapters {
  /** The update is alpha/r · B A. */
  readonly alpha: number;
  /** Share of an adapter's inputs that are zeroed in training. */
  readonly dropout?: number;
}

export interface ResidualDropout {
  readonly p: number;
  /** LIMA's ramp p·l/(L-1) from nothing in the first layer to p in the last. Default: p in every layer. */
  readonly ramp?: boolean;
}

export interface ForwardOptions {
  readonly lora?: Adapters;
  readonly residual_dropout?: ResidualDropout;
}

/** Which sequence of a packed row a token belongs to and where it stands in it, [B,T] each. */
export interface Packing {
  readonly segments: Value;
  readonly positions: Value;
}

/** The intercept of a builder in which models are built for training, and a switch to end it before the backward pass. */
export function forwardRewrites(options: ForwardOptions, training: boolean) {
  let target: { b: Builder; names: Map<Value, string>; params: Weights; layers: number } | undefined;
  let packing: Packing | undefined;
  const biased = new Map<Value, string>();

  const intercept: Intercept = (b, op, inputs, attrs) => {
    if (!target || target.b !== b) return undefined;
    if (op === "matmul") return linear(b, inputs, attrs as OpAttrs["matmul"]);
    if (op === "add") return bias(b, inputs);
    if (!packing) return undefined;
    if (op === "rope") return rope(b, inputs, attrs as OpAttrs["rope"], packing.positions);
    if (op === "gatherRows" && target.names.get(inputs[0]!)?.endsWith(".wpe.weight")) {
      const rows = b.reshape(packing.positions, inputs[1]!.shape);
      return b.make("gatherRows", [inputs[0]!, rows], {}).outputs; // learned positions
    }
    if (op === "attention") return attention(b, inputs, attrs as OpAttrs["attention"], packing.segments);
    return undefined;
  };

  function linear(b: Builder, inputs: readonly Value[], attrs: OpAttrs["matmul"]): Value[] | undefined {
    const { names, params } = target!;
    const weight = names.get(inputs[1]!);
    if (!weight?.endsWith(".weight")) return undefined;
    const name = weight.slice(0, -".weight".length);
    const x = inputs[0]!;
    const [A, B] = [params[`${name}${LORA_A}`], params[`${name}${LORA_B}`]];
    let y = b.make("matmul", inputs, attrs).outputs[0]!;
    if (A && B && options.lora) {
      const { alpha, dropout: p = 0 } = options.lora;
      const seen = training ? dropout(b, x, `${name}.lora`, p) : x;
      const low = b.linear(seen, A);
      y = b.add(y, b.matmul(low, B, { transB: true, alpha: alpha / A.shape[0]! }));
    }
    if (params[`${name}.bias`]) biased.set(y, name);
    else y = residual(b, y, name);
    return [y];
  }

  /** The bias is part of the layer's output, so dropout waits for it. */
  function bias(b: Builder, inputs: readonly Value[]): Value[] | undefined {
    const name = biased.get(inputs[0]!);
    if (name === undefined || inputs[1] !== target!.params[`${name}.bias`]) return undefined;
    biased.delete(inputs[0]!);
    return [residual(b, b.make("add", inputs, {}).outputs[0]!, name)];
  }

  function residual(b: Builder, y: Value, name: string): Value {
    if (!training || !options.residual_dropout || !writesResidual(name)) return y;
    return dropout(b, y, name, residualRate(options.residual_dropout, layerOf(name)!, target!.layers));
  }

  return {
    intercept,
    /** Models built from `params` by `b` are rewritten from now on. */
    begin(b: Builder, params: Weights, packed?: Packing): void {
      const names = new Map(Object.entries(params).map(([name, value]) => [value, name]));
      const layers = Object.keys(params).reduce((n, name) => Math.max(n, (layerOf(name) ?? -1) + 1), 0);
      target = { b, names, params, layers };
      packing = packed;
    },
    end(): void {
      target = undefined;
    },
  };
}

type Weights = Readonly<Record<string, Value>>;

/** Prefix of the inputs that say which elements dropout keeps. */
export const KEEP = "keep/";

/** Zeroes a share p of x [N,C] and scales the rest by 1/(1-p). Which ones is an input, so every backend drops the same. */
function dropout(b: Builder, x: Value, site: string, p: number): Value {
  check(0 <= p && p < 1, "argument", () => `dropout of ${site} is ${p}, must be in [0,1)`);
  if (p === 0) return x;
  const keep = b.input(`${KEEP}${p}/${site}`, x.shape, "bool");
  return b.select(keep, b.mul(x, 1 / (1 - p)), 0);
}

function rope(
  b: Builder,
  [x, , cos, sin]: readonly Value[],
  attrs: OpAttrs["rope"],
  positions: Value,
): readonly Value[] {
  return b.make("rope", [x!, positions, cos!, sin!], attrs).outputs;
}

const FORBIDDEN = -1e9;

/** Adds to the mask of causal attention that a token sees only its own segment. */
function attention(
  b: Builder,
  [q, k, v, bias]: readonly Value[],
  attrs: OpAttrs["attention"],
  segments: Value,
): readonly Value[] {
  const [B, T] = segments.shape as [number, number];
  const column = (from: number, n: number) => b.reshape(b.slice(segments, 1, from, from + n), [B, 1, n, 1]);
  const row = (from: number, n: number) => b.reshape(b.slice(segments, 1, from, from + n), [B, 1, 1, n]);
  const [rows, seen] = [q!.shape[2]!, k!.shape[2]!];
  const [start, from] = [rows === T ? 0 : partOf(q!), seen === T ? 0 : partOf(k!)];
  const same = b.equal(column(start, rows), row(from, seen));
  const mask = b.select(same, bias!, FORBIDDEN);
  return b.make("attention", [q!, k!, v!, mask], attrs).outputs;
}

/** Where along axis 2 a part of the sequence begins that was cut out by split or slice. */
function partOf(x: Value): number {
  const { node } = x as { node: { op: OpName } };
  if (node.op === "split") {
    const { attrs } = node as NodeOf<"split">;
    if (attrs.axis === 2) return attrs.sizes.slice(0, x.index).reduce((n, size) => n + size, 0);
  }
  if (node.op === "slice") {
    const { attrs } = node as NodeOf<"slice">;
    if (attrs.axis === 2) return attrs.start;
  }
  check(false, "argument", () => "packing: this architecture's attention cannot be masked per sequence");
  return 0;
}
