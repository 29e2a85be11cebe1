// The door of the language: text in, checked program and diagnostics out.
export type { Diagnostic, Edit, Fix, Label, Severity } from "./diagnostic.ts";
export type {
  Call,
  Expectation,
  Expr,
  Program,
  ProgramNode,
  Provenance,
  Publication,
  Ref,
} from "./program.ts";
export type {
  CallFacts,
  Host,
  InputSpec,
  Library,
  OperationKind,
  ParamProblem,
  ParamSchema,
  ParamsSchema,
  Signature,
  TypeProblem,
} from "./signature.ts";
export { join, type Place, type Position, positionAt, type Source, type Span } from "./source.ts";
export {
  type ColumnType,
  dataset,
  type Json,
  type Row,
  type RowName,
  rows,
  type ScalarType,
  type Type,
} from "./types.ts";
