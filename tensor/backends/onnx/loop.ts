// Puts a lowered graph into an ONNX Loop: several steps in one run, with the state on the device between them.

import type { Loop } from "../backend.ts";
import type { Signature } from "../feeds.ts";
import type { OnnxModel, OnnxNode, OnnxValueInfo } from "./encode.ts";

/** What goes in and comes out of all times together. */
export function loopSignature({ inputs, outputs }: Signature, { times, each }: Loop): Signature {
  const stacked = (slots: Signature["inputs"], which: (name: string) => boolean) =>
    Object.fromEntries(
      Object.entries(slots).map(([name, { shape, dtype }]) => [
        name,
        { shape: which(name) ? [times, ...shape] : shape, dtype },
      ]),
    );
  return { inputs: stacked(inputs, each), outputs: stacked(outputs, (name) => !(name in inputs)) };
}

/**
 * The model of which `body` is computed `times` times. `whole` is loopSignature's. The body sees the inputs that stay
 * as they are under their own names; for the others it has names of its own, as a name may mean one thing only.
 */
export function looped(body: OnnxModel, whole: Signature, { times, each }: Loop): OnnxModel {
  const carried = Object.keys(whole.inputs).filter((name) => name in whole.outputs);
  const apart = Object.keys(whole.outputs).filter((name) => !(name in whole.inputs));
  const taken = Object.keys(whole.inputs).filter(each);
  const inside = new Map<string, string>([
    ...[...carried, ...taken].map((name) => [`in:${name}`, `now:${name}`] as const),
    ...[...carried, ...apart].map((name) => [`out:${name}`, `next:${name}`] as const),
  ]);
  const own = (name: string) => inside.get(name) ?? name;

  const described = (prefix: string, slots: Signature["inputs"]): OnnxValueInfo[] =>
    Object.entries(slots).map(([name, slot]) => ({ name: `${prefix}:${name}`, ...slot }));
  const bodyOf = (list: readonly OnnxValueInfo[], name: string): OnnxValueInfo => {
    const found = list.find((info) => info.name === name)!;
    return { ...found, name: own(name) };
  };
  const flag = (name: string): OnnxValueInfo => ({ name, shape: [], dtype: "bool" });
  const once: OnnxModel = {
    nodes: [
      { op: "Identity", inputs: ["going"], outputs: ["still going"] },
      ...taken.map(
        (name): OnnxNode => ({
          op: "Gather",
          inputs: [`in:${name}`, "time"],
          outputs: [own(`in:${name}`)],
          attributes: { axis: { int: 0 } },
        }),
      ),
      ...body.nodes.map((node) => ({
        ...node,
        inputs: node.inputs.map(own),
        outputs: node.outputs.map(own),
      })),
    ],
    inputs: [
      { name: "time", shape: [], dtype: "i64" },
      flag("going"),
      ...carried.map((name) => bodyOf(body.inputs, `in:${name}`)),
    ],
    outputs: [
      flag("still going"),
      ...[...carried, ...apart].map((name) => bodyOf(body.outputs, `out:${name}`)),
    ],
    initializers: body.initializers,
  };
  return {
    nodes: [
      {
        op: "Loop",
        inputs: ["times", "", ...carried.map((name) => `in:${name}`)],
        outputs: [...carried, ...apart].map((name) => `out:${name}`),
        attributes: { body: { graph: once } },
      },
    ],
    inputs: described("in", whole.inputs),
    outputs: described("out", whole.outputs),
    initializers: [{ name: "times", shape: [], data: BigInt64Array.of(BigInt(times)) }],
  };
}
