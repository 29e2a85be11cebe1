// What an operation looks like to the checker: plain data and pure functions, supplied from outside.
import type { Source } from "./source.ts";
import type { Json, Row, RowName, Type } from "./types.ts";

/** Where an operation may stand. */
export type OperationKind =
  /** `dataset d = jsonl("x.jsonl")`: brings rows in. */
  | "source"
  /** `d |> take(100)`: rows to rows; its first input is the rows before the pipe. */
  | "transform"
  /** `model m = decoder(bpe) { … }`: brings in or makes a Model, Tokenizer or Judge. */
  | "model"
  /** `mixture m = proportional(clusters) { … }`: one dataset drawn from several. */
  | "mixture"
  /** `stage s = sft(m, d) { … }` */
  | "stage";

/** The part of JSON Schema that parameters use, with Align's own annotations under `x-`. */
export interface ParamSchema {
  readonly type?: string;
  readonly description?: string;
  readonly default?: Json;
  readonly enum?: readonly Json[];
  readonly const?: Json;
  readonly anyOf?: readonly ParamSchema[];
  readonly items?: ParamSchema;
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly maximum?: number;
  readonly exclusiveMaximum?: number;
  /** `tokens`, `steps`, `nats`, `fraction`: a percentage literal fits only where a fraction is wanted. */
  readonly "x-unit"?: string;
  /** What people use: a value outside is allowed, and probably a slip. */
  readonly "x-usual"?: readonly [low: number, high: number];
  /** Where the default comes from: `Rafailov et al. 2023, App. B`. */
  readonly "x-source"?: string;
  /**
   * What this parameter is to the language, when it is not a plain value: a `template` reference (its value
   * becomes `{input, target?}` texts), the `templates` of the datasets given (written `all`, `none`, how many, or a
   * list; its value becomes the texts for each dataset, in their order), a `path` (resolved by the host, its content goes into the key), a `folder`
   * (a path that means every file in it, names included), or an
   * `expression` over the row's columns (its value becomes the lowered expression), or a `command`: a text of which
   * every word that is a file of the project stands for that file's content in the key; or a `setting` or `secret`,
   * which may be (or must be) `env("NAME")`: its value is `{ env: NAME }`, which is in no key and read where the task runs.
   */
  readonly "x-align"?:
    | "setting"
    | "secret"
    | "templates"
    | "template"
    | "path"
    | "folder"
    | "expression"
    | "command";
  /** Options that a choice may be called with, and the parameters that they set: `cosine(final: 10%)`. */
  readonly "x-options"?: Readonly<Record<string, string>>;
  /** Its value in a rehearsal of the pipeline: at most this, or always this. */
  readonly "x-rehearse"?: { readonly most: number } | { readonly always: Json };
  /** The named row that a template reads, where it is not the row of the operation's data: `Chat`. */
  readonly "x-row"?: RowName;
  /** Columns that the operation adds to the row that a template reads. */
  readonly "x-columns"?: Row["columns"];
  /** Does not change the result and stays out of the key: threads, logging. */
  readonly "x-execution"?: boolean;
}

export interface ParamsSchema {
  readonly type: "object";
  readonly properties: Readonly<Record<string, ParamSchema>>;
  readonly required?: readonly string[];
}

/** One problem that the JSON Schema validator (or the operation itself) has with evaluated parameters. */
export interface ParamProblem {
  /** The parameter's name, or the name of an unknown or missing one. */
  readonly param: string;
  readonly kind: "unknown" | "missing" | "type" | "range" | "other";
  /** `must be > 0`; a fragment that follows the parameter's name and value. */
  readonly message: string;
  readonly help?: string;
}

/** A declaration-typed argument: `pretrain(model, data)`, `judge(rows, by: afinn)`. */
export interface InputSpec {
  readonly name: string;
  readonly type: Type;
  readonly doc: string;
  readonly optional?: boolean;
  /** `generate([a, b], prompts)`: one or a list. */
  readonly variadic?: boolean;
}

/** What a name of another tool is called here. */
export interface Elsewhere {
  readonly parameter: string;
  /** Who has the name: `TRL`. */
  readonly tools: readonly string[];
  /** What differs, where the value cannot be taken over as it is: `which counts seconds`. */
  readonly but?: string;
}

