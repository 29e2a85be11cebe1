// Makes onnxruntime compute nodes in the order of the file: near what they read, which is then still in the cache.
//
// It orders a graph by depth first search from the nodes that nothing reads, the last one in the file first. A value that
// is wanted late, such as a gradient, would thus be computed late, with its operands kept in memory until then. A node
// that only asks for its shape, and whose own output nothing reads, wants it early and costs a microsecond.

import type { OnnxModel, OnnxNode } from "./encode.ts";

/** A value whose first reader is further down than this many nodes is asked for where it stands. */
const FAR = 48;

export const inFileOrder = (model: OnnxModel): OnnxModel => ({
  ...model,
  nodes: [...model.nodes, ...anchors(model.nodes)],
});

/** Nodes to append to the file, the one that is to run first at the end. */
export function anchors(nodes: readonly OnnxNode[]): OnnxNode[] {
  const firstReader = new Map<string, number>();
  nodes.forEach(({ inputs }, i) => {
    for (const name of inputs) if (!firstReader.has(name)) firstReader.set(name, i);
  });
  const late = nodes.flatMap(({ outputs }, i) =>
    outputs.filter((name) => name !== "" && (firstReader.get(name) ?? i) - i > FAR),
  );
  return late.reverse().map((name) => ({ op: "Shape", inputs: [name], outputs: [`shape of ${name}`] }));
}
