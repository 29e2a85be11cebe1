// Why a stage is cached or has to run: the difference between what its key is made of now and what it was before.
import type { History, HistoryEntry } from "../journal.ts";
import type { KeyLeaf, KeyTree } from "./key.ts";
import type { Plan, PlanTask, TaskState } from "./plan.ts";

export interface Cause {
  /** The stage whose own parameters, files or inputs changed. */
  readonly node: string;
  /** `beta: 0.1 → 0.5`, `file notes.txt changed`, `input base changed`. */
  readonly text: string;
  /** Of an input: what it all started with, in the stages above; `base: steps: 600 → 700` unless it is in the input itself. */
  readonly because: readonly Cause[];
  /** The node of an input that changed. */
  readonly input?: string;
}

export interface Explanation {
  readonly node: string;
  readonly state: TaskState;
  /** One line that leads to the causes: `will run`, `cached; was built because`. */
  readonly headline: string;
  readonly causes: readonly Cause[];
}

export function explain(plan: Plan, node: string, history: History): Explanation | undefined {
  const explain = explainer(plan, history);
  // What is above first, so that a long chain is not explained by recursion.
  for (const task of plan.tasks) if (task.id !== node) explain(task.id);
  return explain(node);
}

/** Explains any node of a plan; what is explained once is not worked out again. */
export function explainer(plan: Plan, history: History): (node: string) => Explanation | undefined {
  const tasks = new Map(plan.tasks.map((task) => [task.id, task]));
  const known = new Map<string, Explanation | undefined>();
  const roots = new Map<string, readonly Cause[]>();
  return explainNode;

  function explainNode(node: string): Explanation | undefined {
    // A node that is being explained has no answer yet: names in the history may go in circles.
    if (!known.has(node)) {
      known.set(node, undefined);
      const task = tasks.get(node);
      if (task) known.set(node, explainTask(task, history.get(node) ?? [], why));
    }
    return known.get(node);
  }

  /** What it all started with, as each stage says it of itself. */
  function rootsOf(node: string): readonly Cause[] {
    if (!roots.has(node)) {
      roots.set(node, []);
      const { causes = [] } = explainNode(node) ?? {};
      const all = causes.flatMap((cause) => (cause.because.length > 0 ? rootsOf(cause.input!) : [cause]));
      roots.set(node, [...new Map(all.map((root) => [`${root.node} ${root.text}`, root])).values()]);
    }
    return roots.get(node)!;
  }

  function why(input: string): readonly Cause[] {
    return rootsOf(input).map((root) =>
      root.node === input ? root : { ...root, text: `${root.node}: ${root.text}` },
    );
  }
}

function explainTask(
  task: PlanTask,
  entries: readonly HistoryEntry[],
  why: (input: string) => readonly Cause[],
): Explanation {
  const { id: node, state } = task;
  const says = (headline: string, causes: readonly Cause[]): Explanation => ({
    node,
    state,
    headline,
    causes,
  });
  const only = (text: string): readonly Cause[] => [{ node, text, because: [] }];
  const compare = (before: HistoryEntry, after: KeyTree): Cause[] =>
    differences(before.keyTree, after, node, why);
  const last = entries.at(-1);

  if (state === "cached") {
    if (!last) return says("cached; the same was built before under another name", []);
    const at = entries.findLastIndex((entry) => entry.key === task.key);
    if (at === -1)
      return says("cached; built elsewhere before, differs from the last run", compare(last, task.keyTree));
    const before = nearest(entries.slice(0, at), entries[at]!.keyTree);
    if (before) return says("cached; was built because", compare(before, entries[at]!.keyTree));
    return says("cached; was built because", only("never built before"));
  }

  const verb = state === "waiting" ? "waits for what it needs" : "will run";
  if (task.damage !== undefined) return says(verb, only(`its artifact was damaged: ${task.damage}`));
  const before = nearest(entries, task.keyTree);
  if (!before) return says(verb, only("never built"));
  const causes = compare(before, task.keyTree);
  return says(verb, causes.length > 0 ? causes : only("its artifact is no longer in the store"));
}

/** The build that has most in common with `now`, of several the last: who goes to and fro between two seeds changes neither. */
function nearest(entries: readonly HistoryEntry[], now: KeyTree): HistoryEntry | undefined {
  const wanted = new Map(now.map((leaf) => [leaf.label, leaf.value]));
  let best: { readonly entry: HistoryEntry; readonly apart: number } | undefined;
  for (const entry of entries) {
    const alike = entry.keyTree.filter(({ label, value }) => wanted.get(label) === value).length;
    const apart = entry.keyTree.length + now.length - 2 * alike;
    if (!best || apart <= best.apart) best = { entry, apart };
  }
  return best?.entry;
}

/** The reason in one line, for a table: inputs that changed for one reason are told together, and of long lists the beginning. */
export function reasonOf(explanation: Explanation): string {
  if (explanation.state === "cached") return "unchanged";
  const together = new Map<string, Cause[]>();
  for (const cause of explanation.causes) {
    const reason = cause.input === undefined ? cause.text : `${verbOf(cause)} ${reasons(cause)}`;
    together.set(reason, [...(together.get(reason) ?? []), cause]);
  }
  return [...together.values()].map(shortLineOf).join("; ");
}

