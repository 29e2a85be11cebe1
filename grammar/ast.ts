// What a file says, as a tree. Every node knows its place; what could not be read is a hole.
import type { Span } from "./source.ts";

export interface Name {
  readonly text: string;
  readonly span: Span;
}

export type BinaryOperator = "+" | "-" | "*" | "/" | "<" | "<=" | ">" | ">=" | "==" | "!=" | "and" | "or";

export type Unit = "%" | "ms" | "bytes";

export interface NumberLiteral {
  readonly kind: "number";
  /** `10%` is 0.1, `90s` is 90000 (milliseconds), `2GiB` is a count of bytes. */
  readonly value: number;
  readonly unit?: Unit;
  readonly span: Span;
}

export interface StringLiteral {
  readonly kind: "string";
  readonly value: string;
  /** The offset in the source of each character of the value, and of the closing quote. */
  readonly offsets: readonly number[];
  readonly span: Span;
}

export interface Reference {
  readonly kind: "reference";
  readonly name: Name;
  readonly span: Span;
}

export interface Member {
  readonly kind: "member";
  readonly object: Expression;
  readonly name: Name;
  readonly span: Span;
}

/** `d[0.1]`, `d[*]`, `x[nli, *]`: members of a family. */
export interface Index {
  readonly kind: "index";
  readonly object: Expression;
  /** `"*"` stands for every value. */
  readonly items: readonly (Expression | "*")[];
  readonly span: Span;
}

/** `clusters except nli and neighbours(nli)` */
export interface Except {
  readonly kind: "except";
  readonly set: Expression;
  readonly without: Expression;
  readonly span: Span;
}

export interface Call {
  readonly kind: "call";
  readonly callee: Name;
  readonly args: readonly Argument[];
  readonly span: Span;
}

export interface Argument {
  readonly name?: Name;
  readonly value: Expression;
  readonly span: Span;
}

/** `rows |> take(3)` */
export interface PipeExpression {
  readonly kind: "pipe";
  readonly input: Expression;
  readonly call: Call;
  readonly span: Span;
}

/** `rows as Prompt` */
export interface Cast {
  readonly kind: "cast";
  readonly input: Expression;
  readonly row: Name;
  readonly span: Span;
}

export interface Binary {
  readonly kind: "binary";
  readonly op: BinaryOperator;
  readonly left: Expression;
  readonly right: Expression;
  readonly span: Span;
}

export interface Unary {
  readonly kind: "not" | "negate";
  readonly operand: Expression;
  readonly span: Span;
}

export interface ListExpression {
  readonly kind: "list";
  readonly items: readonly Expression[];
  readonly span: Span;
}

export interface ObjectExpression {
  readonly kind: "object";
  readonly entries: readonly Entry[];
  readonly span: Span;
}

/** What was missing or could not be read. Nothing is ever said about it twice. */
export interface Hole {
  readonly kind: "hole";
  readonly span: Span;
}

export type Expression =
  | NumberLiteral
  | StringLiteral
  | Reference
  | Member
  | Index
  | Except
  | Call
  | PipeExpression
  | Cast
  | Binary
  | Unary
  | ListExpression
  | ObjectExpression
  | Hole;

/** `name: value` in a block. */
export interface Entry {
  readonly name: Name;
  readonly value: Expression;
  readonly span: Span;
  /** The profile that says so, once a profile is applied. */
  readonly profile?: string;
}

/** `float(> 0)`, `int(1..64)`, `oneof("a", "b")`, `"a" | "b"` */
export interface TypeExpression {
  /** `oneof` for a bare list of strings. */
  readonly name: Name;
  readonly bounds: readonly Bound[];
  readonly span: Span;
}

export type Bound =
  | {
      readonly kind: "compare";
      readonly op: "<" | "<=" | ">" | ">=";
      readonly value: Expression;
      readonly span: Span;
    }
  | { readonly kind: "range"; readonly from: Expression; readonly to: Expression; readonly span: Span }
  | { readonly kind: "choice"; readonly value: Expression; readonly span: Span };

/** `beta in [0.1, 1]` */
export interface Dimension {
  readonly name: Name;
  readonly values: Expression;
  readonly span: Span;
}

interface DeclarationBase {
  readonly name: Name;
  /** The file it stands in. */
  readonly path: string;
  /** Other files may import it. */
  readonly exported?: boolean;
  /** From `///` above it. */
  readonly doc?: string;
  readonly span: Span;
  /** Part of it could not be read: what follows from that is not worth saying. */
  readonly broken: boolean;
  /** The profile it comes from, once a profile is applied. */
  readonly profile?: string;
}

