// Jinja as the Python library renders it: prompts of promptsource and lm-evaluation-harness use Python's own methods.
import { Environment, Interpreter, parse, tokenize } from "@huggingface/jinja";
import { TaskError } from "../../engine/index.ts";
import { filters, methods } from "./python-builtins.ts";
import { boxed, isUndefined, itemOf, text, type Value } from "./python-values.ts";

export interface PythonJinja {
  render(variables: Readonly<Record<string, unknown>>): string;
}

export interface JinjaOptions {
  /** For messages. */
  readonly where: string;
  /** A number in [0, 1) for `choice` and `random`. */
  readonly uniform: () => number;
  /** lm-evaluation-harness keeps the line end at the end of a template, Jinja alone does not. */
  readonly keepTrailingNewline?: boolean;
}

/** Compiled once; `uniform` may be another for each row, so it is asked at the moment of the draw. */
export function pythonJinja(source: string, options: JinjaOptions): PythonJinja {
  const whole = options.keepTrailingNewline && source.endsWith("\n") ? `${source}\n` : source;
  const program = guarded(
    () => rewritten(parse(tokenize(whole)) as unknown as Node) as never,
    "does not parse",
    options,
  );
  return {
    render: (variables) =>
      guarded(
        () => text(new Interpreter(environment(variables, options)).run(program) as Value),
        "does not render",
        options,
      ),
  };
}

function guarded<T>(work: () => T, what: string, { where }: JinjaOptions): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof TaskError) throw error;
    throw new TaskError({
      code: "template-invalid",
      message: `the template ${what}: ${(error as Error).message}`,
      where,
    });
  }
}

function environment(variables: Readonly<Record<string, unknown>>, { uniform }: JinjaOptions): Environment {
  const env = new Environment();
  const names: Record<string, unknown> = {
    true: true,
    True: true,
    false: false,
    False: false,
    none: null,
    None: null,
  };
  for (const [name, value] of Object.entries(names)) env.set(name, value);
  const FunctionValue = env.set(output, () => null).constructor as new (f: (args: Value[]) => Value) => Value;
  const define = (name: string, f: (args: Value[]) => Value) =>
    env.setVariable(name, new FunctionValue(f) as never);
  define(output, ([value]) => (value && !isUndefined(value) ? boxed(text(value)) : boxed("")));
  define(subscript, ([object, key]) => itemOf(object!, key!));
  define(dictionary, (entries) => {
    const made = boxed({});
    for (let i = 0; i < entries.length; i += 2) {
      (made.value as Map<string, Value>).set(text(entries[i]!), entries[i + 1]!);
    }
    return made;
  });
  define("zip", (lists) => {
    const rows = Math.min(...lists.map((list) => (list.value as Value[]).length));
    const zipped = boxed([]);
    for (let i = 0; i < rows; i++) {
      const row = boxed([]);
      (row.value as Value[]).push(...lists.map((list) => (list.value as Value[])[i]!));
      (zipped.value as Value[]).push(row);
    }
    return zipped;
  });
  define("range", (args) => boxed(range(...(args.map((arg) => Number(arg.value)) as [number]))));
  for (const [name, f] of Object.entries(filters))
    define(`${filterPrefix}${name}`, (args) => f(args, uniform));
  for (const [name, f] of Object.entries(methods)) define(`${methodPrefix}${name}`, f);
  // Copies: templates may append to lists.
  for (const [name, value] of Object.entries(variables)) env.setVariable(name, boxed(value) as never);
  return env;
}

function range(first: number, second?: number, step = 1): number[] {
  const [start, stop] = second === undefined ? [0, first] : [first, second];
  const values: number[] = [];
  for (let i = start; step > 0 ? i < stop : i > stop; i += step) values.push(i);
  return values;
}

const filterPrefix = "filter ";
const methodPrefix = "method ";
const output = "output of";
const subscript = "item of";
const dictionary = "dict of";

interface Node {
  readonly type: string;
  readonly [part: string]: unknown;
}

/** Filters and methods that the engine lacks, or has otherwise, become calls of ours; what is printed goes through `str`. */
function rewritten(node: Node): Node {
  const made: Record<string, unknown> = {};
  for (const [part, value] of Object.entries(node)) made[part] = inside(value);
  const self = made as unknown as Node;
  if (self.type === "FilterExpression") {
    const { name, args } = called(self.filter as Node);
    const attribute = name === "map" && args[0]?.type !== "StringLiteral";
    if (Object.hasOwn(filters, name) && !attribute)
      return call(`${filterPrefix}${name}`, [self.operand as Node, ...args]);
  }
  const callee = self.callee as Node | undefined;
  if (self.type === "CallExpression" && callee?.type === "MemberExpression" && !callee.computed) {
    const name = (callee.property as Node).value as string;
    if (Object.hasOwn(methods, name)) {
      return call(`${methodPrefix}${name}`, [callee.object as Node, ...(self.args as Node[])]);
    }
  }
  if (
    self.type === "MemberExpression" &&
    self.computed &&
    (self.property as Node).type !== "SliceExpression"
  ) {
    return call(subscript, [self.object as Node, self.property as Node]);
  }
  if (self.type === "ObjectLiteral") {
    return call(dictionary, [...(self.value as Map<Node, Node>)].flat());
  }
  if (Array.isArray(self.body)) made.body = self.body.map(printed);
  if (Array.isArray(self.alternate)) made.alternate = self.alternate.map(printed);
  return self;
}

function inside(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inside);
  if (value instanceof Map) return new Map([...value].map(([key, x]) => [inside(key), inside(x)]));
  return isNode(value) ? rewritten(value) : value;
}

const isNode = (value: unknown): value is Node =>
  value !== null &&
  typeof value === "object" &&
  typeof (value as Node).type === "string" &&
  !("pos" in value);

const statements = new Set([
  "If",
  "For",
  "Set",
  "Macro",
  "Break",
  "Continue",
  "Comment",
  "FilterStatement",
  "CallStatement",
  "StringLiteral",
]);

const printed = (node: Node): Node => (statements.has(node.type) ? node : call(output, [node]));

/** `f` or `f(a, b)` */
function called(filter: Node): { name: string; args: Node[] } {
  return filter.type === "CallExpression"
    ? { name: (filter.callee as Node).value as string, args: filter.args as Node[] }
    : { name: filter.value as string, args: [] };
}

function call(name: string, args: readonly Node[]): Node {
  return { type: "CallExpression", callee: { type: "Identifier", value: name }, args };
}
