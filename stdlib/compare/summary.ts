// Writes what `compare` found for people: a table, then texts before and after.
import type { Comparison } from "./run.ts";

export function summaryOf(
  m: Readonly<Record<string, number>>,
  rows: readonly Comparison[],
  options: { readonly show: number; readonly confidence: number; readonly samples: number },
): string {
  const level = `${Math.round(100 * options.confidence)}%`;
  const table = [
    ["", "baseline", "model", `difference (${level} interval)`],
    [
      "mean score",
      fixed(m.baseline_score!),
      fixed(m.score!),
      `${signed(m.gain!)} [${signed(m.gain_low!)}, ${signed(m.gain_high!)}]`,
    ],
    ["win rate", "", percent(m.win_rate!), `[${percent(m.win_rate_low!)}, ${percent(m.win_rate_high!)}]`],
    ["mean length, tokens", fixed(m.baseline_length!), fixed(m.length!), ""],
    ["sequence KL, nats", "", fixed(m.kl!), "model ‖ baseline, mean over responses"],
  ];
  const widths = [0, 1, 2].map((column) => Math.max(...table.map((row) => row[column]!.length)));
  const lines = table.map(([name, a, b, c]) =>
    `${name!.padEnd(widths[0]!)}  ${a!.padStart(widths[1]!)}  ${b!.padStart(widths[2]!)}  ${c}`.trimEnd(),
  );
  lines.push(
    `${rows.length} prompts, ${options.samples} ${options.samples === 1 ? "sample" : "samples"} each`,
  );

  const shown = rows.slice(0, options.show);
  if (shown.length > 0) lines.push("", "The first prompts, before and after (score):");
  shown.forEach((row, i) => {
    lines.push(
      `${String(i + 1).padStart(2)}. ${oneLine(row.prompt)}`,
      `    before ${score(row.baseline_scores[0]!)} ${oneLine(row.baseline_responses[0]!)}`,
      `    after  ${score(row.scores[0]!)} ${oneLine(row.responses[0]!)}`,
    );
  });
  return `${lines.join("\n")}\n`;
}

const fixed = (x: number) => x.toFixed(3);
const signed = (x: number) => `${x < 0 ? "−" : "+"}${Math.abs(x).toFixed(3)}`;
const percent = (x: number) => `${(100 * x).toFixed(1)}%`;
const score = (x: number) => `(${signed(x)})`;

function oneLine(text: unknown): string {
  return (typeof text === "string" ? text : JSON.stringify(text)).replace(/\s+/g, " ").trim();
}