/** What is known of a call when its output type is asked for. */
export interface CallFacts {
  /** Types of the inputs given, by input name; a variadic input has a list type. */
  readonly inputs: Readonly<Record<string, Type>>;
  /** Parameters as evaluated, defaults filled in. */
  readonly params: Readonly<Record<string, Json>>;
  /** The type of each thing given under an input that takes several. */
  readonly given?: Readonly<Record<string, readonly Type[]>>;
  /** The row before the pipe, for transforms; the row of the first dataset input otherwise. */
  readonly row?: Row;
  /** Columns of a file-like source, when it can be looked at. */
  readonly peek?: (path: string) => Row | undefined;
}

export interface TypeProblem {
  readonly message: string;
  readonly help?: string;
  /** The parameter or input to point at. */
  readonly at?: string;
  /** Nearest fitting name, when the problem is an unknown column. */
  readonly unknown?: { readonly name: string; readonly candidates: readonly string[] };
}

export interface Signature {
  /** `as Chat` applies this transform to rows that are not `Chat` and fit its input. */
  readonly reads?: RowName;
  readonly name: string;
  /** Its key in the library and in plans, where two kinds share a name: `hf` is a model and a source of rows. */
  readonly id?: string;
  readonly kind: OperationKind;
  readonly doc: string;
  readonly inputs: readonly InputSpec[];
  /** Any name may be given an input: `exec(train: rows)`, and `exec(rows)` for `exec(rows: rows)`. */
  readonly restInputs?: Omit<InputSpec, "name">;
  readonly params: ParamsSchema;
  /** Its parameters by the names that other tools have for them: `cutoff_len`. */
  readonly elsewhere?: ReadonlyMap<string, Elsewhere>;
  /** Parameters that may be given by position after the inputs: `text("a.txt")`, `take(100)`. */
  readonly positional: readonly string[];
  /** `take_rest: any name is allowed` as in `select(prompt: instruction)`: the schema of those values. */
  readonly rest?: ParamSchema;
  output(facts: CallFacts): Type | TypeProblem;
  /** What comes out whatever is given, where that is so. */
  readonly makes?: Type;
  /** Names that `stage.name` and `expect` may read, with their one-line meaning. */
  readonly metrics: Readonly<Record<string, string>>;
  /**
   * Validates evaluated parameters (ajv behind it). `given` are the names that somebody wrote down, and of the inputs
   * that are there; the values of other parameters are defaults. Without it nothing is known to be written.
   */
  validate(params: Readonly<Record<string, Json>>, given?: ReadonlySet<string>): readonly ParamProblem[];
}

/** Every operation there is, by name. */
export type Library = ReadonlyMap<string, Signature>;

/** Of two operations of one name, the one that may stand here. */
export function signatureFor(
  library: Library,
  name: string,
  roles: readonly OperationKind[],
): Signature | undefined {
  const found = library.get(name);
  if (found?.name !== name) return undefined;
  if (roles.includes(found.kind)) return found;
  return Array.from(library.values()).find((s) => s.name === name && roles.includes(s.kind)) ?? found;
}

export interface ImportedFile {
  /** One path for one file, however it is imported. */
  readonly source: Source;
  /** The outside world as seen from it. */
  readonly host: Host;
}

/** What the checker may ask of the outside world. */
export interface Host {
  /**
   * The files that a path names, sorted; relative to the .align file, with globs and `npm:package/file`.
   * A string list on success, a problem otherwise. As a folder: those in it.
   */
  resolve(
    path: string,
    as?: "path" | "folder",
  ):
    | { readonly files: readonly string[] }
    | { readonly problem: string; readonly help?: string; readonly near?: readonly string[] };
  /** The first rows' columns of a JSONL or CSV file. */
  peek(path: string): Row | undefined;
  /** Whether a variable is set in the environment; undefined where nobody can know. Its value is nobody's business here. */
  hasVariable?(name: string): boolean;
  /** The file that `import … from "x"` means, relative to this one; `std:name` is one of the standard library. */
  module?(specifier: string): ImportedFile | { readonly problem: string; readonly help?: string };
}
