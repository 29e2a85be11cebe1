// Concrete tree → AST. Total: what is missing becomes a hole, and the declaration around it is marked broken.
import type { CstNode, IToken } from "chevrotain";
import type * as ast from "./ast.ts";
import { diagnose, insertion, replacement } from "./codes.ts";
import type { Diagnostic } from "./diagnostic.ts";
import { readNumber, readString, readTextBlock } from "./literals.ts";
import { chains, grouped } from "./operators.ts";
import { join, type Place, type Source, type Span } from "./source.ts";
import { didYouMean, listed } from "./suggest.ts";
import { DocComment, kinds } from "./tokens.ts";

const nodeKinds = ["model", "dataset", "cluster", "mixture", "stage"] as const;

/** Longer chains of one operator are refused, so that no later pass can run out of stack. */
const longestChain = 200;

/** Declarations are told from top to bottom. */
export function astBuilder(
  source: Source,
  comments: readonly IToken[],
): Pick<Builder, "declaration" | "diagnostics"> {
  return new Builder(source, comments);
}

/** One expression alone, as `--set` gives it. */
export function buildValue(
  source: Source,
  cst: CstNode,
): { readonly value: ast.Expression; readonly diagnostics: readonly Diagnostic[] } {
  const builder = new Builder(source, []);
  return { value: builder.value(cst), diagnostics: builder.diagnostics };
}

function nodes(node: CstNode, rule: string): CstNode[] {
  return (node.children[rule] ?? []) as CstNode[];
}

function node(parent: CstNode | undefined, rule: string): CstNode | undefined {
  return parent?.children[rule]?.[0] as CstNode | undefined;
}

function token(parent: CstNode, name: string): IToken | undefined {
  const found = parent.children[name]?.[0] as IToken | undefined;
  return found && Number.isNaN(found.startOffset) ? undefined : found;
}

function isToken(element: CstNode | IToken): element is IToken {
  return "image" in element;
}

function tokenSpan(t: IToken): Span {
  return { start: t.startOffset, end: t.startOffset + t.image.length };
}

function startIn(part: CstNode | IToken): number {
  return spanOfTokens(part)?.start ?? 0;
}

/** From the first to the last real token in it; undefined when there is none. */
function spanOfTokens(element: CstNode | IToken): Span | undefined {
  if (isToken(element)) return Number.isNaN(element.startOffset) ? undefined : tokenSpan(element);
  let span: Span | undefined;
  for (const key in element.children) {
    for (const child of element.children[key]!) {
      const inner = spanOfTokens(child);
      if (inner) span = span ? join(span, inner) : inner;
    }
  }
  return span;
}

function binary(left: ast.Expression, op: string, right: ast.Expression): ast.Expression {
  const span = join(left.span, right.span);
  if (op === "except") return { kind: "except", set: left, without: right, span };
  return { kind: "binary", op: op as ast.BinaryOperator, left, right, span };
}

class Builder {
  readonly diagnostics: Diagnostic[] = [];
  readonly #source: Source;
  readonly #docs: readonly IToken[];
  /** The first doc comment after the last declaration asked for: they are built from top to bottom. */
  #nextDoc = 0;
  /** Parts of the tree may be made up. */
  #stumbled = false;
  #broken = false;
  /** Where the last thing ended: holes are placed there. */
  #last = 0;

  constructor(source: Source, comments: readonly IToken[]) {
    this.#source = source;
    this.#docs = comments.filter((c) => c.tokenType === DocComment);
  }

  declaration(outer: CstNode, stumbled: boolean): ast.Declaration | undefined {
    this.#stumbled = stumbled;
    const rule = Object.keys(outer.children).find((key) => key !== "Semicolon" && key !== "Export");
    const inner = rule === undefined ? undefined : node(outer, rule);
    const span = inner && this.#spanOf(inner);
    if (!inner || !span) return undefined;
    const before = this.#broken;
    this.#broken = false;
    this.#last = span.start;
    const doc = this.#docAbove(span.start);
    const { broken: _, ...declared } = this.#declared(rule!, inner, span);
    const declaration = {
      ...declared,
      ...(outer.children.Export ? { exported: true } : {}),
      ...(doc === undefined ? {} : { doc }),
      broken: this.#broken || (this.#stumbled && hasRecovered(inner)),
    } as ast.Declaration;
    this.#broken = before;
    return declaration;
  }

