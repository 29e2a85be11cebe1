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

const usesIn = new WeakMap<Context, readonly Use[]>();

/** Everything that stages are given. */
function uses(context: Context): readonly Use[] {
  const before = usesIn.get(context);
  if (before) return before;
  const found: Use[] = [];
  for (const stage of context.nodes()) {
    for (const call of stage.calls) {
      if (call.signature?.kind !== "stage") continue;
      for (const { spec, given } of call.inputs)
        for (const { node } of given) if (node) found.push({ stage, call, input: spec.name, given: node });
    }
  }
  usesIn.set(context, found);
  return found;
}

const givenRows = ({ given }: Use): boolean => given.type.kind === "dataset";

/** The stage makes a model by changing the weights of another. */
const trains = ({ call }: Use): boolean => ["model", "reward_model"].includes(call.output.kind);

/** Rows that a training stage looks at but does not train on. */
const measured = ({ input }: Use): boolean => input === "eval" || input.startsWith("eval_");

/** Rows that change the weights of a model. */
export const trainingUses = (context: Context): Use[] =>
  uses(context).filter((u) => givenRows(u) && trains(u) && !measured(u));

/** Rows on which a model is measured. */
export const evaluationUses = (context: Context): Use[] =>
  uses(context).filter(
    (u) => givenRows(u) && (u.call.output.kind === "metrics" || (trains(u) && measured(u))),
  );

const known = {
  dataset: new WeakMap<BoundNode, readonly BoundNode[]>(),
  model: new WeakMap<BoundNode, readonly BoundNode[]>(),
};

/** What a node is made of directly. Bound nodes never change, so it is worked out once. */
export function sourcesOf(node: BoundNode, kind: "dataset" | "model"): readonly BoundNode[] {
  const before = known[kind].get(node);
  if (before) return before;
  const given = [
    ...(node.from ? [node.from] : []),
    ...node.calls.flatMap((c) => c.inputs.flatMap((i) => i.given)),
  ];
  const found = given.flatMap((g) => (g.node?.type.kind === kind ? [g.node] : []));
  known[kind].set(node, found);
  return found;
}

/** Nearest first, itself included; walked only as far as somebody looks. */
function* closure(node: BoundNode, kind: "dataset" | "model"): Generator<BoundNode> {
  const found = new Set([node]);
  for (const n of found) {
    yield n;
    for (const source of sourcesOf(n, kind)) found.add(source);
  }
}

/** The datasets whose rows these rows are made of. */
export const rowsOf = (node: BoundNode): Iterable<BoundNode> => closure(node, "dataset");

/** The models that this model was made from. */
export const modelsOf = (node: BoundNode): Iterable<BoundNode> => closure(node, "model");

/** Models that are given to a call beside these rows. */
export function modelsIn({ call }: Use): BoundNode[] {
  return call.inputs.flatMap((i) => i.given.flatMap((g) => (g.node?.type.kind === "model" ? [g.node] : [])));
}

/** Rows that measure beside all rows that trained what is measured, or a model that it is made of. */
export function measuredBeside(context: Context): { readonly evaluation: Use; readonly training: Use }[] {
  const byStage = new Map<BoundNode, Use[]>();
  for (const use of trainingUses(context)) byStage.set(use.stage, [...(byStage.get(use.stage) ?? []), use]);
  return evaluationUses(context).flatMap((evaluation) => {
    const models = modelsIn(evaluation).flatMap((model) => [...modelsOf(model)]);
    const stages = new Set([evaluation.stage, ...models]);
    return [...stages].flatMap((stage) =>
      (byStage.get(stage) ?? []).map((training) => ({ evaluation, training })),
    );
  });
}
