// Diagnostics as frames: the lines of the source with a mark under each end of the problem.
import type { Diagnostic, Label } from "../diagnostic.ts";
import { positionAt, type Source } from "../source.ts";
import { charWidth, textWidth } from "./text-width.ts";

export interface RenderOptions {
  readonly color?: boolean | undefined;
  /** Columns of the terminal; 0 is no limit. */
  readonly width?: number | undefined;
}

const tabStop = 4;

type Paint = (style: "error" | "warning" | "frame" | "strong" | "help" | "related", text: string) => string;

const codes = { error: "1;31", warning: "1;33", frame: "34", strong: "1", help: "36", related: "34" };

/** One text of all diagnostics, each ended by an empty line. */
export function render(
  diagnostics: readonly Diagnostic[],
  sources: readonly Source[],
  options: RenderOptions = {},
): string {
  const paint: Paint = options.color
    ? (style, text) => `\x1b[${codes[style]}m${text}\x1b[0m`
    : (_, text) => text;
  return diagnostics.map((d) => `${frame(d, sources, paint, options.width ?? 0)}\n`).join("\n");
}

/** `2 errors and 1 warning` */
export function summarize(diagnostics: readonly Diagnostic[]): string {
  const count = (severity: string) => diagnostics.filter((d) => d.severity === severity).length;
  const parts = (["error", "warning"] as const).flatMap((s) =>
    count(s) > 0 ? [`${count(s)} ${s}${count(s) === 1 ? "" : "s"}`] : [],
  );
  return parts.join(" and ") || "no problems";
}

function frame(d: Diagnostic, sources: readonly Source[], paint: Paint, width: number): string {
  const out = [`${paint(d.severity, `${d.severity}[${d.code}]`)}${paint("strong", `: ${d.title}`)}`];
  const files = groupByFile(d.labels, sources);
  const gutter = Math.max(1, ...files.flatMap((f) => f.lines.map((l) => l.numbered.length)));
  const pad = " ".repeat(gutter);
  const rule = paint("frame", "|");
  for (const [i, file] of files.entries()) {
    const arrow = paint("frame", i === 0 ? "-->" : ":::");
    out.push(`${pad}${arrow} ${file.heading}`, `${pad} ${rule}`);
    let last: number | undefined;
    for (const line of file.lines) {
      if (last !== undefined && line.number === last + 2) {
        const between = file.source.text.split("\n")[last]!.replace(/\r$/, "");
        const shown = crop(expand(between), [], width, gutter).text;
        out.push(`${paint("frame", String(last + 1).padStart(gutter))} ${rule} ${shown}`.trimEnd());
      } else if (last !== undefined && line.number > last + 1) out.push(paint("frame", "..."));
      last = line.number;
      out.push(...drawLine(line, gutter, paint, width, d.severity, rule));
    }
  }
  const notes = [
    ...d.notes.map((text) => ["note", text] as const),
    ...d.help.map((text) => ["help", text] as const),
  ];
  if (notes.length > 0 && files.length > 0) out.push(`${pad} ${rule}`);
  for (const [kind, text] of notes) {
    const start = `${pad} ${paint("frame", "=")} ${paint("help", kind)}: `;
    const indent = " ".repeat(gutter + 3 + kind.length + 2);
    const lines = text.split("\n").flatMap((l) => wrap(l, width - indent.length));
    out.push(...lines.map((l, i) => (i === 0 ? start : indent) + l));
  }
  return out.join("\n");
}

interface Marked {
  readonly number: number;
  /** As printed in the gutter; empty for what is not a line of a file. */
  readonly numbered: string;
  readonly text: string;
  readonly marks: readonly Mark[];
}

interface Mark {
  /** Half-open range of UTF-16 offsets in the line. */
  readonly from: number;
  readonly to: number;
  readonly text: string;
  readonly primary: boolean;
}

interface FileFrame {
  readonly source: Source;
  readonly heading: string;
  readonly lines: readonly Marked[];
}

function groupByFile(labels: readonly Label[], sources: readonly Source[]): FileFrame[] {
  const paths = [...new Set(labels.map((l) => l.place.path))];
  return paths.map((path) => {
    const own = labels.filter((l) => l.place.path === path);
    const source = sources.find((s) => s.path === path) ?? argument(path);
    const first = own.find((l) => l.primary) ?? own[0]!;
    if (!source) return { source: { path, text: "" }, heading: path, lines: [] };
    const isFile = sources.includes(source);
    const at = positionAt(source, first.place.span.start);
    const heading = isFile ? `${path}:${at.line}:${at.column}` : path;
    return { source, heading, lines: linesOf(source, own, isFile) };
  });
}

/** `--set beta=-1` has no file: the argument itself is what can be shown. */
function argument(path: string): Source | undefined {
  const found = /^--\S+ (.*)$/s.exec(path);
  return found ? { path, text: found[1]! } : undefined;
}

