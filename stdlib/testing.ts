// Runs single operations in tests: parameters validated and defaulted as a checked program would have them.
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  defaultsOf,
  type Estimate,
  type EstimateRun,
  type Known,
  type Operation,
  type OutputContext,
  type Progress,
  type RowData,
  type RowJournal,
  type Rows,
  type RunResult,
  readRows,
  type SourceRun,
  type StageRun,
  type TransformRun,
  writeRows,
} from "../engine/index.ts";
import type { CallFacts, ColumnType, Expr, Json, Type } from "../grammar/index.ts";

type Params = Readonly<Record<string, unknown>>;

interface Given {
  readonly inputs?: Readonly<Record<string, string | readonly string[]>>;
  /** Of a model among the inputs, by input. */
  readonly settings?: Readonly<Record<string, Readonly<Record<string, Json>>>>;
  readonly files?: Readonly<Record<string, readonly string[]>>;
  readonly dir?: string;
  readonly onProgress?: (progress: Progress) => void;
  readonly scratch?: string;
  readonly journal?: RowJournal;
  readonly signal?: AbortSignal;
}

function contextOf(operation: Operation, params: Params, given: Given, out: string): OutputContext<unknown> {
  const all = { ...defaultsOf(operation.params), ...params } as Record<string, Json>;
  const problems = operation.validate(all);
  if (problems.length > 0) throw new Error(problems.map((p) => `${p.param} ${p.message}`).join("; "));
  const settingsOf = (name: string) =>
    given.settings?.[name] ? { settings: given.settings[name], home: given.dir ?? out } : {};
  const artifacts = Object.entries(given.inputs ?? {}).map(([name, dirs]) => {
    return [
      name,
      [dirs].flat().map((dir) => ({ dir, digest: "", node: name, ...settingsOf(name) })),
    ] as const;
  });
  return {
    params: all,
    inputs: Object.fromEntries(artifacts),
    files: given.files ?? {},
    dir: given.dir ?? out,
    device: "cpu",
    threads: 1,
    progress: given.onProgress ?? (() => {}),
    signal: given.signal ?? new AbortController().signal,
    ...(given.scratch === undefined ? {} : { scratch: given.scratch }),
    ...(given.journal === undefined ? {} : { journal: given.journal }),
    out,
  };
}

export async function collect(rows: Rows): Promise<RowData[]> {
  const all: RowData[] = [];
  for await (const row of rows) all.push(row);
  return all;
}

export async function* stream(rows: readonly RowData[]): Rows {
  yield* rows;
}

export async function readWith(
  operation: Operation,
  files: readonly string[],
  params: Params = {},
): Promise<RowData[]> {
  const source = (await operation.load()) as SourceRun<unknown>;
  return collect(
    source.read(
      contextOf(
        operation,
        { ...(files.length > 0 && { paths: [...files] }), ...params },
        { files: { paths: files } },
        "",
      ),
    ),
  );
}

export async function transformWith(
  operation: Operation,
  rows: readonly RowData[],
  params: Params = {},
  given: Given = {},
): Promise<RowData[]> {
  const transform = (await operation.load()) as TransformRun<unknown>;
  return collect(transform.transform(stream(rows), contextOf(operation, params, given, "")));
}

/** Runs a stage or model into a new folder. */
export async function runWith(
  operation: Operation,
  params: Params = {},
  given: Given = {},
): Promise<RunResult & { readonly dir: string }> {
  const dir = await temporaryFolder();
  const stage = (await operation.load()) as StageRun<unknown>;
  return { ...(await stage.run(contextOf(operation, params, given, dir))), dir };
}

/** What `align plan` would say of it: an input is the folder that it has, or what is known of one that is yet to be made. */
export async function planWith(
  operation: Operation,
  params: Params,
  inputs: Readonly<Record<string, string | Known["facts"]>>,
): Promise<Estimate> {
  const estimate = (await operation.estimate!()) as EstimateRun<Params>;
  const known = ([node, input]: [string, string | Known["facts"]]): [string, Known[]] => [
    node,
    [
      {
        node,
        facts: typeof input === "string" ? {} : input,
        metrics: {},
        open: async () => (typeof input === "string" ? input : undefined),
      },
    ],
  ];
  return await estimate({
    params: { ...defaultsOf(operation.params), ...params },
    inputs: Object.fromEntries(Object.entries(inputs).map(known)),
    files: {},
    before: {},
  });
}

/** A dataset artifact. */
export async function datasetOf(rows: readonly RowData[]): Promise<string> {
  const dir = await temporaryFolder();
  await writeRows(dir, rows);
  return dir;
}

export async function rowsIn(dir: string): Promise<RowData[]> {
  return collect(readRows(dir));
}

/** The system clears it away. */
export function temporaryFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), "align-stdlib-"));
}

export function column(name: string): Expr {
  return { kind: "column", name, text: name };
}

/** The columns that come out of a call, or the problem in one line. */
export function columnsOf(
  operation: Operation,
  facts: Partial<CallFacts>,
): Record<string, ColumnType> | string {
  const output: Type | { message: string } = operation.output({ inputs: {}, params: {}, ...facts });
  if (!("kind" in output)) return output.message;
  return output.kind === "dataset" ? { ...output.row.columns } : output.kind;
}
