// When each stage of a run worked, as bars on one axis of time.
import type { Event } from "../../engine/index.ts";
import { duration } from "../ui/format.ts";
import { quoted } from "../ui/markup.ts";
import { anchor } from "./html.ts";
import { roundStep } from "./plot.ts";

interface Bar {
  readonly node: string;
  /** Seconds since the run began. */
  readonly from: number;
  readonly to: number;
  readonly failed: boolean;
}

export function barsOf(events: readonly Event[]): Bar[] {
  const start = Date.parse(events[0]?.at ?? "");
  const since = (at: string) => (Date.parse(at) - start) / 1000;
  const started = new Map<string, number>();
  const bars: Bar[] = [];
  for (const event of events) {
    if (event.type === "task-started") started.set(event.node, since(event.at));
    if (event.type !== "task-finished" && event.type !== "task-failed") continue;
    const from = started.get(event.node);
    if (from !== undefined)
      bars.push({ node: event.node, from, to: since(event.at), failed: event.type === "task-failed" });
  }
  return bars.sort((a, b) => a.from - b.from);
}

/** Round steps of a clock. */
const seconds = [
  0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 43_200, 86_400,
];
const row = 24;
const width = 760;

export function timeline(bars: readonly Bar[]): string {
  const names = Math.max(...bars.map(({ node }) => node.length)) * 7 + 16;
  const end = Math.max(...bars.map(({ to }) => to), 1e-3);
  const right = width - 70;
  const x = (at: number) => Math.round((names + (at / end) * (right - names)) * 10) / 10;
  const bottom = bars.length * row + 6;
  const step = seconds.find((one) => end / one <= 8) ?? roundStep([0, end]);
  const ticks = Array.from({ length: Math.floor(end / step + 1e-9) + 1 }, (_, i) => i * step);
  return `<svg class="timeline" viewBox="0 0 ${width} ${bottom + 24}" role="img" aria-label="when each stage worked">
${ticks.map((at) => `<path class="grid" d="M${x(at)} 0V${bottom}"/><text class="tick x" x="${x(at)}" y="${bottom + 16}">${duration(at)}</text>`).join("\n")}
${bars
  .map(({ node, from, to, failed }, i) => {
    const y = i * row + 5;
    const long = Math.max(2, x(to) - x(from));
    return `<a href="#${anchor(node)}"><text class="name" x="${names - 10}" y="${y + 12}">${quoted(node)}</text><rect class="bar${failed ? " failed" : ""}" x="${x(from)}" y="${y}" width="${long}" height="16" rx="3"/><text class="time" x="${x(from) + long + 6}" y="${y + 12}">${duration(to - from)}</text></a>`;
  })
  .join("\n")}
</svg>`;
}
