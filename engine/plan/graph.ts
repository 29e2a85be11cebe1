// Turns a checked program into a plan: what depends on what, every key that can be known, and what is in the store.
import { dirname, isAbsolute, relative, resolve } from "node:path";
import { Graph } from "@dagrejs/graphlib";
import {
  type Expr,
  type Json,
  nearest,
  type Program,
  type ProgramCall,
  type ProgramNode,
} from "../../grammar/index.ts";
import { folderOf, resolveFiles } from "../files.ts";
import { loadHistory } from "../journal.ts";
import type { Operation } from "../operation.ts";
import { type FileSystem, systemFiles } from "../ports.ts";
import { type Problem, problemOf } from "../problem.ts";
import type { Store } from "../store/store.ts";
import { TaskError } from "../task.ts";
import { explainer, reasonOf } from "./explain.ts";
import { isCommand, isFolder, isPath, keyedParams, keyOf, schemaOf } from "./key.ts";
import type { Plan, PlanCall, PlanEdge, PlannedFile, PlanTask } from "./plan.ts";

export interface PlanOptions {
  readonly operations: ReadonlyMap<string, Operation>;
  readonly store: Store;
  /** Only these nodes and what they need. */
  readonly only?: readonly string[];
  /** Fingerprint of backend, dtype and determinism class; goes into the keys of numeric tasks. */
  readonly numerics?: string;
  readonly files?: FileSystem;
  /** Reads every input file, instead of trusting the digests of those that look untouched. */
  readonly verifyInputs?: boolean;
}

export type Planned = { readonly plan: Plan } | { readonly problems: readonly Problem[] };

export async function createPlan(program: Program, options: PlanOptions): Promise<Planned> {
  try {
    const plan = await planOf(program, options);
    options.store.flush();
    return { plan };
  } catch (error) {
    if (error instanceof TaskError) return { problems: [problemOf(error)] };
    throw error;
  }
}

async function planOf(program: Program, options: PlanOptions): Promise<Plan> {
  const { store, numerics = "" } = options;
  const graph = graphOf(program);
  const selected =
    options.only &&
    withNeeds(
      graph,
      options.only.flatMap((only) => named(program.nodes, only)),
    );
  const nodes = inOrder(program.nodes, graph).filter((node) => !selected || selected.has(node.id));

  const tasks = new Map<string, PlanTask>();
  for (const node of nodes) {
    const calls: PlanCall[] = [];
    for (const call of node.calls)
      calls.push(await planCall(call, node.path ?? program.path, options, program.path));
    const keyed = { ...(node.from ? { from: node.from.node } : {}), calls };
    const { key, tree } = keyOf(keyed, (id) => tasks.get(id)?.artifact?.tree, numerics);
    const { record, damage } = key === undefined ? {} : await store.lookup(key);
    tasks.set(node.id, {
      id: node.id,
      kind: node.kind,
      ...(node.family ? { family: node.family } : {}),
      ...(node.doc === undefined ? {} : { doc: node.doc }),
      ...keyed,
      needs: needsOf(node),
      heavy: node.calls.some((call) => options.operations.get(call.op)!.heavy),
      state: record ? "cached" : key === undefined ? "waiting" : "will-run",
      reason: "",
      ...(key === undefined ? {} : { key }),
      keyTree: tree,
      ...(record ? { artifact: artifactOf(record) } : {}),
      ...(damage === undefined ? {} : { damage }),
    });
  }

  const within = (id: string): boolean => tasks.has(id);
  const plan: Plan = {
    pipeline: program.name,
    ...(program.doc === undefined ? {} : { doc: program.doc }),
    path: program.path,
    ...(program.profile === undefined ? {} : { profile: program.profile }),
    numerics,
    tasks: [...tasks.values()],
    edges: nodes.flatMap(edgesOf),
    expectations: program.expectations.filter(({ expr }) => metricsIn(expr).every((m) => within(m.node))),
    publications: program.publications.filter(({ node }) => within(node)),
    apart: (program.apart ?? []).filter((a) =>
      [a.training, a.evaluation, a.trained, a.measured].every(within),
    ),
  };
  const explain = explainer(plan, loadHistory(store, program.name));
  // In order, so that whatever is asked about an input has been answered before.
  return { ...plan, tasks: plan.tasks.map((task) => ({ ...task, reason: reasonOf(explain(task.id)!) })) };
}

