// Draws curves as SVG: axes with round ticks, a faint line of what was measured and a bold one of its mean, a legend.
import { quoted } from "../ui/markup.ts";

export type Point = readonly [x: number, y: number];

export interface Series {
  readonly name: string;
  /** By x, ascending. */
  readonly points: readonly Point[];
}

export interface Plot {
  readonly title: string;
  /** What x counts: `steps`. */
  readonly unit: string;
  readonly series: readonly Series[];
}

const width = 360;
/** Where a legend that does not fit beside the title stands below it. */
const legendRow = 16;
/** Points of a drawn line: more would not be seen. */
const finest = 300;
/** A noisy line of at least so many points gets a running mean over a share of them. */
const smoothed = { from: 60, share: 1 / 25 };
/** So few points are shown as such. */
const sparse = 12;

export function plot({ title, unit, series }: Plot): string {
  const points = series.flatMap((one) => one.points);
  const beside = title.length * 7 + legendWidth(series) < width - 64;
  const shift = beside ? 0 : legendRow;
  const height = 210 + shift;
  const area = { left: 50, right: width - 14, top: 34 + shift, bottom: height - 38 };
  const x = axis(
    points.map(([at]) => at),
    [area.left, area.right],
  );
  const y = axis(
    points.map(([, value]) => value),
    [area.bottom, area.top],
  );
  const line = (kind: string, of: readonly Point[], n: number) =>
    `<path class="${kind} series-${n}" d="${of.map(([px, py], i) => `${i === 0 ? "M" : "L"}${x.at(px)} ${y.at(py)}`).join("")}"/>`;
  const lines = series.map(({ points: of }, n) => {
    const noisy = of.length >= smoothed.from;
    const mean = noisy ? runningMean(of, Math.ceil(of.length * smoothed.share)) : of;
    return `${noisy ? line("raw", thinned(of), n) : ""}${line("line", thinned(mean), n)}${of.length <= sparse ? dots(of, n) : ""}`;
  });
  function dots(of: readonly Point[], n: number): string {
    return of
      .map(([px, py]) => `<circle class="dot series-${n}" cx="${x.at(px)}" cy="${y.at(py)}" r="3"/>`)
      .join("");
  }
  return `<svg class="plot" viewBox="0 0 ${width} ${height}" role="img" aria-label="${quoted(`${title} over ${unit}`)}">
<text class="title" x="${area.left}" y="16">${quoted(title)}</text>
${y.ticks.map(({ at, text }) => `<path class="grid" d="M${area.left} ${at}H${area.right}"/><text class="tick y" x="${area.left - 7}" y="${at + 3.5}">${text}</text>`).join("\n")}
${x.ticks.map(({ at, text }) => `<path class="axis" d="M${at} ${area.bottom}v4"/><text class="tick x" x="${at}" y="${area.bottom + 16}">${text}</text>`).join("\n")}
<path class="axis" d="M${area.left} ${area.top}V${area.bottom}H${area.right}"/>
<text class="tick x" x="${(area.left + area.right) / 2}" y="${height - 6}">${quoted(unit)}</text>
${lines.join("\n")}
${series.length > 1 ? legend(series, area.right, 16 + shift) : ""}
</svg>`;
}

const entryWidth = ({ name }: Series): number => name.length * 6.1 + 29;
const legendWidth = (series: readonly Series[]): number =>
  series.length > 1 ? series.reduce((sum, one) => sum + entryWidth(one), 0) : 0;

function legend(series: readonly Series[], end: number, y: number): string {
  let right = end;
  const entries = [...series].reverse().map((one, i) => {
    const n = series.length - 1 - i;
    const text = `<text class="legend" x="${round(right)}" y="${y}">${quoted(one.name)}</text>`;
    const mark = `<path class="line series-${n}" d="M${round(right - one.name.length * 6.1 - 19)} ${y - 3.5}h10"/>`;
    right -= entryWidth(one);
    return mark + text;
  });
  return entries.join("");
}

interface Axis {
  at(value: number): number;
  readonly ticks: readonly { readonly at: number; readonly text: string }[];
}

/** From the first round number below the values to the first above them. */
function axis(values: readonly number[], [from, to]: readonly [number, number]): Axis {
  const step = roundStep(values);
  const low = Math.floor(min(values) / step + 1e-9) * step;
  const high = Math.max(Math.ceil(max(values) / step - 1e-9) * step, low + step);
  const at = (value: number) => round(from + ((value - low) / (high - low)) * (to - from));
  const count = Math.round((high - low) / step);
  const ticks = Array.from({ length: count + 1 }, (_, i) => low + i * step);
  return { at, ticks: ticks.map((value) => ({ at: at(value), text: written(value, step) })) };
}

/** 1, 2 or 5 times a power of ten, so that there are about four steps. */
export function roundStep(values: readonly number[]): number {
  const range = max(values) - min(values) || Math.abs(max(values)) || 1;
  const rough = range / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  return ([1, 2, 5].find((factor) => factor * power >= rough * 0.75) ?? 10) * power;
}

/** With as many digits as tell neighbouring ticks apart. */
function written(value: number, step: number): string {
  if (Math.abs(value) < step / 2) return "0";
  if (step < 1e-3 || step >= 1e6)
    return value.toExponential(Math.max(0, digits(value) - digits(step))).replace("e+", "e");
  const decimals = Math.max(0, -digits(step));
  return value >= 1e4 ? value.toLocaleString("en-US") : value.toFixed(decimals);
}

function digits(value: number): number {
  return Math.floor(Math.log10(Math.abs(value)) + 1e-9);
}

/** Of the points up to each one. */
export function runningMean(points: readonly Point[], window: number): Point[] {
  let sum = 0;
  return points.map(([x, y], i) => {
    sum += y - (i >= window ? points[i - window]![1] : 0);
    return [x, sum / Math.min(i + 1, window)];
  });
}

/** The least and greatest of each run of neighbours: peaks stay where they are. */
export function thinned(points: readonly Point[]): readonly Point[] {
  if (points.length <= finest) return points;
  const size = Math.ceil((2 * points.length) / finest);
  const kept: Point[] = [];
  for (let i = 0; i < points.length; i += size) {
    const group = points.slice(i, i + size).sort((a, b) => a[1] - b[1]);
    kept.push(...[group[0]!, group.at(-1)!].sort((a, b) => a[0] - b[0]));
  }
  return kept;
}

function min(values: readonly number[]): number {
  return values.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
}

function max(values: readonly number[]): number {
  return values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
