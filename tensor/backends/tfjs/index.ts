// The TensorFlow.js backend: interprets the graph op by op and frees every tensor after its last reader.

import type { Tensor } from "@tensorflow/tfjs-core";
import { TensorError } from "../../error.ts";
import {
  type DType,
  type Graph,
  type HostArray,
  type OpName,
  reachable,
  type Value,
} from "../../ir/graph.ts";
import { optimize } from "../../ir/passes/optimize.ts";
import type { Shape } from "../../shape.ts";
import type { Arrays, Backend, Executable } from "../backend.ts";
import { checkFeeds, signatureOf } from "../feeds.ts";
import { Residents } from "../residents.ts";
import { type Kernel, kernels, tfType } from "./kernels.ts";
import { installedTf, loadTf, type Tf, type TfPackage } from "./load.ts";

export interface TfjsOptions {
  /** Default: the fastest that is installed. */
  readonly package?: TfPackage;
  /** Threads inside one op, for tfjs-node; fixed by the first backend of the process. */
  readonly threads?: number;
}

export async function tfjsBackend(options: TfjsOptions = {}): Promise<Backend> {
  const chosen = options.package ?? installedTf();
  const { tf, name, fingerprint } = await loadTf(chosen, options.threads);
  const residents = residentsOf(chosen);
  return {
    name,
    fingerprint,
    async compile(source, { verbatim = false, state } = {}) {
      const graph = verbatim ? source : optimize(source);
      return interpreter(tf, graph, residents, state ?? (() => false));
    },
    async reclaim(arrays) {
      for (const array of arrays) {
        const tensor = residents.stale(array);
        if (tensor) array.set(await tensor.data());
        residents.drop(array);
      }
    },
    forget: (arrays) => residents.forget(arrays),
  };
}

// A package has one memory in a process, so an array stands for the same state in every backend opened on it.
const memories = new Map<TfPackage, Residents<Tensor>>();

function residentsOf(name: TfPackage): Residents<Tensor> {
  const residents = memories.get(name) ?? new Residents<Tensor>((tensor) => tensor.dispose());
  memories.set(name, residents);
  return residents;
}

function interpreter(
  tf: Tf,
  graph: Graph,
  residents: Residents<Tensor>,
  isState: (name: string) => boolean,
): Executable {
  const nodes = reachable(Object.values(graph.outputs));
  const outputs = Object.entries(graph.outputs);
  const constants = new Map<Value, Tensor>();
  for (const node of nodes) {
    if (node.op !== "constant") continue;
    const { data, shape, dtype } = node.attrs;
    constants.set(node.outputs[0]!, toTensor(tf, arrayOf(dtype, data), shape, dtype));
  }
  const dead = lastReaders(graph);
  const signature = signatureOf(graph);
  let live = true;

  return {
    async run(feeds, into) {
      if (!live) throw new TensorError("disposed", "this executable was disposed");
      checkFeeds(signature, feeds, into);
      const values = new Map<Value, Tensor>(constants);
      // What this run may free: neither constants nor state that stays.
      const owned = new Set<Tensor>();
      try {
        for (const { attrs, outputs: out } of graph.inputs) {
          const array = feeds[attrs.name]!;
          let tensor = residents.get(array);
          if (!tensor) {
            tensor = toTensor(tf, array.slice(), attrs.shape, attrs.dtype);
            if (isState(attrs.name)) residents.put(array, tensor, { fresh: true });
            else owned.add(tensor);
          }
          values.set(out[0]!, tensor);
        }
        for (const node of nodes) {
          if (node.op === "input" || node.op === "constant") continue;
          const inputs = node.inputs.map((v) => values.get(v)!);
          const made = tf.tidy(() =>
            [(kernels[node.op] as Kernel<OpName>)(tf, node as never, inputs)].flat(),
          );
          node.outputs.forEach((v, i) => {
            values.set(v, made[i]!);
            owned.add(made[i]!);
          });
          for (const v of dead.get(node) ?? []) {
            const tensor = values.get(v)!;
            if (owned.delete(tensor)) tensor.dispose();
          }
        }
        return await deliver(values, owned, into);
      } finally {
        for (const tensor of owned) tensor.dispose();
      }
    },
    async dispose() {
      live = false;
      for (const tensor of constants.values()) tensor.dispose();
      constants.clear();
    },
  };

  /** Hands the outputs out: state as tensors that stay, the rest as numbers. */
  async function deliver(
    values: ReadonlyMap<Value, Tensor>,
    owned: Set<Tensor>,
    into: Readonly<Arrays> | undefined,
  ): Promise<Arrays> {
    const result: Arrays = {};
    const staying: [HostArray, Tensor][] = [];
    const leaving: [HostArray, HostArray][] = [];
    for (const [name, v] of outputs) {
      const tensor = values.get(v)!;
      const array = into?.[name] ?? arrayOf(v.dtype, tensor.size);
      result[name] = array;
      if (isState(name) && owned.delete(tensor)) staying.push([array, tensor]);
      else leaving.push([array, await tensor.data()]);
    }
    // Only now: an array may have stood for a tensor that another output was read from.
    for (const [array, data] of leaving) {
      residents.drop(array);
      array.set(data);
    }
    for (const [array, tensor] of staying) residents.put(array, tensor);
    return result;
  }
}

/** After which node nobody reads a value any more. */
function lastReaders(graph: Graph): Map<object, Value[]> {
  const kept = new Set(Object.values(graph.outputs));
  const last = new Map<Value, object>();
  for (const node of reachable(Object.values(graph.outputs))) {
    for (const v of [...node.outputs, ...node.inputs]) last.set(v, node);
  }
  const dead = new Map<object, Value[]>();
  for (const [v, node] of last) {
    if (!kept.has(v)) dead.set(node, [...(dead.get(node) ?? []), v]);
  }
  return dead;
}

function toTensor(tf: Tf, data: HostArray, shape: Shape, dtype: DType): Tensor {
  if (data instanceof Float64Array) {
    throw new TensorError("backend", "tfjs backends run in fp32: feed Float32Array, not Float64Array");
  }
  return tf.tensor(data, [...shape], tfType[dtype]);
}

function arrayOf(dtype: DType, data: number | ArrayLike<number>): HostArray {
  const typed = { f32: Float32Array, i32: Int32Array, bool: Uint8Array }[dtype];
  return typeof data === "number" ? new typed(data) : typed.from(data);
}