export function artifactOf(record: {
  readonly tree: string;
  readonly metrics: Readonly<Record<string, number>>;
  readonly summary?: string;
  readonly seconds: number;
}): NonNullable<PlanTask["artifact"]> {
  const { tree, metrics, summary, seconds } = record;
  return { tree, metrics, ...(summary === undefined ? {} : { summary }), seconds };
}

function graphOf(program: Program): Graph {
  const graph = new Graph({ directed: true });
  for (const node of program.nodes) graph.setNode(node.id, node.id);
  for (const node of program.nodes) {
    for (const need of needsOf(node)) {
      if (!graph.hasNode(need)) {
        throw new TaskError({
          code: "unknown-node",
          message: `${node.id} reads ${need}, which is not declared`,
        });
      }
      graph.setEdge(need, node.id);
    }
  }
  return graph;
}

/** `sft`, `d[0.1]`, `x[nli, *]`; `d` alone is the whole family. */
function named(nodes: readonly ProgramNode[], only: string): string[] {
  const [, family, keys] = /^(.*?)(?:\[(.*)\])?$/s.exec(only)!;
  const wanted = keys?.split(",").map((key) => key.trim());
  const found = nodes.filter((node) => {
    if (node.id === only) return true;
    if (!node.family || node.family.name !== family) return false;
    const values = Object.values(node.family.values);
    return (
      !wanted || (wanted.length === values.length && wanted.every((w, i) => w === "*" || w === values[i]))
    );
  });
  if (found.length > 0) return found.map((node) => node.id);
  const ids = nodes.map((node) => node.id);
  const [meant] = nearest(only, ids);
  throw new TaskError({
    code: "unknown-stage",
    message: `there is no ${JSON.stringify(only)} in this pipeline`,
    help: meant ? `did you mean ${meant}?` : `it has ${ids.join(", ")}`,
  });
}

function withNeeds(graph: Graph, only: readonly string[]): Set<string> {
  const selected = new Set(only);
  for (const id of selected) for (const need of graph.predecessors(id) ?? []) selected.add(need);
  return selected;
}

/** Topological, and as in the file wherever that is one. */
function inOrder(nodes: readonly ProgramNode[], graph: Graph): ProgramNode[] {
  const ordered = new Map<string, ProgramNode>();
  const byId = new Map(nodes.map((node) => [node.id, node]));
  // Depth first, but not by recursion: a pipeline may be a chain of thousands.
  const path = new Set<string>();
  for (const start of nodes) {
    const stack = [start.id];
    for (let id = stack.at(-1); id !== undefined; id = stack.at(-1)) {
      const open = (graph.predecessors(id) ?? []).filter((need) => !ordered.has(need));
      if (open.length === 0) {
        path.delete(id);
        ordered.set(id, byId.get(id)!);
        stack.pop();
        continue;
      }
      path.add(id);
      const again = open.find((need) => path.has(need));
      if (again !== undefined) refuseCycle([...path].slice([...path].indexOf(again)));
      stack.push(...open.reverse());
    }
  }
  return [...ordered.values()];
}

function refuseCycle(cycle: readonly string[]): never {
  throw new TaskError({
    code: "cycle",
    message: `these need each other: ${[...cycle, cycle[0]].join(" → ")}`,
    help: "one of them must not",
  });
}

function edgesOf(node: ProgramNode): PlanEdge[] {
  const edges: PlanEdge[] = node.from ? [{ from: node.from.node, to: node.id, input: "rows" }] : [];
  for (const call of node.calls) {
    for (const [input, refs] of Object.entries(call.inputs)) {
      for (const ref of refs) edges.push({ from: ref.node, to: node.id, input });
    }
  }
  return edges;
}

function needsOf(node: ProgramNode): string[] {
  return [...new Set(edgesOf(node).map((edge) => edge.from))];
}

