// Works out what an expression that makes a node is made of: operations, what each is given, and its type.
// It decides nothing to be wrong; the checks look at what it found.
import type * as ast from "./ast.ts";
import { type BindGiven, type BoundCall, bindCall } from "./bind-call.ts";
import type { Context } from "./context.ts";
import { kindOf } from "./scope.ts";
import { everyCluster, isSet, membersOf } from "./sets.ts";
import type { OperationKind } from "./signature.ts";
import type { Place } from "./source.ts";
import { any, fits, misfits, type Row, rows, type Type } from "./types.ts";

export interface BoundNode {
  readonly id: string;
  readonly kind: "dataset" | "model" | "mixture" | "stage";
  /** Of a member of a family: the family, and its value of each dimension. */
  readonly family?: { readonly name: string; readonly values: Readonly<Record<string, string>> };
  /** Absent for a pipeline written inside an argument. */
  readonly declaration?: ast.NodeDeclaration;
  /** What its rows come from, when not from a source of its own. */
  readonly from?: BoundArgument;
  readonly calls: readonly BoundCall[];
  readonly casts: readonly BoundCast[];
  readonly type: Type;
  readonly place: Place;
  /** What it is, where one operation (or rows) is wanted. */
  readonly misshapen?: { readonly at: Place; readonly what: string };
}

export interface BoundCast {
  readonly row: ast.Name;
  readonly known: boolean;
  readonly given: Type;
  readonly missing: ReturnType<typeof misfits>;
}

/** Something that stands where a declaration is wanted. */
export interface BoundArgument {
  readonly expression: ast.Expression;
  readonly type: Type;
  readonly node?: BoundNode;
  /** A name nobody declared. */
  readonly unknown?: ast.Name;
  /** `a number`, `a param`: not a node at all. */
  readonly misplaced?: string;
}

export type Keep = (anonymous: BoundNode) => void;

export function bindNode(d: ast.NodeDeclaration, id: string, context: Context, keep: Keep): BoundNode {
  const base = { id, kind: d.kind, declaration: d, place: context.place(d.span) };
  if (!d.value || d.broken) return { ...base, calls: [], casts: [], type: any };
  const roles: OperationKind[] = d.kind === "dataset" ? ["source"] : [d.kind];
  const made = bindChain(d.value, { id, roles, block: d.block, profile: d.profile }, context, keep);
  const misshapen = d.kind === "dataset" ? undefined : notOneOperation(d, made, context);
  return { ...base, ...made, ...(misshapen ? { misshapen, type: any } : {}) };
}

/** A stage or a model is one operation. */
function notOneOperation(d: ast.NodeDeclaration, made: Made, context: Context) {
  if (!d.value || d.value.kind === "call" || d.value.kind === "hole") return undefined;
  if (made.from?.unknown) return undefined;
  const what = d.value.kind === "reference" ? "a name" : d.value.kind === "pipe" ? "a chain" : "a value";
  return { at: context.place(d.value.span), what };
}

interface Owner {
  readonly id: string;
  readonly roles: readonly OperationKind[];
  readonly block?: ast.ObjectExpression | undefined;
  readonly profile?: string | undefined;
}

type Made = Pick<BoundNode, "from" | "calls" | "casts" | "type" | "misshapen">;

/** `head |> step |> step as Row` */
function bindChain(expression: ast.Expression, owner: Owner, context: Context, keep: Keep): Made {
  const steps: (ast.PipeExpression | ast.Cast)[] = [];
  let head = expression;
  while (head.kind === "pipe" || head.kind === "cast") {
    steps.unshift(head);
    head = head.input;
  }
  const lastPipe = steps.findLast((s) => s.kind === "pipe");
  const bindGiven: BindGiven = (e, id, many) =>
    many ? bindSet(e, id, context, keep) : [bindArgument(e, id, context, keep)];
  const calls: BoundCall[] = [];
  const casts: BoundCast[] = [];
  let from: BoundArgument | undefined;
  let type: Type;
  let misshapen: BoundNode["misshapen"];
  if (head.kind === "call") {
    const block = lastPipe ? undefined : owner.block;
    const call = bindCall(head, { ...owner, block }, context, bindGiven);
    calls.push(call);
    type = call.output;
  } else {
    from = bindArgument(head, owner.id, context, keep);
    type = from.type;
    if (from.misplaced) misshapen = { at: context.place(head.span), what: from.misplaced };
  }
  for (const step of steps) {
    if (step.kind === "pipe") {
      const block = step === lastPipe ? owner.block : undefined;
      const piped = { type, place: context.place(step.input.span) };
      const call = bindCall(step.call, { ...owner, roles: ["transform"], block, piped }, context, bindGiven);
      calls.push(call);
      type = call.output;
    } else {
      const spelling = spellingFor(step, type, context);
      if (spelling) {
        const piped = { type, place: context.place(step.input.span) };
        const call = bindCall(
          spelling,
          { ...owner, roles: ["transform"], block: undefined, piped },
          context,
          bindGiven,
        );
        calls.push(call);
        type = call.output;
      }
      const cast = bindCast(step, type);
      casts.push(cast);
      type = castType(cast);
    }
  }
  return { ...(from ? { from } : {}), calls, casts, type, ...(misshapen ? { misshapen } : {}) };
}

