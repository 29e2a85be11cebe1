// How each rule of the grammar is laid out. Every token is printed once and as it is, with the comments around it.
import type { CstNode, IToken } from "chevrotain";
import { grouped } from "../operators.ts";
import { Not } from "../tokens.ts";
import {
  blankline,
  concat,
  type Doc,
  group,
  hardline,
  indent,
  line,
  nothing,
  ownLine,
  sequence,
  softline,
  text,
  trailing,
} from "./doc.ts";

export interface Remarks {
  /** On lines of their own before a token. */
  readonly before: ReadonlyMap<IToken, readonly IToken[]>;
  /** Behind a token, on its line. */
  readonly behind: ReadonlyMap<IToken, IToken>;
}

/** Spaces after the kind and after the name, so that neighbours line up. */
export interface Columns {
  readonly kind: number;
  readonly name: number;
}

type Element = CstNode | IToken;

const isToken = (e: Element): e is IToken => "image" in e;

const isComma = (e: Element): boolean => isToken(e) && e.image === ",";

const ordered = new WeakMap<CstNode, readonly Element[]>();

/** What is in a node, in the order of the text. */
export function elements(node: CstNode): readonly Element[] {
  const known = ordered.get(node);
  if (known) return known;
  const lists = Object.values(node.children);
  const found = lists.length === 1 ? lists[0]! : lists.flat().sort((a, b) => startOf(a) - startOf(b));
  ordered.set(node, found);
  return found;
}

/** Only what could be read is laid out, and there the parser knows where each rule began. */
function startOf(e: Element): number {
  return isToken(e) ? e.startOffset : e.location!.startOffset;
}

function firstToken(e: Element): IToken | undefined {
  return isToken(e) ? e : elements(e)[0] && firstToken(elements(e)[0]!);
}

function lastToken(e: Element): IToken {
  return isToken(e) ? e : lastToken(elements(e).at(-1)!);
}

export class Layout {
  readonly #source: string;
  readonly #remarks: Remarks;

  constructor(source: string, remarks: Remarks) {
    this.#source = source;
    this.#remarks = remarks;
  }

