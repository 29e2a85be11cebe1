// Why a stage is cached or has to run: the difference between what its key is made of now and what it was before.
import type { History, HistoryEntry } from "../journal.ts";
import type { KeyLeaf, KeyTree } from "./key.ts";
import type { Plan, PlanTask, TaskState } from "./plan.ts";

export interface Cause {
  /** `beta: 0.1 → 0.5`, `file notes.txt changed`, `input base changed`. */
  readonly text: string;
  /** Why that input changed. */
  readonly because: readonly Cause[];
}

export interface Explanation {
  readonly node: string;
  readonly state: TaskState;
  /** One line that leads to the causes: `will run`, `cached; was built because`. */
  readonly headline: string;
  readonly causes: readonly Cause[];
}

export function explain(plan: Plan, node: string, history: History): Explanation | undefined {
  const tasks = new Map(plan.tasks.map((task) => [task.id, task]));
  const task = tasks.get(node);
  return task && explainTask(task, tasks, history, new Set());
}

type Tasks = ReadonlyMap<string, PlanTask>;

function explainTask(task: PlanTask, tasks: Tasks, history: History, seen: Set<string>): Explanation {
  const { id: node, state } = task;
  const entries = history.get(node) ?? [];
  const says = (headline: string, causes: readonly Cause[] = []): Explanation => ({
    node,
    state,
    headline,
    causes,
  });
  const compare = (before: KeyTree, after: KeyTree): Cause[] =>
    differences(before, after, (input) => {
      const from = tasks.get(input);
      if (!from || seen.has(input)) return [];
      return explainTask(from, tasks, history, new Set([...seen, node])).causes;
    });

  if (state === "cached") {
    const at = entries.findLastIndex((entry) => entry.key === task.key);
    if (at === -1) {
      const last = entries.at(-1);
      if (!last) return says("cached; the same work was done before under another name");
      return says("cached; built before, changed since the last run", compare(last.keyTree, task.keyTree));
    }
    const before: HistoryEntry | undefined = entries[at - 1];
    const first = { text: "never built before", because: [] };
    const causes = before ? compare(before.keyTree, entries[at]!.keyTree) : [first];
    return says("cached; was built because", causes);
  }

  const verb = state === "waiting" ? "waits for what it needs" : "will run";
  if (task.damage !== undefined) return says(verb, [cause(`its artifact was damaged: ${task.damage}`)]);
  const last = entries.at(-1);
  if (!last) return says(verb, [cause("never built")]);
  const causes = compare(last.keyTree, task.keyTree);
  return says(verb, causes.length > 0 ? causes : [cause("its artifact is no longer in the store")]);
}

/** The reason in one line, for a table. */
export function reasonOf(explanation: Explanation): string {
  if (explanation.state === "cached")
    return explanation.headline.includes("since") ? "built before" : "unchanged";
  return explanation.causes.map(lineOf).join("; ");
}

function lineOf(cause: Cause): string {
  if (cause.because.length === 0) return cause.text;
  return `${cause.text} (because ${cause.because.map(lineOf).join("; ")})`;
}

function cause(text: string, because: readonly Cause[] = []): Cause {
  return { text, because };
}

/** What changed between two key trees; `why` answers for inputs. */
export function differences(
  before: KeyTree,
  after: KeyTree,
  why: (input: string) => readonly Cause[] = () => [],
): Cause[] {
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
    causes.push(changed(label, a, b, why));
  }
  return [...causes, ...fileChanges(before, after)];
}

function changed(
  label: string,
  a: KeyLeaf | undefined,
  b: KeyLeaf | undefined,
  why: (input: string) => readonly Cause[],
): Cause {
  if (label === "from" || /(^|\.)inputs\./.test(label)) return inputChange(label, a, b, why);
  const name = label.replace(/(^|\.)params\./, "$1");
  return cause(`${name}: ${shown(a)} → ${shown(b)}`);
}

function inputChange(
  label: string,
  a: KeyLeaf | undefined,
  b: KeyLeaf | undefined,
  why: (input: string) => readonly Cause[],
): Cause {
  const role = label.replace(/(^|\.)inputs\./, "$1");
  if (!b) return cause(`input ${a!.name ?? role} removed`);
  if (!a) return cause(`input ${b.name ?? role} added`);
  if (a.name !== b.name) return cause(`${role}: ${a.name} → ${b.name}`);
  const because = why(b.name ?? "");
  return cause(`input ${b.name} ${b.value === undefined ? "is built anew" : "changed"}`, because);
}

/** Files by name, because one more in front would move all the others. */
function fileChanges(before: KeyTree, after: KeyTree): Cause[] {
  const files = (tree: KeyTree): KeyLeaf[] => tree.filter((leaf) => isFile(leaf.label));
  const [a, b] = [files(before), files(after)];
  const digests = (leaves: readonly KeyLeaf[]): string => leaves.map((leaf) => leaf.value).join();
  if (digests(a) === digests(b)) return []; // at most renamed
  const old = new Map(a.map((leaf) => [leaf.name, leaf.value]));
  const now = new Map(b.map((leaf) => [leaf.name, leaf.value]));
  const causes: Cause[] = [];
  for (const [name, value] of now) {
    if (!old.has(name)) causes.push(cause(`file ${name} added`));
    else if (old.get(name) !== value) causes.push(cause(`file ${name} changed`));
  }
  for (const name of old.keys()) if (!now.has(name)) causes.push(cause(`file ${name} removed`));
  return causes.length > 0 ? causes : [cause("the order of its files changed")];
}

function isOp(leaf: KeyLeaf): boolean {
  return /(^|\.)op$/.test(leaf.label) && !/(^|\.)params\./.test(leaf.label);
}

function isFile(label: string): boolean {
  return /(^|\.)files\.[^.]+\.\d+$/.test(label) && !/(^|\.)params\./.test(label);
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
