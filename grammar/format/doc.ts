// A document that knows where it may break: Wadler's algebra, with comments that end their line.

export type Doc =
  | { readonly kind: "text"; readonly text: string; readonly hard: boolean; readonly open: boolean }
  /** Flat: `flat`. Broken: a new line. */
  | {
      readonly kind: "line";
      readonly flat: string;
      readonly blank: boolean;
      readonly hard: boolean;
      readonly open: false;
    }
  /** Runs to the end of its line: whatever comes next starts a new one. */
  | {
      readonly kind: "comment";
      readonly text: string;
      readonly own: boolean;
      readonly hard: boolean;
      readonly open: true;
    }
  | {
      readonly kind: "concat";
      readonly parts: readonly Doc[];
      readonly hard: boolean;
      readonly open: boolean;
    }
  | { readonly kind: "indent"; readonly inner: Doc; readonly hard: boolean; readonly open: boolean }
  | { readonly kind: "group"; readonly inner: Doc; readonly hard: boolean; readonly open: boolean };

export const text = (value: string): Doc => ({ kind: "text", text: value, hard: false, open: false });
export const nothing: Doc = text("");

/** A space, or a new line. */
export const line: Doc = { kind: "line", flat: " ", blank: false, hard: false, open: false };
/** Nothing, or a new line. */
export const softline: Doc = { kind: "line", flat: "", blank: false, hard: false, open: false };
/** A new line, always. */
export const hardline: Doc = { kind: "line", flat: "", blank: false, hard: true, open: false };
/** A new line after an empty one. */
export const blankline: Doc = { kind: "line", flat: "", blank: true, hard: true, open: false };

/** After other text on its line. */
export const trailing = (value: string): Doc => ({
  kind: "comment",
  text: value,
  own: false,
  hard: false,
  open: true,
});
/** On a line of its own. */
export const ownLine = (value: string): Doc => ({
  kind: "comment",
  text: value,
  own: true,
  hard: true,
  open: true,
});

export const concat = (...parts: readonly Doc[]): Doc => sequence(parts);

/** As `concat`, for as many parts as there are. */
export function sequence(parts: readonly Doc[]): Doc {
  const real = parts.filter((p) => p !== nothing);
  if (real.length === 1) return real[0]!;
  return {
    kind: "concat",
    parts: real,
    // A comment with something after it breaks the line between them.
    hard: real.some((p, i) => p.hard || (p.open && i < real.length - 1)),
    open: real.at(-1)?.open ?? false,
  };
}

export const indent = (inner: Doc): Doc => ({ kind: "indent", inner, hard: inner.hard, open: inner.open });
/** Flat where it fits, else every line of it that is in no smaller group is a new one. */
export const group = (inner: Doc): Doc => ({ kind: "group", inner, hard: inner.hard, open: inner.open });

interface Command {
  readonly depth: number;
  readonly flat: boolean;
  readonly doc: Doc;
}

const step = "  ";

/** The text of a document, its lines joined by `eol`; a document starts at the start of a line. */
export function print(doc: Doc, width: number, eol: string): string {
  const out: string[] = [];
  const stack: Command[] = [{ depth: 0, flat: false, doc }];
  let column = 0;
  let atStart = true;
  /** Behind a comment: how deep what follows it is, should no new line come first. */
  let afterComment: number | undefined;
  const newline = (depth: number, blank: boolean) => {
    while (out.length > 0 && /^ *$/.test(out.at(-1)!)) out.pop();
    out.push(blank ? eol + eol : eol, step.repeat(depth));
    column = depth * step.length;
    afterComment = undefined;
    atStart = true;
  };
  while (stack.length > 0) {
    const { depth, flat, doc: next } = stack.pop()!;
    switch (next.kind) {
      case "text": {
        if (next.text === "") break;
        const value = afterComment === undefined ? next.text : next.text.trimStart();
        if (value === "") break;
        if (afterComment !== undefined) newline(afterComment, false);
        out.push(value);
        const last = value.lastIndexOf("\n");
        column = last < 0 ? column + value.length : value.length - last - 1;
        atStart = false;
        break;
      }
      case "line":
        if (flat && !next.hard) {
          out.push(next.flat);
          column += next.flat.length;
        } else newline(depth, next.blank);
        break;
      case "comment":
        if (next.own && !atStart) newline(depth, false);
        out.push(atStart ? next.text : step + next.text);
        afterComment = next.own ? depth : depth + 1;
        atStart = false;
        break;
      case "concat":
        for (let i = next.parts.length - 1; i >= 0; i--) stack.push({ depth, flat, doc: next.parts[i]! });
        break;
      case "indent":
        stack.push({ depth: depth + 1, flat, doc: next.inner });
        break;
      case "group":
        stack.push({
          depth,
          flat: !next.hard && (flat || fits(next.inner, stack, width - column)),
          doc: next.inner,
        });
        break;
    }
  }
  return out.join("");
}

/** Whether `doc`, flat, and what follows it up to the next possible line end fit into `room`. */
function fits(doc: Doc, rest: readonly Command[], room: number): boolean {
  const stack: { flat: boolean; doc: Doc }[] = [{ flat: true, doc }];
  let left = room;
  let behind = rest.length;
  while (left >= 0) {
    let next = stack.pop();
    if (!next) {
      if (behind === 0) return true;
      next = rest[--behind]!;
    }
    const { flat, doc: d } = next;
    switch (d.kind) {
      case "text": {
        const end = d.text.search(/[\n\r]/);
        if (end >= 0) return end <= left;
        left -= d.text.length;
        break;
      }
      case "line":
        if (!flat || d.hard) return true;
        left -= d.flat.length;
        break;
      case "comment":
        return true;
      case "concat":
        for (let i = d.parts.length - 1; i >= 0; i--) stack.push({ flat, doc: d.parts[i]! });
        break;
      case "indent":
        stack.push({ flat, doc: d.inner });
        break;
      case "group":
        stack.push({ flat: flat && !d.hard, doc: d.inner });
        break;
    }
  }
  return false;
}
