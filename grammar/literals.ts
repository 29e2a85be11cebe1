// What the text of a number or string literal stands for, and what is wrong with it.
import type { Unit } from "./ast.ts";
import { diagnose, replacement } from "./codes.ts";
import type { Diagnostic } from "./diagnostic.ts";
import type { Span } from "./source.ts";
import { listed, nearest } from "./suggest.ts";

const units: Readonly<Record<string, readonly [number, Unit]>> = {
  "%": [0.01, "%"],
  ms: [1, "ms"],
  s: [1000, "ms"],
  m: [60_000, "ms"],
  min: [60_000, "ms"],
  h: [3_600_000, "ms"],
  d: [86_400_000, "ms"],
  B: [1, "bytes"],
  KB: [1e3, "bytes"],
  MB: [1e6, "bytes"],
  GB: [1e9, "bytes"],
  TB: [1e12, "bytes"],
  KiB: [2 ** 10, "bytes"],
  MiB: [2 ** 20, "bytes"],
  GiB: [2 ** 30, "bytes"],
  TiB: [2 ** 40, "bytes"],
};

export interface ReadNumber {
  readonly value: number;
  readonly unit?: Unit;
  readonly problem?: Diagnostic;
}

/** `4_000`, `2e-5`, `10%`, `90s`, `2GiB` */
export function readNumber(image: string, path: string, span: Span): ReadNumber {
  const parts = /^([\d_.]+(?:[eE][+-]?\d+)?)(.*)$/.exec(image);
  const mantissa = Number((parts?.[1] ?? "0").replaceAll("_", ""));
  const suffix = parts?.[2] ?? "";
  if (suffix === "") return { value: mantissa };
  const unit = units[suffix];
  if (unit) {
    const [factor, kind] = unit;
    // 10% is the double nearest to 0.1, as if it were written so.
    const value = kind === "%" ? Number((mantissa / 100).toPrecision(15)) : mantissa * factor;
    return { value, unit: kind };
  }
  const place = { path, span: { start: span.start + image.length - suffix.length, end: span.end } };
  const near = nearest(suffix, Object.keys(units));
  const thousands = /^[kK]$/.test(suffix) ? `${parts![1]}_000` : undefined;
  return {
    value: mantissa,
    problem: diagnose("AL0005", {
      title: `\`${suffix}\` is not a unit`,
      at: place,
      label: "unknown unit",
      help: [
        thousands
          ? `write all the digits: \`${thousands}\``
          : near.length > 0
            ? `did you mean ${near.map((n) => `\`${parts![1]}${n}\``).join(" or ")}?`
            : `units are ${listed(Object.keys(units), 20)}`,
      ],
      fixes: thousands ? [replacement({ path, span }, thousands)] : near.map((n) => replacement(place, n)),
    }),
  };
}

export interface ReadString {
  readonly value: string;
  readonly offsets: readonly number[];
  readonly problems: readonly Diagnostic[];
}

const escapes: Readonly<Record<string, string>> = {
  n: "\n",
  t: "\t",
  r: "\r",
  '"': '"',
  "'": "'",
  "\\": "\\",
  "0": "\0",
};

/** The inside of `"…"`; `start` is the offset of its first character. */
export function readString(inside: string, start: number, path: string): ReadString {
  let value = "";
  const offsets: number[] = [];
  const problems: Diagnostic[] = [];
  const push = (text: string, at: number) => {
    for (let k = 0; k < text.length; k++) offsets.push(at);
    value += text;
  };
  for (let i = 0; i < inside.length; i++) {
    if (inside[i] !== "\\") {
      push(inside[i]!, start + i);
      continue;
    }
    const at = start + i;
    const next = inside[i + 1] ?? "";
    const unicode = /^u\{([0-9a-fA-F]{1,6})\}|^u([0-9a-fA-F]{4})/.exec(inside.slice(i + 1, i + 10));
    const point = unicode ? Number.parseInt(unicode[1] ?? unicode[2]!, 16) : -1;
    if (unicode && point <= 0x10ffff) {
      push(String.fromCodePoint(point), at);
      i += unicode[0].length;
    } else if (escapes[next] !== undefined) {
      push(escapes[next], at);
      i++;
    } else {
      problems.push(
        diagnose("AL0006", {
          title: `\`\\${next}\` is not an escape`,
          at: { path, span: { start: at, end: at + 1 + next.length } },
          label: "unknown escape",
          help: [
            "escapes are \\n, \\t, \\r, \\0, \\\", \\' , \\\\ and \\u{1F600}; write \\\\ for a backslash".replace(
              "\\' ,",
              "\\',",
            ),
          ],
        }),
      );
      push(next, at);
      i++;
    }
  }
  offsets.push(start + inside.length);
  return { value, offsets, problems };
}

/**
 * The inside of `"""…"""`: as written, without the first line break, without the indentation that all
 * lines share (the closing quotes' line counts), and without the last line break.
 */
export function readTextBlock(inside: string, start: number): ReadString {
  const lines: { text: string; at: number }[] = [];
  let at = start;
  for (const line of inside.split("\n")) {
    lines.push({ text: line.endsWith("\r") ? line.slice(0, -1) : line, at });
    at += line.length + 1;
  }
  const blank = (line: { text: string }) => line.text.trim() === "";
  const last = lines[lines.length - 1]!;
  const counted = lines.slice(1).filter((line) => !blank(line) || line === last);
  const indent = Math.min(...counted.map((l) => l.text.length - l.text.trimStart().length), 1000);
  const body = lines.map((line, i) => {
    if (i === 0) return line;
    const cut = Math.min(indent, line.text.length - line.text.trimStart().length);
    return { text: line.text.slice(cut), at: line.at + cut };
  });
  if (body.length > 1 && blank(body[0]!)) body.shift();
  if (lines.length > 1 && blank(body[body.length - 1]!)) body.pop();
  let value = "";
  const offsets: number[] = [];
  for (const [i, line] of body.entries()) {
    if (i > 0) {
      value += "\n";
      const before = body[i - 1]!;
      offsets.push(before.at + before.text.length);
    }
    value += line.text;
    for (let k = 0; k < line.text.length; k++) offsets.push(line.at + k);
  }
  offsets.push(start + inside.length);
  return { value, offsets, problems: [] };
}