  /** A declaration, without the comments above it. */
  declaration(node: CstNode, columns?: Columns): Doc {
    const all = elements(node);
    const inner = all.find((e) => !isToken(e)) as CstNode;
    const behind = all.slice(all.indexOf(inner) + 1);
    return concat(
      ...all.slice(0, all.indexOf(inner)).flatMap((t) => [this.#token(t as IToken, false), text(" ")]),
      this.#declared(inner, columns),
      ...behind.map((t) => this.#any(t)),
    );
  }

  #declared(node: CstNode, columns: Columns | undefined): Doc {
    const [kind, ...rest] = elements(node);
    if (node.name === "importation") return this.#importation(elements(node));
    const parts: Doc[] = [this.#token(kind as IToken, false)];
    if (columns) parts.push(text(" ".repeat(columns.kind)));
    for (const [i, e] of rest.entries()) {
      if (isToken(e) && (e.image === ":" || e.image === ",")) parts.push(this.#token(e));
      else if (!isToken(e) && (e.name === "dimensions" || e.name === "index")) parts.push(this.#any(e));
      else if (isToken(e) && e.image === "{")
        return concat(...parts, text(" "), this.#overrides(rest.slice(i)));
      else {
        const gap = columns && isToken(e) && e.image === "=" ? " ".repeat(columns.name) : "";
        parts.push(text(` ${gap}`), this.#any(e));
      }
    }
    return concat(...parts);
  }

  /** `import { a, b as c } from "file"` */
  #importation(all: readonly Element[]): Doc {
    const close = all.findIndex((e) => isToken(e) && e.image === "}");
    return concat(
      this.#token(all[0] as IToken, false),
      text(" "),
      this.#block(all.slice(1, close + 1)),
      ...all.slice(close + 1).flatMap((e) => [text(" "), this.#any(e)]),
    );
  }

  /** `{ declaration* }` of a profile. */
  #overrides(all: readonly Element[]): Doc {
    const open = all[0] as IToken;
    const close = all.at(-1) as IToken;
    const inside = all.slice(1, -1) as CstNode[];
    const apart = inside.slice(0, -1).some((d) => !d.children.Semicolon) || this.#breaksAfter(open);
    const items = inside.map((d, i) => {
      const first = firstToken(d)!;
      const above = this.#above(first);
      const before = i === 0 ? nothing : this.#blankBefore(above[0] ?? first) ? blankline : hardline;
      const remarks = above.flatMap((c, k) => {
        const next = above[k + 1] ?? first;
        return [ownLine(c.image.trimEnd()), this.#blankBefore(next) ? blankline : hardline];
      });
      return [i > 0 && !apart ? line : before, ...remarks, this.declaration(d)];
    });
    return this.#bracketed(open, items.flat(), close, line, apart);
  }

  #any(e: Element): Doc {
    if (isToken(e)) return this.#token(e);
    const parts = elements(e);
    switch (e.name) {
      case "block":
        return this.#block(parts);
      case "entry":
      case "argument":
        return concat(
          ...parts.map((p, i) =>
            i > 0 && !isToken(p) && isToken(parts[i - 1]!) ? concat(text(" "), this.#any(p)) : this.#any(p),
          ),
        );
      case "arguments":
      case "list":
      case "index":
      case "dimensions":
        return this.#items(parts);
      case "dimension":
      case "importedName":
        return concat(
          ...parts.map((p, i) => (i > 0 && !isComma(p) ? concat(text(" "), this.#any(p)) : this.#any(p))),
        );
      case "value":
        return this.#chain(e);
      case "operand":
        return concat(
          ...parts.map((p) =>
            isToken(p) && p.tokenType === Not ? concat(this.#token(p), text(" ")) : this.#any(p),
          ),
        );
      case "bound":
        return concat(
          ...parts.map((p, i) => (isToken(p) && i === 0 ? concat(this.#token(p), text(" ")) : this.#any(p))),
        );
      case "type":
        return this.#type(parts);
      default:
        return concat(...parts.map((p) => this.#any(p)));
    }
  }

  /** `float(> 0)`, `"a" | "b"` */
  #type(parts: readonly Element[]): Doc {
    const open = parts.findIndex((p) => isToken(p) && p.image === "(");
    if (open < 0) return this.#joined(parts.map((p) => this.#any(p)));
    return concat(...parts.slice(0, open).map((p) => this.#any(p)), this.#items(parts.slice(open)));
  }

  /** Operands and what is between them, alternating. */
  #joined([first, ...rest]: readonly Doc[]): Doc {
    if (rest.length === 0) return first!;
    const tail = rest.map((doc, i) => (i % 2 === 0 ? concat(line, doc, text(" ")) : doc));
    return group(concat(first!, indent(sequence(tail))));
  }

  /** `rows |> f() |> g() as Row` */
  #chain(node: CstNode): Doc {
    const { operand = [], Operator = [], step = [] } = node.children;
    // What binds loosest is broken first.
    const head = grouped<Doc>(Operator as IToken[], {
      operand: (i) => this.#any(operand[i]!),
      join: (docs, between) =>
        this.#joined(docs.flatMap((doc, i) => (i === 0 ? doc : [this.#token(between[i - 1]!), doc]))),
    });
    if (step.length === 0) return head;
    const laid = (step as CstNode[]).map((s) => {
      const [sign, what] = elements(s);
      const pipe = s.children.Pipe !== undefined;
      return concat(pipe ? line : text(" "), this.#any(sign!), text(" "), this.#any(what!));
    });
    return group(concat(head, indent(sequence(laid))));
  }

  /** `(a, b)`, `[a, b]` */
  #items(parts: readonly Element[]): Doc {
    const inside = parts.slice(1, -1);
    return this.#bracketed(
      parts[0] as IToken,
      this.#separated(inside, false),
      parts.at(-1) as IToken,
      softline,
      false,
    );
  }

  /** `{ a: 1, b: 2 }`: over several lines where its author began a new one. */
  #block(parts: readonly Element[]): Doc {
    const open = parts[0] as IToken;
    const entries = parts.slice(1, -1);
    const apart = entries.length > 0 && this.#breaksAfter(open);
    return this.#bracketed(open, this.#separated(entries, apart), parts.at(-1) as IToken, line, apart);
  }

  /** Items with the commas between them, which may be in the items or beside them. */
  #separated(parts: readonly Element[], keepBlank: boolean): Doc[] {
    return parts.flatMap((p, i) => {
      const before = parts[i - 1];
      if (before === undefined || (isToken(p) && p.image === ",")) return [this.#any(p)];
      const first = firstToken(p)!;
      const start = this.#above(first)[0] ?? first;
      // On one line a comma must stand between; where none does, its author began a new line.
      const divided = lastToken(before).image === ",";
      const blank = keepBlank && this.#blankBefore(start);
      const together = keepBlank && divided && !this.#startsLine(start);
      return [blank ? blankline : together ? group(line) : divided ? line : hardline, this.#any(p)];
    });
  }

  #bracketed(open: IToken, items: readonly Doc[], close: IToken, edge: Doc, apart: boolean): Doc {
    const above = this.#above(close).map((c) =>
      concat(this.#blankBefore(c) && items.length > 0 ? blankline : nothing, ownLine(c.image.trimEnd())),
    );
    const inside = [...items, ...above];
    const opened = this.#token(open);
    const closed = this.#token(close, false);
    if (inside.length === 0) return concat(opened, opened.open ? hardline : nothing, closed);
    const start = apart ? hardline : edge;
    const body = concat(
      opened,
      indent(sequence([start, ...inside])),
      above.length > 0 ? hardline : start,
      closed,
    );
    return group(body);
  }

  #token(t: IToken, withAbove = true): Doc {
    const above = withAbove ? this.#remarksAbove(t) : [];
    const behind = this.#remarks.behind.get(t);
    return concat(...above, text(t.image), behind ? trailing(behind.image.trimEnd()) : nothing);
  }

  #remarksAbove(t: IToken): Doc[] {
    const above = this.#above(t);
    return above.map((c, i) =>
      concat(ownLine(c.image.trimEnd()), this.#blankBefore(above[i + 1] ?? t) ? blankline : nothing),
    );
  }

  #above(t: IToken): readonly IToken[] {
    return this.#remarks.before.get(t) ?? [];
  }

  #breaksAfter(t: IToken): boolean {
    return /^[^\S\n\r]*(\/\/[^\n\r]*)?[\n\r]/.test(
      this.#source.slice(t.startOffset + t.image.length, this.#nextLine(t)),
    );
  }

  #nextLine(t: IToken): number {
    const end = this.#source.indexOf("\n", t.startOffset + t.image.length);
    return end < 0 ? this.#source.length : end + 1;
  }

  #startsLine(t: IToken): boolean {
    return /(^|\n)[^\S\n]*$/.test(
      this.#source.slice(this.#source.lastIndexOf("\n", t.startOffset - 1), t.startOffset),
    );
  }

  #blankBefore(t: IToken): boolean {
    return blankBefore(this.#source, t.startOffset);
  }
}

/** Whether the line above this offset is empty. */
export function blankBefore(source: string, offset: number): boolean {
  let lines = 0;
  for (let i = offset - 1; i >= 0; i--) {
    const c = source[i]!;
    if (c === "\n") {
      if (++lines === 2) return true;
    } else if (!/\s/.test(c)) return false;
  }
  return false;
}
