// Opens a .align file: checked against the standard library, its errors shown, its store found.
import { existsSync, readdirSync } from "node:fs";
import { basename, dirname, relative, resolve } from "node:path";
import {
  createPlan,
  type FileSystem,
  openStore,
  type Plan,
  resolveFiles,
  type Store,
} from "../engine/index.ts";
import { Witness } from "../engine/standing.ts";
import {
  check,
  type Diagnostic,
  type Host,
  nearest,
  type Program,
  render,
  type Source,
} from "../grammar/index.ts";
import { type Device, library, peekRow, standardModules } from "../stdlib/index.ts";
import { chooseDevice } from "./device.ts";
import { storePath } from "./store-path.ts";
import { failureText } from "./ui/failure-text.ts";
import { terminalWidth, useColour } from "./ui/terminal.ts";
import { isVariableSet } from "./unchanged.ts";

export interface PipelineOptions {
  readonly profile?: string;
  readonly set?: Readonly<Record<string, string>>;
  readonly store?: string;
  readonly only?: readonly string[];
  readonly verifyInputs?: boolean;
  /** Default: auto. */
  readonly device?: string;
}

/** Status 2 of the command line: wrong usage, or the file has errors. */
export const badFile = 2;

export interface Checked {
  readonly source: Source;
  /** It, and the files that it imports. */
  readonly sources: readonly Source[];
  readonly diagnostics: readonly Diagnostic[];
  readonly program?: Program;
}

/** Reads and checks; undefined when the file cannot be read, which has been said. */
export function checkFile(
  path: string,
  options: PipelineOptions,
  witness = new Witness(),
): Checked | undefined {
  let text: string;
  try {
    text = textOf(path, witness);
  } catch (error) {
    console.error(unreadable(path, error));
    return undefined;
  }
  return checkSource({ path, text }, options, witness);
}

function textOf(path: string, files: FileSystem): string {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(files.read(path));
}

export function checkSource(source: Source, options: PipelineOptions, witness = new Witness()): Checked {
  const { program, diagnostics, sources } = check(source, library, hostOf(source.path, witness), {
    ...(options.profile === undefined ? {} : { profile: options.profile }),
    ...(options.set === undefined ? {} : { set: options.set }),
  });
  return { source, sources, diagnostics, ...(program ? { program } : {}) };
}

export function unreadable(path: string, error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  const why =
    code === "ENOENT"
      ? "there is no such file"
      : code === "EISDIR"
        ? "it is a folder"
        : (code ?? String(error));
  return failureText({ code: "cannot-read", message: `cannot read ${path}: ${why}` });
}

/** The outside world as a file of this path sees it; `root` is the file that was asked for, under the name it was given. */
function hostOf(path: string, witness: Witness, root = path): Host {
  return {
    resolve: (spec, as) => resolveFiles(spec, path, witness, as),
    peek(spec) {
      // What is no file here, it may find in the hub's cache.
      if ("problem" in resolveFiles(spec, path, witness)) witness.lookAway();
      return peekRow(spec, path, process.env);
    },
    hasVariable(name) {
      const isSet = isVariableSet(name);
      witness.variables.set(name, isSet);
      return isSet;
    },
    module: (spec) => importFile(spec, path, witness, root),
  };
}

function importFile(
  spec: string,
  from: string,
  witness: Witness,
  root: string,
): ReturnType<NonNullable<Host["module"]>> {
  if (spec.startsWith("std:")) {
    const text = standardModules.get(spec);
    if (text !== undefined) return { source: { path: spec, text }, host: hostOf(spec, witness, root) };
    const names = [...standardModules.keys()];
    const [near] = nearest(spec, names);
    const help = near ? `did you mean "${near}"?` : `modules of the standard library are ${names.join(", ")}`;
    return { problem: `there is no module "${spec}"`, help };
  }
  const file = resolve(dirname(from), spec);
  const path = file === resolve(root) ? root : relative("", file);
  try {
    return { source: { path, text: textOf(path, witness) }, host: hostOf(path, witness, root) };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const beside = code === "ENOENT" ? alignFilesIn(dirname(path)) : [];
    const [near] = nearest(basename(path), beside);
    return {
      problem: code === "ENOENT" ? `there is no file "${spec}"` : `cannot read "${spec}": ${code}`,
      ...(near ? { help: `did you mean "${spec.slice(0, -basename(path).length)}${near}"?` } : {}),
    };
  }
}

function alignFilesIn(dir: string): string[] {
  return existsSync(dir) ? readdirSync(dir).filter((name) => name.endsWith(".align")) : [];
}

export function printDiagnostics({ sources, diagnostics }: Checked): void {
  if (diagnostics.length > 0)
    process.stderr.write(render(diagnostics, sources, { color: useColour, width: terminalWidth() }));
}

export interface Opened {
  readonly program: Program;
  readonly plan: Plan;
  readonly store: Store;
  readonly device: Device;
  /** What was looked at for it. */
  readonly witness: Witness;
}

/** The plan of a file over its store; a number is the exit status of what has been reported. */
export async function openPlan(path: string, options: PipelineOptions): Promise<Opened | number> {
  const witness = new Witness();
  const checked = checkFile(path, options, witness);
  if (!checked) return badFile;
  printDiagnostics(checked);
  if (!checked.program) return badFile;
  // What it has to say, it says every time.
  if (checked.diagnostics.length > 0) witness.lookAway();
  const chosen = await chooseDevice(options.device ?? "auto");
  if ("message" in chosen) {
    console.error(failureText(chosen));
    return badFile;
  }
  const store = openStore(storePath(path, options.store));
  const { program } = checked;
  const planned = await createPlan(program, {
    operations: library,
    store,
    files: witness,
    numerics: chosen.numerics,
    ...(options.only === undefined ? {} : { only: options.only }),
    ...(options.verifyInputs ? { verifyInputs: true } : {}),
  });
  if ("plan" in planned) return { program, plan: planned.plan, store, device: chosen.device, witness };
  for (const problem of planned.problems) console.error(failureText(problem));
  return badFile;
}
