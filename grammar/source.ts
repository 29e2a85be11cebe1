// Source text and positions in it: every later answer of the language points back here.

/** Half-open range of UTF-16 offsets into one source. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export interface Source {
  /** As the user named it; shown in messages, never part of a key. */
  readonly path: string;
  readonly text: string;
}

export interface Position {
  /** 1-based. */
  readonly line: number;
  /** 1-based, in UTF-16 code units. */
  readonly column: number;
}

/** A place in one of several files. */
export interface Place {
  readonly path: string;
  readonly span: Span;
}

export function positionAt(source: Source, offset: number): Position {
  let line = 1;
  let lineStart = 0;
  for (let i = source.text.indexOf("\n"); i !== -1 && i < offset; i = source.text.indexOf("\n", i + 1)) {
    line++;
    lineStart = i + 1;
  }
  return { line, column: offset - lineStart + 1 };
}

export function join(a: Span, b: Span): Span {
  return { start: Math.min(a.start, b.start), end: Math.max(a.end, b.end) };
}
