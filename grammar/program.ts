// A checked program: the only thing the engine knows of the language. Plain JSON, names and places kept for people only.
import type { Span } from "./source.ts";
import type { Json, Type } from "./types.ts";

/** Where a value came from, for `align plan`: shown, never part of a key. */
export type Provenance =
  | { readonly from: "default"; readonly source?: string }
  | {
      readonly from: "file";
      /** Of a file that is imported. */
      readonly path?: string;
      readonly line: number /** The param it was read from, if any. */;
      readonly param?: string;
    }
  | { readonly from: "profile"; readonly profile: string; readonly param?: string }
  | { readonly from: "set"; readonly param: string };

/** A reference to another node's artifact. */
export interface Ref {
  readonly node: string;
}

/** One operation applied. */
export interface Call {
  readonly op: string;
  /** By input name; a variadic input has several. */
  readonly inputs: Readonly<Record<string, readonly Ref[]>>;
  /** Evaluated, defaults filled in. Templates are their texts, paths are as written. */
  readonly params: Readonly<Record<string, Json>>;
  readonly provenance: Readonly<Record<string, Provenance>>;
  readonly span: Span;
}

/** `tuned[nli, 0.1]`: the family `tuned`, with `held_out` nli and `beta` 0.1. */
export interface Family {
  readonly name: string;
  readonly values: Readonly<Record<string, string>>;
}

/**
 * One declaration that becomes a task. A stage or model has exactly one call. A dataset has a source call
 * and transforms, or transforms over the rows of another node (`from`).
 */
export interface ProgramNode {
  readonly id: string;
  readonly kind: "dataset" | "model" | "mixture" | "stage";
  /** The file it is declared in, where that is not the program's: paths are relative to it. */
  readonly path?: string;
  /** Of a member of a family: the family's id, and its value of each dimension. */
  readonly family?: Family;
  readonly doc?: string;
  /** What comes out. */
  readonly type: Type;
  readonly from?: Ref;
  readonly calls: readonly Call[];
  /** The declaration. */
  readonly span: Span;
}

/** Lowered expressions: over metrics in `expect`, over columns in `filter`. */
export type Expr =
  | { readonly kind: "literal"; readonly value: Json; readonly text: string }
  | { readonly kind: "metric"; readonly node: string; readonly name: string; readonly text: string }
  | { readonly kind: "column"; readonly name: string; readonly text: string }
  | { readonly kind: "call"; readonly fn: string; readonly args: readonly Expr[]; readonly text: string }
  | {
      readonly kind: "binary";
      readonly op: "+" | "-" | "*" | "/" | "<" | "<=" | ">" | ">=" | "==" | "!=" | "and" | "or";
      readonly left: Expr;
      readonly right: Expr;
      readonly text: string;
    }
  | { readonly kind: "not" | "negate"; readonly operand: Expr; readonly text: string };

export interface Expectation {
  readonly expr: Expr;
  readonly message?: string;
  readonly span: Span;
}

export interface Publication {
  readonly node: string;
  /** Relative to the .align file's working project. */
  readonly to: string;
  readonly params: Readonly<Record<string, Json>>;
  readonly span: Span;
}

/** Rows that a stage measures a model on must not be among those that another trained it on. */
export interface Apart {
  /** Nodes of rows. */
  readonly training: string;
  readonly evaluation: string;
  /** Stages. */
  readonly trained: string;
  readonly measured: string;
}

export interface WrittenTemplate {
  readonly name: string;
  /** `input`, and `target` where it has one. */
  readonly texts: Json;
  /** Datasets that it is written for, or given together with. */
  readonly rows: readonly string[];
}

export interface Program {
  readonly name: string;
  readonly doc?: string;
  readonly path: string;
  readonly profile?: string;
  /** In declaration order, which is also a valid topological order only if the file is written that way. */
  readonly nodes: readonly ProgramNode[];
  readonly expectations: readonly Expectation[];
  readonly publications: readonly Publication[];
  /** Each two sets of rows once. */
  readonly apart?: readonly Apart[];
  /** Of this file and imported into it; nothing depends on them. */
  readonly templates?: readonly WrittenTemplate[];
}
