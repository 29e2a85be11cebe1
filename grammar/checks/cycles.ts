// Nothing needs itself.
import type { BoundArgument, BoundNode } from "../bind.ts";
import { diagnose } from "../codes.ts";
import type { Context } from "../context.ts";
import type { Diagnostic } from "../diagnostic.ts";
import type { Place } from "../source.ts";
import type { Check } from "./check.ts";

interface Edge {
  readonly to: string;
  readonly at: Place;
}

export const cycles: Check = (context) => {
  const edges = new Map<string, Edge[]>();
  for (const node of context.nodes()) if (node.declaration) edges.set(node.id, needs(node, context));
  for (const [name, d] of context.scope.names) {
    if (d.kind === "param" && !context.scope.imported.has(name)) {
      const at = context.place(d.value?.span ?? d.name.span);
      edges.set(
        name,
        (context.param(name)?.evaluated.reads ?? []).map((to) => ({ to, at })),
      );
    }
  }
  const found: Diagnostic[] = [];
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (name: string) => {
    if (done.has(name)) return;
    const from = path.indexOf(name);
    if (from !== -1) {
      found.push(report(path.slice(from), edges, context));
      return;
    }
    path.push(name);
    for (const edge of edges.get(name) ?? []) visit(edge.to);
    path.pop();
    done.add(name);
  };
  for (const name of edges.keys()) visit(name);
  return found;
};

/** The declarations a node reads, through anonymous ones. */
function needs(node: BoundNode, context: Context): Edge[] {
  const edges: Edge[] = [];
  const add = ({ node: given, expression }: BoundArgument) => {
    if (given?.declaration) edges.push({ to: given.id, at: context.place(expression.span) });
    else if (given) edges.push(...needs(given, context));
  };
  if (node.from) add(node.from);
  for (const call of node.calls) for (const input of call.inputs) for (const given of input.given) add(given);
  return edges;
}

function report(
  cycle: readonly string[],
  edges: ReadonlyMap<string, readonly Edge[]>,
  context: Context,
): Diagnostic {
  const step = (i: number) => {
    const name = cycle[i]!;
    const to = cycle[(i + 1) % cycle.length]!;
    return {
      name,
      to,
      at: edges.get(name)?.find((e) => e.to === to)?.at ?? context.place({ start: 0, end: 0 }),
    };
  };
  const [first, ...rest] = cycle.map((_, i) => step(i));
  return diagnose("AL0501", {
    title:
      cycle.length === 1
        ? `\`${first!.name}\` needs itself`
        : `${[...cycle, cycle[0]]
            .map((n) => `\`${n}\``)
            .join(", which needs ")
            .replace(", which needs", " needs")}`,
    at: first!.at,
    label: `\`${first!.name}\` needs \`${first!.to}\``,
    related: rest.map((s) => [s.at, `\`${s.name}\` needs \`${s.to}\``] as const),
    help: ["one of them must be made of something else"],
  });
}
