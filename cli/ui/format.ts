// How values are written for people: durations, rates, metrics, parameters.
import type { Json } from "../../grammar/index.ts";

/** `0.8 s`, `12 s`, `3 m 05 s`, `2 h 07 m`, `5 d 03 h`. */
export function duration(seconds: number): string {
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} m ${pad(whole % 60)} s`;
  const minutes = Math.round(whole / 60);
  if (minutes < 48 * 60) return `${Math.floor(minutes / 60)} h ${pad(minutes % 60)} m`;
  const hours = Math.round(minutes / 60);
  return `${Math.floor(hours / 24).toLocaleString("en-US")} d ${pad(hours % 24)} h`;
}

/** Four significant digits, thousands separated: `0.6931`, `12.35`, `56,194`, `2e-4`. */
export function metric(value: number): string {
  if (Number.isInteger(value)) return value.toLocaleString("en-US");
  const size = Math.abs(value);
  if (size >= 1000) return Math.round(value).toLocaleString("en-US");
  if (size < 1e-3) return value.toExponential(2).replace(/\.?0+e/, "e");
  return value
    .toPrecision(4)
    .replace(/(\.\d*?)0+$/, "$1")
    .replace(/\.$/, "");
}

/** `1.5 kB`, `23 MB`. */
export function bytes(count: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = count;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 || value >= 9.95 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

/** `1.3 M tokens`, `410 TFLOP`. */
export function quantity(count: number, unit: string): string {
  const prefixes = ["", "k", "M", "G", "T", "P", "E", "Z"];
  let [value, at] = [count, 0];
  while (value >= 999.5 && at < prefixes.length - 1) {
    value /= 1000;
    at++;
  }
  const shown = at === 0 || value >= 9.95 ? Math.round(value).toString() : value.toFixed(1);
  return unit === "FLOP"
    ? `${shown} ${prefixes[at]}${unit}`
    : `${shown}${at === 0 ? "" : ` ${prefixes[at]}`} ${unit}`;
}

/** As it would be written in a file. */
export function shownValue(value: Json): string {
  if (typeof value === "string" && /^[a-z_]\w*$/i.test(value)) return value;
  if (typeof value === "number" && value !== 0 && Math.abs(value) < 1e-3) return value.toExponential();
  if (Array.isArray(value)) return `[${value.map(shownValue).join(", ")}]`;
  return JSON.stringify(value);
}

function pad(n: number): string {
  return String(n).padStart(2, "0");
}
