// The curation report: how many rows each rule left out, one of them to look at, and what is left of each stratum.
import type { RowData } from "../../engine/index.ts";

/** In the order in which rules are applied. */
export const reasons = {
  score: "score too low",
  length: "too short or too long",
  first_person: "speaks of itself",
  references: "points at other answers",
  ending: "ends in the middle",
  duplicates: "nearly another one",
  sample: "not drawn",
} as const;

export interface Dropped {
  readonly reason: keyof typeof reasons;
  readonly row: RowData;
}

export function summaryOf(
  total: number,
  dropped: readonly Dropped[],
  rows: readonly RowData[],
  strata: string | undefined,
): string {
  let left = total;
  const lines = [
    ["", "left out", "left", "for example"],
    ["all", "", String(total), ""],
  ];
  for (const [reason, words] of Object.entries(reasons)) {
    const own = dropped.filter((d) => d.reason === reason);
    if (own.length === 0) continue;
    left -= own.length;
    lines.push([words, String(own.length), String(left), oneLine(own[0]!.row.completion as string)]);
  }
  const table = aligned(lines);
  if (strata === undefined) return table;
  const counts = new Map<string, number>();
  for (const row of rows) {
    const name = String(row[strata] ?? "none");
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const most = [...counts].sort(([x, a], [y, b]) => b - a || (x < y ? -1 : 1));
  return `${table}\n${aligned([[strata, "rows"], ...most.map(([name, count]) => [name, String(count)])])}`;
}

function aligned(lines: readonly string[][]): string {
  const widths = lines[0]!.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)));
  return lines
    .map((line) =>
      line
        .map((cell, column) =>
          column === 0 ? cell.padEnd(widths[0]!) : column < 3 ? cell.padStart(widths[column]!) : cell,
        )
        .join("  ")
        .trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join("");
}

function oneLine(text: string): string {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length > 60 ? `${line.slice(0, 59)}…` : line;
}
