// Where rows and models come from, through every declaration between.
import type { BoundNode } from "./bind.ts";
import type { BoundCall } from "./bind-call.ts";
import type { Context } from "./context.ts";

/** What a stage is given under one of its inputs. */
export interface Use {
  readonly stage: BoundNode;
  readonly call: BoundCall;
  readonly input: string;
  readonly given: BoundNode;
}

/** Every use of a node by an operation with this kind of output; `wanted` is the type of the input. */
export function uses(
  context: Context,
  output: "model" | "reward_model" | "metrics",
  wanted: "dataset" | "model",
): Use[] {
  return context.nodes().flatMap((stage) =>
    stage.calls.flatMap((call) => {
      if (call.signature?.kind !== "stage" || call.output.kind !== output) return [];
      return call.inputs.flatMap((input) =>
        input.given.flatMap((g) =>
          g.node?.type.kind === wanted ? [{ stage, call, input: input.spec.name, given: g.node }] : [],
        ),
      );
    }),
  );
}

/** Rows that a training stage looks at but does not train on. */
const measured = (input: string): boolean => input === "eval" || input.startsWith("eval_");

const trained = ["model", "reward_model"] as const;

/** Rows that change the weights of a model. */
export const trainingUses = (context: Context): Use[] =>
  trained.flatMap((output) => uses(context, output, "dataset")).filter((u) => !measured(u.input));

/** Rows on which a model is measured. */
export const evaluationUses = (context: Context): Use[] => [
  ...uses(context, "metrics", "dataset"),
  ...trained.flatMap((output) => uses(context, output, "dataset")).filter((u) => measured(u.input)),
];

function sources(node: BoundNode, kind: "dataset" | "model"): BoundNode[] {
  const given = [
    ...(node.from ? [node.from] : []),
    ...node.calls.flatMap((c) => c.inputs.flatMap((i) => i.given)),
  ];
  return given.flatMap((g) => (g.node?.type.kind === kind ? [g.node] : []));
}

const known = {
  dataset: new WeakMap<BoundNode, Set<BoundNode>>(),
  model: new WeakMap<BoundNode, Set<BoundNode>>(),
};

/** Bound nodes never change, so what they come from is worked out once. */
function closure(node: BoundNode, kind: "dataset" | "model"): Set<BoundNode> {
  const before = known[kind].get(node);
  if (before) return before;
  const found = new Set([node]);
  for (const n of found) for (const source of sources(n, kind)) found.add(source);
  known[kind].set(node, found);
  return found;
}

/** The datasets whose rows these rows are made of, itself included, nearest first. */
export const rowsOf = (node: BoundNode): ReadonlySet<BoundNode> => closure(node, "dataset");

/** The models that this model was made from, itself included, nearest first. */
export const modelsOf = (node: BoundNode): ReadonlySet<BoundNode> => closure(node, "model");
