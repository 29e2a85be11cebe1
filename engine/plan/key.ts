// The key of a task: a hash of everything its result depends on, and the same things with labels for explanations.
import type { Json, ParamSchema, Signature } from "../../grammar/index.ts";
import { canonicalJson, digest } from "../canonical.ts";
import type { PlanCall } from "./plan.ts";

/** Raise it when what goes into a key changes its meaning; every key of every store then changes. */
const KEY_RECORD = "align.task.1";

/** One thing that a key depends on. */
export interface KeyLeaf {
  /** `op`, `params.beta`, `inputs.policy`, `files.path.0`, `take.params.count`. */
  readonly label: string;
  /** What is compared; missing while an input is not known yet. */
  readonly value?: string;
  /** For people: a node or file name, or the value as written. Never part of the key. */
  readonly name?: string;
}
export type KeyTree = readonly KeyLeaf[];

export interface KeyedTask {
  readonly from?: string;
  readonly calls: readonly PlanCall[];
}

/** The key, when the digests of all inputs are known, and its labelled parts in any case. */
export function keyOf(
  task: KeyedTask,
  digestOf: (node: string) => string | undefined,
  numerics: string,
): { readonly key?: string; readonly tree: KeyTree } {
  const tree = keyTree(task, digestOf, numerics);
  if (tree.some((leaf) => leaf.value === undefined)) return { tree };
  return { key: digest(KEY_RECORD, preImage(task, digestOf, numerics)), tree };
}

/** What every row of a row-wise task depends on beside the row itself; undefined for any other task. */
export function rowScopeOf(
  task: KeyedTask,
  digestOf: (node: string) => string | undefined,
  numerics: string,
): string | undefined {
  const [call] = task.calls;
  if (call?.rowwise === undefined) return undefined;
  const { [call.rowwise]: _rows, ...inputs } = call.inputs;
  return digest("align.rows.1", preImage({ calls: [{ ...call, inputs }] }, digestOf, numerics));
}

function preImage(task: KeyedTask, digestOf: (node: string) => string | undefined, numerics: string): Json {
  return {
    ...(task.from === undefined ? {} : { from: digestOf(task.from)! }),
    calls: task.calls.map((call) => ({
      op: call.op,
      version: call.version,
      params: call.keyed,
      files: mapValues(call.files, (files) =>
        files.map(({ within, sha256 }) => (within === undefined ? sha256 : [within, sha256])),
      ),
      inputs: call.named
        ? Object.entries(call.inputs).map(([name, nodes]) => [
            name,
            ...nodes.map((node) => [node, digestOf(node)!]),
          ])
        : mapValues(call.inputs, (nodes) => nodes.map((node) => digestOf(node)!)),
    })),
    ...(task.calls.some((call) => call.numeric) ? { numerics } : {}),
  };
}

function keyTree(task: KeyedTask, digestOf: (node: string) => string | undefined, numerics: string): KeyTree {
  const leaves: KeyLeaf[] = [];
  const input = (label: string, node: string): void => {
    const value = digestOf(node);
    leaves.push(value === undefined ? { label, name: node } : { label, value, name: node });
  };
  if (task.from !== undefined) input("from", task.from);
  task.calls.forEach((call, i) => {
    const prefix = task.calls.length > 1 ? `${labelOf(task.calls, i)}.` : "";
    leaves.push({ label: `${prefix}op`, value: call.op });
    leaves.push({ label: `${prefix}version`, value: String(call.version) });
    for (const [name, value] of Object.entries(call.keyed)) {
      const shown = call.shown[name];
      leaves.push({
        label: `${prefix}params.${name}`,
        value: canonicalJson(value),
        ...(shown === undefined ? {} : { name: shown }),
      });
    }
    for (const [param, files] of Object.entries(call.files)) {
      files.forEach((file, at) => {
        const label = `${prefix}files.${param}.${file.within ?? at}`;
        leaves.push({ label, value: file.sha256, name: file.name });
      });
    }
    if (call.named)
      leaves.push({ label: `${prefix}names`, value: canonicalJson(Object.entries(call.inputs)) });
    for (const [name, nodes] of Object.entries(call.inputs)) {
      nodes.forEach((node, at) => {
        input(`${prefix}inputs.${name}${nodes.length > 1 ? `.${at}` : ""}`, node);
      });
    }
  });
  if (task.calls.some((call) => call.numeric)) leaves.push({ label: "numerics", value: numerics });
  return leaves;
}

