// Declares `exec`: any command, with declared inputs and a declared output that is checked.
import Type from "typebox";
import { defineStage } from "../../engine/index.ts";
import {
  type Type as AlignType,
  type CallFacts,
  dataset,
  type Json,
  nearest,
  type RowName,
  rows,
  type TypeProblem,
} from "../../grammar/index.ts";
import { placeholdersIn } from "./command.ts";

const rowNames = Object.keys(rows) as RowName[];

/** What a command can be declared to write. */
export type Output = RowName | "Rows" | "Model" | "Metrics" | "Files";

const params = Type.Object({
  run: Type.String({
    "x-align": "command",
    minLength: 1,
    description:
      "A command line of sh, run in the folder of this file. `{name}` is the path of that input (the rows.jsonl of a dataset, else the folder), or the value of that parameter; `{out}` is where to write; `{{` is a brace. Files of the project that it names are inputs: their content is part of the key.",
  }),
  output: Type.Enum(["Rows", ...rowNames, "Model", "Metrics", "Files"], {
    type: "string",
    description:
      "What is written to `{out}`: a JSON Lines file of such rows (Rows: of any), a model's folder, a JSON file of numbers, or a folder of any files.",
  }),
  metrics: Type.Optional(
    Type.Array(Type.String(), {
      description: "With output: Metrics, the names that must be there; `expect` may read them.",
    }),
  ),
  files: Type.Optional(
    Type.Array(Type.String({ "x-align": "path" }), {
      description: "Files that the command reads without naming them, such as modules a script imports.",
    }),
  ),
  set_env: Type.Optional(
    Type.Record(Type.String(), Type.Union([Type.String(), Type.Number()]), {
      description: "Environment variables with their values, which are part of the key.",
    }),
  ),
  pass_env: Type.Optional(
    Type.Array(Type.String(), {
      description:
        "Names of environment variables that are let through if they are set; the result must not depend on them.",
      "x-execution": true,
    }),
  ),
  secrets: Type.Optional(
    Type.Array(Type.String(), {
      description:
        "Names of environment variables that must be set and are let through; their values are blotted out of the log.",
      "x-execution": true,
    }),
  ),
  timeout: Type.Optional(
    Type.Number({
      exclusiveMinimum: 0,
      description: "After this time the command is ended and the stage fails.",
      "x-unit": "ms",
      "x-execution": true,
    }),
  ),
});

export const exec = defineStage(
  {
    name: "exec",
    version: 1,
    doc: 'Runs a command that reads inputs and writes one output: `exec(rows) { run: "python clean.py {rows} {out}", output: Prompt }`.',
    restInputs: { type: { kind: "any" }, variadic: true, doc: "Read by the command as `{its name}`." },
    params,
    rest: Type.Unknown({ description: "A value that the command reads as `{its name}`." }),
    check: (given) => {
      const read = placeholdersIn(given.run);
      const own = Object.keys(params.properties);
      const values = Object.keys(given).filter((name) => !own.includes(name));
      return [
        ...values
          .filter((name) => !read.includes(name))
          .map((name) => {
            const [meant] = nearest(name, own);
            return {
              param: name,
              kind: "other" as const,
              message: "is no parameter of exec, and `run` does not read it",
              help: meant ? `did you mean \`${meant}\`?` : `write {${name}} where the command wants it`,
            };
          }),
        ...(given.metrics && given.output !== "Metrics"
          ? [
              {
                param: "metrics",
                kind: "other" as const,
                message: `has no effect with output: ${given.output}`,
                help: "use output: Metrics",
              },
            ]
          : []),
      ];
    },
    output,
    metrics: { rows: "rows written, of a dataset", parameters: "number of weights, of a model" },
    heavy: true,
  },
  () => import("./run.ts").then((m) => m.exec),
);

function output({ inputs, params: given }: CallFacts): AlignType | TypeProblem {
  const read = placeholdersIn(String(given.run ?? ""));
  const known = [...Object.keys(inputs), ...Object.keys(given), "out"];
  const lost = read.find((name) => !known.includes(name));
  if (lost !== undefined) {
    const candidates = [...Object.keys(inputs), "out"];
    return {
      at: "run",
      message: `\`run\` reads {${lost}}, which is neither an input nor a parameter`,
      help: "a brace that is meant as one is written {{",
      unknown: { name: lost, candidates },
    };
  }
  if (!read.includes("out")) {
    return {
      at: "run",
      message: "`run` does not say where the output goes",
      help: "write {out} where the command wants its output path",
    };
  }
  const idle = Object.keys(inputs).find((name) => !read.includes(name));
  if (idle !== undefined) {
    return {
      at: idle,
      message: `\`run\` does not read the input ${idle}`,
      help: `write {${idle}} where the command wants its path, or leave the input out`,
    };
  }
  return typeOf(given.output as Output | undefined, given.metrics);
}

function typeOf(declared: Output | undefined, metrics: Json | undefined): AlignType {
  switch (declared) {
    case "Model":
      return { kind: "model" };
    case "Metrics":
      return {
        kind: "metrics",
        fields: Object.fromEntries(((metrics ?? []) as string[]).map((name) => [name, "by the command"])),
      };
    case "Rows":
    case "Files":
    case undefined:
      return { kind: "any" };
    default:
      return dataset(rows[declared]);
  }
}
