// Text → the same text, laid out. Total: a declaration that could not be read stays as it is written, comments are never lost.
import type { CstNode, IToken } from "chevrotain";
import { readFile } from "../parse.ts";
import type { Source, Span } from "../source.ts";
import { lex } from "../tokens.ts";
import {
  blankline,
  concat,
  type Doc,
  hardline,
  nothing,
  ownLine,
  print,
  sequence,
  text,
  trailing,
} from "./doc.ts";
import { blankBefore, type Columns, elements, Layout, type Remarks } from "./layout.ts";

export interface FormatOptions {
  /** Lines longer than this are broken where they can be. */
  readonly width?: number;
}

/** The width of a line that nobody asked another for. */
const usualWidth = 110;

/** What is laid out as one: a declaration, or text that could not be read. */
interface Unit {
  readonly start: number;
  readonly end: number;
  /** Absent for text that stays as written. */
  readonly node?: CstNode;
}

export function format(source: Source, options: FormatOptions = {}): string {
  const formatted = layOut(source, options.width ?? usualWidth);
  // Where a new line would change what a word means, the file is left as it is.
  return sameTokens(source.text, formatted) ? formatted : source.text;
}

/** Every token and comment, in order; what spaces there are between them does not matter. */
export function spelling(source: string): string[] {
  const lexed = lex(source);
  const stray = lexed.errors.map((e) => ({
    startOffset: e.offset,
    image: source.slice(e.offset, e.offset + e.length),
    tokenType: { name: "Stray" },
  }));
  return [...lexed.tokens, ...lexed.comments, ...stray]
    .sort((a, b) => a.startOffset - b.startOffset)
    .map((t) => `${t.tokenType.name} ${t.image.trimEnd()}`);
}

function sameTokens(a: string, b: string): boolean {
  const [x, y] = [spelling(a), spelling(b)];
  return x.length === y.length && x.every((t, i) => t === y[i]);
}

function layOut(source: Source, width: number): string {
  const { read, diagnostics } = readFile(source);
  // Brackets too deep to be read are too deep to be laid out.
  if (!read) return source.text;
  const { tokens, comments } = read.lexed;
  const eol = endOfLine(source.text);
  const problems = diagnostics.map((d) => d.labels[0]!.place.span);
  const strays: Span[] = read.lexed.errors.map((e) => ({ start: e.offset, end: e.offset + e.length }));
  const units = unitsOf(source.text, read.cst, tokens, [...problems, ...strays], strays);
  const { remarks, last } = remarksOf(source.text, tokens, comments, units);
  const layout = new Layout(source.text, remarks);
  const columns = columnsOf(units, layout, remarks, source.text, width);

  const parts: Doc[] = [];
  const add = (doc: Doc, start: number) => {
    if (parts.length > 0) parts.push(blankBefore(source.text, start) ? blankline : hardline);
    parts.push(doc);
  };
  for (const unit of units) {
    const first = firstTokenAt(tokens, unit.start);
    for (const c of (first && remarks.before.get(first)) ?? [])
      add(ownLine(c.image.trimEnd()), c.startOffset);
    add(
      unit.node
        ? layout.declaration(unit.node, columns.get(unit))
        : asWritten(source.text, unit, tokens, remarks),
      unit.start,
    );
  }
  for (const c of last) add(ownLine(c.image.trimEnd()), c.startOffset);
  if (parts.length === 0) return "";
  const printed = print(sequence(parts), width, eol);
  return tokens.at(-1)?.tokenType.name === "UnclosedTextBlock" ? printed : printed + eol;
}

/** As the last line of the text ends, so that the answer does not change what it would be next time. */
function endOfLine(source: string): string {
  const end = source.lastIndexOf("\n");
  return end > 0 && source[end - 1] === "\r" ? "\r\n" : "\n";
}

function asWritten(source: string, unit: Unit, tokens: readonly IToken[], remarks: Remarks): Doc {
  const margin = /[^\S\n]*$/.exec(source.slice(source.lastIndexOf("\n", unit.start - 1) + 1, unit.start))![0];
  const lastToken = tokens.findLast((t) => t.startOffset < unit.end && t.startOffset >= unit.start);
  const behind = lastToken && remarks.behind.get(lastToken);
  return concat(
    text(margin + source.slice(unit.start, unit.end)),
    behind ? trailing(behind.image.trimEnd()) : nothing,
  );
}

