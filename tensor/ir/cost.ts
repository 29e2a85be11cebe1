// What a graph will cost before it runs: floating point operations, and the most memory that its values take at once.

import { sizeOf } from "../shape.ts";
import { type Graph, type Node, type OpName, reachable, type Value } from "./graph.ts";

/** Of the products alone, a multiplication and an addition being two; the rest of a model is a few hundredths of that. */
export function flopsOf(graph: Graph): number {
  return reachable(Object.values(graph.outputs)).reduce((sum, node) => sum + flopsOfNode(node), 0);
}

function flopsOfNode(node: Node): number {
  if (node.op === "matmul") {
    const [a] = node.inputs;
    const inner = a!.shape.at(node.attrs.transA ? -2 : -1)!;
    return 2 * sizeOf(node.outputs[0]!.shape) * inner;
  }
  if (node.op === "attention" || node.op === "cachedAttention") {
    const keys = node.inputs[node.op === "attention" ? 1 : 3]!; // of a cache all slots, seen or not
    return 4 * sizeOf(node.inputs[0]!.shape) * keys.shape[2]!; // q·kᵀ, then the probabilities times v
  }
  return 0;
}

/**
 * Bytes of the buffers that are alive together at the worst moment, when nodes run in order of creation. As in
 * onnxruntime's plan, a value is put into the buffer of a dead one of the same size where there is one, and a buffer
 * is given back only after the last value that it will ever hold. Inputs and outputs are the caller's and not counted.
 */
export function peakBytes(graph: Graph): number {
  const nodes = reachable(Object.values(graph.outputs)).filter(({ op }) => op !== "input");
  const callers = new Set(Object.values(graph.outputs).map(bufferOf));
  const lastReader = new Map<Value, number>();
  nodes.forEach(({ inputs }, at) => {
    for (const input of inputs) lastReader.set(bufferOf(input), at);
  });

  const buffers: Buffer[] = [];
  const holding = new Map<Value, Buffer>();
  const idle = new Map<number, Buffer[]>();
  const isOwn = (v: Value) => v.node.op !== "input" && bufferOf(v) === v && !callers.has(v);
  nodes.forEach((node, at) => {
    const made = node.outputs.filter((v) => isOwn(v) && (v.index === 0 || lastReader.has(v)));
    const dying = [...new Set(node.inputs.map(bufferOf))].filter(
      (v) => lastReader.get(v) === at && holding.has(v),
    );
    const given = overwrites(node, made, dying);
    for (const v of made) {
      const size = bytesOf(v);
      const taken = v === made[0] && given ? holding.get(given) : idle.get(size)?.pop();
      const buffer = taken ?? { size, from: at, to: at };
      if (!taken) buffers.push(buffer);
      buffer.to = Math.max(at, lastReader.get(v) ?? at);
      holding.set(v, buffer);
    }
    const dead = [...dying.filter((v) => v !== given), ...made.filter((v) => !lastReader.has(v))];
    for (const v of dead) {
      const buffer = holding.get(v)!;
      idle.set(buffer.size, [...(idle.get(buffer.size) ?? []), buffer]);
    }
  });
  return highest(buffers, nodes.map(scratchOf));
}

interface Buffer {
  readonly size: number;
  /** Positions of the first node that writes to it and of the last that reads it. */
  readonly from: number;
  to: number;
}

/** The largest sum of the buffers alive at a position and what its node takes beside them. */
function highest(buffers: readonly Buffer[], scratch: readonly number[]): number {
  const change = new Float64Array(scratch.length + 1);
  for (const { size, from, to } of buffers) {
    change[from]! += size;
    change[to + 1]! -= size;
  }
  let alive = 0;
  let peak = 0;
  scratch.forEach((beside, at) => {
    alive += change[at]!;
    peak = Math.max(peak, alive + beside);
  });
  return peak;
}

const bytesOf = ({ shape, dtype }: Value): number => sizeOf(shape) * (dtype === "bool" ? 1 : 4);

/** Ops whose result is their operand's own bytes. */
const views: ReadonlySet<OpName> = new Set(["reshape", "barrier", "stopGradient"]);

/** The value whose memory this one is. */
function bufferOf(v: Value): Value {
  let at = v;
  while (views.has(at.node.op)) at = at.node.inputs[0]!;
  return at;
}

/** Ops that write over an operand of the same size which nothing else reads. */
const overwriting: ReadonlySet<OpName> = new Set([
  "neg",
  "exp",
  "log",
  "sqrt",
  "reciprocal",
  "abs",
  "sign",
  "sigmoid",
  "tanh",
  "erf",
  "relu",
  "softplus",
  "add",
  "sub",
  "mul",
  "div",
  "softmax",
  "logSoftmax",
] satisfies OpName[]);

/** The dying operand that the node's result takes the place of. */
function overwrites(node: Node, made: readonly Value[], dying: readonly Value[]): Value | undefined {
  if (!overwriting.has(node.op) || made.length !== 1) return undefined;
  return dying.find((v) => bytesOf(v) === bytesOf(made[0]!));
}

/** What an op needs while it runs beyond its outputs. */
function scratchOf(node: Node): number {
  switch (node.op) {
    case "attention":
      return bytesOf(node.outputs[1]!); // the scores, beside the probabilities
    case "scatterRows":
      return bytesOf(node.outputs[0]!) + 3 * bytesOf(node.inputs[0]!); // zeros, and indices of 8 bytes
    case "gelu":
      return bytesOf(node.outputs[0]!);
    default:
      return 0;
  }
}
