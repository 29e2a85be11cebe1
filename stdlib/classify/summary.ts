// Writes what `classify` found for people: a line for each dataset, one for all, and the gain over the baseline.
import type { TemplateStatistics } from "./statistics.ts";

export function summaryOf(
  m: Readonly<Record<string, number>>,
  datasets: readonly TemplateStatistics[],
  { confidence, scoring }: { readonly confidence: number; readonly scoring: string },
): string {
  const level = `${Math.round(100 * confidence)}%`;
  const lines = [
    ["dataset", "examples", "templates", "accuracy", "median", "IQR", "best", ""],
    ...datasets.map((d) => [
      d.dataset,
      String(d.examples),
      String(d.templates.size),
      fixed(d.mean),
      fixed(d.median),
      fixed(d.iqr),
      fixed(d.best),
      "",
    ]),
    [
      "all",
      String(m.examples),
      "",
      fixed(m.accuracy!),
      fixed(m.median!),
      fixed(m.iqr!),
      fixed(m.best!),
      `[${fixed(m.accuracy_low!)}, ${fixed(m.accuracy_high!)}]`,
    ],
  ];
  if (m.gain !== undefined) {
    lines.push([
      "baseline",
      "",
      "",
      fixed(m.baseline_accuracy!),
      fixed(m.baseline_median!),
      fixed(m.baseline_iqr!),
      "",
      `gain ${signed(m.gain)} [${signed(m.gain_low!)}, ${signed(m.gain_high!)}]`,
    ]);
  }
  const widths = lines[0]!.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)));
  const table = lines.map((line) =>
    line
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!)))
      .slice(0, -1)
      .concat(line.at(-1)!)
      .join("  ")
      .trimEnd(),
  );
  const ways = `by log p ${fixed(m.accuracy_sum!)}, per token ${fixed(m.accuracy_tokens!)}, per character ${fixed(m.accuracy_characters!)}; guessing ${fixed(m.chance!)}`;
  return `${table.join("\n")}\n${ways}; compared by ${scoring}; intervals ${level}\n`;
}

const fixed = (x: number) => x.toFixed(3);
const signed = (x: number) => `${x < 0 ? "−" : "+"}${Math.abs(x).toFixed(3)}`;