function unitsOf(
  source: string,
  cst: CstNode,
  tokens: readonly IToken[],
  problems: readonly Span[],
  strays: readonly Span[],
): Unit[] {
  const sound: Unit[] = ((cst.children.declaration ?? []) as CstNode[]).flatMap((node) => {
    const span = soundSpan(node);
    if (!span || problems.some((p) => concerns(p, span))) return [];
    return [{ ...span, node }];
  });
  // Whatever is in no sound declaration stays as written, with what is on the same line.
  const pieces: Unit[] = [...sound];
  let at = 0;
  const rest = [
    ...tokens.map((t) => ({ start: t.startOffset, end: t.startOffset + t.image.length })),
    ...strays,
  ];
  for (const piece of rest.sort((a, b) => a.start - b.start)) {
    while (at < sound.length && sound[at]!.end <= piece.start) at++;
    if (!(at < sound.length && sound[at]!.start <= piece.start)) pieces.push(piece);
  }
  const units: Unit[] = [];
  for (const piece of pieces.sort((a, b) => a.start - b.start)) {
    const before = units.at(-1);
    const between = before ? source.slice(before.end, piece.start) : "";
    const joined =
      before && (!before.node || !piece.node) && (!between.includes("\n") || (!before.node && !piece.node));
    if (joined) units[units.length - 1] = { start: before.start, end: piece.end };
    else units.push(piece);
  }
  return units;
}

/** Whether a problem is inside; one that has no length may stand at its end. */
function concerns(problem: Span, { start, end }: Span): boolean {
  if (problem.start === problem.end) return problem.start >= start && problem.start <= end;
  return problem.start < end && problem.end > start;
}

/** Where a declaration stands; undefined when something in it is made up or missing. */
function soundSpan(node: CstNode): Span | undefined {
  let [start, end] = [Number.POSITIVE_INFINITY, 0];
  const stack: CstNode[] = [node];
  while (stack.length > 0) {
    const next = stack.pop()!;
    if (next.recoveredNode) return undefined;
    for (const children of Object.values(next.children)) {
      for (const e of children) {
        if (!("image" in e)) stack.push(e);
        else if (Number.isNaN(e.startOffset)) return undefined;
        else {
          start = Math.min(start, e.startOffset);
          end = Math.max(end, e.startOffset + e.image.length);
        }
      }
    }
  }
  return end === 0 ? undefined : { start, end };
}

/** Which comment belongs to which token; those inside of text that stays as written are part of it. */
function remarksOf(
  source: string,
  tokens: readonly IToken[],
  comments: readonly IToken[],
  units: readonly Unit[],
): { remarks: Remarks; last: readonly IToken[] } {
  const before = new Map<IToken, IToken[]>();
  const behind = new Map<IToken, IToken>();
  const last: IToken[] = [];
  let at = 0;
  let unit = 0;
  for (const c of comments) {
    while (unit < units.length && units[unit]!.end <= c.startOffset) unit++;
    const around = units[unit];
    if (around && !around.node && around.start <= c.startOffset) continue;
    while (at < tokens.length && tokens[at]!.startOffset < c.startOffset) at++;
    const previous = tokens[at - 1];
    const next = tokens[at];
    const gap = previous && source.slice(previous.startOffset + previous.image.length, c.startOffset);
    if (previous && gap !== undefined && !/[\n\r]/.test(gap) && !behind.has(previous))
      behind.set(previous, c);
    else if (next) before.set(next, [...(before.get(next) ?? []), c]);
    else last.push(c);
  }
  return { remarks: { before, behind }, last };
}

function firstTokenAt(tokens: readonly IToken[], start: number): IToken | undefined {
  let low = 0;
  let high = tokens.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (tokens[middle]!.startOffset < start) low = middle + 1;
    else high = middle;
  }
  return tokens[low]?.startOffset === start ? tokens[low] : undefined;
}

/** Neighbours that each fit on a line have their names and `=` one below the other. */
function columnsOf(
  units: readonly Unit[],
  layout: Layout,
  remarks: Remarks,
  source: string,
  width: number,
): Map<Unit, Columns> {
  const columns = new Map<Unit, Columns>();
  let run: { unit: Unit; kind: number; name: number; length: number }[] = [];
  let ofFamilies = false;
  const close = () => {
    const kind = Math.max(...run.map((r) => r.kind));
    const name = Math.max(...run.map((r) => r.name));
    if (run.length > 1 && run.every((r) => r.length + kind - r.kind + name - r.name <= width))
      for (const r of run) columns.set(r.unit, { kind: kind - r.kind, name: name - r.name });
    run = [];
  };
  for (const unit of units) {
    const node = unit.node && (elements(unit.node).find((e) => !("image" in e)) as CstNode);
    const plain = node?.name === "node" && node.children.Equals && !unit.node!.children.Export;
    const head = plain ? (elements(node) as IToken[]) : undefined;
    const laid = head && unit.node ? print(layout.declaration(unit.node), width, "\n") : "\n";
    const apart = blankBefore(source, unit.start) || (head !== undefined && remarks.before.has(head[0]!));
    // A family's name is long: families line up with families.
    const family = node?.children.dimensions !== undefined;
    if (apart || laid.includes("\n") || family !== ofFamilies) close();
    ofFamilies = family;
    if (head && !laid.includes("\n"))
      run.push({ unit, kind: head[0]!.image.length, name: nameWidth(laid), length: laid.length });
  }
  close();
  return columns;
}

/** Of a declaration laid out on one line: from its name to what is before ` =`, dimensions included. */
function nameWidth(laid: string): number {
  return laid.indexOf(" = ") - laid.indexOf(" ") - 1;
}
