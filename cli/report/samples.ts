// Rows as people read them: flat ones as a table, others as cards of texts.
import type { RowData } from "../../engine/index.ts";
import type { Json } from "../../grammar/index.ts";
import { metric } from "../ui/format.ts";
import { quoted } from "../ui/markup.ts";
import { table } from "./html.ts";

/** Longer texts are cut: a report is read, not searched. */
const longest = 600;
const shortText = 60;

export function samples(rows: readonly RowData[], columns?: readonly string[]): string {
  return isFlat(rows) ? flat(rows, columns) : rows.map(card).join("\n");
}

/** Nothing but numbers and short texts: rows that want to be compared. */
export function isFlat(rows: readonly RowData[]): boolean {
  return rows.every((row) =>
    Object.values(row).every(
      (value) => value === null || (typeof value !== "object" && String(value).length <= shortText),
    ),
  );
}

function flat(
  rows: readonly RowData[],
  columns: readonly string[] = [...new Set(rows.flatMap((row) => Object.keys(row)))],
): string {
  return table(
    columns.map(quoted),
    rows.map((row) => columns.map((column) => `${cell(row[column])}${interval(row, column, columns)}`)),
    "flat",
  );
}

/** Of a number whose ends have no columns of their own. */
function interval(row: RowData, column: string, columns: readonly string[]): string {
  const [low, high] = [`${column}_low`, `${column}_high`];
  if (columns.includes(low) || typeof row[low] !== "number" || typeof row[high] !== "number") return "";
  return ` <span class="quiet number">[${metric(row[low])}, ${metric(row[high])}]</span>`;
}

function cell(value: Json | undefined): string {
  if (value === undefined || value === null) return "";
  return typeof value === "number" ? `<span class="number">${metric(value)}</span>` : quoted(String(value));
}

function card(row: RowData): string {
  const scores = Array.isArray(row.scores) ? (row.scores as readonly Json[]) : [];
  const entries = Object.entries(row)
    .filter(([name]) => name !== "scores" || !scored(row))
    .map(([name, value]) => {
      const marks = name === "responses" && scored(row) ? scores : [];
      return `<dt>${quoted(name)}</dt><dd>${shown(value, marks)}</dd>`;
    });
  return `<dl class="card">${entries.join("")}</dl>`;
}

/** Each response has a score of its own, which is then shown beside it. */
function scored({ responses, scores }: RowData): boolean {
  return Array.isArray(responses) && Array.isArray(scores) && responses.length === scores.length;
}

function shown(value: Json, marks: readonly Json[] = []): string {
  if (typeof value === "string") return `<span class="text">${quoted(cut(value))}</span>`;
  if (typeof value === "number") return `<span class="number">${metric(value)}</span>`;
  if (!Array.isArray(value)) return `<code>${quoted(cut(JSON.stringify(value)))}</code>`;
  if (value.every((item) => typeof item !== "string" && !isMessage(item)))
    return `<code>${quoted(cut(JSON.stringify(value)))}</code>`;
  const items = value.map((item: Json, i: number) => {
    const mark = marks[i];
    const badge = typeof mark === "number" ? `<span class="badge">${metric(mark)}</span> ` : "";
    return `<li>${badge}${isMessage(item) ? message(item) : shown(item)}</li>`;
  });
  return `<ol>${items.join("")}</ol>`;
}

function isMessage(value: Json): value is { readonly role: string; readonly content: string } {
  return value !== null && typeof value === "object" && "role" in value && "content" in value;
}

function message({ role, content }: { readonly role: string; readonly content: string }): string {
  return `<b>${quoted(String(role))}</b> ${shown(content)}`;
}

function cut(text: string): string {
  return text.length > longest ? `${text.slice(0, longest - 1)}…` : text;
}
