// The file as it reads under a profile: its overrides in place, each marked with where it came from.
import type { Declaration, Entry, File, ObjectExpression, ProfileDeclaration } from "./ast.ts";
import { isNode } from "./scope.ts";

export function profilesOf(file: File): ProfileDeclaration[] {
  return file.declarations.filter((d) => d.kind === "profile");
}

export function applyProfile(file: File, profile: ProfileDeclaration): File {
  const name = profile.name.text;
  const declarations = file.declarations.map((d) =>
    profile.overrides.reduce((changed, o) => override(changed, o, name), d),
  );
  return { ...file, declarations };
}

/** Whether an override speaks of this declaration. */
export function overrides(o: Declaration, d: Declaration): boolean {
  return o.kind === d.kind && o.name.text === d.name.text && o.name.text !== "";
}

function override(d: Declaration, o: Declaration, profile: string): Declaration {
  if (!overrides(o, d)) return d;
  if (d.kind === "param" && o.kind === "param") {
    return { ...d, ...(o.value ? { value: o.value } : {}), profile, broken: d.broken || o.broken };
  }
  if (d.kind === "template" && o.kind === "template") {
    const given = new Set(o.block.entries.map((e) => e.name.text));
    const kept = d.block.entries.filter((e) => !given.has(e.name.text));
    return { ...d, block: { ...d.block, entries: [...kept, ...mark(o.block.entries, profile)] }, profile };
  }
  if (d.kind === "cluster" && o.kind === "cluster") {
    const { value = d.value, block = d.block } = o;
    return {
      ...d,
      ...(value ? { value } : {}),
      ...(block ? { block } : {}),
      profile,
      broken: d.broken || o.broken,
    };
  }
  if (isNode(d) && isNode(o)) {
    const broken = d.broken || o.broken;
    const { block: _, ...rest } = d;
    // With other values between the brackets it is another family.
    const head = o.dimensions ? { ...rest, dimensions: o.dimensions } : rest;
    if (o.value) return { ...head, value: o.value, ...withBlock(o.block, [], profile), profile, broken };
    // A parameter given twice is the profile's: the binder lets entries marked with a profile win.
    return { ...head, ...withBlock(o.block, d.block?.entries ?? [], profile), broken };
  }
  return d;
}

function withBlock(
  block: ObjectExpression | undefined,
  kept: readonly Entry[],
  profile: string,
): { block?: ObjectExpression } {
  if (!block && kept.length === 0) return {};
  const span = block?.span ?? { start: 0, end: 0 };
  return { block: { kind: "object", span, entries: [...kept, ...mark(block?.entries ?? [], profile)] } };
}

function mark(entries: readonly Entry[], profile: string): Entry[] {
  return entries.map((e) => ({ ...e, profile }));
}
