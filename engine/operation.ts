// One declaration of an operation, from which its types, checks, docs and cache key are all derived.
import { Ajv, type ErrorObject, type ValidateFunction } from "ajv";
import type { Static, TObject, TSchema } from "typebox";
import type {
  CallFacts,
  InputSpec,
  Json,
  ParamProblem,
  ParamSchema,
  ParamsSchema,
  Signature,
  Type,
  TypeProblem,
} from "../grammar/index.ts";
import type { EstimateRun } from "./estimate.ts";
import type { ModelRun, SourceRun, StageRun, TransformRun } from "./task.ts";

export interface Declaration<P extends TObject> {
  readonly name: string;
  /** Where an operation of another kind has the same name. */
  readonly id?: string;
  /** Raise it when the same parameters and inputs give different bytes than before. */
  readonly version: number;
  readonly doc: string;
  readonly inputs?: readonly InputSpec[];
  /** Any name may be given an input: `exec(train: rows)`. */
  readonly restInputs?: Omit<InputSpec, "name">;
  readonly params: P;
  readonly positional?: readonly (keyof Static<P> & string)[];
  readonly rest?: TSchema;
  /** `as Row` applies this transform where rows are not such rows and fit its input. */
  readonly reads?: Signature["reads"];
  readonly output: Type | ((facts: CallFacts) => Type | TypeProblem);
  readonly metrics?: Readonly<Record<string, string>>;
  /** The result shows what its inputs are called: their names and order are part of the key. */
  readonly named?: boolean;
  /** The result depends on the tensor backend, whose fingerprint then goes into the key. */
  readonly numeric?: boolean;
  /** Uses every core while it runs; such tasks never run side by side. */
  readonly heavy?: boolean;
  /**
   * The input whose rows are worked on one by one: what a row comes to depends on the row and on everything else that
   * the key is made of. `ctx.journal` then keeps it, and more rows cost only what is new.
   */
  readonly rowwise?: string;
  /**
   * The parameters with which the same result takes less memory, after it has run out so many times; only execution
   * parameters may differ. Undefined when there is nothing left to save.
   */
  readonly inLessMemory?: (params: Static<P>, times: number) => Static<P> | undefined;
  /**
   * What the schema alone cannot say: two parameters that exclude each other, one without effect. `given` tells what
   * was written down from what is there by default.
   */
  readonly check?: (params: Static<P>, given: (name: string) => boolean) => readonly ParamProblem[];
}

export interface Operation extends Signature {
  readonly version: number;
  readonly numeric: boolean;
  readonly named: boolean;
  readonly heavy: boolean;
  readonly rowwise?: string;
  inLessMemory?(params: Readonly<Record<string, Json>>, times: number): Record<string, Json> | undefined;
  /** The implementation, loaded only in the process that runs it. */
  load(): Promise<SourceRun | TransformRun | ModelRun | StageRun>;
  /** What it says before it runs, loaded only by what shows estimates. */
  readonly estimate?: () => Promise<EstimateRun>;
}

type LoadEstimate<P extends TObject> = () => Promise<EstimateRun<Static<P>>>;

/** `dataset d = name(…)`: brings rows in. */
export function defineSource<P extends TObject>(
  declaration: Declaration<P>,
  load: () => Promise<SourceRun<Static<P>>>,
  estimate?: LoadEstimate<P>,
): Operation {
  return define("source", declaration, load, estimate);
}

/** `d |> name(…)`: rows to rows. */
export function defineTransform<P extends TObject>(
  declaration: Declaration<P>,
  load: () => Promise<TransformRun<Static<P>>>,
  estimate?: LoadEstimate<P>,
): Operation {
  return define("transform", declaration, load, estimate);
}

/** `model m = name(…)`: a Model, a Tokenizer or a Judge. */
export function defineModel<P extends TObject>(
  declaration: Declaration<P>,
  load: () => Promise<ModelRun<Static<P>>>,
  estimate?: LoadEstimate<P>,
): Operation {
  return define("model", declaration, load, estimate);
}

/** `mixture m = name(…)`: one dataset drawn from several. */
export function defineMixture<P extends TObject>(
  declaration: Declaration<P>,
  load: () => Promise<StageRun<Static<P>>>,
): Operation {
  return define("mixture", declaration, load);
}

/** `stage s = name(…)`. */
export function defineStage<P extends TObject>(
  declaration: Declaration<P>,
  load: () => Promise<StageRun<Static<P>>>,
  estimate?: LoadEstimate<P>,
): Operation {
  return define("stage", declaration, load, estimate);
}

