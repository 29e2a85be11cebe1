// Sets of datasets: clusters, and what `and`, `except` and `neighbours` make of them.
import type * as ast from "./ast.ts";
import type { BoundArgument } from "./bind.ts";
import type { Context } from "./context.ts";
import { any } from "./types.ts";

/** The word for every cluster of the file, where nothing else has that name. */
export const everyCluster = "clusters";

/** Operations on sets. */
const setFunctions = ["neighbours"] as const;

/** Whether this is written as a set: only then is it more than one thing. */
export function isSet(e: ast.Expression, context: Context): boolean {
  switch (e.kind) {
    case "except":
    case "list":
      return true;
    case "binary":
      return e.op === "and";
    case "call":
      return (setFunctions as readonly string[]).includes(e.callee.text);
    case "reference": {
      const d = context.scope.names.get(e.name.text);
      return d ? d.kind === "cluster" : e.name.text === everyCluster;
    }
    default:
      return false;
  }
}

export type BindOne = (e: ast.Expression) => readonly BoundArgument[];

/** The members of a set, each once, in the order in which they are named. */
export function membersOf(e: ast.Expression, context: Context, one: BindOne): BoundArgument[] {
  const members = all(e, context, one);
  // `[a, a]` says a twice; what sets share is one thing.
  const plain = e.kind === "list" && !e.items.some((item) => isSet(item, context));
  return plain ? [...members] : distinct(members);
}

function all(e: ast.Expression, context: Context, one: BindOne): readonly BoundArgument[] {
  if (!isSet(e, context)) return one(e);
  switch (e.kind) {
    case "list":
      return e.items.flatMap((item) => all(item, context, one));
    case "binary":
      return [...all(e.left, context, one), ...all(e.right, context, one)];
    case "except": {
      const without = new Set(all(e.without, context, one).map((g) => g.node?.id));
      return all(e.set, context, one).filter((g) => !g.node || !without.has(g.node.id));
    }
    case "call":
      return neighbours(e, context);
    case "reference":
      if (e.name.text === everyCluster && !context.scope.names.has(everyCluster))
        return context.clusters().flatMap((name) => as(e, context.cluster(name)));
      return as(e, context.cluster(e.name.text));
    default:
      return [];
  }
}

/** Seen from where the set is used. What does not belong in it is said at the cluster. */
function as(e: ast.Expression, members: readonly BoundArgument[]): BoundArgument[] {
  const rows = members.filter(({ type, node }) => node && (type.kind === "dataset" || type.kind === "any"));
  return rows.map((m) => ({ ...m, expression: e }));
}

function distinct(given: readonly BoundArgument[]): BoundArgument[] {
  const seen = new Set<string>();
  return given.filter(({ node }) => !node || (!seen.has(node.id) && seen.add(node.id)));
}

function neighbours(call: ast.Call, context: Context): readonly BoundArgument[] {
  const names = call.args.flatMap(({ value }) => clustersIn(value));
  const bad = call.args.find(({ value }) => clustersIn(value).some((name) => !isCluster(name.text, context)));
  if (bad || names.length === 0) {
    const expression = bad?.value ?? call;
    return [{ expression, type: any, misplaced: "not a cluster" }];
  }
  const near = names.flatMap(({ text }) => neighboursOf(text, context));
  return context
    .clusters()
    .filter((name) => near.includes(name))
    .flatMap((name) => as(call, context.cluster(name)));
}

/** Neighbours both ways: it is enough that one of the two says so. */
function neighboursOf(name: string, context: Context): string[] {
  const own = declarationsNear(name, context);
  const self = context.scope.names.get(name);
  return context.clusters().filter((other) => {
    if (other === name) return false;
    const d = context.scope.names.get(other);
    return own.has(keyOf(d)) || declarationsNear(other, context).has(keyOf(self));
  });
}

/** What a cluster calls its neighbours, as its own file means it. */
function declarationsNear(name: string, context: Context): Set<string> {
  const home = context.home(name);
  const d = home.context.scope.names.get(home.name);
  return new Set(declaredNeighbours(d).map((n) => keyOf(home.context.scope.names.get(n.text))));
}

const keyOf = (d: ast.Declaration | undefined): string => (d ? `${d.path} ${d.name.text}` : "");

export function declaredNeighbours(d: ast.Declaration | undefined): ast.Name[] {
  if (d?.kind !== "cluster") return [];
  const entry = d.block?.entries.find((e) => e.name.text === "neighbours");
  return entry ? clustersIn(entry.value) : [];
}

function clustersIn(e: ast.Expression): ast.Name[] {
  if (e.kind === "list") return e.items.flatMap(clustersIn);
  return e.kind === "reference" ? [e.name] : [];
}

function isCluster(name: string, context: Context): boolean {
  return context.scope.names.get(name)?.kind === "cluster" || context.scope.lost.has(name);
}
