// The oracle backend: interprets the graph op by op in plain TypeScript, accumulating in float64.

import { TensorError } from "../../error.ts";
import { type OpName, reachable, type Value } from "../../ir/graph.ts";
import { optimize } from "../../ir/passes/optimize.ts";
import type { Arrays, Backend, Executable } from "../backend.ts";
import { checkFeeds, signatureOf } from "../feeds.ts";
import { allocator, type NdArray, type Precision } from "./array.ts";
import { type Kernel, kernels } from "./kernels.ts";

/** `f64` keeps every intermediate in double precision, for gradient checks. */
export function referenceBackend(precision: Precision = "f32"): Backend {
  const alloc = allocator(precision);
  return {
    name: "reference",
    fingerprint: `reference/1/${precision}`,
    async compile(source, options = {}): Promise<Executable> {
      const graph = options.verbatim ? source : optimize(source);
      const nodes = reachable(Object.values(graph.outputs));
      const signature = signatureOf(graph);
      let live = true;
      return {
        async run(feeds, into) {
          if (!live) throw new TensorError("disposed", "this executable was disposed");
          checkFeeds(signature, feeds, into);
          const values = new Map<Value, NdArray>();
          for (const { attrs, outputs } of graph.inputs) {
            const fed = alloc(attrs.shape, attrs.dtype);
            fed.data.set(feeds[attrs.name]!);
            values.set(outputs[0]!, fed);
          }
          for (const node of nodes) {
            if (node.op === "input") continue;
            const kernel = kernels[node.op] as Kernel<OpName>;
            const results = kernel(
              node as never,
              node.inputs.map((v) => values.get(v)!),
              alloc,
            );
            node.outputs.forEach((v, i) => {
              values.set(v, results[i]!);
            });
          }
          const outputs: Arrays = {};
          for (const [name, value] of Object.entries(graph.outputs)) {
            const { data } = values.get(value)!;
            const target = into?.[name];
            target?.set(data);
            outputs[name] = target ?? data.slice();
          }
          return outputs;
        },
        async dispose() {
          live = false;
        },
      };
    },
  };
}
