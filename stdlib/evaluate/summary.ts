// Writes what `evaluate` found for people: each metric with its interval, then some answers.
import type { Answered } from "./run.ts";

export function summaryOf(
  m: Readonly<Record<string, number>>,
  rows: readonly Answered[],
  { show, confidence }: { readonly show: number; readonly confidence: number },
): string {
  const names = Object.keys(m).filter((name) => !/_(low|high)$/.test(name) && name !== "rows");
  const width = Math.max(...names.map((name) => name.length));
  const lines = names.map((name) => {
    const interval =
      m[`${name}_low`] === undefined
        ? ""
        : `  [${m[`${name}_low`]!.toFixed(3)}, ${m[`${name}_high`]!.toFixed(3)}]`;
    return `${name.padEnd(width)}  ${m[name]!.toFixed(3)}${interval}`;
  });
  lines.push(`${m.rows} rows; intervals ${Math.round(100 * confidence)}%`);
  const shown = rows.slice(0, show);
  if (shown.length > 0) lines.push("", "The first answers (wanted):");
  shown.forEach(({ prompt, answer, references }, i) => {
    lines.push(
      `${String(i + 1).padStart(2)}. ${oneLine(prompt)}`,
      `    ${oneLine(answer)}  (${oneLine(references[0])})`,
    );
  });
  return `${lines.join("\n")}\n`;
}

function oneLine(text: unknown): string {
  const line = (typeof text === "string" ? text : JSON.stringify(text)).replace(/\s+/g, " ").trim();
  return line.length > 100 ? `${line.slice(0, 99)}…` : line;
}