/** `take`, and for the second of its kind in a chain `take#2`. */
function labelOf(calls: readonly PlanCall[], at: number): string {
  const op = calls[at]!.op;
  const before = calls.slice(0, at).filter((call) => call.op === op).length;
  return before === 0 ? op : `${op}#${before + 1}`;
}

/** The parameters that the result depends on, in the form that is hashed, and how to show those that read badly. */
export function keyedParams(
  params: Readonly<Record<string, Json>>,
  signature: Pick<Signature, "params" | "rest">,
): { readonly keyed: Record<string, Json>; readonly shown: Record<string, string> } {
  const keyed: Record<string, Json> = {};
  const shown: Record<string, string> = {};
  for (const [name, value] of Object.entries(params)) {
    const schema = schemaOf(name, signature);
    // The files themselves go into the key, not what they are called.
    if (value === undefined || schema?.["x-execution"] || isPath(schema)) continue;
    // Whatever a variable of the environment holds, it is not part of what was asked for.
    const variable = variableOf(value, schema);
    if (variable !== undefined) {
      shown[name] = `env(${JSON.stringify(variable)})`;
      continue;
    }
    keyed[name] = means(schema, "expression") ? withoutText(value) : value;
    const text = means(schema, "expression") ? textOf(value) : undefined;
    if (text !== undefined) shown[name] = text;
  }
  return { keyed, shown };
}

function variableOf(value: Json, schema: ParamSchema | undefined): string | undefined {
  if (!means(schema, "setting") && !means(schema, "secret")) return undefined;
  const variable = value !== null && typeof value === "object" ? (value as { env?: Json }).env : undefined;
  return typeof variable === "string" ? variable : undefined;
}

export function isPath(schema: ParamSchema | undefined): boolean {
  return means(schema, "path") || isFolder(schema);
}

/** A text that names files among other words. */
export function isCommand(schema: ParamSchema | undefined): boolean {
  return means(schema, "command");
}

export function isFolder(schema: ParamSchema | undefined): boolean {
  return means(schema, "folder");
}

export function schemaOf(
  name: string,
  signature: Pick<Signature, "params" | "rest">,
): ParamSchema | undefined {
  return signature.params.properties[name] ?? signature.rest;
}

/** Also of a list's items or one of several forms. */
function means(schema: ParamSchema | undefined, role: NonNullable<ParamSchema["x-align"]>): boolean {
  if (!schema) return false;
  if (schema["x-align"] !== undefined) return schema["x-align"] === role;
  return means(schema.items, role) || (schema.anyOf?.some((form) => means(form, role)) ?? false);
}

/** A lowered expression carries the text it was written as, spaces and all, for messages. */
function withoutText(value: Json): Json {
  if (Array.isArray(value)) return value.map(withoutText);
  if (value === null || typeof value !== "object") return value;
  const { text, ...rest } = value as { readonly [key: string]: Json };
  // Only expressions have a kind; the value of a literal is data.
  if (rest.kind === "literal") return rest;
  const kept = "kind" in rest || text === undefined ? rest : { ...rest, text };
  return mapValues(kept, withoutText);
}

function textOf(value: Json): string | undefined {
  const text = value !== null && typeof value === "object" ? (value as { text?: Json }).text : undefined;
  return typeof text === "string" ? text : undefined;
}

function mapValues<A, B>(object: Readonly<Record<string, A>>, f: (value: A) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(object).map(([name, value]) => [name, f(value)]));
}
