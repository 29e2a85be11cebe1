// Checked file → Program. Only called when no check found an error.
import type { BoundArgument, BoundNode } from "./bind.ts";
import type { BoundCall } from "./bind-call.ts";
import type { Context } from "./context.ts";
import { lowerExpectation } from "./expectation.ts";
import { measuredBeside } from "./lineage.ts";
import { modulesOf } from "./modules.ts";
import type {
  Apart,
  Call,
  Expectation,
  Program,
  ProgramNode,
  Provenance,
  Publication,
  Ref,
} from "./program.ts";
import { folderOf, publication, publishedNodes } from "./publication.ts";
import { writtenTemplates } from "./written-templates.ts";

export function lower(context: Context): Program {
  const { file, source, profile } = context;
  const pipeline = file.declarations.find((d) => d.kind === "pipeline");
  const expectations = file.declarations.flatMap((d): Expectation[] => {
    if (d.kind !== "expect") return [];
    const shared = { ...(d.message ? { message: d.message.value } : {}), span: d.span };
    return lowerExpectation(d.value, context).flatMap(({ expr }) => (expr ? [{ expr, ...shared }] : []));
  });
  const publications = file.declarations.flatMap((d): Publication[] => {
    if (d.kind !== "publish" || !d.to) return [];
    const { params } = publication(d, context);
    const to = d.to.value;
    const nodes = publishedNodes(d, context);
    return nodes.map((n) => ({ node: n.id, to: folderOf(to, n, nodes), params, span: d.span }));
  });
  const nodes = reachable(context, expectations, publications).map((node) => lowerNode(node, context));
  return {
    name: pipeline?.name.text ?? "",
    ...(pipeline?.doc === undefined ? {} : { doc: pipeline.doc }),
    path: source.path,
    ...(profile === undefined ? {} : { profile }),
    nodes,
    expectations,
    publications,
    apart: apartIn(context),
    templates: writtenTemplates(context, nodes),
  };
}

function apartIn(context: Context): Apart[] {
  const found = new Map<string, Apart>();
  for (const { training, evaluation } of measuredBeside(context)) {
    const [seen, held] = [training.given.id, evaluation.given.id];
    const key = JSON.stringify([seen, held]);
    if (seen === held || found.has(key)) continue;
    found.set(key, {
      training: seen,
      evaluation: held,
      trained: training.stage.id,
      measured: evaluation.stage.id,
    });
  }
  return [...found.values()];
}

/** Every stage, what is expected of or published, and what those need; anonymous nodes before their owner. */
function reachable(
  context: Context,
  expectations: readonly Expectation[],
  publications: readonly Publication[],
): BoundNode[] {
  // What is imported comes first, as it would if it stood where it is imported.
  const all = modulesOf(context.module)
    .map((module) => inOrder(context.contextOf(module).nodes()))
    .reverse()
    .flat();
  const byId = new Map(all.map((node) => [node.id, node]));
  const kept = new Set<BoundNode>();
  const keep = (node: BoundNode) => {
    if (kept.has(node)) return;
    kept.add(node);
    for (const needed of needs(node)) keep(needed);
  };
  const named = (id: string) => {
    const node = byId.get(id);
    if (node) keep(node);
  };
  for (const node of context.nodes()) if (node.declaration?.kind === "stage") keep(node);
  for (const p of publications) named(p.node);
  for (const e of expectations) for (const id of metricNodes(e.expr)) named(id);
  return all.filter((n) => kept.has(n));
}

/** The nodes of one file, in its order. */
function inOrder(nodes: readonly BoundNode[]): BoundNode[] {
  const start = (n: BoundNode) => n.place.span.start;
  const owners = nodes.filter((n) => n.declaration).sort((a, b) => start(a) - start(b));
  const ownerStarts = new Map(nodes.map((n) => [n, ownerStart(n, owners)]));
  return [...nodes].sort(
    (a, b) =>
      ownerStarts.get(a)! - ownerStarts.get(b)! ||
      Number(!!a.declaration) - Number(!!b.declaration) ||
      start(a) - start(b),
  );
}

/** Where the declaration starts that a node stands in; `owners` are in the order of the file. */
function ownerStart(node: BoundNode, owners: readonly BoundNode[]): number {
  const { start } = node.place.span;
  let [low, high] = [0, owners.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (owners[middle]!.place.span.start <= start) low = middle + 1;
    else high = middle;
  }
  const owner = owners[low - 1]?.place.span;
  return owner && start < owner.end ? owner.start : start;
}

function needs(node: BoundNode): BoundNode[] {
  const given = [
    ...(node.from ? [node.from] : []),
    ...node.calls.flatMap((c) => c.inputs.flatMap((i) => i.given)),
  ];
  return given.flatMap((g) => g.node ?? []);
}

function metricNodes(expr: Expectation["expr"]): string[] {
  switch (expr.kind) {
    case "metric":
      return [expr.node];
    case "binary":
      return [...metricNodes(expr.left), ...metricNodes(expr.right)];
    case "not":
    case "negate":
      return metricNodes(expr.operand);
    case "call":
      return expr.args.flatMap(metricNodes);
    default:
      return [];
  }
}

function lowerNode(node: BoundNode, root: Context): ProgramNode {
  const doc = node.declaration?.doc;
  const { path } = node.place;
  return {
    id: node.id,
    kind: node.kind,
    ...(path === root.source.path ? {} : { path }),
    ...(node.family ? { family: node.family } : {}),
    ...(doc === undefined ? {} : { doc }),
    type: node.type,
    ...(node.from ? { from: ref(node.from) } : {}),
    calls: node.calls.map(lowerCall),
    span: node.place.span,
  };
}

function ref(given: BoundArgument): Ref {
  return { node: given.node?.id ?? "" };
}

function lowerCall(bound: BoundCall): Call {
  const provenance: Record<string, Provenance> = {};
  for (const v of bound.values) if (v.evaluated.value !== undefined) provenance[v.name] = v.provenance;
  return {
    op: bound.signature?.id ?? bound.call.callee.text,
    inputs: Object.fromEntries(bound.inputs.map((i) => [i.spec.name, i.given.map(ref)])),
    params: bound.params,
    provenance,
    span: bound.call.span,
  };
}