/** Paths are relative to the file `from`; people see them relative to the program's. */
async function planCall(
  call: ProgramCall,
  from: string,
  options: PlanOptions,
  root: string,
): Promise<PlanCall> {
  const operation = options.operations.get(call.op);
  if (!operation) {
    const [meant] = nearest(call.op, options.operations.keys());
    throw new TaskError({
      code: "unknown-operation",
      message: `there is no operation ${call.op}`,
      ...(meant ? { help: `did you mean ${meant}?` } : {}),
    });
  }
  const files: Record<string, PlannedFile[]> = {};
  for (const [name, value] of Object.entries(call.params)) {
    const schema = schemaOf(name, operation);
    const as = isFolder(schema) ? "folder" : "path";
    if (isPath(schema)) files[name] = await planFiles(value, as, from, options, root);
    if (isCommand(schema))
      files[name] = await planFiles(filesNamedIn(value, from, options), as, from, options, root);
  }
  return {
    op: call.op,
    version: operation.version,
    numeric: operation.numeric,
    ...(operation.named ? { named: true } : {}),
    ...(operation.rowwise === undefined ? {} : { rowwise: operation.rowwise }),
    ...(operation.inLessMemory === undefined ? {} : { shrinks: true }),
    params: call.params,
    ...keyedParams(call.params, operation),
    provenance: call.provenance,
    dir: dirname(resolve(from)),
    files,
    inputs: Object.fromEntries(
      Object.entries(call.inputs).map(([name, refs]) => [name, refs.map((r) => r.node)]),
    ),
  };
}

/** `node clean.mjs --rules=rules.json {rows}`: the words of a command that are files of the project. */
function filesNamedIn(command: Json, from: string, { files: fs = systemFiles }: PlanOptions): string[] {
  if (typeof command !== "string") return [];
  const words = [...command.matchAll(/"([^"]*)"|'([^']*)'|([^\s"'`;|&<>()=,]+)/g)];
  const paths = words.map(([, double, single, plain]) => double ?? single ?? plain!);
  const isOfProject = (path: string) => !isAbsolute(path) && "files" in resolveFiles(path, from, fs);
  return [...new Set(paths.filter(isOfProject))];
}

async function planFiles(
  value: Json,
  as: "path" | "folder",
  from: string,
  options: PlanOptions,
  root: string,
): Promise<PlannedFile[]> {
  if (value === null) return [];
  const files: PlannedFile[] = [];
  for (const path of Array.isArray(value) ? (value as string[]) : [value as string]) {
    const fs = options.files ?? systemFiles;
    const resolved = resolveFiles(path, from, fs, as);
    if ("problem" in resolved) {
      const { problem, help } = resolved;
      throw new TaskError({ code: "no-such-file", message: problem, ...(help ? { help } : {}) });
    }
    const folder = as === "folder" ? folderOf(path, dirname(resolve(from)), fs) : undefined;
    for (const file of resolved.files) {
      const within = typeof folder === "string" ? { within: relative(folder, file) } : {};
      const digest = await options.store.digestFile(file, options.verifyInputs);
      if (!digest) throw new TaskError({ code: "no-such-file", message: `${file} has just been removed` });
      files.push({ name: fileName(file, path, root), path: file, ...within, ...digest });
    }
  }
  return files;
}

function fileName(file: string, written: string, from: string): string {
  const inPackages = file.lastIndexOf("/node_modules/");
  if (written.startsWith("npm:") && inPackages !== -1) {
    return `npm:${file.slice(inPackages + "/node_modules/".length)}`;
  }
  return relative(dirname(from), file);
}

/** Every metric that an expression reads. */
export function metricsIn(expr: Expr): Extract<Expr, { kind: "metric" }>[] {
  switch (expr.kind) {
    case "metric":
      return [expr];
    case "call":
      return expr.args.flatMap(metricsIn);
    case "binary":
      return [...metricsIn(expr.left), ...metricsIn(expr.right)];
    case "not":
    case "negate":
      return metricsIn(expr.operand);
    default:
      return [];
  }
}