  #declared(rule: string, n: CstNode, span: Span): ast.Declaration {
    const nameless = { text: "", span: { start: span.start, end: span.start } };
    const unnamed = rule === "expectation" || rule === "importation";
    const name = unnamed ? nameless : this.#name(token(n, "Name"));
    const base = { name, path: this.#source.path, span, broken: false };
    switch (rule) {
      case "importation": {
        const from = node(n, "text");
        return {
          ...base,
          kind: "import",
          names: this.#importedNames(nodes(n, "importedName")),
          ...(from ? { from: this.#text(from) } : {}),
        };
      }
      case "param": {
        const type = node(n, "type");
        return {
          ...base,
          kind: "param",
          ...(type ? { type: this.#type(type) } : {}),
          ...(n.children.Equals ? { value: this.value(node(n, "value")) } : {}),
        };
      }
      case "node": {
        const colon = token(n, "Colon");
        if (colon) this.#colonForEquals(colon);
        else if (!n.children.Equals && n.children.value) this.#missingEquals(name);
        const kind = nodeKinds.find((k) => n.children[k[0]!.toUpperCase() + k.slice(1)]) ?? "stage";
        const dimensions = node(n, "dimensions");
        const families = dimensions ? this.#dimensions(dimensions) : [];
        const said = {
          ...base,
          ...(n.children.Equals || n.children.value ? { value: this.value(node(n, "value")) } : {}),
          ...(n.children.block ? { block: this.#block(node(n, "block")) } : {}),
        };
        if (kind === "cluster") return { ...said, kind };
        return { ...said, kind, ...(families.length > 0 ? { dimensions: families } : {}) };
      }
      case "template": {
        const rows = (n.children.rows ?? []) as IToken[];
        return {
          ...base,
          kind: "template",
          ...(rows.length > 0 ? { rows: rows.map((t) => this.#name(t)) } : {}),
          block: this.#block(node(n, "block")),
        };
      }
      case "expectation": {
        const message = node(n, "text");
        return {
          ...base,
          kind: "expect",
          value: this.value(node(n, "value")),
          ...(message ? { message: this.#text(message) } : {}),
        };
      }
      case "publication": {
        const index = node(n, "index");
        const named: ast.Reference = { kind: "reference", name, span: name.span };
        const what = index ? this.#index(named, index) : named;
        const to = node(n, "text");
        return {
          ...base,
          kind: "publish",
          what,
          ...(to ? { to: this.#text(to) } : {}),
          ...(n.children.block ? { block: this.#block(node(n, "block")) } : {}),
        };
      }
      case "profile":
        return {
          ...base,
          kind: "profile",
          overrides: nodes(n, "declaration").flatMap((d) => this.declaration(d, this.#stumbled) ?? []),
        };
      case "unknown":
        return { ...base, kind: "unknown", keyword: this.#unknownKind(token(n, "UnknownKind")) };
      default:
        return { ...base, kind: "pipeline" };
    }
  }

  #importedNames(all: readonly CstNode[]): ast.ImportedName[] {
    return all.map((n, i) => {
      const [first, second] = (n.children.Name ?? []) as IToken[];
      const name = this.#name(first);
      const local = n.children.As ? this.#name(second) : name;
      const next = all[i + 1];
      const after = next && this.#spanOf(next);
      if (after && !n.children.Comma) this.#separated(local.span, after);
      return { name, local };
    });
  }

  #dimensions(n: CstNode): ast.Dimension[] {
    return nodes(n, "dimension").map((d) => {
      const name = this.#name(token(d, "Name"));
      const values = this.value(node(d, "value"));
      return { name, values, span: join(name.span, values.span) };
    });
  }

  #index(object: ast.Expression, n: CstNode): ast.Index {
    const items = nodes(n, "indexItem").map((i) => (i.children.Times ? "*" : this.value(node(i, "value"))));
    this.#last = this.#spanOf(n)?.end ?? this.#last;
    return { kind: "index", object, items, span: join(object.span, this.#spanOf(n) ?? this.#here()) };
  }

  #unknownKind(t: IToken | undefined): ast.Name {
    const keyword = this.#name(t);
    if (t) {
      const at = this.#place(tokenSpan(t));
      this.diagnostics.push(
        diagnose("AL0009", {
          title: `\`${t.image}\` is not a kind of declaration`,
          at,
          label: "unknown kind of declaration",
          ...didYouMean(t.image, kinds, at, (all) => `kinds of declaration are ${listed(all)}`),
        }),
      );
    }
    return keyword;
  }

  #type(n: CstNode): ast.TypeExpression {
    const span = this.#spanOf(n) ?? this.#here();
    const choices = (n.children.Text ?? []) as IToken[];
    if (choices.length > 0) {
      return {
        name: { text: "oneof", span },
        span,
        bounds: choices.map((t) => {
          const value = this.#string(t, 1, true);
          return { kind: "choice", value, span: value.span };
        }),
      };
    }
    return {
      name: this.#name(token(n, "Name")),
      span,
      bounds: nodes(n, "bound").map((b) => this.#bound(b)),
    };
  }

  #bound(n: CstNode): ast.Bound {
    const span = this.#spanOf(n) ?? this.#here();
    const limits = nodes(n, "value").map((v) => this.value(v));
    const first = limits[0] ?? this.#hole();
    const ops = { Greater: ">", GreaterEqual: ">=", Less: "<", LessEqual: "<=" } as const;
    for (const [key, op] of Object.entries(ops)) {
      if (n.children[key]) return { kind: "compare", op, value: first, span };
    }
    if (n.children.Range) return { kind: "range", from: first, to: limits[1] ?? this.#hole(), span };
    return { kind: "choice", value: first, span };
  }

  #block(n: CstNode | undefined): ast.ObjectExpression {
    const entries: ast.Entry[] = [];
    const all = n ? nodes(n, "entry") : [];
    for (const e of all) {
      const nameToken = token(e, "Name");
      const sign = token(e, "Is");
      if (sign?.image === "=") this.#equalsForColon(sign, nameToken);
      const name = this.#name(nameToken);
      const value = this.value(node(e, "value"));
      const { start } = this.#spanOf(e) ?? this.#here();
      entries.push({ name, value, span: { start, end: Math.max(value.span.end, name.span.end) } });
    }
    for (const [i, e] of all.entries()) {
      const next = entries[i + 1];
      if (next && !e.children.Comma && !e.recoveredNode) this.#separated(entries[i]!.value.span, next.span);
    }
    if (!n) this.#broken = true;
    const span = n && this.#spanOf(n);
    return { kind: "object", entries, span: span ?? this.#here() };
  }

  /** Two items without a comma must at least be on two lines. */
  #separated(before: Span, after: Span): boolean {
    if (this.#source.text.slice(before.end, after.start).includes("\n")) return false;
    const at = this.#place(after);
    this.diagnostics.push(
      diagnose("AL0007", {
        title: "a comma is missing between these",
        at,
        label: "this starts another one",
        help: ["put `,` between them, or write each on its own line"],
        fixes: [
          {
            title: "insert `,`",
            edits: [{ place: this.#place({ start: before.end, end: before.end }), text: "," }],
          },
        ],
      }),
    );
    return true;
  }

  #missingEquals(name: ast.Name): void {
    const at = this.#place(name.span);
    this.diagnostics.push(
      diagnose("AL0001", {
        title: `missing \`=\` after \`${name.text}\``,
        at,
        label: "`=` is expected after this",
        help: ["a declaration is written `kind name = expression`"],
        fixes: [insertion(at, " =")],
      }),
    );
  }

  #colonForEquals(t: IToken): void {
    const at = this.#place(tokenSpan(t));
    const spaced = /\s/.test(this.#source.text[t.startOffset - 1] ?? " ");
    this.diagnostics.push(
      diagnose("AL0011", {
        title: "a declaration is made with `=`",
        at,
        label: "`=` is expected here",
        help: ["`:` is for parameters; write `kind name = expression`"],
        fixes: [{ title: "replace with `=`", edits: [{ place: at, text: spaced ? "=" : " =" }] }],
      }),
    );
  }

  #equalsForColon(t: IToken, name: IToken | undefined): void {
    const at = this.#place(tokenSpan(t));
    const gap = name && this.#source.text.slice(tokenSpan(name).end, t.startOffset);
    const replaced = name && gap?.trim() === "" ? { start: tokenSpan(name).end, end: at.span.end } : at.span;
    this.diagnostics.push(
      diagnose("AL0008", {
        title: "a parameter is given with `:`",
        at,
        label: "`:` is expected here",
        help: ["`=` is for declarations; write `name: value`"],
        fixes: [replacement(this.#place(replaced), ":")],
      }),
    );
  }

  value(n: CstNode | undefined): ast.Expression {
    if (!n) return this.#hole();
    let value = this.#operation(n);
    const steps = nodes(n, "step");
    if (steps.length > longestChain) return this.#tooLong(n);
    for (const step of steps) {
      const application = node(step, "application");
      if (application) {
        const call = this.#call(application, node(application, "arguments"));
        value = { kind: "pipe", input: value, call, span: join(value.span, call.span) };
      } else if (step.children.As) {
        const row = this.#name(token(step, "Name"));
        value = { kind: "cast", input: value, row, span: join(value.span, row.span) };
      }
    }
    return value;
  }

  /** `a op b op c`, from the left, each operator with what it binds. */
  #operation(n: CstNode): ast.Expression {
    const operands = nodes(n, "operand");
    const operators = n.children.Operator as IToken[] | undefined;
    const negate = (i: number, all: ast.Expression) =>
      operands[i] ? this.#prefixed(operands[i], "Not", "not", all) : all;
    if (!operators) return negate(0, this.#operand(operands[0]));
    if (operators.length > longestChain) return this.#tooLong(n);
    return grouped<ast.Expression>(operators, {
      operand: (i) => this.#operand(operands[i]),
      join: (all, between) => {
        if (all.length > 2 && !chains(between[1]!.image)) return this.#unchained(between[1]!);
        return all.reduce((left, right, i) => binary(left, between[i - 1]!.image, right));
      },
      negate,
    });
  }

  #operand(n: CstNode | undefined): ast.Expression {
    if (!n) return this.#hole();
    let value = this.#primary(n);
    const { member = [], index = [] } = n.children;
    const parts = index.length === 0 ? member : [...member, ...index].sort((a, b) => startIn(a) - startIn(b));
    for (const part of parts.slice(0, longestChain)) {
      if (!isToken(part)) value = this.#index(value, part);
      else {
        const name = this.#name(part);
        value = { kind: "member", object: value, name, span: join(value.span, name.span) };
      }
    }
    return this.#prefixed(n, "Minus", "negate", value);
  }

  /** `--x` is `x`; one is enough to remember. */
  #prefixed(n: CstNode, key: string, kind: "not" | "negate", operand: ast.Expression): ast.Expression {
    const signs = (n.children[key] ?? []) as IToken[];
    if (signs.length % 2 === 0) return operand;
    const span = join(tokenSpan(signs[0]!), operand.span);
    if (kind === "negate" && operand.kind === "number") return { ...operand, value: -operand.value, span };
    return { kind, operand, span };
  }

  #primary(n: CstNode): ast.Expression {
    const number = token(n, "NumberLiteral");
    if (number) return this.#number(number);
    const text = node(n, "text");
    if (text) {
      const said = this.diagnostics.length;
      const literal = this.#text(text);
      // With an unknown escape nobody knows which text was meant.
      const unsure = this.diagnostics.slice(said).some((d) => d.code === "AL0006");
      return unsure ? { kind: "hole", span: literal.span } : literal;
    }
    const list = node(n, "list");
    if (list) return this.#list(list);
    const block = node(n, "block");
    if (block) return this.#block(block);
    const open = token(n, "LeftParen");
    if (open) {
      const inside = this.value(node(n, "value"));
      const close = token(n, "RightParen") ?? open;
      return { ...inside, span: join(join(tokenSpan(open), inside.span), tokenSpan(close)) };
    }
    const name = token(n, "Name");
    if (!name) return this.#hole();
    const args = node(n, "arguments");
    if (args) return this.#call(n, args);
    return { kind: "reference", name: this.#name(name), span: tokenSpan(name) };
  }

  #call(n: CstNode, args: CstNode | undefined): ast.Call {
    const callee = this.#name(token(n, "Name"));
    const all = args ? nodes(args, "argument") : [];
    const commas = args ? ((args.children.Comma ?? []) as IToken[]) : [];
    const built: ast.Argument[] = all.map((a) => {
      const nameToken = token(a, "Name");
      const name = nameToken && this.#name(nameToken);
      const value = this.value(node(a, "value"));
      return { ...(name ? { name } : {}), value, span: name ? join(name.span, value.span) : value.span };
    });
    this.#commasBetween(built, commas);
    if (!args) this.#broken = true;
    const end = (args && this.#spanOf(args)) ?? callee.span;
    return { kind: "call", callee, args: built, span: join(callee.span, end) };
  }

  #list(n: CstNode): ast.ListExpression {
    const items = nodes(n, "value").map((v) => this.value(v));
    this.#commasBetween(items, (n.children.Comma ?? []) as IToken[]);
    return { kind: "list", items, span: this.#spanOf(n) ?? this.#here() };
  }

  #commasBetween(items: readonly { span: Span }[], commas: readonly IToken[]): void {
    for (const [i, item] of items.entries()) {
      const next = items[i + 1];
      if (!next) return;
      const separated = commas.some((c) => c.startOffset >= item.span.end && c.startOffset < next.span.start);
      if (separated || !this.#separated(item.span, next.span)) continue;
      // Without the comma nobody knows what belongs together.
      this.#broken = true;
    }
  }

  #number(t: IToken): ast.NumberLiteral | ast.Hole {
    const span = tokenSpan(t);
    const { value, unit, problem } = readNumber(t.image, this.#source.path, span);
    this.#last = span.end;
    if (problem) {
      // Said here, and nothing can be concluded from the number without its unit.
      this.diagnostics.push(problem);
      return { kind: "hole", span };
    }
    return { kind: "number", value, ...(unit ? { unit } : {}), span };
  }

  #text(n: CstNode): ast.StringLiteral {
    const closed = token(n, "Text");
    if (closed) return this.#string(closed, 1, true);
    const block = token(n, "TextBlock");
    if (block) return this.#string(block, 3, true);
    const single = token(n, "SingleQuoted");
    if (single) {
      const at = this.#place(tokenSpan(single));
      this.diagnostics.push(
        diagnose("AL0004", {
          title: "a string is written with double quotes",
          at,
          label: "`'` does not start a string",
          fixes: [replacement(at, `"${single.image.slice(1, -1).replaceAll('"', '\\"')}"`)],
          help: [`write "${single.image.slice(1, -1)}"`],
        }),
      );
      return this.#string(single, 1, true);
    }
    const open = token(n, "UnclosedText") ?? token(n, "UnclosedTextBlock");
    if (!open) {
      const hole = this.#hole();
      return { kind: "string", value: "", offsets: [hole.span.start], span: hole.span };
    }
    const quotes = open.image.startsWith('"""') ? 3 : 1;
    const at = this.#place({ start: open.startOffset, end: open.startOffset + quotes });
    this.diagnostics.push(
      diagnose("AL0003", {
        title: quotes === 3 ? 'this text is never closed with `"""`' : "this string is not closed",
        at,
        label: "it starts here",
        help: [
          quotes === 3
            ? 'end it with `"""` on its own line'
            : 'close it with `"` on the same line, or write a text of several lines between `"""`',
        ],
      }),
    );
    this.#broken = true;
    return this.#string(open, quotes, false);
  }

  #string(t: IToken, quotes: 1 | 3, closed: boolean): ast.StringLiteral {
    const span = tokenSpan(t);
    const inside = t.image.slice(quotes, closed ? -quotes : undefined);
    const start = span.start + quotes;
    const read = quotes === 3 ? readTextBlock(inside, start) : readString(inside, start, this.#source.path);
    this.diagnostics.push(...read.problems);
    this.#last = span.end;
    return { kind: "string", value: read.value, offsets: read.offsets, span };
  }

  #name(t: IToken | undefined): ast.Name {
    if (!t || Number.isNaN(t.startOffset)) {
      this.#broken = true;
      return { text: "", span: this.#here() };
    }
    this.#last = t.startOffset + t.image.length;
    return { text: t.image, span: tokenSpan(t) };
  }

  #tooLong(n: CstNode): ast.Hole {
    const span = this.#spanOf(n) ?? this.#here();
    this.diagnostics.push(
      diagnose("AL0002", {
        title: `more than ${longestChain} parts in one expression`,
        at: this.#place({ start: span.start, end: span.start + 1 }),
        label: "this expression",
        help: ["split it into several declarations"],
      }),
    );
    return this.#hole();
  }

  /** `a < b < c` would compare an answer. */
  #unchained(second: IToken): ast.Hole {
    this.diagnostics.push(
      diagnose("AL0002", {
        title: `\`${second.image}\` does not belong here`,
        at: this.#place(tokenSpan(second)),
        label: "one of these is enough",
        help: [
          second.image === "except"
            ? "leave out several with `and`: `clusters except nli and qa`"
            : "compare twice: `a < b and b < c`",
        ],
      }),
    );
    return this.#hole();
  }

  /** The parser knows where a rule began and ended, unless it had to skip or make up something. */
  #spanOf(n: CstNode): Span | undefined {
    const { startOffset, endOffset } = n.location!;
    return this.#stumbled ? spanOfTokens(n) : { start: startOffset, end: endOffset! + 1 };
  }

  #hole(): ast.Hole {
    this.#broken = true;
    return { kind: "hole", span: this.#here() };
  }

  #here(): Span {
    return { start: this.#last, end: this.#last };
  }

  #place(span: Span): Place {
    return { path: this.#source.path, span };
  }

  /** `///` lines directly above, without a blank line between. */
  #docAbove(start: number): string | undefined {
    const { text } = this.#source;
    const lines: string[] = [];
    let end = start;
    while (this.#docs[this.#nextDoc] && this.#docs[this.#nextDoc]!.startOffset < start) this.#nextDoc++;
    for (let i = this.#nextDoc - 1; i >= 0; i--) {
      const doc = this.#docs[i]!;
      const between = text.slice(doc.startOffset + doc.image.length, end);
      if (between.trim() !== "" || between.split("\n").length !== 2) break;
      lines.unshift(doc.image.slice(3).replace(/^ /, "").trimEnd());
      end = doc.startOffset;
    }
    return lines.length > 0 ? lines.join("\n") : undefined;
  }
}

function hasRecovered(n: CstNode): boolean {
  if (n.recoveredNode) return true;
  for (const key in n.children) {
    for (const child of n.children[key]!) {
      if (isToken(child) ? Number.isNaN(child.startOffset) : hasRecovered(child)) return true;
    }
  }
  return false;
}
