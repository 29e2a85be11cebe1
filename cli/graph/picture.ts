// The DAG as people see it: boxes with a name, an operation and a state, and arrows between them.
import type { Plan } from "../../engine/index.ts";
import type { Program } from "../../grammar/index.ts";

export interface Box {
  readonly id: string;
  readonly kind: "dataset" | "model" | "mixture" | "stage";
  /** `sft`, or `text → sentences → shuffle`. */
  readonly work: string;
  readonly cached: boolean;
  /** The family that it is a member of. */
  readonly family?: string;
}

export interface Arrow {
  readonly from: string;
  readonly to: string;
  readonly input: string;
}

export interface Picture {
  readonly title: string;
  readonly boxes: readonly Box[];
  readonly arrows: readonly Arrow[];
}

/** Boxes that stand alone, and the members of each family together, in the order in which they come. */
export function grouped(boxes: readonly Box[]): readonly { family?: string; boxes: readonly Box[] }[] {
  const groups = new Map<string, { family?: string; boxes: Box[] }>();
  for (const box of boxes) {
    const key = box.family === undefined ? `box ${box.id}` : `family ${box.family}`;
    const group = groups.get(key) ?? {
      ...(box.family === undefined ? {} : { family: box.family }),
      boxes: [],
    };
    group.boxes.push(box);
    groups.set(key, group);
  }
  return [...groups.values()];
}

export function pictureOf(plan: Plan): Picture {
  return {
    title: plan.pipeline,
    boxes: plan.tasks.map((task) => ({
      id: task.id,
      kind: task.kind,
      work: task.calls.map((call) => call.op).join(" → "),
      cached: task.state === "cached",
      ...(task.family ? { family: task.family.name } : {}),
    })),
    arrows: plan.edges.map(({ from, to, input }) => ({ from, to, input })),
  };
}

/** Of a program nobody has planned: nothing is known to be cached. */
export function pictureOfProgram(program: Program): Picture {
  return {
    title: program.name,
    boxes: program.nodes.map(({ id, kind, family, calls }) => ({
      id,
      kind,
      work: calls.map(({ op }) => op).join(" → "),
      cached: false,
      ...(family ? { family: family.name } : {}),
    })),
    arrows: program.nodes.flatMap(({ id, from, calls }) => [
      ...(from ? [{ from: from.node, to: id, input: "rows" }] : []),
      ...calls.flatMap(({ inputs }) =>
        Object.entries(inputs).flatMap(([input, refs]) =>
          refs.map(({ node }) => ({ from: node, to: id, input })),
        ),
      ),
    ]),
  };
}