export interface PipelineDeclaration extends DeclarationBase {
  readonly kind: "pipeline";
}

/** `import { a, b as c } from "./file.align"` */
export interface ImportDeclaration extends DeclarationBase {
  readonly kind: "import";
  readonly names: readonly ImportedName[];
  readonly from?: StringLiteral;
}

export interface ImportedName {
  /** As the other file calls it. */
  readonly name: Name;
  /** As this file calls it. */
  readonly local: Name;
}

export interface ParamDeclaration extends DeclarationBase {
  readonly kind: "param";
  readonly type?: TypeExpression;
  readonly value?: Expression;
}

export interface NodeDeclaration extends DeclarationBase {
  readonly kind: "model" | "dataset" | "mixture" | "stage";
  /** A family: one node for each combination of values. */
  readonly dimensions?: readonly Dimension[];
  /** Absent only where a profile overrides parameters. */
  readonly value?: Expression;
  readonly block?: ObjectExpression;
}

/** A named set of datasets. */
export interface ClusterDeclaration extends DeclarationBase {
  readonly kind: "cluster";
  readonly value?: Expression;
  readonly block?: ObjectExpression;
}

export interface TemplateDeclaration extends DeclarationBase {
  readonly kind: "template";
  /** `template t for a, b`: the datasets whose columns it reads, or clusters of them. */
  readonly rows?: readonly Name[];
  readonly block: ObjectExpression;
}

export interface ExpectDeclaration extends DeclarationBase {
  readonly kind: "expect";
  readonly value: Expression;
  readonly message?: StringLiteral;
}

export interface PublishDeclaration extends DeclarationBase {
  readonly kind: "publish";
  /** What is published: a name, or members of a family. */
  readonly what: Reference | Index;
  readonly to?: StringLiteral;
  readonly block?: ObjectExpression;
}

export interface ProfileDeclaration extends DeclarationBase {
  readonly kind: "profile";
  readonly overrides: readonly Declaration[];
}

export interface UnknownDeclaration extends DeclarationBase {
  readonly kind: "unknown";
  readonly keyword: Name;
}

export type Declaration =
  | PipelineDeclaration
  | ImportDeclaration
  | ParamDeclaration
  | NodeDeclaration
  | ClusterDeclaration
  | TemplateDeclaration
  | ExpectDeclaration
  | PublishDeclaration
  | ProfileDeclaration
  | UnknownDeclaration;

export interface Comment {
  readonly text: string;
  readonly doc: boolean;
  readonly span: Span;
}

export type Lost = Pick<ReadonlySet<string>, "has">;

export interface File {
  readonly declarations: readonly Declaration[];
  readonly comments: readonly Comment[];
  /** Names that stand in text that could not be read, so that no one asks where they are declared. */
  readonly lost: Lost;
}

/** Visits an expression and everything in it, outermost first. */
export function walk(expression: Expression, visit: (e: Expression) => void): void {
  visit(expression);
  for (const child of children(expression)) walk(child, visit);
}

export function children(e: Expression): readonly Expression[] {
  switch (e.kind) {
    case "number":
    case "string":
    case "reference":
    case "hole":
      return [];
    case "member":
      return [e.object];
    case "index":
      return [e.object, ...e.items.filter((item) => item !== "*")];
    case "except":
      return [e.set, e.without];
    case "call":
      return e.args.map((a) => a.value);
    case "pipe":
      return [e.input, e.call];
    case "cast":
      return [e.input];
    case "binary":
      return [e.left, e.right];
    case "not":
    case "negate":
      return [e.operand];
    case "list":
      return e.items;
    case "object":
      return e.entries.map((entry) => entry.value);
  }
}

/** The expressions of a declaration; a profile's are those of its overrides. */
export function expressionsOf(declaration: Declaration): readonly Expression[] {
  switch (declaration.kind) {
    case "param":
      return declaration.value ? [declaration.value] : [];
    case "model":
    case "dataset":
    case "mixture":
    case "stage":
      return [
        ...(declaration.dimensions ?? []).map((dimension) => dimension.values),
        ...(declaration.value ? [declaration.value] : []),
        ...(declaration.block ? [declaration.block] : []),
      ];
    case "cluster":
      return [
        ...(declaration.value ? [declaration.value] : []),
        ...(declaration.block ? [declaration.block] : []),
      ];
    case "template":
      return [declaration.block];
    case "expect":
      return [declaration.value];
    case "publish":
      return [declaration.what, ...(declaration.block ? [declaration.block] : [])];
    case "profile":
      return declaration.overrides.flatMap(expressionsOf);
    case "pipeline":
    case "import":
    case "unknown":
      return [];
  }
}
