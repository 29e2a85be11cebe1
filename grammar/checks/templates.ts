// Templates can be read, and every variable in them is a column of the rows they are used with.
import type { Entry, Expression, StringLiteral, TemplateDeclaration } from "../ast.ts";
import type { BoundCall, BoundValue } from "../bind-call.ts";
import { diagnose } from "../codes.ts";
import type { Context } from "../context.ts";
import type { Diagnostic } from "../diagnostic.ts";
import { jinjaFilters, scanTemplate, type Variable } from "../jinja.ts";
import { namesOf } from "../scope.ts";
import type { Place } from "../source.ts";
import { didYouMean, listed } from "../suggest.ts";
import { datasetsOf } from "../templates-of.ts";
import { printRow, type Row, rows } from "../types.ts";
import { type Check, everyCall, fitsItsPlace } from "./check.ts";

const parts = ["input", "target"];

export const templates: Check = (context) => [
  ...context.file.declarations.flatMap((d) =>
    d.kind === "template" && !d.broken ? declaration(d, context) : [],
  ),
  ...everyCall(context, (bound) =>
    fitsItsPlace(bound) ? bound.written.flatMap((v) => used(v, bound, context)) : [],
  ),
];

function declaration(d: TemplateDeclaration, context: Context): Diagnostic[] {
  const found = d.block.entries.flatMap((e) => entry(e, d, context));
  if (!d.block.entries.some((e) => e.name.text === "input") && found.length === 0) {
    found.push(
      diagnose("AL0403", {
        title: `template \`${d.name.text}\` has no \`input\``,
        at: context.place(d.name.span),
        label: "`input` is missing",
        help: ['write `input: "{{ column }}"`, and `target: "{{ column }}"` for what is to be learnt'],
      }),
    );
  }
  for (const rows of d.rows ?? []) {
    const at = context.place(rows.span);
    const nodes = datasetsOf(rows, context);
    const known = nodes.length > 0 || context.scope.names.get(rows.text)?.kind === "cluster";
    if (!known && !context.scope.lost.has(rows.text)) {
      const names = namesOf(
        context.scope,
        ({ kind }, n) => kind === "cluster" || context.node(n)?.type.kind === "dataset",
      );
      found.push(
        diagnose("AL0101", {
          title: `there is no dataset \`${rows.text}\``,
          at,
          label: "unknown dataset",
          ...didYouMean(rows.text, names, at, () => `datasets are ${listed(names)}`),
        }),
      );
    }
    for (const { type } of nodes)
      if (type.kind === "dataset") found.push(...variables(d, type.row, at, context));
  }
  return found;
}

function entry(e: Entry, d: TemplateDeclaration, context: Context): Diagnostic[] {
  const at = context.place(e.name.span);
  if (!parts.includes(e.name.text)) {
    return [
      diagnose("AL0403", {
        title: `a template has no part \`${e.name.text}\``,
        at,
        label: "unknown part",
        ...didYouMean(e.name.text, parts, at, () => "parts are `input` and `target`"),
      }),
    ];
  }
  if (e.value.kind !== "string") {
    if (e.value.kind === "hole") return [];
    return [
      diagnose("AL0301", {
        title: `\`${e.name.text}\` of template \`${d.name.text}\` is a text`,
        at: context.place(e.value.span),
        label: "a text is expected here",
        help: ['write it between `"` or `"""`'],
      }),
    ];
  }
  const { problem, filters } = scanTemplate(e.value.value);
  if (!problem) return filters.flatMap((f) => filter(f, e.value as StringLiteral, context));
  return [
    diagnose("AL0402", {
      title: problem.message,
      at: placeIn(e.value, problem.start, problem.end, context),
      label: "Jinja cannot read this",
      help: ["write `{{ column }}` for a value and `{% if … %} … {% endif %}` for a choice"],
    }),
  ];
}

function filter({ name, start }: Variable, text: StringLiteral, context: Context): Diagnostic[] {
  if (jinjaFilters.includes(name)) return [];
  const at = placeIn(text, start, start + name.length, context);
  return [
    diagnose("AL0111", {
      title: `Jinja has no filter \`${name}\``,
      at,
      label: "unknown filter",
      ...didYouMean(name, jinjaFilters, at, (all) => `filters are ${listed(all, all.length)}`),
    }),
  ];
}

/** A template given to an operation reads the rows of that operation, unless the parameter names others. */
function used(v: BoundValue, bound: BoundCall, context: Context): Diagnostic[] {
  const named = v.schema["x-row"];
  const read: Row | undefined = named ? rows[named] : bound.row;
  if (!read || !v.expression) return [];
  const added = v.schema["x-columns"];
  const row = added ? { ...read, columns: { ...read.columns, ...added } } : read;
  if (v.schema["x-align"] === "template") return given(v.expression, row, context);
  // Several templates, as `render` takes them.
  const list = v.schema.items?.["x-align"] === "template" && v.expression.kind === "list";
  return list ? v.expression.items.flatMap((item) => given(item, row, context)) : [];
}

function given(e: Expression, row: Row, context: Context): Diagnostic[] {
  if (e.kind === "reference") {
    const d = context.scope.names.get(e.name.text);
    const at = context.place(e.span);
    if (d?.kind !== "template" || d.broken) return [];
    const found = variables(d, row, at, context);
    return context.scope.imported.has(e.name.text) ? found.map((f) => elsewhere(f, d, at)) : found;
  }
  if (e.kind === "string") return reads(e, row, undefined, context);
  if (e.kind !== "object") return [];
  return e.entries.flatMap(({ value }) =>
    value.kind === "string" ? reads(value, row, undefined, context) : [],
  );
}

/** A template of another file is told about where it is used. */
function elsewhere(found: Diagnostic, d: TemplateDeclaration, use: Place): Diagnostic {
  const [inside] = found.labels;
  const there = { ...inside!, place: { ...inside!.place, path: d.path }, primary: false };
  const here = { place: use, text: `these rows do not fit template \`${d.name.text}\``, primary: true };
  return { ...found, labels: [here, there], fixes: [] };
}

function variables(d: TemplateDeclaration, row: Row, use: Place, context: Context): Diagnostic[] {
  return d.block.entries.flatMap((e) =>
    e.value.kind === "string" && parts.includes(e.name.text) ? reads(e.value, row, use, context) : [],
  );
}

function reads(text: StringLiteral, row: Row, use: Place | undefined, context: Context): Diagnostic[] {
  const columns = Object.keys(row.columns);
  const { variables: found } = scanTemplate(text.value);
  const seen = new Set<string>();
  return found.flatMap(({ name, start }) => {
    if (columns.includes(name) || seen.has(name)) return [];
    seen.add(name);
    const at = placeIn(text, start, start + name.length, context);
    return [
      diagnose("AL0401", {
        title: `\`{{ ${name} }}\` is not a column of ${printRow(row)}`,
        at,
        label: "no column of this name",
        related: use ? [[use, `read with rows of ${printRow(row)} here`]] : [],
        notes: row.name === undefined ? [] : [`columns of ${printRow(row)} are ${listed(columns)}`],
        ...didYouMean(name, columns, at, () => `read one of the columns: ${listed(columns)}`),
      }),
    ];
  });
}

function placeIn(text: StringLiteral, start: number, end: number, context: Context): Place {
  const from = text.offsets[start] ?? text.span.start;
  const to = Math.max(from + 1, (text.offsets[end - 1] ?? from) + 1);
  return context.place({ start: from, end: to });
}
