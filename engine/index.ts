// The door of the engine: operations are declared with it, programs become plans, plans are run.
export { canonicalJson } from "./canonical.ts";
export type { Cost, Estimate, EstimateContext, EstimateRun, Facts, Known } from "./estimate.ts";
export type { Event, EventBody, Outcome } from "./events.ts";
export { type Resolved, resolveFiles } from "./files.ts";
export { type History, type HistoryEntry, loadHistory, readEvents, runsOf } from "./journal.ts";
export {
  type Declaration,
  defaultsOf,
  defineMixture,
  defineModel,
  defineSource,
  defineStage,
  defineTransform,
  type Operation,
} from "./operation.ts";
export { estimatePlan, type Rates, secondsOf } from "./plan/estimate.ts";
export { type Cause, type Explanation, explain, lineOf } from "./plan/explain.ts";
export { createPlan, type Planned, type PlanOptions } from "./plan/graph.ts";
export type { KeyLeaf, KeyTree } from "./plan/key.ts";
export type {
  Plan,
  PlanCall,
  PlanEdge,
  PlannedArtifact,
  PlannedFile,
  PlanTask,
  TaskState,
} from "./plan/plan.ts";
export { rehearsalOf } from "./plan/rehearse.ts";
export { type Clock, type FileSystem, systemClock } from "./ports.ts";
export { asProblem, type Problem } from "./problem.ts";
export { pipelinesOf, publicationsOf, rootsOf } from "./roots.ts";
export type { Finish } from "./run/conclude.ts";
export type { Spawn } from "./run/protocol.ts";
export { once, openRowJournal, type RowJournal } from "./run/row-journal.ts";
export {
  type Columns,
  columnTypeOf,
  linesOf,
  parseJsonl,
  parseRow,
  readColumns,
  readJsonl,
  readRows,
  writeRows,
} from "./run/rows.ts";
export { type RunOptions, run } from "./run/run.ts";
export { processSpawn } from "./run/spawn.ts";
export { runTask, serveWorker } from "./run/worker.ts";
export { openStore } from "./store/disk.ts";
export type { ActionRecord, Collected, Keep, Manifest, ManifestEntry, Store, Usage } from "./store/store.ts";
export {
  type Artifact,
  type ModelRun,
  type OutputContext,
  type Progress,
  type RowData,
  type Rows,
  type RunResult,
  type SourceRun,
  type StageRun,
  type TaskContext,
  TaskError,
  type TransformRun,
} from "./task.ts";
