// Reads what stages measured, and writes the table: rows as data, the same as text.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Artifact, canonicalJson, type StageRun, TaskError, writeRows } from "../../engine/index.ts";
import { type Metrics, type Table, type TableOptions, tableOf } from "./table.ts";

export const report: StageRun<TableOptions> = {
  async run({ params, inputs, out }) {
    const groups = Object.entries(inputs).map(async ([name, artifacts]) => ({
      name,
      stages: await Promise.all(
        artifacts.map(async (artifact) => ({ node: artifact.node, metrics: await metricsOf(artifact) })),
      ),
    }));
    const table = tableOf(await Promise.all(groups), params);
    await writeRows(out, table.rows);
    // Rows are sorted by name; this is the order in which people read them.
    await writeFile(join(out, "table.json"), `${canonicalJson({ columns: table.columns })}\n`);
    return { metrics: table.metrics, summary: textOf(table) };
  },
};

async function metricsOf({ dir, node }: Artifact): Promise<Metrics> {
  try {
    return JSON.parse(await readFile(join(dir, "metrics.json"), "utf8")) as Metrics;
  } catch {
    throw new TaskError({
      code: "no-metrics",
      message: `${node} measures nothing`,
      help: "name stages that have metrics, such as classify, compare or sft",
    });
  }
}

function textOf({ columns, rows }: Table): string {
  const cells = [
    columns,
    ...rows.map((row) =>
      columns.map((name) => {
        const [value, low, high] = [row[name], row[`${name}_low`], row[`${name}_high`]];
        if (typeof value !== "number") return String(value ?? "");
        return low === undefined ? number(value) : `${number(value)} [${number(low)}, ${number(high)}]`;
      }),
    ),
  ];
  const widths = columns.map((_, at) => Math.max(...cells.map((row) => row[at]!.length)));
  const lines = cells.map((row) =>
    row
      .map((text, at) => text.padEnd(widths[at]!))
      .join("  ")
      .trimEnd(),
  );
  return `${lines.join("\n")}\n`;
}

/** Four significant digits. */
function number(value: unknown): string {
  return String(Number(Number(value).toPrecision(4)));
}
