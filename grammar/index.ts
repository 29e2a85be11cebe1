// The door of the language: text in, a checked Program or diagnostics out.
export type * from "./ast.ts";
export { type Checked, type CheckOptions, check } from "./check.ts";
export { type Code, type CodeEntry, codes } from "./codes.ts";
export type { Diagnostic, Edit, Fix, Label, Severity } from "./diagnostic.ts";
export {
  evaluate,
  evaluateExpectation,
  evaluateRow,
  explain,
  type Metrics,
  type Outcome,
} from "./evaluate.ts";
export { applyFixes } from "./fix.ts";
export { type FormatOptions, format } from "./format/format.ts";
export { functions } from "./functions.ts";
export { scanTemplate } from "./jinja.ts";
export { type Parsed, parse } from "./parse.ts";
export type {
  Apart,
  Call as ProgramCall,
  Expectation,
  Expr,
  Program,
  ProgramNode,
  Provenance,
  Publication,
  Ref,
  WrittenTemplate,
} from "./program.ts";
export { publishParams } from "./publication.ts";
export { renderJson, toJson } from "./render/json.ts";
export { renderSarif, toSarif } from "./render/sarif.ts";
export { type RenderOptions, render, summarize } from "./render/text.ts";
export { describe as describeSchema } from "./schema.ts";
export * as services from "./services/index.ts";
export type {
  CallFacts,
  Elsewhere,
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
export { distance, nearest } from "./suggest.ts";
export {
  any,
  type ColumnType,
  commonType,
  dataset,
  fits,
  type Json,
  misfits,
  printRow,
  printType,
  type Row,
  type RowName,
  rowFits,
  rows,
  type ScalarType,
  type Type,
} from "./types.ts";
