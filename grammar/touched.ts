// Which declarations of a file mean something else when some of them are replaced, as a profile does.
import { type Declaration, type Expression, expressionsOf, walk } from "./ast.ts";
import type { Scope } from "./scope.ts";
import { everyCluster } from "./sets.ts";

/** The names whose declarations differ, and every name whose declaration reads one of these, directly or not. */
export function touchedNames(before: Scope, after: Scope): ReadonlySet<string> {
  const names = new Set([...before.names.keys(), ...after.names.keys()]);
  const touched = new Set([...names].filter((name) => before.names.get(name) !== after.names.get(name)));
  if (touched.size === 0) return touched;
  if ([...touched].some((name) => after.names.get(name)?.kind === "cluster")) touched.add(everyCluster);
  const readers = new Map<string, string[]>();
  for (const scope of [before, after]) {
    for (const [name, d] of scope.names) {
      if (scope === after && before.names.get(name) === d) continue;
      for (const read of namesRead(d)) {
        const known = readers.get(read);
        if (known) known.push(name);
        else readers.set(read, [name]);
      }
    }
  }
  for (const name of touched) for (const reader of readers.get(name) ?? []) touched.add(reader);
  return touched;
}

const known = new WeakMap<Declaration, ReadonlySet<string>>();

/** Every word of a declaration that could be the name of another: a column or a choice may be among them. */
export function namesRead(d: Declaration): ReadonlySet<string> {
  const before = known.get(d);
  if (before) return before;
  const names = new Set<string>();
  known.set(d, names);
  const read = (e: Expression) =>
    walk(e, (x) => {
      if (x.kind === "reference") names.add(x.name.text);
      // Which clusters are near depends on what all of them say.
      if (x.kind === "call" && x.callee.text === "neighbours") names.add(everyCluster);
    });
  for (const e of expressionsOf(d)) read(e);
  if (d.kind === "publish") names.add(d.name.text);
  if (d.kind === "template") for (const { text } of d.rows ?? []) names.add(text);
  if (d.kind === "param")
    for (const b of d.type?.bounds ?? [])
      for (const e of b.kind === "range" ? [b.from, b.to] : [b.value]) read(e);
  return names;
}