/** `inputs a, b and 6 more are built anew (because epochs: 1 → 2)` */
function shortLineOf(causes: readonly Cause[]): string {
  const [cause] = causes as [Cause];
  const because = beginning(
    cause.because.map(({ text }) => text),
    "; ",
  );
  const tail = because && ` (because ${because})`;
  if (causes.length === 1) return cause.text + tail;
  const names = beginning(
    causes.map(({ input }) => input!),
    ", ",
  );
  return `inputs ${names} ${verbOf(cause).replace("is ", "are ")}${tail}`;
}

/** Of an input: `changed`, `is built anew`. */
const verbOf = ({ input, text }: Cause): string => text.slice(`input ${input} `.length);

const reasons = ({ because }: Cause): string => because.map(({ text }) => text).join("; ");

/** As many as are read at a glance: three, or two and how many more. */
function beginning(parts: readonly string[], between: string): string {
  if (parts.length <= 3) return parts.join(between);
  return `${parts.slice(0, 2).join(between)} and ${parts.length - 2} more`;
}

/** `input writer changed (because epochs: 1 → 2)` */
export function lineOf(cause: Cause): string {
  if (cause.because.length === 0) return cause.text;
  return `${cause.text} (because ${reasons(cause)})`;
}

/** What changed between two key trees; `why` answers for inputs. */
export function differences(
  before: KeyTree,
  after: KeyTree,
  node: string,
  why: (input: string) => readonly Cause[] = () => [],
): Cause[] {
  const cause = (text: string, because: readonly Cause[] = []): Cause => ({ node, text, because });
  const causes: Cause[] = [];
  const steps = (tree: KeyTree): string =>
    tree
      .filter(isOp)
      .map((leaf) => leaf.value)
      .join(" |> ");
  if (steps(before) !== steps(after)) causes.push(cause(`${steps(before)} → ${steps(after)}`));

  const old = new Map(before.map((leaf) => [leaf.label, leaf]));
  const now = new Map(after.map((leaf) => [leaf.label, leaf]));
  const labels = [...new Set([...now.keys(), ...old.keys()])];
  for (const label of labels) {
    const a = old.get(label);
    const b = now.get(label);
    if (isOp(b ?? a!) || isFile(label) || (a && b && b.value !== undefined && a.value === b.value)) continue;
    // A step that came or went has been named already, with all that belongs to it.
    if (!hasStep(label, a ? after : before)) continue;
    const input = isInput(label) ? inputChange(label, a, b) : undefined;
    if (input === undefined) causes.push(cause(`${label.replace(PARAMS, "$1")}: ${shown(a)} → ${shown(b)}`));
    else if (a?.name !== b?.name) causes.push(cause(input));
    else causes.push({ ...cause(input, why(b!.name!)), input: b!.name! });
  }
  return [...causes, ...fileChanges(before, after).map((text) => cause(text))];
}

const PARAMS = /(^|\.)params\./;
const INPUTS = /(^|\.)inputs\./;

function isInput(label: string): boolean {
  return label === "from" || (INPUTS.test(label) && !PARAMS.test(label));
}

function inputChange(label: string, a: KeyLeaf | undefined, b: KeyLeaf | undefined): string {
  const role = label.replace(INPUTS, "$1");
  if (!b) return `input ${a!.name ?? role} removed`;
  if (!a) return `input ${b.name ?? role} added`;
  if (a.name !== b.name) return `${role}: ${a.name} → ${b.name}`;
  return `input ${b.name} ${b.value === undefined ? "is built anew" : "changed"}`;
}

/** Files by name, because one more in front would move all the others. */
function fileChanges(before: KeyTree, after: KeyTree): string[] {
  const files = (tree: KeyTree): KeyLeaf[] => tree.filter((leaf) => isFile(leaf.label));
  const [a, b] = [files(before), files(after)];
  const digests = (leaves: readonly KeyLeaf[]): string => leaves.map((leaf) => leaf.value).join();
  if (digests(a) === digests(b)) return []; // at most renamed
  const old = new Map(a.map((leaf) => [leaf.name, leaf.value]));
  const now = new Map(b.map((leaf) => [leaf.name, leaf.value]));
  const changes: string[] = [];
  for (const [name, value] of now) {
    if (!old.has(name)) changes.push(`file ${name} added`);
    else if (old.get(name) !== value) changes.push(`file ${name} changed`);
  }
  for (const name of old.keys()) if (!now.has(name)) changes.push(`file ${name} removed`);
  return changes.length > 0 ? changes : ["the order of its files changed"];
}

function isOp(leaf: KeyLeaf): boolean {
  return /(^|\.)op$/.test(leaf.label) && !PARAMS.test(leaf.label);
}

function isFile(label: string): boolean {
  return /(^|\.)files\.[^.]+\.\d+$/.test(label) && !PARAMS.test(label);
}

/** Whether the tree has the step of a chain that the label belongs to. */
function hasStep(label: string, tree: KeyTree): boolean {
  const step = /^(.*?)\.(?:params|inputs|version)/.exec(label)?.[1];
  return step === undefined || tree.some((leaf) => leaf.label === `${step}.op`);
}

const WIDTH = 60;
function shown(leaf: KeyLeaf | undefined): string {
  if (!leaf) return "(not set)";
  const text = (leaf.name ?? leaf.value ?? "").replace(/\s+/g, " ");
  return text.length > WIDTH ? `${text.slice(0, WIDTH - 1)}…` : text;
}