function linesOf(source: Source, labels: readonly Label[], isFile: boolean): Marked[] {
  const lines = source.text.split("\n");
  const starts: number[] = [];
  let offset = 0;
  for (const line of lines) {
    starts.push(offset);
    offset += line.length + 1;
  }
  const marked = new Map<number, Mark[]>();
  for (const { place, text, primary } of labels) {
    const { line, column } = positionAt(source, Math.min(place.span.start, source.text.length));
    const content = lines[line - 1]!.replace(/\r$/, "");
    const from = Math.min(column - 1, content.length);
    const to = Math.max(from + 1, Math.min(place.span.end - starts[line - 1]!, content.length));
    marked.set(line, [...(marked.get(line) ?? []), { from, to, text, primary }]);
  }
  return [...marked.entries()]
    .sort(([a], [b]) => a - b)
    .map(([number, marks]) => ({
      number,
      numbered: isFile ? String(number) : "",
      text: lines[number - 1]!.replace(/\r$/, ""),
      marks,
    }));
}

/** A line with tabs made spaces, and the column of each of its offsets. */
interface Expanded {
  readonly text: string;
  readonly columns: readonly number[];
}

function expand(line: string): Expanded {
  let text = "";
  let column = 0;
  const columns: number[] = [];
  for (const char of line) {
    for (let k = 0; k < char.length; k++) columns.push(column);
    const width = char === "\t" ? tabStop - (column % tabStop) : charWidth(char);
    text += char === "\t" ? " ".repeat(width) : width === 0 && char < " " ? "" : char;
    column += width;
  }
  columns.push(column, column + 1);
  return { text, columns };
}

interface Drawn {
  readonly from: number;
  readonly to: number;
  readonly text: string;
  readonly primary: boolean;
}

/** Cuts a line that is wider than the terminal to the part around its marks. */
function crop(
  line: Expanded,
  marks: readonly Drawn[],
  width: number,
  gutter: number,
): { text: string; marks: readonly Drawn[] } {
  const room = width - gutter - 3;
  if (width === 0 || room < 20 || textWidth(line.text) <= room) return { text: line.text, marks };
  const first = Math.min(...marks.map((m) => m.from), textWidth(line.text));
  const last = Math.max(...marks.map((m) => m.to), 0);
  const fits = last <= room - 1;
  const start =
    fits || marks.length === 0 ? 0 : Math.max(0, Math.min(first - 8, last - Math.floor(room / 2)));
  const end = start + room - (start > 0 ? 2 : 1);
  let shown = "";
  let column = 0;
  for (const char of line.text) {
    const w = charWidth(char);
    if (column >= start && column + w <= end) shown += char;
    column += w;
  }
  const shift = start === 0 ? 0 : start - 1;
  const text = `${start > 0 ? "…" : ""}${shown}${column > end ? "…" : ""}`;
  const moved = marks.map((m) => {
    const from = Math.min(Math.max(m.from - shift, 0), room - 1);
    return { ...m, from, to: Math.max(from + 1, Math.min(m.to - shift, room)) };
  });
  return { text, marks: moved };
}

function drawLine(
  line: Marked,
  gutter: number,
  paint: Paint,
  width: number,
  severity: Diagnostic["severity"],
  rule: string,
): string[] {
  const expanded = expand(line.text);
  const placed = line.marks.map((m) => {
    const from = expanded.columns[m.from] ?? 0;
    return { ...m, from, to: Math.max(from + 1, expanded.columns[m.to] ?? from + 1) };
  });
  const { text, marks } = crop(expanded, placed, width, gutter);
  const pad = " ".repeat(gutter);
  const number = paint("frame", line.numbered.padStart(gutter));
  const rows = [`${number} ${rule} ${text}`.trimEnd()];
  for (const layer of layers(marks)) {
    for (const row of drawMarks(layer, paint, severity)) rows.push(`${pad} ${rule} ${row}`);
  }
  return rows;
}

/** Marks that overlap are drawn on lines of their own. */
function layers(marks: readonly Drawn[]): Drawn[][] {
  const result: Drawn[][] = [];
  for (const mark of [...marks].sort((a, b) => a.from - b.from || a.to - b.to)) {
    const free = result.find((layer) => layer.every((m) => m.to <= mark.from || mark.to <= m.from));
    if (free) free.push(mark);
    else result.push([mark]);
  }
  return result;
}

/** The underlines, the last label beside its own, the others below, from the right. */
function drawMarks(marks: readonly Drawn[], paint: Paint, severity: Diagnostic["severity"]): string[] {
  const styleOf = (m: Drawn) => (m.primary ? severity : "related");
  let underlines = "";
  let column = 0;
  for (const m of marks) {
    underlines +=
      " ".repeat(m.from - column) + paint(styleOf(m), (m.primary ? "^" : "-").repeat(m.to - m.from));
    column = m.to;
  }
  const last = marks[marks.length - 1]!;
  const rows = [last.text ? `${underlines} ${paint(styleOf(last), last.text)}` : underlines];
  const waiting = marks.slice(0, -1).filter((m) => m.text !== "");
  while (waiting.length > 0) {
    const bars = (of: readonly Drawn[]) => {
      let row = "";
      let at = 0;
      for (const m of of) {
        row += " ".repeat(m.from - at) + paint(styleOf(m), "|");
        at = m.from + 1;
      }
      return { row, at };
    };
    rows.push(bars(waiting).row);
    const current = waiting.pop()!;
    const { row, at } = bars(waiting);
    rows.push(`${row}${" ".repeat(current.from - at)}${paint(styleOf(current), current.text)}`);
  }
  return rows;
}

function wrap(text: string, width: number): string[] {
  if (width < 30 || textWidth(text) <= width || /^\s|\s{2}/.test(text)) return [text];
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && textWidth(line) + 1 + textWidth(word) > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
