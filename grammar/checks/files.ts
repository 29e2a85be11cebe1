// Paths name files that exist.
import type { BoundCall, BoundValue } from "../bind-call.ts";
import { diagnose } from "../codes.ts";
import type { Context } from "../context.ts";
import type { Diagnostic, Fix } from "../diagnostic.ts";
import type { Place } from "../source.ts";
import { didYouMean } from "../suggest.ts";
import { type Check, everyCall, fitsItsPlace } from "./check.ts";

export const files: Check = (context) =>
  everyCall(context, (bound) => (fitsItsPlace(bound) ? missingFiles(bound, context) : []));

export function missingFiles(bound: BoundCall, context: Context): Diagnostic[] {
  return bound.written.flatMap((v) =>
    pathsOf(v, context).flatMap(({ path, at }) => {
      const resolved = context.host.resolve(path, v.schema["x-align"] === "folder" ? "folder" : "path");
      if ("files" in resolved) return [];
      return [
        diagnose("AL0308", {
          title: resolved.problem,
          at,
          label: v.schema["x-align"] === "folder" ? "no such folder" : "no such file",
          ...nearby(path, resolved, at),
        }),
      ];
    }),
  );
}

/** A name beside the one that is missing. */
function nearby(
  path: string,
  { help, near = [] }: { readonly help?: string; readonly near?: readonly string[] },
  at: Place,
): { help: string[]; fixes: Fix[] } {
  const guess = didYouMean(path, near, at);
  return {
    help: guess.help.length > 0 ? guess.help : [help ?? "paths are relative to the folder of this file"],
    fixes: guess.fixes.map((fix) => ({
      title: fix.title,
      edits: fix.edits.map((e) => ({ ...e, text: JSON.stringify(e.text) })),
    })),
  };
}

function pathsOf(v: BoundValue, context: Context): { path: string; at: Place }[] {
  const value = v.evaluated.value;
  const { expression } = v;
  if (value === undefined || !expression) return [];
  const { "x-align": role, items } = v.schema;
  if (role !== "path" && role !== "folder" && items?.["x-align"] !== "path") return [];
  const at = context.place(expression.span);
  if (typeof value === "string") return [{ path: value, at }];
  if (!Array.isArray(value)) return [];
  return value.flatMap((path, i) => {
    const item = expression.kind === "list" ? expression.items[i] : undefined;
    return typeof path === "string" ? [{ path, at: item ? context.place(item.span) : at }] : [];
  });
}