/** The transform that makes such rows of columns with other names, where these are not such rows already. */
function spellingFor(step: ast.Cast, given: Type, context: Context): ast.Call | undefined {
  const row = rowNamed(step.row.text);
  if (!row || given.kind !== "dataset" || misfits(given.row, row).length === 0) return undefined;
  for (const { name, reads, inputs } of context.signatures.values()) {
    if (reads !== row.name || !fits(given, inputs[0]!.type)) continue;
    const { span } = step.row;
    return { kind: "call", callee: { text: name, span }, args: [], span };
  }
  return undefined;
}

function bindCast(step: ast.Cast, given: Type): BoundCast {
  const row = rowNamed(step.row.text);
  const missing = row && given.kind === "dataset" ? misfits(given.row, row) : [];
  return { row: step.row, known: row !== undefined, given, missing };
}

function castType(cast: BoundCast): Type {
  const row = rowNamed(cast.row.text);
  if (!row) return any;
  const before = cast.given.kind === "dataset" ? cast.given.row.columns : {};
  return { kind: "dataset", row: { name: row.name!, columns: { ...before, ...row.columns } } };
}

function rowNamed(name: string): Row | undefined {
  return Object.hasOwn(rows, name) ? rows[name as keyof typeof rows] : undefined;
}

/** Something in the place of a declaration: a name, or a pipeline of its own that becomes an anonymous node. */
function bindArgument(expression: ast.Expression, id: string, context: Context, keep: Keep): BoundArgument {
  switch (expression.kind) {
    case "hole":
      return { expression, type: any };
    case "reference":
      return bindName(expression, context);
    case "index": {
      const found = bindMembers(expression, context);
      if (found.length === 1) return found[0]!;
      const what = found.length === 0 ? "no member" : `${found.length} members of a family`;
      return { expression, type: any, misplaced: what };
    }
    case "call":
    case "pipe":
    case "cast": {
      const own = context.freshId(id);
      const owner: Owner = { id: own, roles: ["source", "model", "mixture", "stage"] };
      const made = bindChain(expression, owner, context, keep);
      const kind = expression.kind === "call" ? (made.calls[0]?.signature?.kind ?? "source") : "source";
      const node: BoundNode = {
        id: own,
        kind: kind === "model" || kind === "mixture" || kind === "stage" ? kind : "dataset",
        place: context.place(expression.span),
        ...made,
      };
      keep(node);
      return { expression, type: node.type, node };
    }
    case "number":
      return { expression, type: any, misplaced: "a number" };
    case "string":
      return { expression, type: any, misplaced: "a text" };
    case "list":
      return { expression, type: any, misplaced: "a list" };
    default:
      return { expression, type: any, misplaced: isSet(expression, context) ? "a set" : "a value" };
  }
}

/** Where several may stand: a list, a cluster, members of a family, each on its own. */
export function bindSet(
  expression: ast.Expression,
  id: string,
  context: Context,
  keep: Keep,
): BoundArgument[] {
  return membersOf(expression, context, (e) =>
    e.kind === "index" ? bindMembers(e, context) : [bindArgument(e, id, context, keep)],
  );
}

/** `d[0.1]`, `d[*]` */
function bindMembers(expression: ast.Index, context: Context): BoundArgument[] {
  const { object } = expression;
  if (object.kind !== "reference") return [{ expression, type: any, misplaced: "a value" }];
  const { name } = object;
  const d = context.scope.names.get(name.text);
  if (!d) return [{ expression, type: any, ...unknownName(name, context) }];
  if (!context.family(name.text)) return [{ expression, type: any, misplaced: `a ${d.kind}, not a family` }];
  const members = context.members(name.text, expression.items);
  // Which member is meant is the business of a check of its own.
  if (!members) return [{ expression, type: any }];
  return members.map((node) => ({ expression, type: node.type, node }));
}

function unknownName(name: ast.Name, context: Context): { unknown?: ast.Name } {
  return context.scope.lost.has(name.text) ? {} : { unknown: name };
}

function bindName(expression: ast.Reference, context: Context): BoundArgument {
  const name = expression.name.text;
  const d = context.scope.names.get(name);
  if (!d && name === everyCluster) return { expression, type: any, misplaced: "every cluster" };
  if (!d) return { expression, type: any, ...unknownName(expression.name, context) };
  const node = context.node(name);
  if (!node) return { expression, type: any, misplaced: kindOf(d) };
  return { expression, type: node.type, node };
}
