// `align show FILE STAGE`: metrics, samples and lineage of one stage; of a template, what it makes of the first rows.

import type { WrittenTemplate } from "../../grammar/index.ts";
import { badFile, openPlan, type PipelineOptions } from "../pipeline.ts";
import { type StageReport, stageReport } from "../report/stage.ts";
import { type TemplateReport, templateReport } from "../report/template.ts";
import { runCommand } from "../run-command.ts";
import { findStage } from "../stage.ts";
import { bytes, duration, metric } from "../ui/format.ts";
import { paint } from "../ui/terminal.ts";

export interface ShowOptions extends PipelineOptions {
  readonly json?: boolean;
  readonly samples: number;
}

export async function show(file: string, stage: string, options: ShowOptions): Promise<number> {
  const opened = await openPlan(file, options);
  if (typeof opened === "number") return opened;
  const { plan, store, program } = opened;
  const isTask = plan.tasks.some(({ id }) => id === stage);
  const template = isTask ? undefined : program.templates?.find(({ name }) => name === stage);
  if (template) {
    const report = await templateReport(template, plan, store, options.samples);
    console.log(
      options.json
        ? JSON.stringify(report, null, 2)
        : rendered(report, template, (only) => runCommand(file, options, only)).join("\n"),
    );
    return 0;
  }
  const task = findStage(plan, stage, file, program.templates);
  if (!task) return badFile;
  const report = await stageReport(task, plan, store, options.samples);
  console.log(options.json ? JSON.stringify(report, null, 2) : textOf(report).join("\n"));
  return 0;
}

function textOf(report: StageReport): string[] {
  const { node, ops, doc, seconds, state, reason, artifact } = report;
  const standing = seconds === undefined ? `${state}: ${reason}` : `made in ${duration(seconds)}`;
  return [
    `${paint.bold(node)}  ${ops.join(" → ")}  ${paint.dim(standing)}`,
    ...(doc === undefined ? [] : doc.split("\n").map((line) => `  ${line}`)),
    ...(artifact === undefined ? [] : [`  ${paint.dim(`sha256:${artifact}`)}`]),
    ...part("metrics", metrics(report)),
    ...part("summary", report.summary?.trimEnd().split("\n") ?? []),
    ...part(
      samplesTitle(report),
      report.samples.map((row) => shorten(JSON.stringify(row))),
    ),
    ...part(
      "parameters",
      report.params.map(({ call, name, shown, from }) => {
        const chain = ops.length > 1 ? `${call}.` : "";
        return `${chain}${name}: ${shorten(shown)}  ${paint.dim(from)}`;
      }),
    ),
    ...part("made from", [
      ...report.inputs.map(
        ({ input, node: from, artifact: tree }) =>
          `${input}: ${from}  ${paint.dim(tree === undefined ? "not run" : `sha256:${tree.slice(0, 12)}`)}`,
      ),
      ...files(report),
    ]),
  ];
}

function rendered(
  { template, rows, missing }: TemplateReport,
  { rows: datasets }: WrittenTemplate,
  making: (dataset: string) => string,
): string[] {
  const use =
    datasets.length === 0
      ? "no dataset of this pipeline is put into words by it"
      : `of ${datasets.join(", ")}`;
  return [
    `${paint.bold(template)}  template  ${paint.dim(use)}`,
    ...rows.flatMap(({ dataset, row, prompt = "", completion, problem }) => [
      "",
      paint.bold(`${dataset}, row ${row}`),
      ...(problem === undefined
        ? [...said("prompt", prompt), ...(completion === undefined ? [] : said("completion", completion))]
        : [`  ${paint.red(problem)}`]),
    ]),
    ...missing.map((dataset) => paint.dim(`${dataset} has not been made: ${making(dataset)}`)),
  ];
}

/** With a bar, so that white space at both ends can be seen. */
function said(what: string, text: string): string[] {
  return [
    `  ${paint.dim(what)}`,
    ...text.split("\n").map((line) => `  ${paint.dim("│")}${line}${paint.dim("│")}`),
  ];
}

function part(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ["", paint.bold(title), ...lines.map((line) => `  ${line}`)];
}

function metrics({ metrics: all }: StageReport): string[] {
  const names = Math.max(0, ...all.map(({ name }) => name.length));
  const values = Math.max(0, ...all.map(({ value }) => metric(value).length));
  return all.map(
    ({ name, value, meaning }) =>
      `${name.padEnd(names)}  ${metric(value).padStart(values)}  ${paint.dim(meaning)}`,
  );
}

function samplesTitle({ rows, samples }: StageReport): string {
  return `first ${samples.length} of ${metric(rows ?? 0)} rows`;
}

const shownFiles = 10;
function files({ files: all }: StageReport): string[] {
  const lines = all
    .slice(0, shownFiles)
    .map(
      ({ name, sha256, size }) => `${name}  ${paint.dim(`${bytes(size)}, sha256:${sha256.slice(0, 12)}`)}`,
    );
  const more = all.length - lines.length;
  return more > 0 ? [...lines, paint.dim(`and ${metric(more)} more files`)] : lines;
}

function shorten(text: string): string {
  const line = text.replace(/\s+/g, " ");
  return line.length > 200 ? `${line.slice(0, 199)}…` : line;
}
