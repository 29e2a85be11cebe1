// The page of a run: one HTML file with everything in it, no script, no request.
import type { Event, Plan } from "../../engine/index.ts";
import { pictureOf } from "../graph/picture.ts";
import { svg } from "../graph/svg.ts";
import { bytes, duration, metric } from "../ui/format.ts";
import { quoted } from "../ui/markup.ts";
import { anchor, table } from "./html.ts";
import { type Plot, plot } from "./plot.ts";
import { samples } from "./samples.ts";
import type { StageReport } from "./stage.ts";
import { style } from "./style.ts";
import { barsOf, timeline } from "./timeline.ts";

export interface Page {
  readonly plan: Plan;
  /** Of the last run. */
  readonly events: readonly Event[];
  readonly stages: readonly StageReport[];
  /** By key. */
  readonly curves: ReadonlyMap<string, readonly Plot[]>;
}

export function page({ plan, events, stages, curves }: Page): string {
  const bars = barsOf(events);
  const linkOf = ({ id }: { id: string }) => `#${anchor(id)}`;
  const tables = stages.filter(({ columns }) => columns !== undefined);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${quoted(plan.pipeline)}</title>
<link rel="icon" href="data:,">
<style>${style}</style>
</head>
<body>
<main>
<header>
<h1>${quoted(plan.pipeline)}</h1>
${paragraphs(plan.doc)}
${facts(plan, events)}
</header>
${section("What must hold", expectations(events))}
${section("Failures", failures(events))}
${section("Results", [...tables, ...stages.filter((stage) => stage.summary !== undefined && !tables.includes(stage))].map(result).join("\n"))}
${section("Graph", `<div class="scroll">${svg(pictureOf(plan), { linkOf })}</div>`)}
${section("Timeline", bars.length > 0 ? `<div class="scroll">${timeline(bars)}</div>` : "")}
<section><h2>Stages</h2>
${stages.map((stage) => article(stage, curves.get(stage.key ?? "") ?? [])).join("\n")}
</section>
<footer>numerics ${quoted(plan.numerics)}</footer>
</main>
</body>
</html>
`;
}

function section(title: string, body: string): string {
  return body === "" ? "" : `<section><h2>${title}</h2>\n${body}\n</section>`;
}

function paragraphs(doc: string | undefined): string {
  const parts = doc?.split(/\n\s*\n/) ?? [];
  return parts.map((part) => `<p class="doc">${quoted(part)}</p>`).join("\n");
}

function facts(plan: Plan, events: readonly Event[]): string {
  const finished = events.find((event) => event.type === "run-finished");
  const started = events[0];
  const parts = [
    ...(finished ? [outcome(finished.outcome)] : [`<span class="badge bad">not finished</span>`]),
    ...(plan.profile === undefined ? [] : [`profile ${quoted(plan.profile)}`]),
    ...(started ? [`<time>${started.at.slice(0, 16).replace("T", " ")} UTC</time>`] : []),
    ...(finished
      ? [
          `${duration(finished.seconds)}: ${finished.ran} ran, ${finished.cached} cached${finished.failed ? `, ${finished.failed} failed` : ""}`,
        ]
      : []),
  ];
  return `<p class="facts">${parts.join(" · ")}</p>`;
}

function outcome(text: string): string {
  return `<span class="badge ${text === "done" ? "good" : "bad"}">${text.replace("-", " ")}</span>`;
}

function expectations(events: readonly Event[]): string {
  const checked = events.flatMap((event) => (event.type === "expectation" ? [event] : []));
  return checked
    .map(({ text, holds, message, problem, values }) => {
      const mark = holds
        ? `<span class="badge good">holds</span>`
        : `<span class="badge bad">does not hold</span>`;
      const read = values.map((v) => `${quoted(v.text)} = ${v.value === undefined ? "?" : metric(v.value)}`);
      return `<p class="expect">${mark} <code>${quoted(text)}</code> <span class="quiet">${read.join(", ")}</span>${[message, problem].flatMap((line) => (line ? [`<br><span class="quiet">${quoted(line)}</span>`] : [])).join("")}</p>`;
    })
    .join("\n");
}

function failures(events: readonly Event[]): string {
  return events
    .flatMap((event) => (event.type === "task-failed" ? [event] : []))
    .map(
      ({ node, error, tail }) =>
        `<p><span class="badge bad">${quoted(error.code)}</span> <b>${quoted(node)}</b>: ${quoted(error.message)}${error.help ? `<br><span class="quiet">${quoted(error.help)}</span>` : ""}</p>${tail && tail.length > 0 ? `<pre>${quoted(tail.join("\n"))}</pre>` : ""}`,
    )
    .join("\n");
}

/** A table as such, with its plot; what other stages have to say as they say it. */
function result(stage: StageReport): string {
  const title = `<h3><a href="#${anchor(stage.node)}">${quoted(stage.node)}</a></h3>`;
  const drawn = stage.plot === undefined ? "" : `<div class="figure">${plot(stage.plot)}</div>`;
  const told = stage.columns
    ? samples(stage.samples, stage.columns)
    : `<pre>${quoted(stage.summary!.trimEnd())}</pre>`;
  return `${title}${drawn}${told}`;
}

function article(stage: StageReport, plots: readonly Plot[]): string {
  const { node, kind, ops, doc, state, reason, seconds, artifact, rows } = stage;
  const standing =
    seconds === undefined ? `${state === "waiting" ? "waits" : "has not run"}: ${reason}` : duration(seconds);
  return `<article id="${anchor(node)}" class="${kind}">
<h3>${quoted(node)} <span class="quiet">${quoted(ops.join(" → "))}</span></h3>
<p class="facts">${quoted(standing)}${rows === undefined ? "" : ` · ${metric(rows)} rows`}</p>
${paragraphs(doc)}
${plots.length > 0 ? `<div class="plots">${plots.map(plot).join("\n")}</div>` : ""}
${metricTable(stage)}
${stage.samples.length > 0 ? details(`First ${stage.samples.length} rows`, samples(stage.samples)) : ""}
${stage.params.length > 0 ? details("Parameters", params(stage)) : ""}
${details("Lineage", lineage(stage, artifact))}
</article>`;
}

function details(title: string, body: string): string {
  return `<details><summary>${title}</summary>${body}</details>`;
}

function metricTable({ metrics }: StageReport): string {
  // How many rows there are has been said above.
  const told = metrics.filter(({ name }) => name !== "rows");
  if (told.length === 0) return "";
  const rows = told.map(({ name, value, meaning }) => [
    `<code>${quoted(name)}</code>`,
    `<span class="number">${metric(value)}</span>`,
    `<span class="quiet">${quoted(meaning)}</span>`,
  ]);
  return table(["", "", ""], rows, "metrics");
}

function params({ params: all, ops }: StageReport): string {
  const sorted = [...all].sort((a, b) => Number(a.isDefault) - Number(b.isDefault));
  const rows = sorted.map(({ call, name, shown, from, isDefault }) => [
    `<code>${quoted(ops.length > 1 ? `${call}.${name}` : name)}</code>`,
    `<code>${quoted(shown.length > 300 ? `${shown.slice(0, 299)}…` : shown)}</code>`,
    `<span class="${isDefault ? "quiet" : ""}">${quoted(from)}</span>`,
  ]);
  return table(["parameter", "value", "from"], rows);
}

const shownFiles = 20;

function lineage({ inputs, files }: StageReport, artifact: string | undefined): string {
  const digest = (sha256: string | undefined) =>
    `<code class="digest">${sha256 === undefined ? "not run" : `sha256:${sha256.slice(0, 16)}`}</code>`;
  const rows = [
    ["<b>this artifact</b>", "", digest(artifact)],
    ...inputs.map(({ input, node, artifact: tree }) => [
      quoted(input),
      `<a href="#${anchor(node)}">${quoted(node)}</a>`,
      digest(tree),
    ]),
    ...files
      .slice(0, shownFiles)
      .map(({ name, sha256, size }) => [
        "file",
        `${quoted(name)} <span class="quiet">${bytes(size)}</span>`,
        digest(sha256),
      ]),
    ...(files.length > shownFiles ? [["", `and ${metric(files.length - shownFiles)} more files`, ""]] : []),
  ];
  return table(["", "", ""], rows);
}