function define<P extends TObject, R>(
  kind: Signature["kind"],
  declaration: Declaration<P>,
  load: () => Promise<R>,
  estimate?: LoadEstimate<P>,
): Operation {
  const { output, rest } = declaration;
  const params = declaration.params as unknown as ParamsSchema;
  let compiled: ValidateFunction | undefined;
  return {
    name: declaration.name,
    ...(declaration.id === undefined ? {} : { id: declaration.id }),
    kind,
    version: declaration.version,
    doc: declaration.doc,
    inputs: declaration.inputs ?? [],
    ...(declaration.restInputs ? { restInputs: declaration.restInputs } : {}),
    params,
    positional: declaration.positional ?? [],
    ...(declaration.reads === undefined ? {} : { reads: declaration.reads }),
    ...(rest ? { rest: rest as unknown as ParamSchema } : {}),
    metrics: declaration.metrics ?? {},
    numeric: declaration.numeric ?? false,
    named: declaration.named ?? false,
    heavy: declaration.heavy ?? false,
    ...(declaration.rowwise === undefined ? {} : { rowwise: declaration.rowwise }),
    ...(declaration.inLessMemory === undefined
      ? {}
      : { inLessMemory: declaration.inLessMemory as NonNullable<Operation["inLessMemory"]> }),
    ...(typeof output === "function" ? { output } : { output: () => output, makes: output }),
    validate(values, given) {
      compiled ??= ajv().compile({ ...params, additionalProperties: rest ?? false });
      const problems = compiled(values) ? [] : problemsOf(compiled.errors ?? []);
      if (problems.length > 0 || !declaration.check) return problems;
      return declaration.check(values as Static<P>, (name) => given?.has(name) ?? false);
    },
    load: load as Operation["load"],
    ...(estimate && { estimate: estimate as NonNullable<Operation["estimate"]> }),
  };
}

let instance: Ajv | undefined;
function ajv(): Ajv {
  // `strict: false`: the `x-` annotations are ours, and ajv has nothing to check in them. That the schemas are
  // schemas is a test's business: compiling the one of schemas would double the time of `align check`. Each validator runs a few
  // times, so shortening its code costs more than it saves.
  instance ??= new Ajv({
    allErrors: true,
    strict: false,
    validateSchema: false,
    addUsedSchema: false,
    code: { optimize: false },
  });
  return instance;
}

function problemsOf(errors: readonly ErrorObject[]): ParamProblem[] {
  const problems = new Map<string, ParamProblem>();
  for (const error of errors) {
    const problem = problemOf(error);
    // A union reports every branch; the first word on a parameter is enough.
    if (!problems.has(problem.param)) problems.set(problem.param, problem);
  }
  return [...problems.values()];
}

function problemOf(error: ErrorObject): ParamProblem {
  const [, param = "", ...inside] = error.instancePath.split("/");
  const problem = plainProblemOf(error, param);
  // A field of an object: the parameter is what was written, the field is named in the message.
  if (param === "") return problem;
  const field = inside.filter((part) => !/^\d+$/.test(part)).join(".");
  if (problem.kind === "unknown")
    return { param, kind: "other", message: `has no field \`${problem.param}\`` };
  return field === "" ? problem : { ...problem, message: `${field} ${problem.message}` };
}

function plainProblemOf(error: ErrorObject, param: string): ParamProblem {
  const p = error.params as Record<string, Json>;
  switch (error.keyword) {
    case "additionalProperties":
      return { param: String(p.additionalProperty), kind: "unknown", message: "is not a parameter" };
    case "required":
      return { param: String(p.missingProperty), kind: "missing", message: "is required" };
    case "minimum":
    case "exclusiveMinimum":
    case "maximum":
    case "exclusiveMaximum":
      return { param, kind: "range", message: `must be ${p.comparison} ${p.limit}` };
    case "enum":
      return {
        param,
        kind: "range",
        message: `must be one of ${(p.allowedValues as Json[]).map(String).join(", ")}`,
      };
    case "type":
      return {
        param,
        kind: "type",
        message: `must be ${/^[aeiou]/.test(String(p.type)) ? "an" : "a"} ${p.type}`,
      };
    default:
      return { param, kind: "other", message: error.message ?? `does not satisfy ${error.keyword}` };
  }
}

/** The parameters of an operation with the annotations that docs and `align plan` show. */
export function defaultsOf(params: ParamsSchema): Record<string, Json> {
  const defaults: Record<string, Json> = {};
  for (const [name, schema] of Object.entries(params.properties)) {
    if (schema.default !== undefined) defaults[name] = schema.default;
  }
  return defaults;
}
